"""`service install --root` and its kin, and what is said where systemd or root is missing. The rest: tests/systemd."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ingestor.config import load
from ingestor.config.settings import LogSettings, Settings, StoreSettings
from ingestor.errors import TokentailError
from ingestor.systemd import install, unit
from tests.cli.conftest import nobody

Tokentail = Callable[..., Result]
UNIT = "etc/systemd/system/tokentail.service"
CONFIG = "etc/tokentail/tokentail.toml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.fixture
def installed(tokentail: Tokentail, root: Path) -> Path:
    result = tokentail("service", "install", "--root", root)
    assert result.exit_code == 0, result.output
    return root


def test_an_image_gets_a_unit_and_a_configuration_and_nothing_is_started(tokentail: Tokentail, root: Path) -> None:
    before = os.umask(0o077)
    try:
        result = tokentail("service", "install", "--root", root, "--executable", "/usr/bin/tokentail")
    finally:
        os.umask(before)
    assert result.exit_code == 0, result.output
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["Wrote", "Wrote"]
    text = (root / UNIT).read_text("utf-8")
    assert "ExecStart=/usr/bin/tokentail run --config /etc/tokentail/tokentail.toml\n" in text
    assert unit.groups_of(text) == ("adm",)
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == [UNIT, CONFIG]
    for path, mode in ((UNIT, 0o644), (CONFIG, 0o644), ("etc/tokentail", 0o755)):
        assert stat.S_IMODE((root / path).stat().st_mode) == mode
    assert load.load(root / CONFIG, environment={}).settings.state_directory == Path("/var/lib/tokentail")


def test_it_runs_this_installation(installed: Path) -> None:
    (line,) = [line for line in (installed / UNIT).read_text("utf-8").splitlines() if line.startswith("ExecStart=")]
    program = line.removeprefix("ExecStart=").removesuffix(" run --config /etc/tokentail/tokentail.toml")
    assert os.access(program.strip('"'), os.X_OK)


def test_installing_again_changes_nothing(tokentail: Tokentail, installed: Path) -> None:
    before = {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()}
    result = tokentail("service", "install", "--root", installed)
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["Unchanged:", "Kept"]
    assert {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()} == before


def test_a_configuration_is_kept_also_by_force(tokentail: Tokentail, installed: Path) -> None:
    (installed / CONFIG).write_text("host = 'mine'\n")
    assert tokentail("service", "install", "--root", installed, "--force").exit_code == 0
    assert (installed / CONFIG).read_text("utf-8") == "host = 'mine'\n"


def test_an_edited_unit_is_replaced_by_force_alone(tokentail: Tokentail, installed: Path) -> None:
    edited = (installed / UNIT).read_text("utf-8").replace("WatchdogSec=120", "WatchdogSec=10")
    (installed / UNIT).write_text(edited)
    result = tokentail("service", "install", "--root", installed)
    assert result.exit_code == 1
    assert "was edited" in result.stderr
    assert "systemctl edit tokentail" in result.stderr
    assert (installed / UNIT).read_text("utf-8") == edited
    assert tokentail("service", "install", "--root", installed, "--force").exit_code == 0
    assert "WatchdogSec=120" in (installed / UNIT).read_text("utf-8")


def test_an_unedited_unit_of_another_version_is_replaced(tokentail: Tokentail, installed: Path) -> None:
    other = unit.unit("[Service]\nExecStart=/opt/tokentail/bin/tokentail run\nSupplementaryGroups=\n", "/old", ["idp"])
    (installed / UNIT).write_text(other)
    result = tokentail("service", "install", "--root", installed)
    assert result.exit_code == 0
    assert "Replaced" in result.stdout
    text = (installed / UNIT).read_text("utf-8")
    assert "WatchdogSec=" in text
    assert unit.groups_of(text) == ("idp",), "groups that were given once are kept"


@pytest.mark.parametrize("group", ["", "a b", "x\nExecStart=/bin/sh", "-x"])
def test_what_is_no_group_gets_into_no_unit(tokentail: Tokentail, root: Path, group: str) -> None:
    result = tokentail("service", "install", "--root", root, f"--group={group}")
    assert result.exit_code == 1
    assert "no group" in result.stderr
    assert not root.exists()


def test_starting_below_another_root_is_refused_with_words(tokentail: Tokentail, root: Path) -> None:
    result = tokentail("service", "install", "--root", root, "--start")
    assert result.exit_code == 2
    assert "--start and --root exclude each other" in result.stderr
    assert not root.exists()


def program_of(root: Path) -> str | None:
    return unit.executable_of((root / UNIT).read_text("utf-8"))


@pytest.mark.parametrize("program", ["/usr/bin/tokentail", "/opt/token tail/100 %/tokentail"])
def test_a_program_that_was_named_once_is_kept(tokentail: Tokentail, root: Path, program: str) -> None:
    assert tokentail("service", "install", "--root", root, "--executable", program).exit_code == 0
    assert program_of(root) == program
    again = tokentail("service", "install", "--root", root, "--group", "idp")
    assert again.exit_code == 0
    assert program_of(root) == program
    assert f"It runs {program}, as before; --executable names another one" in again.stdout
    assert tokentail("service", "install", "--root", root, "--executable", "/usr/local/bin/tokentail").exit_code == 0
    assert program_of(root) == "/usr/local/bin/tokentail"


def test_a_program_is_found_as_a_shell_finds_it(
    tokentail: Tokentail, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/my-tokentail").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    for named in ("my-tokentail", "bin/my-tokentail", "./bin/my-tokentail"):
        assert tokentail("service", "install", "--root", root, "--executable", named).exit_code == 0
        assert program_of(root) == str(tmp_path / "bin/my-tokentail")
    result = tokentail("service", "install", "--root", root, "--executable", "no-tokentail")
    assert result.exit_code == 1
    assert "PATH leads to no program 'no-tokentail'" in result.stderr


def test_a_program_that_systemd_would_refuse_is_refused(tokentail: Tokentail, root: Path) -> None:
    result = tokentail("service", "install", "--root", root, "--executable", '/opt/"x"/tokentail')
    assert result.exit_code == 1
    assert not root.exists()


def test_uninstalling_keeps_what_is_the_users(tokentail: Tokentail, installed: Path) -> None:
    drop_in = installed / "etc/systemd/system/tokentail.service.d/override.conf"
    secret = installed / "etc/credstore/tokentail.store-token"
    state = installed / "var/lib/private/tokentail/tokentail.db"
    for path in (drop_in, secret, state):
        path.parent.mkdir(parents=True)
        path.write_text("")
    (installed / "var/lib/tokentail").symlink_to("private/tokentail")
    result = tokentail("service", "uninstall", "--root", installed)
    assert result.exit_code == 0
    assert not (installed / UNIT).exists()
    assert result.stdout.count("Kept") == 5
    assert all(path.exists() for path in (drop_in, secret, state, installed / CONFIG))
    again = tokentail("service", "uninstall", "--root", installed, "--purge")
    assert again.exit_code == 0
    assert "Not installed" in again.stdout
    assert again.stdout.count("Removed") == 5
    assert not list(installed.rglob("*tokentail*"))
    assert tokentail("service", "uninstall", "--root", installed, "--purge").exit_code == 0


@pytest.mark.parametrize("words", [("install",), ("uninstall",), ("status",), ("status", "--json")])
def test_without_systemd_it_is_69_with_what_to_do(
    tokentail: Tokentail, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(install, "BOOTED", Path("/nowhere"))
    result = tokentail("service", *words)
    assert result.exit_code == 69
    assert "systemd does not run this machine" in result.stderr
    assert "tokentail run" in result.stderr


@pytest.mark.parametrize("word", ["install", "uninstall"])
def test_without_root_it_is_77(tokentail: Tokentail, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(install, "require_systemd", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = tokentail("service", word)
    assert result.exit_code == 77
    assert "Only root" in result.stderr


def test_a_root_that_may_not_be_written_is_77(tokentail: Tokentail, installed: Path) -> None:
    with nobody(installed.parent):
        for words in (("install", "--force", "--group=idp"), ("uninstall",)):
            result = tokentail("service", *words, "--root", installed)
            assert result.exit_code == 77, result.output
            assert "may not" in result.stderr


def test_a_root_that_is_no_directory_is_told(tokentail: Tokentail, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = tokentail("service", "install", "--root", tmp_path / "file")
    assert result.exit_code == 1
    assert "Unexpected" not in result.stderr


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what has `systemctl show` print a text."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    monkeypatch.setattr(install, "BOOTED", tmp_path)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    def prints(text: str) -> None:
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        program.chmod(0o755)

    return prints


def test_status_is_short_and_what_the_daemon_says_moves_no_cursor(
    tokentail: Tokentail, systemctl: Callable[[str], None]
) -> None:
    systemctl(
        "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=7\nNRestarts=0\n"
        "WatchdogUSec=2min\nMemoryCurrent=66060288\nStatusText=lag 0 s \x1b[2J"
    )
    result = tokentail("service", "status")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert [name for name, _ in lines] == ["service", "at", "says", "process", "restarts", "watchdog"]
    assert "7, 63 MiB" in result.stdout
    assert json.loads(tokentail("service", "status", "--json").stdout)["good"] is True


def test_a_service_that_failed_is_exit_code_1_with_advice(
    tokentail: Tokentail, systemctl: Callable[[str], None]
) -> None:
    systemctl(
        "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=78\nStatusText=old"
    )
    result = tokentail("service", "status")
    assert result.exit_code == 1
    assert "tokentail validate" in result.stdout
    assert "exit code 78" in result.stdout
    assert "old" not in result.stdout
    assert json.loads(tokentail("service", "status", "--json").stdout)["advice"]


def test_settings_that_the_service_cannot_use_are_remarked_on() -> None:
    settings = Settings(
        logs=(LogSettings("/root/audit.jsonl"), LogSettings("/tmp/audit.jsonl")),  # noqa: S108 - named, not used
        state_directory=Path("/srv/state"),
        store=StoreSettings(token_file=Path("/etc/tokentail/token"), password_file=Path("/etc/tokentail/password")),
    )
    remarks = list(install.remarks(settings, ()))
    assert len(remarks) == 5
    assert "/etc/credstore/tokentail.store-token" in remarks[0]
    assert "/etc/credstore/tokentail.store-password" in remarks[1]
    assert "ProtectHome=" in remarks[2]
    assert "PrivateTmp=" in remarks[3]
    assert "/var/lib/tokentail only" in remarks[4]


def test_settings_that_the_service_can_use_are_not() -> None:
    settings = Settings(logs=(LogSettings("/var/log/nothing/yet.jsonl"),), state_directory=Path("/var/lib/tokentail"))
    assert list(install.remarks(settings, ())) == []


@pytest.mark.parametrize("path", ["/nowhere/tokentail", "/root/bin/tokentail"])
def test_a_program_out_of_reach_is_refused(path: str) -> None:
    with pytest.raises(TokentailError, match=r"no such program|could not run"):
        install.refuse_the_unreachable(Path(path), whole_installation=False)
