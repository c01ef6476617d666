"""What of the acknowledged is in InfluxDB no more: the state's sums and the server's, over what was acknowledged lately."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestor.config.settings import StoreSettings
from ingestor.model.agreement import Cell
from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR, merge, start_of
from ingestor.model.questions import Period
from ingestor.model.statistics import FAILURE, REFRESHED
from ingestor.state.state import State
from ingestor.state.sums import counted_sums, hosts
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.read.sums import COUNTERS, Published, published_sums, stored_sums
from parsers.contract import ISSUED_PREFIX
from parsers.text import normal_tag

_SUMS_OF_HOURS = "sum(events), sum(lifetime_sum), sum(lifetime_count)"
_HOURLY = "SELECT time - time % {unit}, source, host, {sums} FROM {table} WHERE time >= ? AND time < ? GROUP BY 1, 2, 3"
_STATE = {
    "token_events_1h": _HOURLY.format(
        unit=HOUR_NS, sums=_SUMS_OF_HOURS, table="token_events_1h JOIN series ON number = series"
    ),
    "token_totals_15m": _HOURLY.format(
        unit=HOUR_NS, sums=_SUMS_OF_HOURS, table="token_totals_15m JOIN total_series ON number = series"
    ),
    "token_clients_1h": _HOURLY.format(
        unit=HOUR_NS,
        sums=f"sum(events), sum(events * (action GLOB '{ISSUED_PREFIX}*')), sum(events * (action = '{REFRESHED}')),"
        f" sum(events * (outcome = '{FAILURE}'))",
        table="token_events_1h JOIN series ON number = series",
    ),
    "token_users_1d": _HOURLY.format(
        unit=DAY_NS, sums="sum(events), sum(issued), sum(refreshed), sum(failed)", table="token_users_1d"
    ),
    "token_active_1d": _HOURLY.format(unit=DAY_NS, sums="sum(events > 0)", table="token_users_1d"),
}
"""What the published counters of a source and host add up to, by the state: of the same fields as in ``COUNTERS``."""


class Lost(NamedTuple):
    """What is not there."""

    events: Counter[Cell]
    """How many, by quarter of an hour."""
    hours: tuple[int, ...]
    """Starts of hours whose counters are others than in the state, or not all published yet."""
    days: tuple[int, ...]
    """Likewise of days, whose users' counters are."""


NOTHING_LOST = Lost(Counter(), (), ())


def look_for_losses(
    directory: Path, http: InfluxHttp, store: StoreSettings, periods: Sequence[Period], hours: Sequence[int]
) -> Lost:
    """Compare events in these periods, of whole quarters of an hour, and counters of these hours.

    In a thread of its own, with a connection of its own; nothing may be on its way into InfluxDB. Raises TokentailError,
    sqlite3.Error.
    """
    queries = Queries(http, store)
    with contextlib.closing(State.open_reader(directory)) as state:
        connection = state.connection
        names = hosts(connection)
        counted: Counter[Cell] = Counter()
        for period in periods:
            counted += counted_sums(connection, period, QUARTER_HOUR)
        found = stored_sums(queries, store.database, periods, QUARTER_HOUR, names)
        events = Counter({cell: lost for cell, events in counted.items() if (lost := events - found[cell]) > 0})
        differing: dict[int, set[int]] = {HOUR_NS: set(), DAY_NS: set()}
        for counters in COUNTERS:
            differing[counters.unit] |= _differing(connection, queries, store.database, counters, hours, names)
    return Lost(events, tuple(sorted(differing[HOUR_NS])), tuple(sorted(differing[DAY_NS])))


def _differing(
    connection: sqlite3.Connection,
    queries: Queries,
    database: str,
    counters: Published,
    hours: Iterable[int],
    names: Iterable[str],
) -> set[int]:
    """Return the starts of those hours, or of their days, whose published sums are others than the state's."""
    wanted = sorted({start_of(hour, counters.unit) for hour in hours})
    periods = list(merge(Period(start, start + counters.unit) for start in wanted))
    found = published_sums(queries, database, counters, periods, names)
    counted: dict[Cell, tuple[int, ...]] = {}
    for period in periods:
        for start, source, host, *sums in connection.execute(
            _STATE[counters.measurement], (period.since, period.until)
        ):
            counted[Cell(normal_tag(source), normal_tag(host), start)] = tuple(sums)
    nothing = (0,) * len(counters.fields)
    return {cell.start for cell, sums in counted.items() if found.get(cell, nothing) != sums}
