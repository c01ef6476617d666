"""Detection by line: whose a line is depends on the line alone, whatever stands before it."""

import itertools
import random
import time
from pathlib import Path
from typing import Final

import pytest

import parsers
from parsers.contract import Rejection, events_of, recognises

ROOT: Final = Path(__file__).resolve().parents[2] / "parsers"
NOW_MS: Final = time.time_ns() // 1_000_000
LINES: Final = {
    provider: [
        line
        for case in sorted(ROOT.glob(f"{provider.replace(':', '/testcases/')}*/**/input.jsonl"))
        for line in case.read_bytes().split(b"\n")
        if line.strip()
    ]
    for provider in parsers.names()
}
OTHERS: Final = sorted(LINES.keys() - {"native"})


@pytest.mark.parametrize("provider", LINES)
def test_no_two_providers_make_an_event_of_a_line(provider: str) -> None:
    written = [line for line in LINES[provider] if events_of(parsers.find(provider).parse(line, NOW_MS)[0])]
    assert written
    for other in LINES.keys() - {provider}:
        outcomes = parsers.find(other).parse(b"\n".join(written), NOW_MS)
        assert [line for line, outcome in zip(written, outcomes, strict=True) if events_of(outcome)] == []


@pytest.mark.parametrize("provider", OTHERS)
def test_each_provider_recognises_the_lines_that_it_makes_events_of(provider: str) -> None:
    parser = parsers.find(provider)
    written = [line for line in LINES[provider] if events_of(parser.parse(line, NOW_MS)[0])]
    assert [line for line in written if not recognises(parser, line)] == []
    for other in set(OTHERS) - {provider}:
        assert [line for line in written if recognises(parsers.find(other), line)] == []


@pytest.mark.parametrize("provider", OTHERS)
def test_nobody_takes_native_lines_for_its_own(provider: str) -> None:
    assert [line for line in LINES["native"] if recognises(parsers.find(provider), line)] == []


def test_a_line_is_the_same_whatever_stands_around_it() -> None:
    auto = parsers.find()
    mixed = list(itertools.chain.from_iterable(LINES.values()))
    random.Random(7).shuffle(mixed)
    alone = [auto.parse(line + b"\n", NOW_MS)[0] for line in mixed]
    for size in (2, 5, 50, len(mixed)):
        cut = [mixed[start : start + size] for start in range(0, len(mixed), size)]
        assert [outcome for lines in cut for outcome in auto.parse(b"\n".join(lines), NOW_MS)] == alone


@pytest.mark.parametrize("provider", LINES)
def test_auto_says_what_the_provider_says(provider: str) -> None:
    data = b"\n".join(LINES[provider])
    for line, own, found in zip(
        LINES[provider], parsers.find(provider).parse(data, NOW_MS), parsers.find().parse(data, NOW_MS), strict=True
    ):
        if recognises(parsers.find(provider), line) or provider == "native" or events_of(own):
            assert found == own, line[:200]


def test_a_line_that_nobody_knows_is_the_first_providers_to_reject() -> None:
    (outcome,) = parsers.find().parse(b'{"created_at":"2026-11-01T00:00:00Z"}\n', NOW_MS)
    assert outcome == parsers.find("native").parse(b'{"created_at":"2026-11-01T00:00:00Z"}\n', NOW_MS)[0]
    assert isinstance(outcome, Rejection)


def test_prose_that_may_be_anybodys_is_rejected_and_not_ignored() -> None:
    """A log that holds nothing but token operations must raise an alarm when something else is written into it."""
    (outcome,) = parsers.find().parse(b"hello world, this is no line of a log\n", NOW_MS)
    assert isinstance(outcome, Rejection)
