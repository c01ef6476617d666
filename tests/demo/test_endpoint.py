"""The simulated logs: complete, repeatable, and like a day."""

from collections import Counter
from functools import cache
from typing import Final

import orjson
import pytest

import parsers
from ingestor.demo import personas
from ingestor.demo.endpoint import Day, Ledger, write_day
from ingestor.demo.personas import DAY_MS, HOUR_MS
from ingestor.demo.providers import PROVIDERS, Kind, Line
from parsers.contract import IGNORED, OUTCOMES, Event, Outcome, Reason, Rejection

END_MS: Final = 1_793_525_400_123  # 2026-11-01T09:30:00.123Z
EVERY_PROVIDER = pytest.mark.parametrize("name", PROVIDERS)


@cache
def day_of(name: str, end_ms: int = END_MS, seed: int = 29) -> Day:
    return write_day(PROVIDERS[name], end_ms, seed)


def outcomes(name: str, parser: str) -> list[tuple[Line, Outcome]]:
    lines = day_of(name).lines
    return list(zip(lines, parsers.find(parser).parse(b"".join(line.data for line in lines), END_MS), strict=True))


def test_every_action_that_a_log_may_write_is_written() -> None:
    assert Ledger.of(day_of("native").lines).by_action.keys() == set(OUTCOMES)


@pytest.mark.long
@EVERY_PROVIDER
def test_equal_seeds_write_equal_bytes_and_others_do_not(name: str) -> None:
    assert write_day(PROVIDERS[name], END_MS, seed=29) == day_of(name)
    assert write_day(PROVIDERS[name], END_MS, seed=30) != day_of(name)


@pytest.mark.long
@EVERY_PROVIDER
@pytest.mark.parametrize("seed", [1, 2, 29])
def test_lines_are_ordered_within_the_day_and_events_told_apart(name: str, seed: int) -> None:
    lines = day_of(name, seed=seed).lines
    times = [line.time_ms for line in lines]
    assert times == sorted(times)
    assert times[0] >= END_MS - DAY_MS
    assert times[-1] < END_MS
    keys = [line.key for line in lines if line.kind is Kind.EVENT]
    assert len(keys) == len(set(keys))
    assert 20_000 < len(lines) < 40_000
    assert all(line.data.count(b"\n") == 1 and line.data.endswith(b"\n") for line in lines)


@pytest.mark.parametrize("end_ms", [END_MS, END_MS + 7 * HOUR_MS, END_MS + 15 * HOUR_MS])
def test_nights_are_quiet_and_days_are_busy(end_ms: int) -> None:
    hours = Counter(
        line.time_ms // HOUR_MS % 24
        for line in day_of("native", end_ms).lines
        if line.kind is Kind.EVENT and personas.ATTACK_AGENT.encode() not in line.data
    )
    ranked = [hour for hour, _ in hours.most_common()]
    assert hours[ranked[0]] > 5 * hours[ranked[-1]]
    assert 9 <= ranked[0] <= 22
    assert 1 <= ranked[-1] <= 6


def test_the_attack_comes_from_few_addresses_and_shares_milliseconds() -> None:
    attack = [line for line in day_of("native").lines if personas.ATTACK_AGENT.encode() in line.data]
    rows = [orjson.loads(line.data) for line in attack if line.kind is Kind.EVENT]
    assert {row["details"]["ip_address"] for row in rows} == set(personas.ATTACKERS)
    assert {row["action"] for row in rows} == {"token.validation_failed", "token.rate_limited"}
    busiest = Counter(row["created_at"] for row in rows).most_common(1)[0]
    assert busiest[1] > 2


@EVERY_PROVIDER
@pytest.mark.parametrize("detected", [True, False], ids=["detected", "named"])
def test_the_parser_makes_of_every_line_what_the_ledger_says(name: str, *, detected: bool) -> None:
    parser = "auto" if detected else name
    reasons = set()
    for line, outcome in outcomes(name, parser):
        if line.kind is Kind.EVENT:
            assert isinstance(outcome, tuple)
            assert not isinstance(outcome, Rejection)
            assert Event(*outcome).tags.action == line.action
        elif line.kind is Kind.REJECTED:
            assert isinstance(outcome, Rejection)
            reasons.add(outcome.reason)
            assert "correct-horse" not in parsers.find(parser).redact(line.data)
        else:
            assert outcome is IGNORED
    assert reasons >= {
        *(Reason.INVALID_JSON, Reason.INVALID_UTF8, Reason.MISSING_KEY, Reason.WRONG_TYPE),
        *(Reason.BAD_TIMESTAMP, Reason.UNKNOWN_ACTION),
    }


@EVERY_PROVIDER
def test_the_ledger_adds_up(name: str) -> None:
    lines, unlogged = day_of(name)
    ledger = Ledger.of(lines, unlogged)
    assert ledger.lines == len(lines) == ledger.events + ledger.rejected + ledger.ignored
    assert ledger.events == len(ledger.keys)
    assert ledger.rejected > 10
    assert ledger.ignored > 100
