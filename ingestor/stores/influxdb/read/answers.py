"""The questions of design section 7 to InfluxDB 1.x and 2.x, in InfluxQL.

What the raw policy holds is answered from the events, exactly; what is older, from the hourly counters: whole hours, each
taken as a whole for the hour and the date on people's clocks in which it begins, and without the names of the clients of
``_other``. Users and addresses are not counted there, so unique users, rankings of users, lists of events, and everything
with a filter on a user or an address cover what the raw policy holds.

InfluxDB has no snapshots: while the daemon writes, the figures of one answer may be of different moments.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.model import schema, statistics
from ingestor.model.periods import DAY_NS, HOUR_NS, offsets
from ingestor.model.points import Series
from ingestor.model.questions import AnalyticsRow, Filters, PeakCell, Period, Ranked, Record, Stats
from ingestor.model.records import event_rows, record
from ingestor.model.statistics import Group
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read import aggregates
from ingestor.stores.influxdb.read.aggregates import CLIENT, EVENTS, LIFETIMES, Clocks, GroupedCount, Grouping, Values
from ingestor.stores.influxdb.read.events import Events
from ingestor.stores.influxdb.read.influxql import measurement
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.read.retention import parts
from ingestor.stores.influxdb.setup.plan import RAW, ROLLUP
from parsers.contract import EventRow

_ALIKE: Final = Grouping(("action", CLIENT, "endpoint", "error", "grant_type", "outcome", "realm"))
"""What section 7 tells apart."""
_HOURS: Final = Grouping(unit=HOUR_NS)
_ROWS: Final = Grouping(("action", CLIENT, "grant_type"), DAY_NS)
_NOWHERE: Final = Series(*[""] * len(Series._fields))
_EPOCH: Final = date(1970, 1, 1)


class InfluxAnswers:
    """Implements ``Answers``. ``zone`` is an IANA name; ``now`` gives nanoseconds.

    Raises TokentailError, ZoneInfoNotFoundError (a KeyError).
    """

    def __init__(
        self, http: InfluxHttp, store: StoreSettings, retention: RetentionSettings, now: Callable[[], int]
    ) -> None:
        self._queries = Queries(http, store)
        self._retention = retention
        self._now = now
        events = measurement(store.database, RAW, schema.EVENTS.name)
        self._sources = aggregates.Sources(events, measurement(store.database, ROLLUP, schema.HOURLY.name))
        self._events = Events(self._queries, events)

    def stats(self, period: Period, filters: Filters) -> Stats:
        """Return the figures of ``tokentail stats``."""
        groups = self._groups(period, filters)
        users = self._events.unique_users(period, filters) if filters.user is None else min(len(groups), 1)
        return statistics.stats(groups, users)

    def activity(self, period: Period, filters: Filters, limit: int) -> list[Record]:
        """Return the newest events, newest first, equal times by tags."""
        return [record(*point) for point in self._events.newest(period, filters, limit, self._now())]

    def events(self, period: Period, filters: Filters) -> Iterator[Record]:
        """Yield every event, oldest first, equal times by tags, in constant memory."""
        for point in self._events.oldest_first(period, filters):
            yield record(*point)

    def rows(self, period: Period) -> Iterator[tuple[Series, EventRow]]:
        """Yield every event as a detector sees it, oldest first, in constant memory."""
        return event_rows(self._events.oldest_first(period, Filters()))

    def top_clients(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        """Return the most active clients; a client is (realm, client_id)."""
        return statistics.rank_clients(self._groups(period, filters), limit)

    def top_users(self, period: Period, filters: Filters, limit: int) -> list[Ranked]:
        """Return the most active users. ``failures`` are the events of outcome failure, as everywhere."""
        return self._events.top_users(period, filters, limit)

    def peak(self, period: Period, filters: Filters, zone: str) -> list[PeakCell]:
        """Return the hours of the week in which there were events, from Monday's first."""
        cells: Counter[tuple[int, int]] = Counter()
        for tally in self._tallies(period, filters, EVENTS, _HOURS, _clocks_of(zone)):
            cells[_weekday(tally.time), tally.time % DAY_NS // HOUR_NS] += tally.events
        return [PeakCell(*cell, events) for cell, events in sorted(cells.items())]

    def analytics(self, period: Period, filters: Filters, zone: str) -> list[AnalyticsRow]:
        """Return the rows of the story's ``token_analytics`` view, by date, action, client and grant type."""
        rows: Counter[tuple[int, str, str, str]] = Counter()
        for tally in self._tallies(period, filters, EVENTS, _ROWS, _clocks_of(zone)):
            client = tally.tags[CLIENT] if tally.client is None else tally.client
            rows[tally.time, tally.tags["action"], client, tally.tags["grant_type"]] += tally.events
        return [
            AnalyticsRow(_date(time), action, client or None, grant or None, events)
            for (time, action, client, grant), events in sorted(rows.items())
        ]

    def _groups(self, period: Period, filters: Filters) -> list[Group]:
        sums: dict[tuple[Series, str | None], tuple[int, int, int]] = {}
        for tally in self._tallies(period, filters, LIFETIMES, _ALIKE, _no_clocks):
            alike = (_NOWHERE._replace(**tally.tags), tally.client)
            events, lifetime_sum, lifetime_count = sums.get(alike, (0, 0, 0))
            sums[alike] = (
                events + tally.events,
                lifetime_sum + tally.lifetime_sum,
                lifetime_count + tally.lifetime_count,
            )
        return [Group(*alike, *sum_) for alike, sum_ in sums.items()]

    def _tallies(
        self, period: Period, filters: Filters, values: Values, grouping: Grouping, clocks: Clocks
    ) -> Iterator[GroupedCount]:
        retained = parts(period, filters, self._retention, self._now())
        asked = aggregates.statements(self._sources, retained, filters, values, grouping, clocks)
        for table in self._queries.run([statement.text for statement in asked]):
            yield from asked[table.statement].read(table)


def _no_clocks(period: Period) -> Iterator[tuple[int, Period]]:
    if period.since < period.until:
        yield 0, period


def _clocks_of(zone: str) -> Clocks:
    zone_info = ZoneInfo(zone)
    return lambda period: offsets(period, zone_info)


def _weekday(time: int) -> int:
    return (time // DAY_NS + _EPOCH.weekday()) % 7


def _date(time: int) -> str:
    return date.fromordinal(_EPOCH.toordinal() + time // DAY_NS).isoformat()
