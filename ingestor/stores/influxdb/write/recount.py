"""The counters of the state counted anew from the events that InfluxDB holds."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from ingestor.config.settings import Settings
from ingestor.model.periods import DAY_NS, start_of
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Period
from ingestor.state.database import save_meta
from ingestor.state.state import State
from ingestor.stores.delivery import PATIENCE_SECONDS
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.points import oldest_time, stored_points
from ingestor.stores.influxdb.read.retention import first_whole_day
from ingestor.stores.notes import EARLIER
from ingestor.stores.recount import recount_day, tallied
from ingestor.stores.waiting import answer_beside, taken_beside


def recount_stored(
    settings: Settings,
    state: State,
    series: SeriesTable,
    http: InfluxHttp,
    sources: Iterable[str],
    own: int,
    tick: Callable[[], None],
) -> int:
    """Count the days that the raw policy holds whole; return how many events these were.

    ``own``: how many of them this state has stored; it remembers of how many more it knows nothing.
    ``tick`` is called now and then, also while the server says nothing. Raises TokentailError, sqlite3.Error.
    """
    host, now = state.host, time.time_ns()
    first = first_whole_day(settings.retention, now)
    counted = 0
    for source in sources:
        period = Period(first, now + 2 * DAY_NS)
        asked = partial(oldest_time, http, settings.store, period, source, host)
        oldest = answer_beside(asked, tick, PATIENCE_SECONDS)
        for start in range(start_of(oldest or now, DAY_NS), now + 2 * DAY_NS, DAY_NS):
            tick()
            day = Period(start, start + DAY_NS)
            stored = taken_beside(stored_points(http, settings.store, day, source, host), tick, PATIENCE_SECONDS)
            points = (
                (point[0], series.number(tags._replace(source=source, host=host)), *point[2:]) for tags, point in stored
            )
            tally, events = tallied(points, series, tick)
            counted += events
            with state.transaction():
                recount_day(state.connection, series, day, source, host, tally, state.marks.new())
    with state.transaction():
        save_meta(state.connection, {EARLIER: str(max(0, counted - own))})
    return counted
