"""Every parser of ours passes what ships for other people's; and the suite finds what it is there to find."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import mapping, testing
from parsers.builder import EventBuilder
from parsers.contract import BLANK, Event, Outcome, Parser, Rejection, events_of
from parsers.damage import CANARY
from parsers.native import NativeParser
from parsers.records import decode, each_line
from tests.support.several import SeveralParser, line, record

ROOT = Path(parsers.__file__).parent
NOW_MS = 1_798_761_600_000
CASES = sorted(ROOT.glob("*/testcases/*/input.jsonl"))
PROVIDERS = sorted({path.parents[2].name for path in CASES} - {"mapping"}) + [
    f"mapping:{name}" for name in mapping.shipped()
]
LINE = (
    b'{"id":"9f1c","created_at":"2026-11-01T09:30:00.123Z","action":"token.validation_failed","user_id":"u-1",'
    b'"details":{"client_id":"web-app","error":"invalid_grant","user_agent":"Mozilla/5.0"}}'
)
NO_EVENT = LINE.replace(b"09:30:00", b"09:30")


def some_lines(provider: str, make: testing.Make) -> tuple[list[bytes], list[bytes]]:
    """Return some lines of each of its golden cases: those that become events, and those that are rejected."""
    parser = make()
    events: list[bytes] = []
    others: list[bytes] = []
    folder, _, name = provider.partition(":")
    for case in sorted(ROOT.glob(f"{folder}/testcases/{name}*/input.jsonl")):
        lines = [line for line in case.read_bytes().splitlines() if len(line) < 2000 and line.strip()]
        outcomes = [parser.parse(line + b"\n", NOW_MS)[0] for line in lines]
        events += [line for line, outcome in zip(lines, outcomes, strict=True) if outcome.__class__ is tuple][:3]
        others += [line for line, outcome in zip(lines, outcomes, strict=True) if isinstance(outcome, Rejection)][:3]
    return events, others


def maker(provider: str) -> testing.Make:
    def make(**options: Any) -> Parser:
        return parsers.find(provider, **options)

    return make


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ours_keep_the_contract(provider: str) -> None:
    make = maker(provider)
    events, others = some_lines(provider, make)
    testing.check_interface(make)
    testing.check_events(make, events, NOW_MS)
    testing.check_lines_do_not_depend_on_each_other(make, [*events, *others], NOW_MS)


@pytest.mark.long
@pytest.mark.parametrize("provider", PROVIDERS)
def test_ours_keep_it_whatever_comes_and_let_no_secret_out(provider: str) -> None:
    """tests/parsers/redaction/test_canary.py goes further with native lines."""
    make = maker(provider)
    events, others = some_lines(provider, make)
    testing.check_hostile_lines(make, [*events[:2], *others[:1]], NOW_MS)
    testing.check_no_secret_comes_out(make, events[:4], NOW_MS)


class Careless:
    """A parser that does right by the contract, of which each fault below is one method made otherwise."""

    name = "careless"
    version = "1"
    options = EventBuilder.OPTIONS

    def __init__(self, **options: Any) -> None:
        self.native = NativeParser(**options)
        self.counts = self.native.counts

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return self.native.parse(data, now_ms)

    def redact(self, line: bytes) -> str:
        return self.native.redact(line)


def test_the_parser_without_faults_passes() -> None:
    testing.check_parser(Careless, [LINE], secrets=False)


def test_a_parser_of_several_events_a_line_passes() -> None:
    several = [line(record(), record("token.revoked"), record(error="invalid_grant")), line(record(), record())]
    testing.check_parser(SeveralParser, [*several, LINE], [line(record(), {"action": "token.revoked"})])


class OneIsNoList(SeveralParser):
    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return [list(events_of(outcome)) or outcome for outcome in super().parse(data, now_ms)]


class NamesItsEvents(SeveralParser):
    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        outcomes = super().parse(data, now_ms)
        return [[Event(*row) for row in outcome] if isinstance(outcome, list) else outcome for outcome in outcomes]


@pytest.mark.parametrize(
    ("make", "rule"), [(OneIsNoList, "a list of 1 events"), (NamesItsEvents, "an event is a plain tuple")]
)
def test_faults_of_several_events_are_found(make: Callable[..., Parser], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        testing.check_parser(make, [LINE, line(record(), record())], secrets=False)


class LosesALine(Careless):
    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return [outcome for outcome in super().parse(data, now_ms) if outcome is not BLANK]


class Raises(Careless):
    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        data.decode()
        return super().parse(data, now_ms)


class Remembers(Careless):
    last = b"nothing"

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        before, self.last = self.last, data
        return super().parse(data, now_ms) if before != data or data.count(b"\n") > 1 else [BLANK]


class Leaks(Careless):
    """Takes the user agent as it stands in the line."""

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return each_line(data, lambda line: self._read(line, now_ms))

    def _read(self, line: bytes, now_ms: int) -> Outcome:
        (outcome,) = self.native.parse(line, now_ms)
        if outcome.__class__ is not tuple:
            return outcome
        agent = (decode(line).get("details") or {}).get("user_agent")
        return tuple(Event(*outcome)._replace(user_agent=agent or None))  # type: ignore[return-value]  # a plain one


class TellsAValue(Careless):
    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        lines = data.split(b"\n")
        return [
            Rejection(outcome.reason, lines[index].decode(errors="replace"))
            if isinstance(outcome, Rejection)
            else outcome
            for index, outcome in enumerate(super().parse(data, now_ms))
        ]


class ShowsTheLine(Careless):
    def redact(self, line: bytes) -> str:
        return line.decode(errors="replace")


class Believes(Careless):
    """Takes every time."""

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return super().parse(data, now_ms << 20)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (LosesALine, "an empty line is not BLANK|outcomes of"),
        (Raises, "`parse` raises UnicodeDecodeError"),
        (Remembers, "among others|the second time"),
        (Leaks, f"not in normal form|the secret {CANARY} comes out"),
        (TellsAValue, "detail is unclean|comes out"),
        (ShowsTheLine, "`redact` returns"),
        (Believes, "more than a day ahead"),
    ],
)
def test_each_fault_is_found(make: Callable[..., Parser], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        testing.check_parser(make, [LINE], [LINE.replace(b"token.", b"user."), NO_EVENT])


def test_a_leak_of_a_well_formed_secret_is_found() -> None:
    with pytest.raises(AssertionError, match=f"the secret {CANARY} comes out"):
        testing.check_no_secret_comes_out(Leaks, [LINE])


def test_a_line_that_is_no_event_is_told() -> None:
    with pytest.raises(AssertionError, match="no event, but"):
        testing.check_events(NativeParser, [NO_EVENT])
