"""What InfluxDB holds of lines that are read again, and the deletion of what they no longer are.

A deletion names a series and a range of time, and each takes milliseconds, so what is outdated is deleted in runs. On
InfluxDB 2 a predicate cannot say that a tag is absent: it also meets the series that have more tags. So no run spans a point
that is to stay, and points are written after the deletion, not before.

Lines that are read together may lie years apart. What lies between is neither asked for, where it is much, nor held; so no
run spans a gap that was not looked into.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from itertools import chain, pairwise
from typing import Final, NamedTuple
from urllib.parse import urlencode

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.model.accounting import Account
from ingestor.model.points import MEASUREMENT, Point, Series, SeriesTable
from ingestor.model.questions import Period
from ingestor.stores.influxdb.client.faults import no_answer, refused_request
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.read.influxql import equal, identifier
from ingestor.stores.influxdb.read.points import stored_points
from ingestor.stores.influxdb.read.results import tables
from ingestor.stores.influxdb.setup.plan import RAW
from ingestor.stores.influxdb.setup.setup import administration
from ingestor.stores.lookup import NOWHERE, Elsewhere, LookupResult, Place, findings
from ingestor.stores.reclassified import SeveralEvents, changes
from parsers.text import normal_tag

WIDEST_GAP: Final = 60 * 10**9
"""Nanoseconds. What lies in a wider one may be left out, and no run spans it."""
MOST_QUERIES: Final = 50
"""For the lines of one source: a query costs more than the rows in a gap of a log where little is written."""


class Outdated(NamedTuple):
    """Points of one series, from the first to the last, that no line makes any more."""

    tags: Series
    first: int
    """Nanoseconds."""
    last: int


class Moved(NamedTuple):
    """What changes when lines are classified otherwise."""

    outdated: tuple[Outdated, ...]
    """What is to be deleted."""
    removed: tuple[Point, ...]
    """Points that were stored, and are no more."""
    added: tuple[Point, ...]
    """Points that take their place, or are new."""
    accounts: dict[str, Account]
    """What changes in the accounts, by source."""


class InfluxLines:
    """Looks up lines. ``series`` numbers the points that are asked for; it is not changed."""

    def __init__(self, http: InfluxHttp, store: StoreSettings, series: SeriesTable) -> None:
        self._http = http
        self._store = store
        self._series = series

    def look_up(self, points: Sequence[Point], places: Sequence[Place] = ()) -> list[LookupResult]:
        """Look up points that ought to be stored, and places where nothing else ought to be; see ``LookUp``."""
        at, series, _ = self.stored_at([*(point[:2] for point in points), *places])
        return findings(points, places, at, series)

    def stored_at(
        self, places: Iterable[Place], elsewhere: Elsewhere = NOWHERE
    ) -> tuple[dict[int, list[Point]], dict[int, Series], Collection[tuple[int, int]]]:
        """Return what is stored at these places, by time; the tags of all; and what is stored around.

        The last is (time, series) of what is at these times, and for each series of one point between two of
        them, which is enough to end a run there. Series that are not in the table have numbers below zero.
        Raises TokentailError.
        """
        series = dict(self._series.by_number)
        numbers = {_written(tags): number for number, tags in series.items()}
        at: dict[int, list[Point]] = {}
        around: set[tuple[int, int]] = set()
        wanted: dict[tuple[str, str], set[int]] = {name: set(times) for name, times in elsewhere.items()}
        for time, number_there in places:
            tags = series[number_there]
            wanted.setdefault((tags.source, tags.host), set()).add(time)
        for (source, host), sought in sorted(wanted.items()):
            times = sorted(sought)
            between: dict[tuple[int, int], int] = {}
            periods = (Period(first, last + 1) for first, last in clusters(times))
            rows = chain.from_iterable(
                stored_points(self._http, self._store, period, source, host) for period in periods
            )
            for tags, (time, _, *fields) in rows:
                number = numbers.get(tags)
                if number is None:
                    number = numbers[tags] = -len(series)
                    series[number] = tags._replace(source=source, host=host)
                place = bisect_left(times, time)
                if times[place] != time:
                    between.setdefault((place, number), time)
                    continue
                found: Point = (time, number, *fields)  # type: ignore[assignment]
                at.setdefault(time, []).append(found)
                around.add((time, number))
            around.update((time, number) for (_, number), time in between.items())
        return at, series, around

    def compare(
        self, points: Sequence[Point], several: Sequence[SeveralEvents] = (), elsewhere: Elsewhere = NOWHERE
    ) -> Moved:
        """Say what changes when the lines that make these points are what they are now. Raises TokentailError.

        ``several``: those of the lines that are or were several events.
        """
        places = [*(point[:2] for point in points), *(place for line in several for place in line.places)]
        at, series, around = self.stored_at(places, elsewhere)
        found = changes(points, several, at, series, elsewhere)
        written = {point[:2]: point for point in found.written}
        # A write leaves the fields that a point has no more.
        shrunk = tuple(stored for stored in found.replaced if _lacks_a_field(written[stored[:2]], stored))
        # On InfluxDB 2 a deletion may meet what stands beside and stays, so that is written again.
        times = {point[0] for point in found.outdated}
        beside = tuple(point for point in points if point[0] in times and point[:2] not in written)
        return Moved(
            tuple(runs(found.outdated + shrunk, around, series)),
            found.removed + beside,
            found.written + beside,
            found.accounts,
        )

    def delete(self, outdated: Sequence[Outdated]) -> None:
        """Delete runs of points. Raises TokentailError; what was deleted by then may be deleted again."""
        if not outdated:
            return
        try:
            with administration(self._store) as admin:
                for run in outdated:
                    if admin.server.major == 1:
                        self._delete_1(run)
                    else:
                        self._delete_2(run, admin.organization)
        except NoAnswerError as error:
            raise no_answer(self._store, str(error)) from error

    def _delete_1(self, run: Outdated) -> None:
        conditions = [equal(key, value) for key, value in _written(run.tags)._asdict().items()]
        conditions += [f"time >= {run.first}", f"time <= {run.last}"]
        statement = f"DELETE FROM {identifier(MEASUREMENT)} WHERE {' AND '.join(conditions)}"
        answer = self._http.request(
            "POST",
            "/query",
            body=urlencode({"db": self._store.database, "q": statement}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        if answer.status != 200:
            raise refused_request(self._store, answer.status, answer.body)
        for _ in tables(self._store, [answer.body], 1):
            pass  # a deletion answers nothing; an error in it is raised

    def _delete_2(self, run: Outdated, organization: str) -> None:
        tags = {"_measurement": MEASUREMENT, **_written(run.tags)._asdict()}
        predicate = " AND ".join(f"{key}={_quoted(value)}" for key, value in tags.items() if value)
        answer = self._http.request(
            "POST",
            "/api/v2/delete",
            params={"bucket": f"{self._store.database}/{RAW}", "org": organization},
            body=orjson.dumps({"start": _rfc3339(run.first), "stop": _rfc3339(run.last), "predicate": predicate}),
            headers={"Content-Type": "application/json"},
        )
        if answer.status != 204:
            raise refused_request(self._store, answer.status, answer.body)


def clusters(times: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut sorted times at their widest gaps; yield the first and the last time of every part."""
    gaps = [(after - before, before, after) for before, after in pairwise(times) if after - before > WIDEST_GAP]
    first = times[0]
    for _, before, after in sorted(nlargest(MOST_QUERIES - 1, gaps), key=lambda gap: gap[1]):
        yield first, before
        first = after
    yield first, times[-1]


def runs(outdated: Sequence[Point], around: Iterable[tuple[int, int]], series: dict[int, Series]) -> Iterator[Outdated]:
    """Yield what to delete. ``around``: (time, series) of what is stored there; what of it is not outdated is spared."""
    gone = {point[:2] for point in outdated}
    kept = sorted(key for key in around if key not in gone)
    by_series: dict[int, list[int]] = {}
    for time, number, *_ in outdated:
        by_series.setdefault(number, []).append(time)
    for number, times in by_series.items():
        tags = series[number]
        spared = [time for time, other in kept if _is_met_by(series[other], tags)]
        times.sort()
        first = last = times[0]
        for time in times[1:]:
            if time - last > WIDEST_GAP or bisect_right(spared, last) < bisect_left(spared, time):
                yield Outdated(tags, first, last)
                first = time
            last = time
        yield Outdated(tags, first, last)


def _lacks_a_field(point: Point, stored: Point) -> bool:
    """Tell whether a point has fewer fields than what is stored of it: a write alone leaves those that it does not name."""
    return any(new is None and old is not None for new, old in zip(point[2:], stored[2:], strict=True))


def _is_met_by(tags: Series, predicate: Series) -> bool:
    return all(not wanted or wanted == value for value, wanted in zip(tags, predicate, strict=True))


def _written(tags: Series) -> Series:
    """Return tags as they are written: in normal form. The parsers' are; ``source`` and ``host`` come from elsewhere."""
    return tags._replace(source=normal_tag(tags.source), host=normal_tag(tags.host))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rfc3339(time: int) -> str:
    return f"{datetime.fromtimestamp(time // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{time % 10**9:09d}Z"
