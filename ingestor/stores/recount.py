"""The counters counted anew from the stored events: after a loss of the state, or of trust in them. Never from the logs."""

import sqlite3
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Point, SeriesTable, TotalSeries
from ingestor.model.questions import Period
from ingestor.model.statistics import FAILURE, REFRESHED
from ingestor.state.counters import add_to_counters, save_series
from parsers.contract import ISSUED_PREFIX

TICK_POINTS: Final = 5_000
"""Counted between two signs of life."""
TICK_INSTRUCTIONS: Final = 1_000_000
"""Of SQLite's machine, between two signs of life: hundredths of a second."""

_EVENTS_BY_HOUR: Final = (
    f"INSERT INTO token_events_1h SELECT time - time % {HOUR_NS}, series, count(*), coalesce(sum(expires_in), 0),"
    " count(expires_in) FROM token_events GROUP BY 1, 2"
)
_TOTAL_TAGS: Final = ",".join(TotalSeries._fields)
_TOTAL_SERIES: Final = f"INSERT OR IGNORE INTO total_series({_TOTAL_TAGS}) SELECT DISTINCT {_TOTAL_TAGS} FROM series"
_TOTALS_BY_QUARTER: Final = (
    "INSERT INTO token_totals_15m SELECT quarter, total_series.number, sum(events), sum(lifetime_sum), sum(lifetime_count)"
    f" FROM (SELECT time - time % {QUARTER_HOUR} AS quarter, series, count(*) AS events,"
    " coalesce(sum(expires_in), 0) AS lifetime_sum, count(expires_in) AS lifetime_count FROM token_events GROUP BY 1, 2)"
    f" JOIN series ON series.number = series JOIN total_series USING({_TOTAL_TAGS}) GROUP BY 1, 2"
)
_USERS_BY_DAY: Final = (
    f"INSERT INTO token_users_1d SELECT time - time % {DAY_NS}, user_id, source, host, count(*),"
    " sum(action GLOB ?), sum(action = ?), sum(outcome = ? AND NOT action GLOB ? AND action <> ?)"
    " FROM token_events JOIN series ON number = series WHERE user_id IS NOT NULL GROUP BY 1, 2, 3, 4"
)


def recount_embedded(connection: sqlite3.Connection, tick: Callable[[], None]) -> int:
    """Count the events of the embedded store, inside the caller's transaction; return how many there are.

    ``tick`` is called now and then, and must leave the connection alone.
    """
    connection.set_progress_handler(tick, TICK_INSTRUCTIONS)
    try:
        connection.execute("DELETE FROM token_events_1h")
        connection.execute("DELETE FROM token_totals_15m")
        connection.execute("DELETE FROM token_users_1d")
        connection.execute(_EVENTS_BY_HOUR)
        connection.execute(_TOTAL_SERIES)
        connection.execute(_TOTALS_BY_QUARTER)
        connection.execute(_USERS_BY_DAY, (ISSUED_PREFIX + "*", REFRESHED, FAILURE, ISSUED_PREFIX + "*", REFRESHED))
    finally:
        connection.set_progress_handler(None, 0)
    counted: int = connection.execute("SELECT coalesce(sum(events), 0) FROM token_events_1h").fetchone()[0]
    return counted


def tallied(points: Iterable[Point], series: SeriesTable, tick: Callable[[], None]) -> tuple[CounterDeltas, int]:
    """Count points as they come, holding none; return the counts, and how many points there were.

    Not to be called inside a transaction: how long it takes is up to whoever gives the points.
    """
    tally, counted = CounterDeltas(series.by_number), 0
    points = iter(points)
    while group := list(islice(points, TICK_POINTS)):
        tally.add(group)
        counted += len(group)
        tick()
    return tally, counted


def recount_day(
    connection: sqlite3.Connection,
    series: SeriesTable,
    day: Period,
    source: str,
    host: str,
    tally: CounterDeltas,
    mark: int,
) -> None:
    """Replace what the counters hold of one day of one source and host, inside the caller's transaction.

    ``tally``: all the events of it. What has changed gets the ``mark``.
    """
    # All series: should this transaction fail, the new ones among them are still to be saved.
    save_series(connection, series.by_number)
    _forget_day(connection, day, source, host, mark)
    add_to_counters(connection, tally, mark=mark)


def _forget_day(connection: sqlite3.Connection, day: Period, source: str, host: str, mark: int) -> None:
    times = (day.since, day.until, source, host)
    for unwritten, table, series in (
        ("unwritten_hours", "token_events_1h", "series"),
        ("unwritten_totals", "token_totals_15m", "total_series"),
    ):
        of_day = f"time >= ? AND time < ? AND series IN (SELECT number FROM {series} WHERE source = ? AND host = ?)"
        connection.execute(
            f"INSERT OR REPLACE INTO {unwritten} SELECT time, series, ? FROM {table} WHERE {of_day}", (mark, *times)
        )
        connection.execute(f"UPDATE {table} SET events = 0, lifetime_sum = 0, lifetime_count = 0 WHERE {of_day}", times)
    users = (day.since, source, host)
    connection.execute(
        "INSERT OR REPLACE INTO unwritten_users SELECT time, user_id, source, host, ? FROM token_users_1d"
        " WHERE time = ? AND source = ? AND host = ?",
        (mark, *users),
    )
    connection.execute(
        "UPDATE token_users_1d SET events = 0, issued = 0, refreshed = 0, failed = 0"
        " WHERE time = ? AND source = ? AND host = ?",
        users,
    )
