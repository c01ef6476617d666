"""The counters of design section 3 in the state's SQLite file: they move in the transaction of the positions.

The embedded store answers from them. For InfluxDB they are what is true, and are written there as absolute values: what
has changed since is marked in the same transaction, and a mark goes once the value behind it is acknowledged.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.points import Series, SeriesTable, TotalSeries

GROUP: Final = 80
"""Rows in one statement. Beyond about 80 nothing is gained; the limit of variables in old SQLite builds is 999."""

_COUNT_HOURS: Final = "INSERT INTO token_events_1h(time,series,events,lifetime_sum,lifetime_count) VALUES "
_COUNT_TOTALS: Final = "INSERT INTO token_totals_15m(time,series,events,lifetime_sum,lifetime_count) VALUES "
_ADD_EVENTS: Final = (
    " ON CONFLICT DO UPDATE SET events=events+excluded.events,"
    "lifetime_sum=lifetime_sum+excluded.lifetime_sum,lifetime_count=lifetime_count+excluded.lifetime_count"
)
_TOTAL_TAGS: Final = ",".join(TotalSeries._fields)
_COUNT_USERS: Final = "INSERT INTO token_users_1d(time,user_id,source,host,events,issued,refreshed,failed) VALUES "
_ADD_USERS: Final = (
    " ON CONFLICT DO UPDATE SET events=events+excluded.events,issued=issued+excluded.issued,"
    "refreshed=refreshed+excluded.refreshed,failed=failed+excluded.failed"
)


class Revisions:
    """Numbers of changes to counters and findings. They grow, whatever the clock does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Go on behind what is unwritten."""
        self.last: int
        """The mark of the last change."""
        (self.last,) = connection.execute(
            "SELECT max((SELECT coalesce(max(mark), 0) FROM unwritten_hours),"
            " (SELECT coalesce(max(mark), 0) FROM unwritten_totals),"
            " (SELECT coalesce(max(mark), 0) FROM unwritten_users),"
            " (SELECT coalesce(max(mark), 0) FROM unwritten_findings))"
        ).fetchone()

    def new(self) -> int:
        """Return the mark of counters that change now."""
        self.last += 1
        return self.last


def load_series(connection: sqlite3.Connection) -> SeriesTable:
    """Return the series of the stored events, to go on numbering from."""
    columns = ",".join(Series._fields)
    rows = connection.execute(f"SELECT number,{columns} FROM series ORDER BY number")
    return SeriesTable({number: Series(*tags) for number, *tags in rows})


def save_series(connection: sqlite3.Connection, series: Mapping[int, Series]) -> None:
    """Save series by their numbers, inside the caller's transaction. Known ones stay as they are."""
    rows = [(number, *tags) for number, tags in series.items()]
    connection.executemany("INSERT OR IGNORE INTO series VALUES(?,?,?,?,?,?,?,?,?,?)", rows)


def add_to_counters(connection: sqlite3.Connection, tally: CounterDeltas, *, mark: int | None = None) -> None:
    """Add increments, inside the caller's transaction. With a ``mark``, a number that grows, note what has changed."""
    hours, totals, users = tally.hours(), _numbered(connection, tally.totals()), tally.user_days()
    _upsert(connection, _COUNT_HOURS, _ADD_EVENTS, hours)
    _upsert(connection, _COUNT_TOTALS, _ADD_EVENTS, totals)
    _upsert(connection, _COUNT_USERS, _ADD_USERS, users)
    if mark is not None:
        connection.executemany("REPLACE INTO unwritten_hours VALUES(?,?,?)", [(*row[:2], mark) for row in hours])
        connection.executemany("REPLACE INTO unwritten_totals VALUES(?,?,?)", [(*row[:2], mark) for row in totals])
        connection.executemany("REPLACE INTO unwritten_users VALUES(?,?,?,?,?)", [(*row[:4], mark) for row in users])


def _numbered(
    connection: sqlite3.Connection, totals: Sequence[tuple[int, TotalSeries, int, int, int]]
) -> list[tuple[int, ...]]:
    """Put numbers in place of the tags, giving numbers to those that are new. There are few, and this is done once a batch."""
    numbers: dict[TotalSeries, int] = {}
    for tags in dict.fromkeys(row[1] for row in totals):
        connection.execute(
            f"INSERT OR IGNORE INTO total_series({_TOTAL_TAGS}) VALUES {placeholders(len(tags), 1)}", tags
        )
        (numbers[tags],) = connection.execute(
            f"SELECT number FROM total_series WHERE ({_TOTAL_TAGS}) = {placeholders(len(tags), 1)}", tags
        ).fetchone()
    return [(quarter, numbers[tags], *counts) for quarter, tags, *counts in totals]


def placeholders(width: int, rows: int) -> str:
    """Return the places of ``rows`` rows of ``width`` values."""
    row = f"({','.join('?' * width)})"
    return ",".join([row] * rows)


def _upsert(connection: sqlite3.Connection, insert: str, add: str, rows: Sequence[tuple[int | str, ...]]) -> None:
    for start in range(0, len(rows), GROUP):
        group = rows[start : start + GROUP]
        if len(group) == GROUP:
            statement = insert + placeholders(len(group[0]), GROUP) + add
            connection.execute(statement, list(chain.from_iterable(group)))
        else:
            connection.executemany(insert + placeholders(len(group[0]), 1) + add, group)
