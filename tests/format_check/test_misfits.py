"""Why a log is not understood, from its lines; and a daemon says so once."""

import contextlib
import gzip
import json
import logging
from collections import Counter
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings, Settings
from ingestor.format_check import misfits as misfits_module
from ingestor.format_check.log_sample import judge_newest
from ingestor.format_check.misfit import Sample, as_of_now, outcomes_of, understanding_of
from ingestor.format_check.misfits import Doubts, look_closer, misfits
from ingestor.format_check.outcomes import failures_alone
from ingestor.format_check.understanding import Understanding, of_account
from ingestor.model.accounting import Account
from ingestor.model.check_result import Level
from ingestor.model.snapshot import Snapshot, SourceSnapshot
from ingestor.sources.file.files import open_log
from parsers.contract import Reason
from tests.support.several import NOW_MS, SeveralParser, line, record

GOOD = json.dumps({"created_at": "2026-11-01T09:30:00Z", "action": "token.refreshed", "details": {"client_id": "web"}})
PREFIXED = f"INFO audit - {GOOD}"
ALL_REJECTED = Understanding(0, 5, 0)


def account(stored: int, rejected: int, ignored: int = 0) -> Account:
    return Account(stored + rejected + ignored, stored, Counter({Reason.MISSING_KEY: rejected}), ignored)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.write_text(f"{PREFIXED}\n" * 30)
    return path


def test_a_misfit_has_a_name_a_reason_an_example_and_advice(log: Path) -> None:
    found = look_closer(str(log), str(log), ALL_REJECTED, Settings())
    assert found.looks_like == "a prefix before each JSON object around the native format"
    assert found.reason == "invalid_json"
    assert json.loads(found.example.removeprefix("INFO audit - "))["details"] == {"client_id": "web"}
    assert "sed" in found.advice
    assert "\n" not in found.told


@pytest.mark.parametrize("name", ["audit.log.1.gz", "audit.log.gz"])
def test_a_compressed_file_is_looked_into(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(f"{PREFIXED}\n".encode() * 30))
    assert look_closer(str(path), "s", ALL_REJECTED, Settings()).looks_like.startswith("a prefix")


@pytest.mark.parametrize("content", [None, b"", b"\x1f\x8b broken"])
def test_a_file_that_cannot_be_looked_at_is_told_without_a_reason(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "audit.log.gz"
    if content is not None:
        path.write_bytes(content)
    found = look_closer(str(path), "s", ALL_REJECTED, Settings())
    assert found.understanding == ALL_REJECTED
    assert not found.example
    assert found.advice


def test_the_newest_lines_say_how_a_log_is_now(log: Path, tmp_path: Path) -> None:
    mended = tmp_path / "mended.log"
    mended.write_text(f"{PREFIXED}\n" * 30 + f"{GOOD}\n" * 2000)
    broken, gone = (str(log), str(log), account(1000, 0)), ("gone", "/nowhere", account(0, 30))
    sources = [broken, ("mended", str(mended), account(10, 3000)), gone, ("fresh", "/nowhere", Account())]
    found = misfits(sources, Settings())
    assert [(misfit.path, misfit.understanding) for misfit in found] == [
        (str(log), Understanding(0, 30, 0)),
        ("/nowhere", Understanding(0, 30, 0)),
    ]
    assert [misfit.path for misfit in misfits(sources, Settings(), peek=False)] == ["/nowhere"]


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_end_of_a_log_tells_that_it_has_changed(tmp_path: Path, share: float) -> None:
    """300 lines of which nothing is an event are wrong, however many good ones are before them."""
    path = tmp_path / "audit.log"
    good = int(300 / (1 - share)) - 300
    path.write_text(f"{GOOD}\n" * good + f"{PREFIXED}\n" * 300)
    (found,) = misfits([(str(path), str(path), account(good, 300))], Settings())
    assert found.understanding == Understanding(0, 300, 0, "last")
    assert found.looks_like.startswith("a prefix")


def test_what_validate_judges_status_judges_alike(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    ignored = GOOD.replace("token.refreshed", "user.login")
    settings = Settings(logs=(LogSettings(str(path)),))
    for text, whole in (
        (f"{GOOD}\n" * 1000 + f"{PREFIXED}\n" * 25, account(1000, 25)),
        (f"{GOOD}\n" * 90 + f"{PREFIXED}\n" * 10 + f"{GOOD}\n", account(91, 10)),
        (f"{GOOD}\n" * 50 + f"{ignored}\n" * 2100, account(50, 0, 2100)),
        (f"{ignored}\n" * 3, account(0, 0, 3)),
        (f"{GOOD}\n" * 50, account(50, 0)),
    ):
        path.write_text(text)
        with contextlib.closing(open_log(str(path))) as file:
            found = judge_newest(file, settings.logs[0], settings, of_account(whole)).odd
        known = misfits([(str(path), str(path), whole)], settings)
        levels = [Level.ERROR if misfit.understanding.wrong else Level.WARNING for misfit in known]
        assert [finding.level for finding in found] == levels


class Watched:
    """A daemon's figures of one log, as time goes by."""

    def __init__(self, path: Path, caplog: pytest.LogCaptureFixture, before: Account | None = None) -> None:
        settings = Settings(logs=(LogSettings(str(path), source="s"),))
        self.doubts = Doubts(lambda: settings, {"s": before} if before else {})
        self._caplog = caplog
        self._now = 1000.0

    def see(self, its: Account | None, seconds: float = 1.0) -> list[str]:
        """Let time pass, show the account, and return what is said."""
        self._caplog.clear()
        self._now += seconds
        with self._caplog.at_level(logging.INFO, "tokentail"):
            self.doubts(Snapshot(self._now, 1000.0, sources={"s": SourceSnapshot(its)} if its else {}))
        return [record.getMessage() for record in self._caplog.records]


def test_a_daemon_says_once_that_nothing_becomes_an_event(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(log, caplog)
    assert watched.see(account(0, 0)) == []
    assert watched.see(account(0, 5)) == []
    assert watched.see(account(0, 5), 9) == []
    (said,) = watched.see(account(0, 5), 2)  # few lines, and quiet since
    assert said.startswith(f"{log}: None of its 5 lines is an event (5 rejected): it looks like a prefix before")
    assert watched.see(account(0, 5), 20) == []
    assert watched.see(account(0, 500), 20) == []
    assert watched.see(account(300, 500), 20) == [f"{log}: its lines become events again"]
    (again,) = watched.see(account(300, 800))  # much, so at once
    assert "None of its 300 lines" in again


def test_a_daemon_is_not_worried_by_single_lines(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.write_text((f"{GOOD}\n" * 20 + f"{PREFIXED}\n") * 99 + f"{GOOD}\n" * 20)
    watched = Watched(log, caplog)
    assert watched.see(account(1000, 0)) == []
    for rejected in range(1, 100):
        assert watched.see(account(1000 + 20 * rejected, rejected), 30) == []
    assert watched.see(account(4000, 100, 90_000), 30) == []  # a general audit log


def test_a_log_that_ends_no_line_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(gzip.compress(GOOD.encode()).replace(b"\n", b"."))
    watched = Watched(path, caplog)
    assert watched.see(None) == []
    (said,) = watched.see(None, 10)
    assert "a gzip file under a plain name" in said
    assert watched.see(None, 61) == []
    path.write_text(GOOD[:50])
    unfinished = Watched(path, caplog)
    assert unfinished.see(None) == unfinished.see(None, 11) == []


def test_what_was_so_before_the_start_is_told_again(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(log, caplog, account(0, 5000))
    (said,) = watched.see(account(0, 5000))
    assert "None of its 5,000 lines" in said
    understood = Watched(log, caplog, account(9, 5000))
    assert understood.see(account(9, 5000)) == understood.see(account(9, 5000), 30) == []


def test_almost_nothing_in_the_first_read_is_told(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    (said,) = Watched(log, caplog).see(account(9, 891))
    assert "Only 9 of its 900 lines are events" in said


@pytest.mark.parametrize("at_once", [True, False])
def test_a_quiet_log_that_turns_bad_is_told(log: Path, caplog: pytest.LogCaptureFixture, at_once: bool) -> None:
    log.write_text(f"{GOOD}\n" * 300 + f"{PREFIXED}\n" * 60)
    watched = Watched(log, caplog)
    if not at_once:
        assert watched.see(account(300, 0)) == []
    said = watched.see(account(300, 60)) + watched.see(account(300, 60), 11)
    assert len(said) == 1
    assert "None of its 60 " in said[0]
    assert watched.see(account(300, 60), 60) == []
    assert watched.see(account(600, 60), 60) == [f"{log}: its lines become events again"]


def test_few_rejected_lines_of_a_quiet_log_are_nothing(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.write_text(f"{GOOD}\n" * 500 + f"{PREFIXED}\n" * 19)
    watched = Watched(log, caplog, account(500, 0))
    for rejected in (1, 1, 5, 5, 19, 19):
        assert watched.see(account(500, rejected), 11) == []


def test_a_file_is_not_looked_at_all_the_time(
    log: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_text(f"{GOOD}\n" * 300)
    looks: list[str] = []

    def look(path: str, *_: int) -> Sample:
        looks.append(path)
        return Sample(log.read_bytes())

    monkeypatch.setattr(misfits_module, "_sample", look)
    watched = Watched(log, caplog)
    for second in range(1, 41):
        assert watched.see(account(1000 * second, 10 * second)) == []
    assert 1 < len(looks) <= 5


def test_a_log_of_ignored_lines_alone_is_told_once(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(log, caplog)
    assert watched.see(account(0, 0, 3)) == []
    (said,) = watched.see(account(0, 0, 3), 11)
    assert "None of its 3 lines is an event (3 ignored)" in said
    assert watched.see(account(0, 0, 900), 11) == []


def test_hardly_any_event_of_a_log_is_told_once(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(log, caplog)
    (said,) = watched.see(account(1, 0, 400))
    assert "Only 1 of its 401 lines is an event (400 ignored)" in said
    for more in range(2, 9):
        assert watched.see(account(more, 0, 400 * more), 30) == []


def test_a_line_of_several_events_is_an_event_like_any_other() -> None:
    failed = line(record("token.validation_failed"), record("token.validation_failed"))
    sample = Sample(b"\n".join([failed] * 10) + b"\n", b"")
    outcomes = outcomes_of(sample, SeveralParser(), NOW_MS)
    assert understanding_of(outcomes)[:3] == (10, 0, 0)
    assert not as_of_now(outcomes).doubtful
    assert failures_alone(outcome for _, outcome in outcomes) == 20
    mixed = SeveralParser().parse(line(record("token.validation_failed"), record()), NOW_MS)
    assert failures_alone([*(outcome for _, outcome in outcomes), *mixed]) == 0
