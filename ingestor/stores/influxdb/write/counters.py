"""The counters of the state on their way to InfluxDB, as absolute values: the last write wins, and is true.

A user's counters have a series of their own in InfluxDB only while the budget of the source lasts; the others share
``_other`` there. The state knows them all, so the number of active users is exact.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ingestor.model.periods import DAY_NS, HOUR_NS, start_of
from ingestor.model.points import OTHER, Series, TotalSeries
from ingestor.model.statistics import FAILURE, REFRESHED
from ingestor.stores.influxdb.setup.plan import RAW, ROLLUP
from ingestor.stores.influxdb.write.line_protocol import tag_set
from parsers.contract import ISSUED_PREFIX
from parsers.text import normal_tag

USERS_PER_SOURCE: Final = 50_000
ROWS: Final = 5_000
"""Counters that are looked at together."""


class Written(NamedTuple):
    """Lines for one policy, and the marks that go when these are acknowledged."""

    policy: str
    lines: list[str]
    times: list[int]
    """Nanoseconds."""
    hours: list[tuple[int, int, int]]
    """(time, series, mark)"""
    totals: list[tuple[int, int, int]]
    """(time, number of the tag set, mark)"""
    users: list[tuple[int, str, str, str, int]]
    """(time, user_id, source, host, mark)"""


class Forgotten(NamedTuple):
    """The newest hour and day whose counters were deleted from the state, nanoseconds. They are not written any more.

    The quarters of an hour are forgotten with it.
    """

    hour: int
    day: int

    def and_then(self, other: "Forgotten") -> "Forgotten":
        """Return what is forgotten after both."""
        return Forgotten(max(self.hour, other.hour), max(self.day, other.day))


NOTHING_FORGOTTEN: Final = Forgotten(-(1 << 63), -(1 << 63))


def unwritten(connection: sqlite3.Connection, mark: int) -> list[Written]:
    """Return the next counters that InfluxDB has not got, of those with a mark up to this one; inside a transaction.

    They are to be acknowledged in this order: what is derived goes before the counters whose marks tell that it is due.
    """
    return [
        *_unwritten_hours(connection, mark),
        _unwritten_totals(connection, mark),
        *_unwritten_users(connection, mark),
    ]


_NEXT_HOURS: Final = (
    "FROM unwritten_hours JOIN token_events_1h USING(time, series) JOIN series ON number = series"
    " WHERE mark <= ? ORDER BY time, series LIMIT ?"
)
_CLIENTS_OF_NEXT_HOURS: Final = (
    f"WITH next AS (SELECT time, client_id, host, realm, source {_NEXT_HOURS}),"
    " wanted AS (SELECT DISTINCT time, client_id, host, realm, source FROM next)"
    " SELECT time, client_id, host, realm, source, sum(events), sum(events * (action GLOB ?)),"
    " sum(events * (action = ?)), sum(events * (outcome = ?))"
    # In this order, so that what is read is the counters of these clients in these hours, by their keys.
    " FROM wanted CROSS JOIN series USING(client_id, host, realm, source)"
    " CROSS JOIN token_events_1h USING(time) WHERE series = number"
    " GROUP BY time, client_id, host, realm, source"
)


def _unwritten_hours(connection: sqlite3.Connection, mark: int) -> list[Written]:
    """Return the next hourly counters that InfluxDB has not got, of those with a mark up to this one.

    Before them go the sums of their clients, which have no marks of their own.
    """
    clients = connection.execute(
        _CLIENTS_OF_NEXT_HOURS, (mark, ROWS, ISSUED_PREFIX + "*", REFRESHED, FAILURE)
    ).fetchall()
    of_clients = [
        f"token_clients_1h{tag_set({'client_id': client_id, 'host': host, 'realm': realm, 'source': source})}"
        f" events={events}i,issued={issued}i,refreshed={refreshed}i,failed={failed}i {hour}"
        for hour, client_id, host, realm, source, events, issued, refreshed, failed in clients
    ]
    rows = connection.execute(
        f"SELECT time, series, mark, events, lifetime_sum, lifetime_count, {','.join(Series._fields)} {_NEXT_HOURS}",
        (mark, ROWS),
    ).fetchall()
    lines = [
        f"token_events_1h{tag_set(Series(*tags)._asdict())}"
        f" events={events}i,lifetime_sum={lifetime_sum}i,lifetime_count={lifetime_count}i {hour}"
        for hour, _, _, events, lifetime_sum, lifetime_count, *tags in rows
    ]
    return [
        Written(ROLLUP, of_clients, [client[0] for client in clients], [], [], []),
        Written(ROLLUP, lines, [row[0] for row in rows], [row[:3] for row in rows], [], []),
    ]


def _unwritten_totals(connection: sqlite3.Connection, mark: int) -> Written:
    """Return the next counters of all clients together that InfluxDB has not got, of those with a mark up to this one."""
    rows = connection.execute(
        f"SELECT time, series, mark, events, lifetime_sum, lifetime_count, {','.join(TotalSeries._fields)}"
        " FROM unwritten_totals JOIN token_totals_15m USING(time, series) JOIN total_series ON number = series"
        f" WHERE mark <= ? ORDER BY time, series LIMIT {ROWS}",
        (mark,),
    ).fetchall()
    lines = [
        f"token_totals_15m{tag_set(TotalSeries(*tags)._asdict())}"
        f" events={events}i,lifetime_sum={lifetime_sum}i,lifetime_count={lifetime_count}i {quarter}"
        for quarter, _, _, events, lifetime_sum, lifetime_count, *tags in rows
    ]
    return Written(ROLLUP, lines, [row[0] for row in rows], [], [row[:3] for row in rows], [])


def _unwritten_users(connection: sqlite3.Connection, mark: int) -> list[Written]:
    """Return the next daily counters of users that InfluxDB has not got, and the numbers of active users that go with them.

    Gives users their series, in the order in which they come here.
    """
    rows = connection.execute(
        "SELECT time, user_id, source, host, mark, events, issued, refreshed, failed"
        " FROM unwritten_users JOIN token_users_1d USING(time, user_id, source, host)"
        f" WHERE mark <= ? ORDER BY time LIMIT {ROWS}",
        (mark,),
    ).fetchall()
    tags = _tags(connection, ((source, user_id) for _, user_id, source, *_ in rows))
    values = [
        (day, tags[source, user_id], source, host, *counts)
        for day, user_id, source, host, _, *counts in rows
        if (source, user_id) in tags
    ]
    days = sorted({(day, source, host) for day, _, source, host, *_ in rows})
    others = sorted({(day, source, host) for day, user_id, source, host, *_ in rows if (source, user_id) not in tags})
    values += [(day, OTHER, source, host, *_others(connection, day, source, host)) for day, source, host in others]
    lines = [
        f"token_users_1d{tag_set({'host': host, 'source': source, 'user_id': tag})}"
        f" events={events}i,issued={issued}i,refreshed={refreshed}i,failed={failed}i {day}"
        for day, tag, source, host, events, issued, refreshed, failed in values
    ]
    active = [
        f"token_active_1d{tag_set({'host': host, 'source': source})} users={_active(connection, day, source, host)}i {day}"
        for day, source, host in days
    ]
    marks = [row[:5] for row in rows]
    return [
        Written(ROLLUP, active, [day[0] for day in days], [], [], []),
        Written(RAW, lines, [value[0] for value in values], [], [], marks),
    ]


def acknowledge(connection: sqlite3.Connection, written: Written) -> None:
    """Take off the marks of what InfluxDB has got, unless it has changed meanwhile; inside a transaction."""
    connection.executemany("DELETE FROM unwritten_hours WHERE time = ? AND series = ? AND mark = ?", written.hours)
    connection.executemany("DELETE FROM unwritten_totals WHERE time = ? AND series = ? AND mark = ?", written.totals)
    connection.executemany(
        "DELETE FROM unwritten_users WHERE time = ? AND user_id = ? AND source = ? AND host = ? AND mark = ?",
        written.users,
    )


def write_again(connection: sqlite3.Connection, hours: Iterable[int], days: Iterable[int], mark: int) -> None:
    """Have all counters of these hours, and of the users of these days, be written once more; inside a transaction."""
    for hour in hours:
        for unwritten, table in (("unwritten_hours", "token_events_1h"), ("unwritten_totals", "token_totals_15m")):
            connection.execute(
                f"REPLACE INTO {unwritten} SELECT time, series, ? FROM {table} WHERE time >= ? AND time < ?",
                (mark, hour, hour + HOUR_NS),
            )
    for day in days:
        connection.execute(
            "REPLACE INTO unwritten_users SELECT time, user_id, source, host, ? FROM token_users_1d WHERE time = ?",
            (mark, day),
        )


def unwritten_sources(connection: sqlite3.Connection) -> set[str]:
    """Return the sources of the counters that InfluxDB has not got."""
    rows = connection.execute(
        "SELECT source FROM series WHERE number IN (SELECT series FROM unwritten_hours) UNION"
        " SELECT source FROM total_series WHERE number IN (SELECT series FROM unwritten_totals) UNION"
        " SELECT source FROM unwritten_users"
    )
    return {source for (source,) in rows}


def newest_hour(connection: sqlite3.Connection) -> int | None:
    """Return the newest hour that is counted, whatever the clock says."""
    row: tuple[int | None] = connection.execute("SELECT max(time) FROM token_events_1h").fetchone()
    return row[0]


def forget_before(connection: sqlite3.Connection, *, raw: int, rollup: int) -> Forgotten:
    """Delete counters of days and hours that InfluxDB keeps no longer (nanoseconds); inside a transaction.

    Returns the newest that went.
    """
    day = _forget(connection, "users", "token_users_1d", raw - 2 * DAY_NS)
    hours = start_of(rollup - 2 * DAY_NS, HOUR_NS)  # whole ones, so that no quarter of one is left
    hour = _forget(connection, "hours", "token_events_1h", hours)
    quarter = _forget(connection, "totals", "token_totals_15m", hours)
    # Mostly the same hour; one whose events were all taken off may be known to the quarters alone.
    return Forgotten(max(hour, start_of(quarter, HOUR_NS)), day)


def leave_forgotten(connection: sqlite3.Connection, forgotten: Forgotten) -> None:
    """Take off the marks of hours and days that were forgotten; inside a transaction.

    An event that comes late counts from nothing there: InfluxDB, if it still has them, knows more.
    """
    connection.execute("DELETE FROM unwritten_hours WHERE time <= ?", (forgotten.hour,))
    connection.execute("DELETE FROM unwritten_totals WHERE time < ?", (forgotten.hour + HOUR_NS,))
    connection.execute("DELETE FROM unwritten_users WHERE time <= ?", (forgotten.day,))


def _forget(connection: sqlite3.Connection, unwritten: str, table: str, before: int) -> int:
    newest: int | None = connection.execute(f"SELECT max(time) FROM {table} WHERE time < ?", (before,)).fetchone()[0]
    connection.execute(f"DELETE FROM {table} WHERE time < ?", (before,))
    connection.execute(f"DELETE FROM unwritten_{unwritten} WHERE time < ?", (before,))
    return NOTHING_FORGOTTEN.hour if newest is None else newest


def _tags(connection: sqlite3.Connection, users: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the tags of those (source, user) that have a series of their own, giving them one while the budget lasts.

    Two users whose ids are one in the normal form of a tag must not overwrite each other: the first has the series.
    """
    used = dict(connection.execute("SELECT source, count(*) FROM tagged_users GROUP BY source"))
    tags: dict[tuple[str, str], str] = {}
    for source, user_id in dict.fromkeys(users):
        known = connection.execute(
            "SELECT tag FROM tagged_users WHERE source = ? AND user_id = ?", (source, user_id)
        ).fetchone()
        if known is None:
            tag = normal_tag(user_id)
            if used.get(source, 0) >= USERS_PER_SOURCE or tag in {"", OTHER}:
                continue
            given = connection.execute("INSERT OR IGNORE INTO tagged_users VALUES(?,?,?)", (source, user_id, tag))
            if given.rowcount == 0:
                continue
            used[source] = used.get(source, 0) + 1
            known = (tag,)
        tags[source, user_id] = known[0]
    return tags


def _others(connection: sqlite3.Connection, day: int, source: str, host: str) -> Iterator[int]:
    """Return the sums of the users without a series, when all of that day who can have one have it."""
    without = (
        "FROM token_users_1d AS u WHERE time = ? AND source = ? AND host = ?"
        " AND NOT EXISTS (SELECT 1 FROM tagged_users AS t WHERE t.source = u.source AND t.user_id = u.user_id)"
    )
    _tags(connection, connection.execute(f"SELECT source, user_id {without}", (day, source, host)).fetchall())
    sums = "SELECT coalesce(sum(events), 0), coalesce(sum(issued), 0), coalesce(sum(refreshed), 0), coalesce(sum(failed), 0)"
    row: tuple[int, ...] = connection.execute(f"{sums} {without}", (day, source, host)).fetchone()
    return iter(row)


def _active(connection: sqlite3.Connection, day: int, source: str, host: str) -> int:
    row: tuple[int] = connection.execute(
        "SELECT count(*) FROM token_users_1d WHERE time = ? AND source = ? AND host = ? AND events > 0",
        (day, source, host),
    ).fetchone()
    return row[0]
