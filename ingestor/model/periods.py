"""Cutting periods: at whole hours and days of UTC, where counters answer, and at local ones, where people look."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ingestor.model.questions import Period

SECOND: Final = 1_000_000_000
HOUR_NS: Final = 3600 * SECOND
QUARTER_HOUR: Final = HOUR_NS // 4
DAY_NS: Final = 24 * HOUR_NS
"""Nanoseconds; quarters of an hour, hours and days of UTC begin at multiples of these.

The offsets of all time zones in use are whole quarters of an hour, so days and hours of any of them consist of such quarters.
"""


def start_of(time: int, unit: int) -> int:
    """Return when the quarter of an hour, hour or day (``unit``: QUARTER_HOUR, HOUR or DAY) of this time began."""
    return time - time % unit


def split(period: Period, unit: int) -> tuple[Period, list[Period]]:
    """Return the whole hours or days in a period, which may be none, and what is left before and behind them."""
    first = start_of(period.since + unit - 1, unit)
    last = start_of(period.until, unit)
    if first >= last:
        return Period(first, first), [period] if period.since < period.until else []
    edges = [Period(period.since, first), Period(last, period.until)]
    return Period(first, last), [edge for edge in edges if edge.since < edge.until]


def clip(period: Period, bounds: Period) -> Period:
    """Return the part of a period that lies within bounds; the two must touch."""
    return Period(max(period.since, bounds.since), min(period.until, bounds.until))


def merge(periods: Iterable[Period]) -> Iterator[Period]:
    """Join periods, given in order, that follow on one another without a gap."""
    current: Period | None = None
    for period in periods:
        if current is not None and current.until == period.since:
            current = Period(current.since, period.until)
            continue
        if current is not None:
            yield current
        current = period
    if current is not None:
        yield current


def local_pieces(period: Period, unit: int, zone: ZoneInfo) -> Iterator[tuple[datetime, Period]]:
    """Cut a period where the hour or the date (``unit``: HOUR or DAY) changes on a zone's clocks.

    Yields each piece with the local time at its start. Exact for offsets of any number of seconds; a piece ends where the
    clocks are changed, too, so an hour or a date may come in several pieces, and an hour twice a day.
    """
    start, length = period.since, unit // SECOND
    while start < period.until:
        second = start // SECOND
        offset = _offset(second, zone)
        end = second + length - (second + offset) % length
        if _offset(end - 1, zone) != offset:
            end = _change_of_clocks(second, end - 1, zone)
        stop = min(end * SECOND, period.until)
        yield datetime.fromtimestamp(second, zone), Period(start, stop)
        start = stop


def newest_first(period: Period, now: int) -> Iterator[Period]:
    """Cut a period into pieces, the newest first, each some times as long as the one before.

    Whoever wants the newest of something need not look at all of it: it mostly lies in the day before ``now``.
    """
    until, newest, reach = period.until, min(period.until, now), DAY_NS
    while until > period.since:
        since = max(period.since, newest - reach)
        yield Period(since, until)
        until, reach = since, 4 * reach


def offsets(period: Period, zone: ZoneInfo) -> Iterator[tuple[int, Period]]:
    """Cut a period where a zone's clocks are changed. Yields each piece with what to add to UTC in it, nanoseconds."""
    if period.since >= period.until:
        return
    start, last = period.since // SECOND, (period.until - 1) // SECOND
    since, offset = period.since, _offset(start, zone)
    while start < last:
        end = min(start + DAY_NS // SECOND, last)
        if _offset(end, zone) == offset:
            start = end
            continue
        start = _change_of_clocks(start, end, zone)
        yield offset * SECOND, Period(since, start * SECOND)
        since, offset = start * SECOND, _offset(start, zone)
    yield offset * SECOND, Period(since, period.until)


def _change_of_clocks(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the first second with another offset than ``before``; the one of ``after`` is another."""
    seconds = range(before, after + 1)
    offset = _offset(before, zone)
    return seconds[bisect_left(seconds, 1, key=lambda second: _offset(second, zone) != offset)]


def _offset(second: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
