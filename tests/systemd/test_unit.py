"""The shipped unit, as systemd's own tools judge it, and what `service install` makes of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ingestor.config.load import load
from ingestor.errors import ExitCode
from ingestor.systemd import unit

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = (CHECKOUT / "systemd/tokentail.service").read_text("utf-8")
SAMPLE = (CHECKOUT / "config/tokentail.toml").read_text("utf-8")
EXPOSURE_TENTHS = 15
"""At most 1.5 of 10."""
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def runnable(tmp_path: Path) -> Path:
    """The unit with a program that is here, which `verify` wants, at a path that needs quotes and an escape."""
    program = tmp_path / "my $100 %h apps" / "tokentail"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / "tokentail.service"
    path.write_text(unit.unit(SHIPPED, str(program), ["adm", "idp"]))
    return path


@needs_analyze
def test_systemd_finds_no_fault(runnable: Path) -> None:
    found = analyze("verify", "--man=no", runnable)
    assert (found.returncode, found.stderr) == (0, "")


@needs_analyze
def test_a_fault_would_be_found(runnable: Path) -> None:
    runnable.write_text(runnable.read_text().replace("ProtectHome=yes", "ProtectHouse=yes"))
    assert "ProtectHouse" in analyze("verify", "--man=no", runnable).stderr


@needs_analyze
def test_it_is_exposed_as_little_as_promised(runnable: Path) -> None:
    found = analyze("security", "--offline=true", f"--threshold={EXPOSURE_TENTHS}", runnable)
    assert found.returncode == 0, found.stdout
    (level,) = re.findall(r"Overall exposure level for \S+ (\d+\.\d)", found.stdout)
    assert float(level) * 10 <= EXPOSURE_TENTHS


def test_the_exit_codes_that_no_restart_mends_are_ours() -> None:
    (codes,) = re.findall(r"^RestartPreventExitStatus=(.*)$", SHIPPED, re.MULTILINE)
    mended_by_people = {ExitCode.USAGE, ExitCode.NO_PERMISSION, ExitCode.BAD_CONFIG}
    assert {int(code) for code in codes.split()} == mended_by_people


def test_what_is_replaced_is_in_the_shipped_unit_once() -> None:
    assert SHIPPED.count(f"\nExecStart={unit.SHIPPED_EXECUTABLE} ") == 1
    assert unit.groups_of(SHIPPED) == ("adm",)
    assert f"StateDirectory={Path(unit.STATE_DIRECTORY).name}\n" in SHIPPED


def test_the_credentials_are_those_that_are_looked_for_and_their_absence_is_no_fault() -> None:
    names = dict(re.findall(r"^LoadCredential=([^:\n]+):(.*)$", SHIPPED, re.MULTILINE))
    assert names == {name: f"tokentail.{name}" for name in ("store-token", "store-password")}


def test_a_unit_is_unedited_until_it_is_edited() -> None:
    text = unit.unit(SHIPPED, "/usr/bin/tokentail", ["adm"])
    assert unit.is_unedited(text)
    assert not unit.is_unedited(SHIPPED)
    assert not unit.is_unedited("")
    assert not unit.is_unedited(text + "\n")
    assert not unit.is_unedited(text.replace("WatchdogSec=120", "WatchdogSec=0"))


def test_groups_are_given_kept_and_none_is_possible() -> None:
    for groups in ((), ("adm",), ("adm", "idp")):
        assert unit.groups_of(unit.unit(SHIPPED, "/usr/bin/tokentail", groups)) == groups


@needs_analyze
@pytest.mark.parametrize("name", ["quo'te", 'quo"te', "back\\slash", "line\nbreak"])
def test_what_systemd_refuses_is_known_before(runnable: Path, tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert not unit.can_be_run(str(program))
    runnable.write_text(unit.unit(SHIPPED, str(program), ["adm"]))
    assert analyze("verify", "--man=no", runnable).returncode != 0


def test_the_first_configuration_names_the_state_and_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "tokentail.toml"
    text = unit.starting_config(SAMPLE)
    assert text != SAMPLE
    file.write_text(text)
    assert load(file, environment={}).settings.state_directory == Path("/var/lib/tokentail")
