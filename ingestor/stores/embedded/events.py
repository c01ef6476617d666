"""The embedded store: the events of design section 3 in the same SQLite file, and transaction, as the read position.

Columns are those of ``Point``, so storing a batch transforms nothing. The counters of section 3 move with the events and
stay exact when points repeat: a repeat replaces its event, and what the old one had added is taken off first.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from ingestor.model.accounting import Account
from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.points import POINT_COLUMNS, Point, SeriesTable
from ingestor.state.counters import GROUP, add_to_counters, placeholders, save_series
from ingestor.stores.lookup import LookupResult, Place, findings
from ingestor.stores.reclassified import SeveralEvents, changes

_COLUMNS: Final = ",".join(POINT_COLUMNS)
_INSERT: Final = f"INSERT INTO token_events({_COLUMNS}) VALUES "
_REPLACE: Final = f"REPLACE INTO token_events({_COLUMNS}) VALUES ({','.join('?' * len(POINT_COLUMNS))})"


class SqliteStore:
    """Writes points. ``connection`` is in autocommit mode: the caller begins and commits."""

    def __init__(self, connection: sqlite3.Connection, series: SeriesTable) -> None:
        self._connection = connection
        self._series = series

    def write(self, points: Sequence[Point]) -> None:
        """Store points inside the caller's transaction; of equal identities the last one wins.

        Also saves ``series.new``, which the caller clears once it has committed. Batches of 10,000 points and more
        cost least, since a counter is written once a batch. Raises sqlite3.Error; the caller then rolls back.
        """
        self._save_new_series()
        tally = CounterDeltas(self._series.by_number)
        whole = len(points) - len(points) % GROUP
        for start in range(0, whole, GROUP):
            self._insert(points[start : start + GROUP], tally)
        for point in points[whole:]:
            self._insert((point,), tally)
        add_to_counters(self._connection, tally)

    def rewrite(
        self, points: Sequence[Point], several: Sequence[SeveralEvents] = (), *, recount: bool
    ) -> dict[str, Account]:
        """Store the points of lines that were counted before, and delete what these lines are no longer.

        ``several``: those of the lines that are or were several events. ``recount``: the lines are read by other rules than
        when they were counted, so the counters move with them; else the counters are true, and a store that lost or changed a
        point is mended. Returns what changes in the accounts with the rules. Otherwise as ``write``.
        """
        self._save_new_series()
        at = self._stored_at([point[0] for point in points] + [place[0] for line in several for place in line.places])
        changed = changes(points, several, at, self._series.by_number)
        self._connection.executemany(
            "DELETE FROM token_events WHERE time = ? AND series = ?", [point[:2] for point in changed.outdated]
        )
        self._connection.executemany(_REPLACE, changed.written)
        if recount:
            tally = CounterDeltas(self._series.by_number)
            tally.add(changed.removed, sign=-1)
            tally.add(changed.written)
            add_to_counters(self._connection, tally)
        return changed.accounts

    def look_up(self, points: Sequence[Point], places: Sequence[Place] = ()) -> list[LookupResult]:
        """Look up points that ought to be stored, and places where nothing else ought to be; see ``LookUp``.

        A series that is only in ``series.new`` is in no stored event, whatever number a running writer gives out next.
        """
        unsaved = set(self._series.new)
        at = self._stored_at([point[0] for point in points] + [time for time, _ in places])
        known = {time: [stored for stored in here if stored[1] not in unsaved] for time, here in at.items()}
        return findings(points, places, known, self._series.by_number)

    def _save_new_series(self) -> None:
        save_series(self._connection, {number: self._series.by_number[number] for number in self._series.new})

    def _insert(self, points: Sequence[Point], tally: CounterDeltas) -> None:
        """Insert as if all were new, which nearly all are; a statement that meets a repeat undoes itself whole."""
        statement = _INSERT + placeholders(len(POINT_COLUMNS), len(points))
        try:
            self._connection.execute(statement, list(chain.from_iterable(points)))
        except sqlite3.IntegrityError:
            self._replace(points, tally)
        else:
            tally.add(points)

    def _replace(self, points: Sequence[Point], tally: CounterDeltas) -> None:
        stored = self._stored(points)
        wanted = {point[:2]: point for point in points}
        changed = [point for identity, point in wanted.items() if stored.get(identity) != point]
        tally.add([stored[point[:2]] for point in changed if point[:2] in stored], sign=-1)
        tally.add(changed)
        self._connection.executemany(_REPLACE, changed)

    def _stored_at(self, times: Iterable[int]) -> dict[int, list[Point]]:
        """Return what is stored at these times, by time: one file holds what one state has read."""
        wanted = list(set(times))
        at: dict[int, list[Point]] = {}
        for start in range(0, len(wanted), GROUP):
            group = wanted[start : start + GROUP]
            for row in self._connection.execute(
                # A join, the points outside: SQLite answers `time IN (VALUES ...)` by scanning the table.
                f"WITH wanted(time) AS (VALUES {placeholders(1, len(group))})"
                f" SELECT {_COLUMNS} FROM wanted CROSS JOIN token_events USING (time)",
                group,
            ):
                at.setdefault(row[0], []).append(row)
        return at

    def _stored(self, points: Sequence[Point]) -> dict[tuple[int, int], Point]:
        rows: Iterator[Point] = self._connection.execute(
            # A join, the points outside: SQLite answers `(time, series) IN (VALUES ...)` by scanning the table.
            f"WITH wanted(time, series) AS (VALUES {placeholders(2, len(points))}) "
            f"SELECT {_COLUMNS} FROM wanted CROSS JOIN token_events USING (time, series)",
            [part for point in points for part in point[:2]],
        )
        return {row[:2]: row for row in rows}
