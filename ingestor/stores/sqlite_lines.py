"""What the embedded store holds of a line, under whatever tags.

A line's point keeps its time for ever, but not its tags: another ``[errors]`` table or another release may classify it
otherwise, which makes it another series. So a line that is read again is looked for by time and source. (Not by host: one
embedded store holds what one state has read, and a renamed host is the same machine.)
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ingestor.core.points import POINT_COLUMNS, Point, Series

_COLUMNS: Final = ",".join(POINT_COLUMNS)
_FRACTION: Final = POINT_COLUMNS.index("fraction")
_EVENT_ID: Final = POINT_COLUMNS.index("event_id")


class StoredLine(NamedTuple):
    """What is stored of the line that makes a certain point now."""

    exact: Point | None
    """At the identity of that point."""
    others: tuple[Point, ...]
    """Under other tags: what the line was before it was classified otherwise."""


NOTHING_STORED: Final = StoredLine(None, ())


def stored_lines(
    connection: sqlite3.Connection, series: Mapping[int, Series], points: Sequence[Point]
) -> list[StoredLine]:
    """Look up the lines that make these points, at most a few hundred; one answer each, in order. Raises sqlite3.Error."""
    times = list({point[0] for point in points})
    places = ",".join(["(?)"] * len(times))
    at: dict[int, list[Point]] = {}
    for row in connection.execute(
        # A join, the points outside: SQLite answers `time IN (VALUES ...)` by scanning the table.
        f"WITH wanted(time) AS (VALUES {places}) SELECT {_COLUMNS} FROM wanted CROSS JOIN token_events USING (time)",
        times,
    ):
        at.setdefault(row[0], []).append(row)
    expected = {point[:2] for point in points}
    answers = []
    for point in points:
        here = at.get(point[0], [])
        exact = next((stored for stored in here if stored[1] == point[1]), None)
        tags = series[point[1]]
        # A series that a running writer has added since is none of a line that was stored before.
        others = [
            stored
            for stored in here
            if stored[:2] not in expected
            and (stored_tags := series.get(stored[1])) is not None
            and stored_tags.source == tags.source
            and _same_line(stored, point)
        ]
        answers.append(StoredLine(exact, tuple(others)))
    return answers


def _same_line(stored: Point, point: Point) -> bool:
    """Tell a line from another one, of another generation, that met it in the same nanosecond: a chance of one in millions."""
    ids = (stored[_EVENT_ID], point[_EVENT_ID])
    return stored[_FRACTION] == point[_FRACTION] and (None in ids or ids[0] == ids[1])
