"""What a reclassification changes, decided without a store: compared with counting before and after."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.accounting import Account
from ingestor.model.points import Point, SeriesTable
from ingestor.stores.reclassified import SeveralEvents, changes
from tests.support.generated import random_samples

TABLE = SeriesTable()
SERIES = [
    TABLE.number(random_samples(1, 1)[0].series._replace(source=source, action=action))
    for source in ("one", "two")
    for action in ("token.revoked", "token.refreshed", "token.introspected")
]
PLACES = 4
"""Places of a line, 100 lines apart; a line's events stand at the first ones of them."""


def point(line: int, place: int, kind: int, user: str = "u") -> Point:
    """Return an event of a line; lines with odd numbers are of the second source."""
    return (line * 100 + place, SERIES[line % 2 * 3 + kind], user, None, None, None, None, None, None, None, None)


EVENTS = st.lists(st.integers(0, 2), max_size=PLACES)


@given(st.lists(st.tuples(EVENTS, EVENTS), max_size=8))
def test_afterwards_what_lines_make_is_stored_and_the_accounts_agree(lines: list[tuple[list[int], list[int]]]) -> None:
    """A line that makes no event now is not asked for: what it was stays."""
    stored: dict[int, list[Point]] = {}
    for number, (before, _) in enumerate(lines):
        for place, kind in enumerate(before):
            stored.setdefault(number * 100 + place, []).append(point(number, place, kind))
    wanted, several = [], []
    for number, (_, now) in enumerate(lines):
        made = [point(number, place, kind) for place, kind in enumerate(now)]
        wanted += made
        if made:
            places = tuple((number * 100 + place, made[0][1]) for place in range(PLACES))
            several.append(SeveralEvents(tuple(made), places))
    found = changes(wanted, several, stored, TABLE.by_number)
    left = {at[0][:2]: at[0] for at in stored.values()}
    for outdated in found.outdated:
        del left[outdated[:2]]
    left |= {written[:2]: written for written in found.written}
    kept = [
        point(n, place, kind) for n, (before, now) in enumerate(lines) if not now for place, kind in enumerate(before)
    ]
    assert sorted(left) == sorted(each[:2] for each in wanted + kept)
    expected: dict[str, Account] = {"one": Account(), "two": Account()}
    for number, (before, now) in enumerate(lines):
        account = expected[("one", "two")[number % 2]]
        if now:
            account.read += len(now) - max(1, len(before))
            account.stored += len(now) - len(before)
            account.ignored -= not before
    assert found.accounts == {source: account for source, account in expected.items() if account != Account()}


def test_an_event_of_somebody_else_at_a_place_stays() -> None:
    here, there = point(0, 0, 0), point(1, 0, 0)
    stored = {0: [here], 1: [(1, *there[1:])], 2: [(2, *point(0, 2, 1)[1:])]}
    several = SeveralEvents((here,), ((0, here[1]), (1, here[1]), (2, here[1])))
    assert changes([here], [several], stored, TABLE.by_number).outdated == ((2, *point(0, 2, 1)[1:]),)
    expected = [here, (2, *point(0, 2, 1)[1:])]
    assert changes(expected, [several], stored, TABLE.by_number).outdated == (), "another line makes it now"


def test_a_line_that_is_asked_for_twice_counts_once() -> None:
    made = (point(0, 0, 0), point(0, 1, 1))
    several = SeveralEvents(made, ())
    found = changes([*made, *made], [several, several], {}, TABLE.by_number)
    assert Counter(found.written) == Counter(made)
    assert found.accounts == {"one": Account(read=1, stored=2, ignored=-1)}
