"""Events as InfluxDB gives them back: rows of all tags and fields, and the points that they are."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ingestor.config.settings import StoreSettings
from ingestor.model.points import MEASUREMENT, POINT_COLUMNS, Point, Series
from ingestor.model.questions import Period
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.influxql import columns, equal, measurement, where
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.setup.plan import RAW
from parsers.text import normal_tag

NO_NUMBER: Final = 0
"""Stands for the series in a point that was read: numbers are local to a state, the tags are what identifies."""

_FIELDS: Final = POINT_COLUMNS[2:]
# `events` is on every point: without it, one of no other field would be left out.
SELECT: Final = f"SELECT {columns(('events', *_FIELDS, *Series._fields))} FROM"
_TAGS_FROM: Final = 2 + len(_FIELDS)


class StoredPoint(NamedTuple):
    """An event as it is stored."""

    tags: Series
    point: Point
    """Its series is ``NO_NUMBER``."""


def point_of(row: list[Any]) -> StoredPoint:
    """Return the point in a row that ``SELECT`` asked for."""
    tags = Series._make([tag or "" for tag in row[_TAGS_FROM:]])
    point: Any = (row[0], NO_NUMBER, *row[2:_TAGS_FROM])
    return StoredPoint(tags, point)


def stored_points(
    http: InfluxHttp, store: StoreSettings, period: Period, source: str, host: str
) -> Iterator[StoredPoint]:
    """Yield all points of a source and host in a period, by time, in one query and constant memory.

    Their tags are in normal form, as they are written. Raises TokentailError, also while the points are read.
    """
    of_source = equal("source", normal_tag(source)), equal("host", normal_tag(host))
    events = measurement(store.database, RAW, MEASUREMENT)
    for table in Queries(http, store).run([f"{SELECT} {events} {where(period, of_source)}"]):
        yield from map(point_of, table.rows)


def oldest_time(http: InfluxHttp, store: StoreSettings, period: Period, source: str, host: str) -> int | None:
    """Return when the first event of a source and host in a period was; None when there is none. Raises TokentailError."""
    of_source = equal("source", normal_tag(source)), equal("host", normal_tag(host))
    events = measurement(store.database, RAW, MEASUREMENT)
    statement = f'SELECT first("events") FROM {events} {where(period, of_source)}'
    return next((row[0] for table in Queries(http, store).run([statement]) for row in table.rows), None)
