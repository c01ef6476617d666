"""Sums of what was counted and of what is stored, compared."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.agreement import SHOWN, Cell, Disagreement, compare, days_in_turn
from ingestor.model.periods import DAY_NS
from ingestor.model.questions import Period


def day(number: int, source: str = "a") -> Cell:
    return Cell(source, "h", number * DAY_NS)


CELLS = st.dictionaries(st.builds(day, st.integers(0, 5), st.sampled_from("ab")), st.integers(0, 9), max_size=12)


def test_days_that_differ_alike_are_one_disagreement() -> None:
    counted = {day(1): 5, day(2): 5, day(3): 5, day(5): 5, day(6): 5}
    found = {day(1): 5, day(2): 3, day(3): 1, day(5): 0, day(6): 7}
    agreement = compare(counted, found, DAY_NS, 0.0)
    assert agreement.disagreements == (
        Disagreement("a", "h", 2 * DAY_NS, 4 * DAY_NS, 10, 4),
        Disagreement("a", "h", 5 * DAY_NS, 6 * DAY_NS, 5, 0),
        Disagreement("a", "h", 6 * DAY_NS, 7 * DAY_NS, 5, 7),
    )
    assert (agreement.missing, agreement.surplus, agreement.agrees) == (11, 2, False)
    assert str(agreement.disagreements[0]) == (
        "source a from 1970-01-03T00:00Z to 1970-01-05T00:00Z: 10 counted, 4 there"
    )


def test_what_others_write_into_the_same_store_is_no_surplus() -> None:
    assert compare({day(1): 5}, {day(1): 5, day(1, "theirs"): 9}, DAY_NS, 0.0).agrees


def test_what_changes_at_this_moment_is_in_neither_number() -> None:
    agreement = compare({day(1): 5, day(2): 7}, {day(1): 5, day(2): 6}, DAY_NS, 0.0, unsettled={day(2)})
    assert (agreement.agrees, agreement.counted, agreement.found, agreement.waiting) == (True, 5, 5, 7)


@given(CELLS, CELLS)
def test_missing_and_surplus_are_the_whole_difference(counted: dict[Cell, int], found: dict[Cell, int]) -> None:
    agreement = compare(counted, found, DAY_NS, 0.0)
    assert agreement.found - agreement.counted == agreement.surplus - agreement.missing
    ours = {cell.source for cell in counted}
    found = {cell: events for cell, events in found.items() if cell.source in ours}
    assert agreement.agrees == (+Counter(counted) == +Counter(found))
    assert len(agreement.disagreements) <= SHOWN


def test_days_come_by_need_and_then_all_in_turn() -> None:
    period = Period(0, 8 * DAY_NS)
    counted = {day(1): 5, day(3): 4, day(6): 2}
    compared = {day(1): (5, 5), day(3): (3, 3), day(4): (2, 1)}
    turn = [start // DAY_NS for start in days_in_turn(counted, compared, period, 3 * DAY_NS)]
    assert turn == [6, 4, 3, 2, 1, 0, 7, 5], "new and differing ones first, then back from the cursor, and round"
