"""What changes in a store when lines that were counted before are classified by other rules (pure).

A line's events stand at places that its place in the file gives (design section 4), so what is stored of it is found there, under
whatever tags. A line may have made more events then than now: those that are left over go. They are looked for at the written
times of the events that it makes now, since nobody knows others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ingestor.model.accounting import Account
from ingestor.model.points import Point, Series
from ingestor.stores.lookup import NOTHING_STORED, NOWHERE, Elsewhere, Place, others_at, stored_lines


class SeveralEvents(NamedTuple):
    """A line that makes several events, or may have made several by the rules that it was counted by."""

    points: tuple[Point, ...]
    """What it makes now; all of them are among the points that are reclassified."""
    places: tuple[Place, ...]
    """Where events of it may stand, also those that it makes now."""

    @property
    def empty(self) -> list[Place]:
        """Where it makes no event now."""
        times = {point[0] for point in self.points}
        return [place for place in self.places if place[0] not in times]


class Changes(NamedTuple):
    """What is to be done."""

    outdated: tuple[Point, ...]
    """Stored, and made by no line any more."""
    replaced: tuple[Point, ...]
    """Stored under their tags, with other fields."""
    written: tuple[Point, ...]
    """In their place, or new."""
    accounts: dict[str, Account]
    """By source: a line that had made no event was ignored; one that makes more or fewer counts as often as it has events."""

    @property
    def removed(self) -> tuple[Point, ...]:
        """What counts no longer."""
        return self.outdated + self.replaced


def changes(
    points: Sequence[Point],
    several: Sequence[SeveralEvents],
    at: Mapping[int, Sequence[Point]],
    series: Mapping[int, Series],
    elsewhere: Elsewhere = NOWHERE,
) -> Changes:
    """Compare what lines make now with what is stored of them.

    ``several``: those of the lines that are or were several events. ``at``: the stored points by time, at least those of the times
    of ``points`` and of the places. ``series``, ``elsewhere``: see ``lookup.stored_lines``.
    """
    wanted = {point[:2]: point for point in points}
    found = dict(zip(wanted, stored_lines(tuple(wanted.values()), at, series, elsewhere), strict=True))
    outdated = {other[:2]: other for line in found.values() for other in line.others}
    changed = [identity for identity, line in found.items() if line.exact != wanted[identity]]
    stored: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    one = found.keys() - {point[:2] for line in several for point in line.points}
    for identity in one:
        if found[identity] == NOTHING_STORED:
            stored[series[identity[1]].source] += 1
            ignored[series[identity[1]].source] -= 1
    for line in {line.points[0][:2]: line for line in several}.values():
        source = series[line.points[0][1]].source
        left_over = [other for place in line.places for other in others_at(place, at, wanted, series, elsewhere)]
        outdated |= {other[:2]: other for other in left_over}
        before = {point[0] for point in line.points if found[point[:2]] != NOTHING_STORED}
        before |= {other[0] for other in left_over}
        stored[source] += len(line.points) - len(before)
        ignored[source] -= not before
    return Changes(
        tuple(outdated.values()),
        tuple(exact for identity in changed if (exact := found[identity].exact) is not None),
        tuple(wanted[identity] for identity in changed),
        {
            source: Account(read=stored[source] + ignored[source], stored=stored[source], ignored=ignored[source])
            for source in stored.keys() | ignored.keys()
            if stored[source] or ignored[source]
        },
    )
