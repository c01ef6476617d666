"""Single events and their users, of what the raw policy holds: InfluxQL cannot group by a user, which is a field."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from ingestor.model import statistics
from ingestor.model.periods import newest_first
from ingestor.model.questions import Filters, Period, Ranked
from ingestor.stores.influxdb.read.influxql import of_client, on_events, where
from ingestor.stores.influxdb.read.points import SELECT, StoredPoint, point_of
from ingestor.stores.influxdb.read.queries import Queries

_USERS: Final = 'SELECT count(distinct("user_id")) FROM'


class Events:
    """Reads the events of one measurement. Raises TokentailError."""

    def __init__(self, queries: Queries, source: str) -> None:
        self._queries = queries
        self._source = source

    def oldest_first(self, period: Period, filters: Filters) -> Iterator[StoredPoint]:
        """Yield every event by time, equal times by tags, in constant memory: only ties are ever held."""
        rows = (row for table in self._rows(period, filters) for row in table)
        for _, ties in groupby(rows, key=itemgetter(0)):
            yield from sorted(map(point_of, ties), key=itemgetter(0))

    def newest(self, period: Period, filters: Filters, limit: int, now: int) -> list[StoredPoint]:
        """Return the newest events, newest first, equal times by tags."""
        found: list[StoredPoint] = []
        for piece in newest_first(period, now):
            if len(found) >= limit:
                break
            found += self._newest(piece, filters, limit - len(found))
        return found

    def unique_users(self, period: Period, filters: Filters) -> int:
        """Count the distinct users."""
        statement = f"{_USERS} {self._source} {_where(period, filters)}"
        return sum(row[1] for table in self._queries.run([statement]) for row in table.rows)

    def top_users(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        """Return the most active users, by events, then name."""
        events: Counter[str] = Counter()
        issued: Counter[str] = Counter()
        refreshed: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        statement = f'SELECT "user_id" FROM {self._source} {_where(period, filters)} GROUP BY "action", "outcome"'
        for table in self._queries.run([statement]):
            users = Counter(map(itemgetter(1), table.rows))
            action = table.tags["action"]
            counted = [
                (events, True),
                (issued, statistics.is_issued(action)),
                (refreshed, action == statistics.REFRESHED),
                (failures, table.tags["outcome"] == statistics.FAILURE),
            ]
            for counter, counts in counted:
                if counts:
                    counter.update(users)
        best = sorted(events.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [Ranked(user, None, total, issued[user], refreshed[user], failures[user]) for user, total in best]

    def _newest(self, period: Period, filters: Filters, limit: int) -> list[StoredPoint]:
        rows = [row for table in self._rows(period, filters, f"ORDER BY time DESC LIMIT {limit:d}") for row in table]
        if len(rows) == limit:
            # The server's choice among the oldest ties is another one than ours.
            oldest = rows[-1][0]
            ties = self._rows(Period(oldest, oldest + 1), filters)
            rows = [row for row in rows if row[0] > oldest] + [row for table in ties for row in table]
        return sorted(map(point_of, rows), key=lambda stored: (-stored.point[0], stored.tags))[:limit]

    def _rows(self, period: Period, filters: Filters, order: str = "") -> Iterable[list[list[Any]]]:
        statement = f"{SELECT} {self._source} {_where(period, filters)} {order}"
        return (table.rows for table in self._queries.run([statement]))


def _where(period: Period, filters: Filters) -> str:
    client = [] if filters.client is None else [of_client(filters.client)]
    return where(period, on_events(filters) + client)
