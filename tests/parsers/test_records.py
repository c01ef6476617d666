"""Several parts of a line as one outcome, and what an unknown operation is told as."""

import pytest

from parsers.contract import BLANK, IGNORED, Events, Outcome, Reason, Rejection, Tags, events_of
from parsers.records import together, unknown_operation

TAGS = Tags("token.revoked", "web", "revocation", "", "", "success", "")
ROWS: Events = [(number, None, TAGS, None, None, None, None, None, None, None) for number in range(3)]
REJECTION = Rejection(Reason.BAD_TIMESTAMP, "time")


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([], IGNORED),
        ([IGNORED, BLANK], IGNORED),
        ([IGNORED, ROWS[1], IGNORED], ROWS[1]),
        ([ROWS[1], IGNORED, ROWS[0]], [ROWS[1], ROWS[0]]),
        ([ROWS[0], [ROWS[1], ROWS[2]]], ROWS),
        ([ROWS[0], REJECTION, ROWS[1], Rejection(Reason.WRONG_TYPE, "x")], REJECTION),
    ],
)
def test_the_parts_of_a_line_are_one_outcome(parts: list[Outcome], outcome: Outcome) -> None:
    assert together(parts) == outcome


def test_the_events_of_an_outcome() -> None:
    assert events_of(ROWS[0]) == (ROWS[0],)
    assert events_of(ROWS) == ROWS
    assert [*events_of(REJECTION), *events_of(IGNORED), *events_of(BLANK)] == []


@pytest.mark.parametrize("word", ["CODE_TO_TOKEN", "A", "A" * 60, "OAUTH2_DEVICE_X"])
def test_an_unknown_operation_is_told_by_its_name(word: str) -> None:
    assert unknown_operation(word, "type").rejection == Rejection(Reason.UNKNOWN_ACTION, f"type: {word}")


@pytest.mark.parametrize("word", ["", "code", "A" * 61, "A B", "A\n", "HUNTER2", "OAUTH2_HUNTER2", "OAUTH2_", "É"])
def test_what_may_be_somebodys_text_is_not_told(word: str) -> None:
    assert unknown_operation(word, "type").rejection.detail == "type: not in the vocabulary"
