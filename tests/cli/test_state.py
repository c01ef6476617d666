"""The state as a file: backed up, copied to where nothing can be written, damaged, of a newer version."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ingestor.state.database import DATABASE, suspect, suspicion
from ingestor.state.upgrades import SCHEMA_VERSION
from tests.cli.conftest import LINES, SINCE, nobody
from tests.docs.reference import commands

Tokentail = Callable[..., Result]

READING = ("stats", "activity", "events", "findings", "baseline", "top clients", "top users", "peak", "analytics")
LOOKING = ("status", "verify {log}", "rejected list", "explain {log}", "state backup {saved}")
WRITING = ("run --once --log {log}", "backfill {log}", "rejected replay", "rollup rebuild", "demo --seconds 0.5")
NOT_OF_THE_STATE = {
    *("config sample", "config show", "store init", "service install", "service uninstall", "service status"),
    *("grafana plan", "grafana apply", "grafana export", "grafana destroy", "mapping new", "mapping show"),
}


def words(command: str, log: Path, saved: Path) -> list[str]:
    return command.format(log=log, saved=saved).split()


def test_every_command_is_known_to_the_tests_here() -> None:
    listed = {" ".join(word for word in command.split() if word[0] not in "-{") for command in READING + LOOKING}
    listed |= {command.split(" {")[0].split(" --")[0] for command in WRITING}
    assert listed | NOT_OF_THE_STATE | {"validate"} == {path.removeprefix("tokentail ") for path, _ in commands()}


@pytest.mark.parametrize("command", [*READING, *LOOKING, *WRITING, "validate"])
def test_a_state_of_a_newer_version_is_refused_and_left_as_it_is(
    tokentail: Tokentail, stored: tuple[str, ...], audit_log: Path, tmp_path: Path, command: str
) -> None:
    del stored
    database = tmp_path / "state" / DATABASE
    with contextlib.closing(sqlite3.connect(database)) as newer:
        newer.execute("PRAGMA journal_mode=DELETE")
        newer.execute("ALTER TABLE accounts RENAME TO ledgers")
        newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    before = database.read_bytes()
    result = tokentail(*words(command, audit_log, tmp_path / "saved.db"), "--state-dir", tmp_path / "state")
    assert result.exit_code == 78, result.output
    assert "newer tokentail" in result.output
    assert "--state-dir" in result.output
    assert database.read_bytes() == before
    assert not (tmp_path / "saved.db").exists()


def test_backup_says_where_it_is_and_restores_by_being_put_in_place(
    tokentail: Tokentail, stored: tuple[str, ...], state: tuple[str, str], tmp_path: Path
) -> None:
    saved = tmp_path / "backup" / "tokentail.db"
    saved.parent.mkdir()
    text = tokentail("state", "backup", saved, *state).stdout
    assert text.startswith(f"Backed up {state[1]} into {saved}, ")
    assert f"beside it: {saved}.rejected.jsonl" in text
    answer = json.loads(tokentail("state", "backup", saved, "--json", *state).stdout)
    assert answer == {
        "file": str(saved),
        "bytes": saved.stat().st_size,
        "rejected_file": f"{saved}.rejected.jsonl",
        "pipe_lines": 0,
    }
    there = tokentail("stats", "--json", *stored).stdout
    assert tokentail("stats", "--json", *SINCE, "--state-dir", saved.parent).stdout == there


def test_backup_says_what_of_pipes_is_not_in_it(
    tokentail: Tokentail, stored: tuple[str, ...], state: tuple[str, str], tmp_path: Path
) -> None:
    """They have been taken out of the pipe, so nobody brings them again."""
    del stored
    spool = Path(state[1]) / "spool"
    spool.mkdir(exist_ok=True)
    (spool / "stdin.log").write_text("\n".join(LINES) + "\n")
    assert tokentail("run", "--once", "--log", spool / "stdin.log", *state).exit_code == 0
    saved = tmp_path / "tokentail.db"
    assert "pipes" not in tokentail("state", "backup", saved, *state).stderr
    with (spool / "stdin.log").open("a") as file:
        file.write("\n".join(LINES[:3]) + "\nhalf")
    answer = tokentail("state", "backup", saved, "--json", *state)
    assert json.loads(answer.stdout)["pipe_lines"] == 3
    assert "3 lines that came through pipes and were not read yet are not in the backup" in answer.stderr
    (spool / "pipe-0.log").write_text(LINES[0] + "\n")
    assert json.loads(tokentail("state", "backup", saved, "--json", *state).stdout)["pipe_lines"] == 4


@pytest.fixture
def copied(stored: tuple[str, ...], tmp_path: Path) -> Path:
    """Return a copy of a state whose daemon has ended, by the hand of somebody who copies the database alone."""
    del stored
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "state" / DATABASE, copy)
    return copy


@pytest.mark.parametrize("command", [*READING, *LOOKING])
def test_a_copy_can_be_asked_where_nothing_can_be_written(
    tokentail: Tokentail, copied: Path, audit_log: Path, tmp_path: Path, command: str
) -> None:
    options = [*(SINCE if command in READING else ()), "--state-dir", str(copied)]
    asked = [*words(command, audit_log, tmp_path / "saved.db"), *options]
    expected = tokentail(*asked)
    assert expected.exit_code == 0, expected.output
    for journal in copied.glob(f"{DATABASE}-*"):
        journal.unlink()
    before = sorted(copied.iterdir())
    copied.chmod(0o555)
    (copied / DATABASE).chmod(0o444)
    with nobody(tmp_path):
        result = tokentail(*asked)
    assert result.exit_code == 0, result.output
    assert of_any_moment(result.stdout) == of_any_moment(expected.stdout)
    assert sorted(copied.iterdir()) == before


def of_any_moment(text: str) -> str:
    """Return what a command says, whenever it says it: a checkpoint is older a second later, and the journals are gone."""
    return re.sub(r"\d+ s ago|[\d.]+ MiB", "...", text)


def can_mount() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="mounts a file system read-only")
def test_a_copy_on_a_read_only_file_system_can_be_asked(copied: Path, environment: dict[str, str]) -> None:
    program = [sys.executable, "-m", "ingestor", "stats", "--json", *SINCE, "--state-dir", str(copied)]
    there = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout
    for journal in copied.glob(f"{DATABASE}-*"):
        journal.unlink()
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/x" 2>/dev/null && exec "$@"'
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(copied), *program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, there), ran.stderr
    assert json.loads(there)["total_issued"] == 3


def test_a_write_ahead_log_that_cannot_be_read_is_not_passed_over(
    tokentail: Tokentail, copied: Path, tmp_path: Path
) -> None:
    """Beside it lies what was written last: without it the answers would be of yesterday."""
    with contextlib.closing(sqlite3.connect(copied / DATABASE)) as writer:
        writer.execute("UPDATE accounts SET read = read + 1")
        writer.commit()
        late = tmp_path / "late"
        shutil.copytree(copied, late, ignore=shutil.ignore_patterns("*-shm"))
    for path in (late, *late.iterdir()):
        path.chmod(0o555)
    with nobody(tmp_path):
        result = tokentail("status", "--state-dir", late)
    assert result.exit_code == 77
    assert "write-ahead log" in result.stderr
    assert "Copy the whole directory" in result.stderr


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: b"", "it is empty"),
        (lambda data: bytes(len(data)), "it begins with zeros"),
        (lambda data: b"{" + data[1:], "it is no SQLite database"),
        (lambda data: data[: 8192 * 5], "it was cut: 40,960 bytes are there of "),
        (lambda data: data[:-1], "it was cut: "),
    ],
)
@pytest.mark.parametrize("command", ["stats", "status", "state backup {saved}"])
def test_a_damaged_copy_says_what_is_wrong(
    tokentail: Tokentail, copied: Path, tmp_path: Path, damage: Callable[[bytes], bytes], said: str, command: str
) -> None:
    path = copied / DATABASE
    path.write_bytes(damage(path.read_bytes()))
    os.utime(path, (0, 0))
    result = tokentail(*words(command, path, tmp_path / "saved.db"), "--state-dir", copied)
    assert result.exit_code == 1
    assert f"The state database is damaged: {said}" in result.stderr
    assert str(path) in result.stderr
    assert "restore a backup" in result.stderr


@pytest.mark.parametrize("finder", ["stats --since all", "validate", "state backup {saved}"])
def test_damage_that_a_reader_meets_is_mended_by_the_next_run(
    tokentail: Tokentail, stored: tuple[str, ...], audit_log: Path, tmp_path: Path, finder: str
) -> None:
    """Nothing of what a start reads lies on that page."""
    there = tokentail("stats", "--json", *stored).stdout
    state = ("--state-dir", str(tmp_path / "state"))
    path = tmp_path / "state" / DATABASE
    scribble(path, "token_events_1h")
    found = tokentail(*words(finder, audit_log, tmp_path / "saved.db"), *state)
    assert found.exit_code == 1
    assert "damaged: " in " ".join(found.output.split())
    assert "`tokentail run` sets it aside when it starts" in " ".join(found.output.split())
    check = tokentail("status", "--check", *state)
    assert check.exit_code == 2
    assert "The state database is damaged" in check.stdout
    ran = tokentail("run", "--once", "--log", audit_log, *state)
    assert ran.exit_code == 0
    assert "set aside" in ran.stderr
    assert tokentail("stats", "--json", *stored).stdout == there
    assert "The state database is damaged" not in tokentail("status", "--check", *state).stdout
    assert tokentail("validate", *state).exit_code == 0


def test_a_suspicion_that_is_wrong_sets_nothing_aside(
    tokentail: Tokentail, stored: tuple[str, ...], audit_log: Path, tmp_path: Path
) -> None:
    """The database was damaged, and a backup was put into its place."""
    state = ("--state-dir", str(tmp_path / "state"))
    suspect(tmp_path / "state" / DATABASE, "Page 5: something")
    assert tokentail("run", "--once", "--log", audit_log, *state).exit_code == 0
    assert not list((tmp_path / "state").glob("*.damaged-*"))
    assert suspicion(tmp_path / "state" / DATABASE) == ""
    assert tokentail("stats", *stored).exit_code == 0


def test_who_may_not_leave_a_mark_says_who_may(tokentail: Tokentail, copied: Path, tmp_path: Path) -> None:
    scribble(copied / DATABASE, "token_events_1h")
    for journal in copied.glob(f"{DATABASE}-*"):
        journal.unlink()
    copied.chmod(0o555)
    (copied / DATABASE).chmod(0o444)
    with nobody(tmp_path):
        result = tokentail("stats", *SINCE, "--state-dir", copied)
    assert result.exit_code == 1
    assert "Run this as the user that owns the state" in result.stderr


def test_a_link_in_the_place_of_the_database_is_refused_with_words(
    tokentail: Tokentail, stored: tuple[str, ...], audit_log: Path, tmp_path: Path
) -> None:
    del stored
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / DATABASE).symlink_to(tmp_path / "state" / DATABASE)
    before = (tmp_path / "state" / DATABASE).read_bytes()
    for command in ("run --once --log {log}", "status", "stats", "validate", "backfill {log}"):
        result = tokentail(*words(command, audit_log, tmp_path), "--state-dir", linked)
        assert result.exit_code == 77, command
        said = " ".join(result.output.split())
        assert "symbolic link" in said
        assert str(tmp_path / "state") in said
    assert (linked / DATABASE).is_symlink()
    assert (tmp_path / "state" / DATABASE).read_bytes() == before


def scribble(database: Path, table: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    with database.open("r+b") as file:
        file.seek((root - 1) * 8192)
        file.write(b"\xff" * 100)


def test_damage_inside_is_placed(tokentail: Tokentail, copied: Path) -> None:
    path = copied / DATABASE
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'token_events_1h'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 8192)
        file.write(b"\xff" * 100)
    result = tokentail("stats", *SINCE, "--state-dir", copied)
    assert result.exit_code == 1
    assert f"damaged: Page {root}: " in result.stderr
    assert "malformed" not in result.stderr
