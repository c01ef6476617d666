"""Reading the embedded store: where to look, and what is there, from the counters wherever they are exact.

Whole hours and days of UTC are answered by the counters, what is left at the edges of a period by the events
themselves; user and IP are not in the hourly counters, so with these filters the events answer alone.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Final

from ingestor.model.periods import DAY_NS, HOUR_NS, clip, split, start_of
from ingestor.model.points import POINT_COLUMNS, Point, Series
from ingestor.model.questions import Filters, Period, Record
from ingestor.model.records import record
from ingestor.model.statistics import Group
from ingestor.state.counters import load_series
from ingestor.stores.embedded.filters import NO_FILTERS, Condition, bound, counted, on_events, on_hours, within

_RECORDS: Final = f"SELECT {','.join(POINT_COLUMNS)} FROM token_events WHERE "
_GROUPED: Final = "SELECT series, client, count(*), coalesce(sum(expires_in), 0), count(expires_in) FROM token_events "
_RECOUNTED: Final = (
    "SELECT series, NULL, -count(*), -coalesce(sum(expires_in), 0), -count(expires_in) FROM token_events "
)
_COUNTED: Final = "SELECT series, NULL, sum(events), sum(lifetime_sum), sum(lifetime_count) FROM token_events_1h "

_OVERFLOW: Final = "INDEXED BY token_events_client WHERE client IS NOT NULL AND "
"""The events whose tag is ``_other``: one series holds many clients, so the counters cannot tell them apart."""


class Reads:
    """Reads of one connection. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._series: dict[int, Series] = {}

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything from one state of the database, or from the caller's, when it is in a transaction.

        ``groups`` and ``records`` are asked within a snapshot.
        """
        joined = self._connection.in_transaction
        if not joined:
            self._connection.execute("BEGIN")
        try:
            self._series = load_series(self._connection).by_number
            yield
        finally:
            if not joined:
                self._connection.execute("COMMIT")

    def rows(self, sql: str, *conditions: Condition) -> sqlite3.Cursor:
        """Run a query; the conditions are those in its text, in their order there, and bring the values."""
        return self._connection.execute(sql, [value for condition in conditions for value in condition.values])

    def windows(self, period: Period, filters: Filters, *, newest_first: bool = False) -> Iterator[Period]:
        """Yield the hours (days, for a user) that may hold what is asked for, so that nothing else is read."""
        unit = HOUR_NS if filters.user is None else DAY_NS
        touched = Period(start_of(period.since, unit), period.until)
        order = "DESC" if newest_first else "ASC"
        if filters.user is None:
            starts = self._hours(touched, filters, order)
        else:
            starts = self._days(touched, filters.user, order)
        for (start,) in starts:
            yield clip(Period(start, start + unit), period)

    def records(self, window: Period, filters: Filters, *, newest_first: bool = False) -> Iterator[Record]:
        """Yield the events of a window by time, equal times by tags; only ties are ever held."""
        where = within(window) & on_events(filters)
        # SQLite's own ordering of ties by nine tags makes it three times slower.
        rows = self.rows(f"{_RECORDS}{where.sql} ORDER BY time {'DESC' if newest_first else 'ASC'}", where)
        for _, equal in groupby(rows, key=itemgetter(0)):
            ties = [(self._series[point[1]], point) for point in equal]
            if len(ties) > 1:
                ties.sort(key=itemgetter(0))
            for tags, point in ties:
                yield record(tags, point)

    def points(self, period: Period) -> Iterator[tuple[Series, Point]]:
        """Yield the events of a period by time, with their tags; those of equal times by the numbers of their series."""
        where, series = within(period), self._series
        for point in self.rows(f"{_RECORDS}{where.sql} ORDER BY time", where):
            yield series[point[1]], point

    def groups(self, period: Period, filters: Filters) -> list[Group]:
        """Group the events of a period by series and, where the tag is ``_other``, by true client."""
        whole, edges = _split(period, filters)
        matching, tagged = on_events(filters), on_hours(filters)
        queries = [(f"{_GROUPED} WHERE", within(edge) & matching, "GROUP BY series, client") for edge in edges]
        if whole.since < whole.until:
            queries += [
                (f"{_COUNTED} WHERE", within(whole) & tagged, "GROUP BY series"),
                (_GROUPED + _OVERFLOW, within(whole) & matching, "GROUP BY series, client"),
                (_RECOUNTED + _OVERFLOW, within(whole) & tagged, "GROUP BY series"),
            ]
        sums: dict[tuple[int, str | None], tuple[int, int, int]] = {}
        for select, where, group_by in queries:
            for series, client, events, lifetime_sum, lifetime_count in self.rows(
                f"{select} {where.sql} {group_by}", where
            ):
                so_far = sums.get((series, client), (0, 0, 0))
                sums[series, client] = (so_far[0] + events, so_far[1] + lifetime_sum, so_far[2] + lifetime_count)
        return [Group(self._series[series], client, *sum_) for (series, client), sum_ in sums.items() if sum_[0]]

    def count(self, period: Period, filters: Filters) -> int:
        """Count the events of a period."""
        whole, edges = _split(period, filters)
        matching, tagged = on_events(filters), on_hours(filters)
        queries = [("count(*) FROM token_events WHERE", within(edge) & matching) for edge in edges]
        if whole.since < whole.until:
            queries.append(("coalesce(sum(events), 0) FROM token_events_1h WHERE", within(whole) & tagged))
            if filters.client is not None:
                queries.append((f"count(*) FROM token_events {_OVERFLOW}", within(whole) & matching))
                queries.append((f"-count(*) FROM token_events {_OVERFLOW}", within(whole) & tagged))
        return sum(self.rows(f"SELECT {select} {where.sql}", where).fetchone()[0] for select, where in queries)

    def unique_users(self, period: Period, filters: Filters) -> int:
        """Count the distinct users of a period."""
        whole, edges = split(period, DAY_NS) if filters == NO_FILTERS else (Period(0, 0), [period])
        days = within(whole)
        parts = [(f"SELECT user_id FROM token_users_1d WHERE events > 0 AND {days.sql}", days)]
        for edge in edges:
            where = within(edge) & on_events(filters)
            parts.append((f"SELECT user_id FROM token_events WHERE user_id IS NOT NULL AND {where.sql}", where))
        users = " UNION ALL ".join(sql for sql, _ in parts)
        count: int = self.rows(
            f"SELECT count(DISTINCT user_id) FROM ({users})", *(where for _, where in parts)
        ).fetchone()[0]
        return count

    def _hours(self, touched: Period, filters: Filters, order: str) -> Iterator[tuple[int]]:
        where = within(touched) & on_hours(filters)
        sql = f"SELECT DISTINCT time FROM token_events_1h WHERE {where.sql} AND events > 0"
        if filters.client is None:
            return self.rows(f"{sql} ORDER BY time {order}", where)
        overflow = within(touched) & Condition("client = ?", (filters.client,))
        return self.rows(
            f"{sql} UNION SELECT time - time % {HOUR_NS} FROM token_events {_OVERFLOW} {overflow.sql} ORDER BY time {order}",
            where,
            overflow,
        )

    def _days(self, touched: Period, user: str, order: str) -> Iterator[tuple[int]]:
        """Step from day to day by the key: reading the users of all days would take as long as reading events."""
        where, of_user = within(touched), Condition("user_id = ?", (user,))
        if order == "DESC":
            extreme, onward = "max", Condition("time >= ? AND time < start", (bound(touched.since),))
        else:
            extreme, onward = "min", Condition("time > start AND time < ?", (bound(touched.until),))
        return self.rows(
            f"WITH RECURSIVE day(start) AS (SELECT {extreme}(time) FROM token_users_1d WHERE {where.sql} UNION ALL"
            f" SELECT (SELECT {extreme}(time) FROM token_users_1d WHERE {onward.sql})"
            " FROM day WHERE start IS NOT NULL) SELECT start FROM day"
            f" WHERE EXISTS (SELECT 1 FROM token_users_1d WHERE time = start AND {of_user.sql} AND events > 0)",
            where,
            onward,
            of_user,
        )


def _split(period: Period, filters: Filters) -> tuple[Period, list[Period]]:
    return split(period, HOUR_NS) if counted(filters) else (Period(0, 0), [period])
