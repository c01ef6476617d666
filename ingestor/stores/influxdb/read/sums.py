"""Sums of what InfluxDB holds, by source, host and unit of time: cheap, since no event is read, only counted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ingestor.model.agreement import Cell
from ingestor.model.periods import DAY_NS, HOUR_NS, SECOND
from ingestor.model.points import MEASUREMENT
from ingestor.model.questions import Period
from ingestor.stores.influxdb.read.influxql import columns, equal, measurement, where
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.setup.plan import RAW, ROLLUP
from parsers.text import normal_tag


class Published(NamedTuple):
    """A measurement of counters: where it is, what is added up of it, and by which unit of time."""

    policy: str
    measurement: str
    fields: tuple[str, ...]
    unit: int


COUNTERS: Final = (
    Published(ROLLUP, "token_events_1h", ("events", "lifetime_sum", "lifetime_count"), HOUR_NS),
    Published(ROLLUP, "token_totals_15m", ("events", "lifetime_sum", "lifetime_count"), HOUR_NS),
    Published(ROLLUP, "token_clients_1h", ("events", "issued", "refreshed", "failed"), HOUR_NS),
    Published(RAW, "token_users_1d", ("events", "issued", "refreshed", "failed"), DAY_NS),
    Published(ROLLUP, "token_active_1d", ("users",), DAY_NS),
)


def stored_sums(
    queries: Queries, database: str, periods: Sequence[Period], unit: int, hosts: Iterable[str]
) -> Counter[Cell]:
    """Return the events that are stored. ``unit``: nanoseconds. Raises TokentailError."""
    events = Published(RAW, MEASUREMENT, ("events",), unit)
    sums: Counter[Cell] = Counter()
    for cell, (stored,) in published_sums(queries, database, events, periods, hosts).items():
        sums[cell] += stored
    return sums


def published_sums(
    queries: Queries, database: str, published: Published, periods: Sequence[Period], hosts: Iterable[str]
) -> dict[Cell, tuple[int, ...]]:
    """Return the sums of the fields of a measurement, by source, host and unit. Raises TokentailError."""
    place = measurement(database, published.policy, published.measurement)
    fields = ", ".join(f"sum({columns([field])})" for field in published.fields)
    asked = [(period, normal_tag(host)) for host in sorted(set(hosts)) for period in periods]
    statements = [
        f"SELECT {fields} FROM {place} {where(period, [equal('host', host)])}"
        f' GROUP BY time({published.unit // SECOND}s), "source" fill(none)'
        for period, host in asked
    ]
    sums: dict[Cell, tuple[int, ...]] = {}
    for table in queries.run(statements):
        host = asked[table.statement][1]
        for start, *values in table.rows:
            sums[Cell(table.tags.get("source", ""), host, start)] = tuple(value or 0 for value in values)
    return sums
