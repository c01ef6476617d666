"""Findings in the state: one incident is one row, and what it has come to is dated by the machine's clock."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingestor.model.finding import Finding, Severity, StoredFinding, stored_finding
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.state import State

NOW_MS = 1_900_000_800_000


def finding(severity: Severity = Severity.MEDIUM, events: int = 2, first_seen_ms: int = 1_000) -> StoredFinding:
    incident = Finding(severity, "app", "acme", first_seen_ms, first_seen_ms + events, events)
    return stored_finding("replay", incident, host="host-1", tags={"realm": "acme", "client_id": "app"})


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State.open(tmp_path, "host-1")) as opened:
        yield opened


def save(state: State, monkeypatch: pytest.MonkeyPatch, at_ms: int, *found: StoredFinding) -> list[tuple[str, int]]:
    monkeypatch.setattr(time, "time_ns", lambda: at_ms * 1_000_000)
    with state.transaction():
        state.save(Checkpoint(findings={each[:2]: each for each in found}))
    return state.connection.execute("SELECT severity, raised FROM token_findings ORDER BY time").fetchall()


def test_an_incident_that_grows_keeps_the_time_of_its_severity(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    assert save(state, monkeypatch, NOW_MS, finding()) == [("medium", NOW_MS)]
    assert save(state, monkeypatch, NOW_MS + 5, finding(events=3)) == [("medium", NOW_MS)]
    assert save(state, monkeypatch, NOW_MS + 9, finding(Severity.HIGH, 4)) == [("high", NOW_MS + 9)]
    assert state.raised == {"medium": 1, "high": 1}


def test_another_incident_has_its_own(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    save(state, monkeypatch, NOW_MS, finding())
    assert save(state, monkeypatch, NOW_MS + 5, finding(first_seen_ms=9_000)) == [
        ("medium", NOW_MS),
        ("medium", NOW_MS + 5),
    ]
    assert state.raised == {"medium": 2}


def told(state: State) -> list[str | None]:
    rows = state.connection.execute("SELECT raised_from FROM token_findings ORDER BY raised, time")
    return [addresses for (addresses,) in rows]


def test_ten_in_an_hour_are_told_of_one_by_one(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = NOW_MS - 100_000
    long_over = [finding(first_seen_ms=number) for number in range(30)]
    harmless = [finding(Severity.LOW, first_seen_ms=begun + number) for number in range(30, 60)]
    save(state, monkeypatch, NOW_MS, *long_over, *harmless)
    assert told(state) == [None] * 60, "they wake nobody"
    save(state, monkeypatch, NOW_MS + 1, *(finding(first_seen_ms=begun + number) for number in range(60, 72)))
    assert told(state)[60:] == [""] * 10 + [None] * 2
    save(state, monkeypatch, NOW_MS + 3_600_000, finding(first_seen_ms=begun + 100))
    assert told(state)[-1] == ""


def test_whom_it_is_told_of_with_is_settled_when_it_is_raised(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    few = finding(first_seen_ms=NOW_MS - 100_000)._replace(ips='["203.0.113.1"]')
    save(state, monkeypatch, NOW_MS, few)
    save(state, monkeypatch, NOW_MS + 5, few._replace(events=9, ips='["203.0.113.2","203.0.113.1"]'))
    assert told(state) == ["203.0.113.1"]


def test_what_is_not_durable_is_not_counted(state: State) -> None:
    with contextlib.suppress(sqlite3.OperationalError), state.transaction():
        state.save(Checkpoint(findings={finding()[:2]: finding()}))
        state.connection.execute("SELECT nothing FROM nowhere")
    with state.transaction():
        pass
    assert not state.raised


def test_an_id_is_that_of_the_incident() -> None:
    assert finding().id == finding(Severity.HIGH, 9).id
    assert finding().id != finding(first_seen_ms=1_001).id
    assert finding().id.startswith("replay-")
