"""What a parser's faults cost: one line each, counted and told once, without a word of the line."""

from collections.abc import Mapping
from typing import Any

import pytest

from parsers.builder import EventBuilder
from parsers.checked import CheckedParser
from parsers.contract import BLANK, IGNORED, Event, Outcome, Reason, Rejection, Tags, events_of
from parsers.native import NativeParser

NOW_MS = 1_793_600_000_000
TAGS = Tags("token.revoked", "web", "revocation", "", "", "success", "")
EVENT = (NOW_MS, None, TAGS, None, None, None, None, None, None, None)
SECRET = "hunter2"


class Worded:
    """Does with a line what the line says."""

    name = "of its own choice"
    version = "1"
    options = EventBuilder.OPTIONS

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.blocks = 0

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        assert now_ms == NOW_MS
        self.blocks += 1
        return [outcome for line in data.splitlines() for outcome in self._read(line)]

    def redact(self, line: bytes) -> str:
        if line == b"raise":
            raise ValueError(SECRET)
        return line.decode()

    def _read(self, line: bytes) -> list[Any]:
        self.counts["addresses_invalid"] = self.counts.get("addresses_invalid", 0) + 1
        words: Mapping[bytes, Any] = {
            b"event": EVENT,
            b"named": Event(*EVENT),
            b"ignored": IGNORED,
            b"": BLANK,
            b"none": None,
            b"both": [EVENT, Event(*EVENT)],
            b"one": [EVENT],
            b"half": [EVENT, EVENT[:4]],
            b"mixed": [EVENT, IGNORED],
            b"short": EVENT[:4],
            b"wrong": (*EVENT[:3], 7, *EVENT[4:]),
            b"unclean": (*EVENT[:3], "a\nb", *EVENT[4:]),
            b"future": (NOW_MS * 2, *EVENT[1:]),
            b"unknown": (*EVENT[:2], TAGS._replace(action="token.made_up"), *EVENT[3:]),
            b"leak": Rejection(Reason.MISSING_KEY, f"password={SECRET}\n"),
            b"odd": Rejection("not a reason", ""),  # type: ignore[arg-type]  # that is the point
        }
        if line == b"raise":
            raise ValueError(SECRET)
        if line == b"deep":
            raise RecursionError
        return [] if line == b"lost" else [EVENT, EVENT] if line == b"twice" else [words[line]]


def checked(told: list[str]) -> tuple[CheckedParser, Worded]:
    parser = Worded()
    return CheckedParser(parser, "worded", strict=True, report=told.append), parser


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_with_which_it_fails_costs_itself_alone(end: bytes) -> None:
    told: list[str] = []
    parser, _ = checked(told)
    outcomes = parser.parse(b"event\nraise\nignored\nraise\n\nevent" + end, NOW_MS)
    rejection = outcomes[1]
    assert outcomes == [EVENT, rejection, IGNORED, rejection, BLANK, EVENT]
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.PARSER_FAILED
    assert rejection.detail.startswith("ValueError at parsers/test_checked.py:")
    (message,) = told
    assert "'worded' fails: ValueError at parsers/test_checked.py:" in message
    assert SECRET not in message + repr(outcomes)


def test_each_kind_of_exception_is_told_once() -> None:
    told: list[str] = []
    parser, _ = checked(told)
    for _ in range(3):
        parser.parse(b"raise\ndeep\nevent\nraise\n", NOW_MS)
    assert [message.split("fails: ")[1].split(" at ")[0] for message in told] == ["ValueError", "RecursionError"]


@pytest.mark.parametrize("fault", [b"lost", b"twice"])
def test_another_number_of_outcomes_is_found_and_its_line(fault: bytes) -> None:
    parser, _ = checked([])
    before, failed, after = parser.parse(b"event\n" + fault + b"\nevent\n", NOW_MS)
    assert before == after == EVENT
    assert failed == Rejection(Reason.PARSER_FAILED, "another number of outcomes than of lines")


def test_numbers_that_make_up_for_each_other_are_not_found_in_a_block_but_cost_no_line() -> None:
    parser, _ = checked([])
    assert len(parser.parse(b"lost\ntwice\n", NOW_MS)) == 2


@pytest.mark.parametrize(
    ("word", "detail"),
    [
        (b"none", "an outcome that is none of the contract's"),
        (b"one", "an event that is not as the contract wants it: a list of 1 events"),
        (b"half", "an event that is not as the contract wants it: an event of 4 parts"),
        (b"mixed", "an event that is not as the contract wants it: a list of something else"),
        (b"short", "an event that is not as the contract wants it: an event of 4 parts"),
        (b"wrong", "an event that is not as the contract wants it: user_id: neither None nor a text"),
        (b"unclean", "an event that is not as the contract wants it: user_id: not in normal form"),
        (b"future", "an event that is not as the contract wants it: time_ms: no integer from 1970 to a day ahead"),
        (b"unknown", "an event that is not as the contract wants it: action: not in the vocabulary"),
        (b"odd", "a rejection that is not as the contract wants it"),
    ],
)
def test_an_outcome_that_would_do_harm_later_is_a_rejection_now(word: bytes, detail: str) -> None:
    parser, inner = checked([])
    assert parser.parse(b"event\n" + word, NOW_MS) == [EVENT, Rejection(Reason.PARSER_FAILED, detail)]
    assert inner.blocks == 1


def test_an_event_by_name_is_a_plain_tuple_afterwards() -> None:
    (outcome,) = checked([])[0].parse(b"named", NOW_MS)
    assert outcome == EVENT
    assert outcome.__class__ is tuple


def test_several_events_of_a_line_are_plain_tuples_afterwards() -> None:
    (outcome,) = checked([])[0].parse(b"both", NOW_MS)
    assert outcome == [EVENT, EVENT]
    assert [row.__class__ for row in events_of(outcome)] == [tuple, tuple]


def test_details_and_texts_of_other_people_are_redacted_and_clean() -> None:
    parser, _ = checked([])
    (outcome,) = parser.parse(b"leak", NOW_MS)
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.MISSING_KEY
    assert SECRET not in outcome.detail
    assert "\n" not in outcome.detail
    assert SECRET not in parser.redact(f"password={SECRET}".encode())
    assert len(parser.redact(b"x " * 5000).encode()) <= 1024
    assert SECRET not in parser.redact(b"raise")


def test_what_a_block_that_failed_left_out_is_counted_once() -> None:
    parser, inner = checked([])
    parser.parse(b"event\nevent\nraise\nevent\n", NOW_MS)
    assert inner.counts == {"addresses_invalid": 3 + 4}
    assert parser.counts == {"addresses_invalid": 4}


def test_counts_that_are_none_harm_nobody() -> None:
    told: list[str] = []
    parser, inner = checked(told)
    inner.counts["evil\nname"] = 1
    assert parser.counts == {"evil\N{REPLACEMENT CHARACTER}name": 1}
    inner.counts["x"] = SECRET  # type: ignore[assignment]  # that is the point
    assert parser.parse(b"event\nraise\n", NOW_MS)[0] == EVENT
    assert parser.counts == {}
    assert SECRET not in "".join(told)


def test_it_is_called_by_its_name_in_the_configuration() -> None:
    assert checked([])[0].name == "worded"


def test_a_block_that_does_not_fail_is_parsed_once() -> None:
    parser, inner = checked([])
    assert parser.parse(b"", NOW_MS) == []
    assert parser.parse(b"event\n\n", NOW_MS) == [EVENT, BLANK]
    assert inner.blocks == 1


def test_a_fault_of_ours_costs_a_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    good = b'{"created_at":"2026-11-01T09:30:00.123Z","action":"token.refreshed","resource_id":"web-app"}'
    original = NativeParser.parse

    def parse(self: NativeParser, data: bytes, now_ms: int) -> list[Outcome]:
        if b"bad" in data:
            raise OverflowError(SECRET)
        return original(self, data, now_ms)

    monkeypatch.setattr(NativeParser, "parse", parse)
    parser = CheckedParser(NativeParser(), "native", strict=False)
    outcomes = parser.parse(good + b"\nbad\n" + good, NOW_MS)
    assert [outcome.__class__ for outcome in outcomes] == [tuple, Rejection, tuple]
    assert SECRET not in repr(outcomes)
