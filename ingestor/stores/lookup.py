"""What a store holds of a line, under whatever tags.

A line's point keeps its time for ever, but not its tags: another ``[errors]`` table or another release may classify it
otherwise, which makes it another series. So a line that is read again is known by time and source.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from ingestor.model.points import POINT_COLUMNS, Point, Series

Place: TypeAlias = tuple[int, int]
"""Where an event of a line may stand: its time, and a series of its source and host, whatever its other tags."""
Elsewhere: TypeAlias = Mapping[tuple[str, str], Collection[int]]
"""By (source, host): times of points whose lines may be stored under that name instead of their own."""
NOWHERE: Final[Elsewhere] = MappingProxyType({})

_FRACTION: Final = POINT_COLUMNS.index("fraction")
_EVENT_ID: Final = POINT_COLUMNS.index("event_id")


class StoredLine(NamedTuple):
    """What is stored of the line that makes a certain point now."""

    exact: Point | None
    """At the identity of that point."""
    others: tuple[Point, ...]
    """Under other tags: what the line was before it was classified otherwise."""


NOTHING_STORED: Final = StoredLine(None, ())


class LookupResult(Enum):
    """What the store holds at the identity of an expected point."""

    STORED = "stored"
    DIFFERENT = "different"
    MISSING = "missing"
    OTHER_TAGS = "other tags"
    """Not there, but the same line is under other tags: it was classified otherwise when it was stored."""
    TWICE = "twice"
    """There, and the same line is under other tags as well."""
    LEFT_OVER = "left over"
    """An event of a line that made more events by other rules than it does now."""


def stored_lines(
    points: Sequence[Point],
    at: Mapping[int, Sequence[Point]],
    series: Mapping[int, Series],
    elsewhere: Elsewhere = NOWHERE,
) -> list[StoredLine]:
    """Return what is stored of the lines that make these points; one answer each, in order.

    ``at``: the stored points by time, at least those of the times of ``points``. ``series``: the tags of both; a stored
    point whose number is not in it is of a series that a running writer has added since, hence of no line from before.
    """
    expected = {point[:2] for point in points}
    answers = []
    for point in points:
        exact = next((stored for stored in at.get(point[0], ()) if stored[1] == point[1]), None)
        others = others_at(point[:2], at, expected, series, elsewhere)
        answers.append(StoredLine(exact, tuple(stored for stored in others if _same_line(stored, point))))
    return answers


def others_at(
    place: Place,
    at: Mapping[int, Sequence[Point]],
    expected: Container[Place],
    series: Mapping[int, Series],
    elsewhere: Elsewhere = NOWHERE,
) -> list[Point]:
    """Return what is stored at a place, besides what is expected there (time and series of points that lines make)."""
    time, source = place[0], series[place[1]].source
    return [
        stored
        for stored in at.get(time, ())
        if stored[:2] not in expected
        and (tags := series.get(stored[1])) is not None
        and (tags.source == source or time in elsewhere.get((tags.source, tags.host), ()))
    ]


def findings(
    points: Sequence[Point], places: Sequence[Place], at: Mapping[int, Sequence[Point]], series: Mapping[int, Series]
) -> list[LookupResult]:
    """Return one finding for each point that ought to be stored, and then one for each place where nothing else ought to be.

    ``at``: the stored points by time, at least those of all these times. ``series``: see ``stored_lines``.
    """
    lines = stored_lines(points, at, series)
    expected = {point[:2] for point in points}
    return [finding(point, line) for point, line in zip(points, lines, strict=True)] + [
        LookupResult.LEFT_OVER if others_at(place, at, expected, series) else LookupResult.MISSING for place in places
    ]


def finding(point: Point, line: StoredLine) -> LookupResult:
    """Say what the store holds of a point that ought to be there."""
    if line.exact is None:
        return LookupResult.OTHER_TAGS if line.others else LookupResult.MISSING
    if line.others:
        return LookupResult.TWICE
    return LookupResult.STORED if line.exact == point else LookupResult.DIFFERENT


def _same_line(stored: Point, point: Point) -> bool:
    """Tell a line from another one, of another generation, that met it in the same nanosecond: a chance of one in millions."""
    ids = (stored[_EVENT_ID], point[_EVENT_ID])
    return stored[_FRACTION] == point[_FRACTION] and (None in ids or ids[0] == ids[1])
