"""The questions of design section 7 to the embedded store: exact, read-only, each in one snapshot."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final
from zoneinfo import ZoneInfo

from ingestor.model import statistics
from ingestor.model.periods import DAY_NS, HOUR_NS, local_pieces, merge, split
from ingestor.model.points import Series
from ingestor.model.questions import AnalyticsRow, Filters, PeakCell, Period, Ranked, Record, Stats
from ingestor.model.records import event_rows
from ingestor.stores.embedded.filters import NO_FILTERS, Condition, on_events, within
from ingestor.stores.embedded.reads import Reads
from parsers.contract import ISSUED_PREFIX, EventRow

_USER_DAYS: Final = "SELECT user_id, events, issued, refreshed, failed FROM token_users_1d WHERE "
_USER_EVENTS: Final = (
    "SELECT user_id, 1 AS events, series IN (SELECT number FROM series WHERE action GLOB ?) AS issued,"
    " series IN (SELECT number FROM series WHERE action = ?) AS refreshed,"
    " series IN (SELECT number FROM series WHERE outcome = ?) AS failed"
    " FROM token_events WHERE user_id IS NOT NULL AND "
)
_USER_KINDS: Final = Condition("", (ISSUED_PREFIX + "*", statistics.REFRESHED, statistics.FAILURE))


class SqliteAnswers:
    """Implements ``Answers``. ``zone`` is an IANA name. Raises sqlite3.Error, ZoneInfoNotFoundError (a KeyError)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._reads = Reads(connection)

    def stats(self, period: Period, filters: Filters) -> Stats:
        """Return the figures of ``tokentail stats``."""
        with self._reads.snapshot():
            groups = self._reads.groups(period, filters)
            users = self._reads.unique_users(period, filters) if filters.user is None else min(len(groups), 1)
        return statistics.stats(groups, users)

    def activity(self, period: Period, filters: Filters, limit: int) -> list[Record]:
        """Return the newest events, newest first, equal times by tags."""
        with self._reads.snapshot():
            windows = self._reads.windows(period, filters, newest_first=True)
            newest = chain.from_iterable(self._reads.records(window, filters, newest_first=True) for window in windows)
            return list(islice(newest, limit))

    def events(self, period: Period, filters: Filters) -> Iterator[Record]:
        """Yield every event, oldest first, equal times by tags, in constant memory.

        The snapshot lasts until the iterator is used up or closed; until then the writer cannot shorten its log.
        """
        with self._reads.snapshot():
            for window in self._reads.windows(period, filters):
                yield from self._reads.records(window, filters)

    def rows(self, period: Period) -> Iterator[tuple[Series, EventRow]]:
        """Yield every event as a detector sees it, oldest first. The snapshot lasts as that of ``events``."""
        with self._reads.snapshot():
            yield from event_rows(self._reads.points(period))

    def top_clients(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        """Return the most active clients; a client is (realm, client_id)."""
        with self._reads.snapshot():
            return statistics.rank_clients(self._reads.groups(period, filters), limit)

    def top_users(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        """Return the most active users. ``failures`` are the events of outcome failure, as everywhere."""
        whole, edges = split(period, DAY_NS) if filters == NO_FILTERS else (Period(0, 0), [period])
        days = within(whole)
        parts, conditions = [_USER_DAYS + days.sql], [days]
        for edge in edges:
            where = within(edge) & on_events(filters)
            parts.append(_USER_EVENTS + where.sql)
            conditions += [_USER_KINDS, where]
        rows = self._reads.rows(
            "SELECT user_id, NULL, sum(events) AS total, sum(issued), sum(refreshed), sum(failed)"
            f" FROM ({' UNION ALL '.join(parts)}) GROUP BY user_id HAVING total > 0"
            f" ORDER BY total DESC, user_id LIMIT {limit:d}",
            *conditions,
        )
        return [Ranked(*row) for row in rows]

    def peak(self, period: Period, filters: Filters, zone: str) -> list[PeakCell]:
        """Return the hours of the week in which there were events, from Monday's first."""
        cells: Counter[tuple[int, int]] = Counter()
        with self._reads.snapshot():
            for window in merge(self._reads.windows(period, filters)):
                for local, piece in local_pieces(window, HOUR_NS, ZoneInfo(zone)):
                    cells[local.weekday(), local.hour] += self._reads.count(piece, filters)
        return [PeakCell(*cell, events) for cell, events in sorted(cells.items()) if events]

    def analytics(self, period: Period, filters: Filters, zone: str) -> list[AnalyticsRow]:
        """Return the rows of the story's ``token_analytics`` view, by date, action, client and grant type."""
        rows: Counter[tuple[str, str, str, str]] = Counter()
        with self._reads.snapshot():
            for window in merge(self._reads.windows(period, filters)):
                for local, piece in local_pieces(window, DAY_NS, ZoneInfo(zone)):
                    date = local.date().isoformat()
                    for group in self._reads.groups(piece, filters):
                        rows[date, group.tags.action, group.client_id, group.tags.grant_type] += group.events
        return [
            AnalyticsRow(date, action, client or None, grant or None, events)
            for (date, action, client, grant), events in sorted(rows.items())
        ]
