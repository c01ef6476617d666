"""Where the answer to a question about a period is (pure): in the raw events, and before those in the hourly counters."""

from typing import Final, NamedTuple

from ingestor.config.settings import RetentionSettings
from ingestor.model.periods import DAY_NS, HOUR_NS, split, start_of
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.read.influxql import FIRST, LAST

NOTHING: Final = Period(0, 0)


class Parts(NamedTuple):
    """A period in two parts that do not overlap."""

    counted: Period
    """Whole hours, which the counters answer."""
    raw: Period


def parts(period: Period, filters: Filters, retention: RetentionSettings, now: int) -> Parts:
    """Cut a period at the first hour that the raw policy holds whole; ``now``: nanoseconds.

    Older than that, hours that the period holds whole are counted, and what is left at its edges is no more. User and IP
    are not in the counters: with these filters the raw policy answers alone, with what it has.
    """
    period = Period(max(period.since, FIRST), min(period.until, LAST))
    if filters.user is not None or filters.ip is not None:
        return Parts(NOTHING, period)
    first_whole = _first_whole_hour(retention.raw_days, now)
    if period.since >= first_whole:
        return Parts(NOTHING, period)
    first_counted = _first_whole_hour(retention.rollup_days, now)
    counted, _ = split(Period(max(period.since, first_counted), min(period.until, first_whole)), HOUR_NS)
    return Parts(counted, Period(first_whole, max(period.until, first_whole)))


def oldest_kept(retention: RetentionSettings, now: int) -> int:
    """Return the time before which single events are gone; ``now``: nanoseconds."""
    return now - retention.raw_days * DAY_NS


def first_whole_day(retention: RetentionSettings, now: int) -> int:
    """Return the start of the first day of which every single event is kept; ``now``: nanoseconds."""
    return start_of(oldest_kept(retention, now) + DAY_NS, DAY_NS)


def _first_whole_hour(days: int, now: int) -> int:
    return start_of(now - days * DAY_NS + HOUR_NS - 1, HOUR_NS)
