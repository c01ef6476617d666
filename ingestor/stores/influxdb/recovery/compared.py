"""Whether InfluxDB holds what the state has counted, day by day: a few days at a time, since every day costs the server a little.

A day that agreed, and was not written to since, is looked at again only in its turn.
"""

import sqlite3
import time
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from ingestor.config.settings import Settings
from ingestor.model.agreement import Agreement, Cell, compare, days_in_turn
from ingestor.model.periods import DAY_NS, merge, start_of
from ingestor.model.questions import Period
from ingestor.state.database import save_meta
from ingestor.state.lock import is_held
from ingestor.state.state import State
from ingestor.state.sums import counted_sums, hosts
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.read.retention import first_whole_day
from ingestor.stores.influxdb.read.sums import stored_sums

LOOK_SECONDS: Final = 1.0
"""A look begins no other question after so long."""
FEWEST_DAYS: Final = 4
"""In the first question; the next one is about twice as many days while they are answered at once."""
WATCH_SECONDS: Final = 1.5
"""Until what a daemon had on its way is in a checkpoint."""
CURSOR: Final = "compared_to"
"""Key of ``meta``: the day down to which the days were taken in turn."""
COMPARED_AT: Final = "compared_at"
"""Key of ``meta``: when it was looked last, wall clock, seconds."""

Compared = Mapping[Cell, tuple[int, int]]
"""(counted, found) of the cells that were looked at, when that was."""


class Look(NamedTuple):
    """What was counted at the time of a look, what is known of the store, and which of it is new."""

    counted: Mapping[Cell, int]
    known: Compared
    fresh: Compared
    cursor: int
    at: float

    def agreement(self, changing: Collection[int] = ()) -> Agreement:
        """Say how it stands. ``changing``: days that were written to meanwhile, of which the look says nothing."""
        known = {**self.known, **self.settled(changing)}
        unsettled = {cell for cell, events in self.counted.items() if known.get(cell, (-1, 0))[0] != events}
        found = {cell: events for cell, (_, events) in known.items()}
        return compare(self.counted, found, DAY_NS, self.at, unsettled=unsettled)

    def settled(self, changing: Collection[int]) -> dict[Cell, tuple[int, int]]:
        """Return what is new, without the days that were written to meanwhile."""
        return {cell: sums for cell, sums in self.fresh.items() if cell.start not in changing}


def kept_days(settings: Settings) -> Period:
    """Return the days of which InfluxDB keeps every event."""
    now = time.time_ns()
    return Period(
        max(0, first_whole_day(settings.retention, now)),
        start_of(now + 2 * DAY_NS, DAY_NS),
    )


def known(state: State, settings: Settings) -> Look:
    """Return what the looks so far have found. Raises sqlite3.Error."""
    period, meta = kept_days(settings), state.meta()
    rows = state.connection.execute(
        "SELECT source, host, day, counted, found FROM compared_days WHERE day >= ? AND day < ?",
        (period.since, period.until),
    )
    compared = {Cell(source, host, day): (counted, found) for source, host, day, counted, found in rows}
    counted = counted_sums(state.connection, period, DAY_NS)
    return Look(counted, compared, {}, int(meta.get(CURSOR, period.until)), float(meta.get(COMPARED_AT, 0)))


def look(state: State, settings: Settings, queries: Queries) -> Look:
    """Ask for some days, those first that need it most. Raises TokentailError, sqlite3.Error."""
    before, period = known(state, settings), kept_days(settings)
    names, ours = hosts(state.connection), {(cell.source, cell.host) for cell in before.counted}
    turn = list(days_in_turn(before.counted, before.known, period, before.cursor))
    fresh: dict[Cell, tuple[int, int]] = {}
    began, size, cursor = time.monotonic(), FEWEST_DAYS, before.cursor
    while turn and ours and (asked := time.monotonic()) - began < LOOK_SECONDS:
        days, turn = sorted(turn[:size]), turn[size:]
        found = stored_sums(
            queries, settings.store.database, list(merge(Period(day, day + DAY_NS) for day in days)), DAY_NS, names
        )
        cells = [Cell(*name, day) for day in days for name in sorted(ours)]
        fresh |= {cell: (before.counted.get(cell, 0), found[cell]) for cell in cells}
        cursor = days[0] if turn else period.until
        if time.monotonic() - asked < LOOK_SECONDS / 8:
            size *= 2
    return Look(before.counted, before.known, fresh, cursor, time.time())


def look_now(state: State, settings: Settings, queries: Queries) -> Agreement:
    """Compare for somebody who waits; twice where it differs, since a daemon may be writing. Raises TokentailError, sqlite3.Error."""
    found = look(state, settings, queries)
    if found.agreement().agrees or not is_held(state.directory):
        return found.agreement()
    time.sleep(WATCH_SECONDS)
    again = look(state, settings, queries)
    cells = {*found.counted, *again.counted}
    return again.agreement({cell.start for cell in cells if found.counted.get(cell) != again.counted.get(cell)})


def save(connection: sqlite3.Connection, found: Mapping[Cell, tuple[int, int]], cursor: int, at: float) -> None:
    """Have the state know what a look has found; inside a transaction."""
    connection.executemany("DELETE FROM compared_days WHERE source = ? AND host = ? AND day = ?", list(found))
    connection.executemany(
        "INSERT INTO compared_days VALUES(?,?,?,?,?)", [(*cell, *sums) for cell, sums in found.items() if any(sums)]
    )
    save_meta(connection, {CURSOR: str(cursor), COMPARED_AT: repr(at)})
