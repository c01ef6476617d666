"""The table of following: what is to be done, row by row, and what holds for all rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.file.transitions import (
    AT_ONCE,
    TRANSITIONS,
    Action,
    Seen,
    State,
    end_of_rotated,
    look_for_rest,
    outcome,
    transition,
)

ROWS = """
NOTHING    ABSENT              REST            NOTHING
NOTHING    OTHER               TAKE            ASKED
COPY       ABSENT              REST            COPY
COPY       SAME                REST            COPY
COPY       OTHER               TAKE            ASKED
ASKED      ROTATED_ONE         TAKE_BACK       LIVE
ASKED      NEW_YET             REST            NOTHING
ASKED      NEW                 BEGIN           LIVE
ASKED      FORMER              COMPARE         LIVE
ASKED      KNOWN               READ_ON         LIVE
ASKED      OF_ANOTHER_SOURCE   READ_ON_AS_ANOTHER  LIVE
ASKED      READ_ELSEWHERE      REST            COPY
ASKED      PARTS               FORK            LIVE
BESIDE     NEW                 REST            BESIDE
BESIDE     NOT_OURS            REST            BESIDE
BESIDE     READ_ELSEWHERE      REST            BESIDE
BESIDE     READ_TO_END         NOTE_PLACE      CLOSED
BESIDE     FORMER              COMPARE         ROTATED
BESIDE     KNOWN               READ_ON         ROTATED
BESIDE     PARTS               FORK            ROTATED
BESIDE     HOLDS_MORE          TAKE_OVER       ROTATED
LIVE       SAME                NOTE            LIVE
LIVE       ABSENT              ROTATE          ROTATED
LIVE       OTHER               ROTATE          ROTATED
LIVE       CUT                 MISS            MISSING
LIVE       AS_BEFORE           REST            LIVE
LIVE       BLOCK               HAND_OUT        LIVE
LIVE       BUSY                GO_ON           LIVE
LIVE       WAITS               GO_ON           LIVE
LIVE       END_GROWING         NOTE_END        LIVE
ROTATED    CUT                 MISS            MISSING
ROTATED    AS_BEFORE           REST            ROTATED
ROTATED    BLOCK               HAND_OUT        ROTATED
ROTATED    BUSY                GO_ON           ROTATED
ROTATED    WAITS               LOOK_AGAIN      ROTATED
ROTATED    END_GROWING         LOOK_AGAIN      ROTATED
ROTATED    END_QUIET           ASK_LIVE_LOG    HALF_LINE
ROTATED    END_OVER            ASK_LIVE_LOG    HALF_LINE
ROTATED    DAMAGED             MISS_DAMAGED    MISSING
HALF_LINE  GOES_ON             LEAVE           LIVE
HALF_LINE  GOES_ON_ELSEWHERE   CLOSE           CLOSED
HALF_LINE  ENDS                READ_LAST_LINE  LAST_LINE
LAST_LINE  BLOCK               HAND_OUT        ROTATED
LAST_LINE  BUSY                GO_ON           ROTATED
LAST_LINE  WAITS               LOOK_AGAIN      ROTATED
LAST_LINE  END_QUIET           NOTE_END        ROTATED
LAST_LINE  END_OVER            CLOSE           CLOSED
LAST_LINE  CUT                 MISS            MISSING
LAST_LINE  DAMAGED             MISS_DAMAGED    MISSING
MISSING    FOUND               FORGET          ROTATED
MISSING    FOUND_AS_NEW        CLOSE           CLOSED
MISSING    TOO_SOON            REST            MISSING
MISSING    GONE_UNREAD         REPORT_GAP      LOST
MISSING    GONE_READ           CLOSE           CLOSED
"""
FINAL = {State.CLOSED, State.LOST}


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=lambda row: "-".join(row.split()[:2]))
def test_row(row: str) -> None:
    state, seen, action, then = row.split()
    assert transition(State[state], Seen[seen]) == (Action[action], State[then])


def test_there_are_no_other_rows() -> None:
    assert {(state.name, seen.name) for state, seen in TRANSITIONS} == {
        tuple(row.split()[:2]) for row in ROWS.strip().splitlines()
    }


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_every_content_that_is_followed_can_come_to_an_end(state: State) -> None:
    reached = {state}
    while more := {step.state for (before, _), step in TRANSITIONS.items() if before in reached} - reached:
        reached |= more
    assert reached & FINAL


@pytest.mark.parametrize("state", [State.CLOSED, State.LOST])
def test_nothing_follows_an_end(state: State) -> None:
    assert not any(before is state for before, _ in TRANSITIONS)


def test_lines_are_handed_out_wherever_they_are_found() -> None:
    assert {step.action for (_, seen), step in TRANSITIONS.items() if seen is Seen.BLOCK} == {Action.HAND_OUT}


def test_what_was_cut_or_is_damaged_is_missed_and_never_closed() -> None:
    lost = [step for (_, seen), step in TRANSITIONS.items() if seen in {Seen.CUT, Seen.DAMAGED}]
    assert {step.state for step in lost} == {State.MISSING}


def test_a_file_is_closed_only_behind_its_half_line_or_when_its_rest_is_gone() -> None:
    closed = {state for (state, _), step in TRANSITIONS.items() if step.action is Action.CLOSE}
    assert closed == {State.HALF_LINE, State.LAST_LINE, State.MISSING}


@pytest.mark.parametrize("state", [state for state in State if state in AT_ONCE])
def test_what_is_asked_at_once_has_an_answer_in_the_same_turn(state: State) -> None:
    asked = {step.state for (before, _), step in TRANSITIONS.items() if before is state} & AT_ONCE
    assert asked <= {State.LAST_LINE} - {state}, "no way around in a circle"


@pytest.mark.parametrize(
    ("compressed", "deleted", "quiet", "newest", "end"),
    [
        (False, False, False, True, Seen.END_GROWING),
        (False, False, False, False, Seen.END_GROWING),
        (False, True, False, True, Seen.END_GROWING),
        (False, True, False, False, Seen.END_GROWING),
        (False, False, True, True, Seen.END_QUIET),
        (False, False, True, False, Seen.END_OVER),
        (False, True, True, True, Seen.END_OVER),
        (False, True, True, False, Seen.END_OVER),
        *(
            (True, deleted, quiet, newest, Seen.END_OVER)
            for deleted in (False, True)
            for quiet in (False, True)
            for newest in (False, True)
        ),
    ],
)
def test_what_the_end_of_a_rotated_file_means(
    *, compressed: bool, deleted: bool, quiet: bool, newest: bool, end: Seen
) -> None:
    assert end_of_rotated(quiet=quiet, newest=newest, deleted=deleted, compressed=compressed) is end


@given(st.sampled_from([Seen.END_GROWING, Seen.END_QUIET, Seen.END_OVER]), st.booleans(), st.booleans(), st.booleans())
def test_an_end_is_seen_only_where_nothing_else_is(end: Seen, damaged: bool, busy: bool, waits: bool) -> None:
    assert outcome(end, block=True, damaged=damaged, busy=busy, waits=waits) is Seen.BLOCK
    seen = outcome(end, block=False, damaged=damaged, busy=busy, waits=waits)
    assert (seen is end) == (not (damaged or busy or waits))
    assert (seen is Seen.DAMAGED) == damaged


@pytest.mark.parametrize(
    ("is_found", "waited_enough", "unread", "seen"),
    [
        (True, False, True, Seen.FOUND),
        (True, True, True, Seen.FOUND),
        (False, False, True, Seen.TOO_SOON),
        (False, False, False, Seen.TOO_SOON),
        (False, True, True, Seen.GONE_UNREAD),
        (False, True, False, Seen.GONE_READ),
    ],
)
def test_what_is_seen_of_a_rest(*, is_found: bool, waited_enough: bool, unread: bool, seen: Seen) -> None:
    assert look_for_rest(is_found=is_found, waited_enough=waited_enough, unread=unread) is seen
