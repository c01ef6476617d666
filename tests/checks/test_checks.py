import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from ingestor.checks import checks
from ingestor.checks import logs as checks_of_logs
from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ExitCode
from ingestor.format_check import log_sample
from ingestor.model.check_result import CheckResult, Level, worst
from ingestor.state.database import DATABASE
from ingestor.state.state import State
from ingestor.stores.notes import STORE


def found(settings: Settings, directory: Path) -> list[CheckResult]:
    return list(checks.check_all(settings, directory))


def about(findings: list[CheckResult], where: Path | str) -> CheckResult:
    (finding,) = [finding for finding in findings if finding.where == str(where)]
    return finding


def logs(*entries: LogSettings) -> Settings:
    return Settings(logs=entries)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.write_text(lines("token.refreshed", 1), encoding="ascii")
    return path


def test_a_good_machine_has_only_good_findings_and_nothing_is_changed(log: Path, tmp_path: Path) -> None:
    state = tmp_path / "not" / "yet"
    findings = found(logs(LogSettings(str(log))), state)
    assert {finding.level for finding in findings} == {Level.OK}
    assert worst(findings) is ExitCode.DONE
    assert about(findings, log).what == "Log can be read (105 bytes, native)"
    assert not (tmp_path / "not").exists()


def test_what_may_still_come_is_a_warning(tmp_path: Path) -> None:
    settings = logs(
        LogSettings(str(tmp_path / "later.log")),
        LogSettings(str(tmp_path / "nowhere" / "later.log")),
        LogSettings(str(tmp_path / "*.jsonl")),
        LogSettings(str(tmp_path / "a.log"), archive_directories=(str(tmp_path / "archive"),)),
    )
    findings = found(settings, tmp_path / "state")
    for where in ("later.log", "nowhere", "*.jsonl", "a.log", "archive"):
        assert about(findings, tmp_path / where).level is Level.WARNING
        assert about(findings, tmp_path / where).advice
    assert worst(findings) is ExitCode.DONE


def test_no_log_at_all_is_a_warning(tmp_path: Path) -> None:
    assert found(Settings(), tmp_path)[0].what == "No log is configured"


def test_what_is_no_regular_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    findings = found(logs(LogSettings(str(tmp_path / "logs"))), tmp_path / "state")
    assert about(findings, tmp_path / "logs").level is Level.ERROR
    assert worst(findings) is ExitCode.BAD_ANSWER


def test_a_pipe_is_fine_where_it_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    findings = found(logs(LogSettings(str(tmp_path / "pipe"))), tmp_path / "state")
    assert about(findings, tmp_path / "pipe").level is Level.OK
    findings = found(logs(LogSettings(str(tmp_path / "p*"))), tmp_path / "state")
    assert about(findings, tmp_path / "pipe").level is Level.ERROR
    assert about(found(logs(LogSettings("/dev/stdin")), tmp_path / "state"), Path("/dev/stdin")).level is Level.OK


def test_a_glob_that_gives_two_logs_one_source_is_an_error(log: Path, tmp_path: Path) -> None:
    (tmp_path / "other.log").touch()
    pattern = str(tmp_path / "*.log")
    assert about(found(logs(LogSettings(pattern, source="one")), tmp_path), pattern).level is Level.ERROR
    assert not [finding for finding in found(logs(LogSettings(pattern)), tmp_path) if finding.where == pattern]
    assert log.exists()


@pytest.mark.parametrize("refusal", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_log_that_cannot_be_opened_is_an_error(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError
) -> None:
    def refuse(_: str) -> None:
        raise refusal

    monkeypatch.setattr(checks_of_logs, "open_log", refuse)  # the tests may run as root, whom no mode stops
    findings = found(logs(LogSettings(str(log))), tmp_path / "state")
    finding = about(findings, log)
    assert finding.level is Level.ERROR
    denied = isinstance(refusal, PermissionError)
    assert worst(findings) is (ExitCode.NO_PERMISSION if denied else ExitCode.BAD_ANSWER)


def test_a_directory_that_cannot_be_listed_is_an_error(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != log.parent)
    finding = about(found(logs(LogSettings(str(log))), tmp_path / "state"), log.parent)
    assert (finding.level, finding.exit_code) == (Level.ERROR, ExitCode.NO_PERMISSION)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (PermissionError(13, "Permission denied"), ExitCode.NO_PERMISSION),
        (OSError(30, "Read-only file system"), ExitCode.BAD_ANSWER),
    ],
)
def test_a_state_directory_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: OSError, code: ExitCode
) -> None:
    def refuse(**_: object) -> None:
        raise refusal

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    findings = found(Settings(), tmp_path)
    assert worst(findings) is code
    assert next(finding for finding in findings if finding.level is Level.ERROR).where == str(tmp_path)


def test_a_state_directory_that_is_a_file_is_an_error(log: Path) -> None:
    assert worst(found(Settings(), log)) is ExitCode.BAD_ANSWER
    assert worst(found(Settings(), log / "below")) is ExitCode.BAD_ANSWER


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "level"), [(1 << 40, Level.OK), (100 << 20, Level.WARNING), (1 << 20, Level.ERROR)])
def test_the_disk_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 41, 0, free))
    assert [finding.level for finding in found(Settings(), tmp_path) if "free on the disk" in finding.what] == [level]


def test_the_store_is_asked_and_a_holder_is_told(tmp_path: Path) -> None:
    state = State.open(tmp_path, "h")
    database = tmp_path / DATABASE
    assert "a running daemon holds it" in about(found(Settings(), tmp_path), database).what
    state.close()
    assert "no daemon is running" in about(found(Settings(), tmp_path), database).what


def test_another_host_name_than_the_states_is_a_warning(tmp_path: Path) -> None:
    State.open(tmp_path, "old").close()
    findings = found(Settings(host="new"), tmp_path)
    assert [finding for finding in findings if "'old'" in finding.what and finding.level is Level.WARNING]


def test_a_machine_that_is_called_otherwise_than_the_state_remembers_is_a_warning(tmp_path: Path) -> None:
    """As a container is whenever it is made anew."""
    State.open(tmp_path, "old-container").close()
    (warning,) = [
        finding for finding in found(Settings(), tmp_path) if finding.level is Level.WARNING and finding.where
    ]
    assert "'old-container', which the state remembers" in warning.what
    assert 'host = "old-container"' in warning.advice
    assert worst(found(Settings(host="old-container"), tmp_path)) is ExitCode.DONE
    assert "'old-container'" not in str(found(Settings(host="old-container"), tmp_path))
    assert about(found(Settings(), tmp_path), tmp_path / DATABASE).level is Level.OK


def lines(action: str, count: int) -> str:
    line = {"created_at": "2026-11-01T09:30:00Z", "action": action, "details": {"client_id": "web-app"}}
    return (json.dumps(line) + "\n") * count


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (lines("token.validation_failed", 50), True),
        (lines("token.validation_failed", 50) + "nonsense\n\n" + lines("user.login", 5), True),
        (lines("token.refreshed", 1) + lines("token.validation_failed", 50), False),
        (lines("token.validation_failed", 50) + lines("token.refreshed", 1), False),
        (lines("token.validation_failed", 5), False),
        (lines("token.authorization_pending", 50), False),
        (lines("token.refreshed", 1) + lines("token.validation_failed", log_sample.NEWEST_LINES), True),
        (lines("token.validation_failed", 50) + lines("token.refreshed", 1)[:-1], True),
        ("", False),
    ],
)
def test_a_log_that_has_failures_only_is_a_warning(log: Path, tmp_path: Path, text: str, warned: bool) -> None:
    log.write_text(text, encoding="ascii")
    findings = [finding for finding in found(logs(LogSettings(str(log))), tmp_path / "s") if finding.where == str(log)]
    assert [finding.level for finding in findings] == [Level.OK, *[Level.WARNING] * warned]
    if warned:
        assert "none is a success" in findings[1].what
        assert "Does the provider log successes, too?" in findings[1].advice


def test_of_a_large_log_the_newest_part_is_looked_at(log: Path, tmp_path: Path) -> None:
    long = lines("token.validation_failed", 1).replace("web-app", "x" * 200_000)
    log.write_text(lines("token.refreshed", 1) + long * 30, encoding="ascii")
    findings = found(logs(LogSettings(str(log))), tmp_path / "s")
    assert [f.what for f in findings if f.where == str(log) and f.level is Level.WARNING] == [
        "All 20 results in its newest lines are failures, none is a success"
    ]


def test_a_damaged_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database" * 1000)
    findings = found(Settings(), tmp_path)
    assert worst(findings) is ExitCode.BAD_ANSWER
    assert "damaged" in next(finding for finding in findings if finding.level is Level.ERROR).what


def test_the_worst_exit_code_wins() -> None:
    def error(code: ExitCode) -> CheckResult:
        return CheckResult(Level.ERROR, "x", exit_code=code)

    bad, denied, config = error(ExitCode.BAD_ANSWER), error(ExitCode.NO_PERMISSION), error(ExitCode.BAD_CONFIG)
    assert worst([bad, denied, config]) is ExitCode.BAD_CONFIG
    assert worst([bad, denied]) is ExitCode.NO_PERMISSION
    assert worst([bad, CheckResult(Level.WARNING, "x")]) is ExitCode.BAD_ANSWER
    assert worst([CheckResult(Level.WARNING, "x")]) is ExitCode.DONE
    away = error(ExitCode.UNAVAILABLE)
    assert worst([away]) is ExitCode.UNAVAILABLE
    assert worst([away, bad]) is ExitCode.BAD_ANSWER


def test_a_state_whose_events_are_in_another_store_is_an_error_as_it_is_for_the_daemon(
    log: Path, tmp_path: Path
) -> None:
    state = State.open(tmp_path / "state", "host-1")
    with state.transaction():
        state.connection.execute("REPLACE INTO meta VALUES (?, ?)", (STORE, "influxdb"))
    state.close()
    findings = found(logs(LogSettings(str(log))), tmp_path / "state")
    (error,) = [finding for finding in findings if finding.level is Level.ERROR]
    assert error.what.startswith("The events of this state are in InfluxDB")
    assert error.exit_code is ExitCode.BAD_CONFIG
