"""The simulated log: complete, repeatable, and like a day."""

from collections import Counter

import orjson
import pytest

import parsers
from ingestor.demo import personas
from ingestor.demo.endpoint import Kind, Ledger, Line, write_day
from ingestor.demo.personas import DAY_MS, HOUR_MS
from parsers.contract import IGNORED, OUTCOMES, Reason, Rejection

END_MS = 1_793_525_400_123  # 2026-11-01T09:30:00.123Z


@pytest.fixture(scope="module")
def day() -> list[Line]:
    return write_day(END_MS, seed=29)


def test_every_action_that_a_log_may_write_is_written(day: list[Line]) -> None:
    assert {line.action for line in day if line.kind is Kind.EVENT} == set(OUTCOMES)


def test_equal_seeds_write_equal_bytes_and_others_do_not(day: list[Line]) -> None:
    assert write_day(END_MS, seed=29) == day
    assert write_day(END_MS, seed=30) != day


@pytest.mark.parametrize("seed", [1, 2, 29])
def test_lines_are_ordered_within_the_day_and_told_apart_by_id(seed: int) -> None:
    lines = write_day(END_MS, seed)
    times = [line.time_ms for line in lines]
    assert times == sorted(times)
    assert times[0] >= END_MS - DAY_MS
    assert times[-1] < END_MS
    ids = [line.event_id for line in lines if line.kind is Kind.EVENT]
    assert len(ids) == len(set(ids))
    assert 20_000 < len(lines) < 40_000
    assert all(line.data.count(b"\n") == 1 and line.data.endswith(b"\n") for line in lines)


@pytest.mark.parametrize("end_ms", [END_MS, END_MS + 7 * HOUR_MS, END_MS + 15 * HOUR_MS])
def test_nights_are_quiet_and_days_are_busy(end_ms: int) -> None:
    hours = Counter(
        line.time_ms // HOUR_MS % 24
        for line in write_day(end_ms, seed=29)
        if line.kind is Kind.EVENT and personas.ATTACK_AGENT.encode() not in line.data
    )
    ranked = [hour for hour, _ in hours.most_common()]
    assert hours[ranked[0]] > 5 * hours[ranked[-1]]
    assert 9 <= ranked[0] <= 22
    assert 1 <= ranked[-1] <= 6


def test_the_attack_comes_from_few_addresses_and_shares_milliseconds(day: list[Line]) -> None:
    attack = [line for line in day if personas.ATTACK_AGENT.encode() in line.data]
    rows = [orjson.loads(line.data) for line in attack if line.kind is Kind.EVENT]
    assert {row["details"]["ip_address"] for row in rows} == set(personas.ATTACKERS)
    assert {row["action"] for row in rows} == {"token.validation_failed", "token.rate_limited"}
    busiest = Counter(row["created_at"] for row in rows).most_common(1)[0]
    assert busiest[1] > 2


def test_the_parser_makes_of_every_line_what_the_ledger_says(day: list[Line]) -> None:
    parser = parsers.find("native")
    outcomes = parser.parse(b"".join(line.data for line in day), END_MS)
    reasons = set()
    for line, outcome in zip(day, outcomes, strict=True):
        if line.kind is Kind.EVENT:
            assert isinstance(outcome, tuple)
            assert not isinstance(outcome, Rejection)
            assert (outcome[2][0], outcome[8]) == (line.action, line.event_id)
        elif line.kind is Kind.REJECTED:
            assert isinstance(outcome, Rejection)
            reasons.add(outcome.reason)
            assert "correct-horse" not in parser.redact(line.data)
        else:
            assert outcome is IGNORED
    assert reasons >= {
        *(Reason.INVALID_JSON, Reason.INVALID_UTF8, Reason.MISSING_KEY, Reason.WRONG_TYPE),
        *(Reason.BAD_TIMESTAMP, Reason.UNKNOWN_ACTION),
    }


def test_the_ledger_adds_up(day: list[Line]) -> None:
    ledger = Ledger.of(day)
    assert ledger.lines == len(day) == ledger.events + ledger.rejected + ledger.ignored
    assert ledger.events == len(ledger.event_ids)
    assert ledger.rejected > 10
    assert ledger.ignored > 100
