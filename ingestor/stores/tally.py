"""What a batch of points adds to the counters of quarters of an hour, hours and days (design section 3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from ingestor.core.metrics import FAILURE, REFRESHED, is_issued
from ingestor.core.periods import DAY, HOUR, QUARTER_HOUR, start_of
from ingestor.core.points import Point, Series, TotalSeries

_EVENTS, _ISSUED, _REFRESHED, _FAILED = range(4)

_Key = TypeVar("_Key")


class Tally:
    """Sums of increments, which may be negative. Its loop runs for every event, so it is flat on purpose."""

    def __init__(self, series: Mapping[int, Series]) -> None:
        self._series = series
        self._quarters: dict[tuple[int, int], list[int]] = {}
        """The finest there are; hours and totals are folded from them."""
        self._users: dict[tuple[int, str, str], dict[str, list[int]]] = {}
        self._quarter = 0
        self._routes: dict[int, tuple[list[int], dict[str, list[int]], int]] = {}
        """For the series of the current quarter: where its events are counted. Logs are in time order, nearly."""

    def add(self, points: Sequence[Point], sign: int = 1) -> None:
        """Count points, or take them off with ``sign=-1``."""
        quarter_start = self._quarter
        quarter_end = quarter_start + QUARTER_HOUR
        routes = self._routes
        for time, series, user_id, _, _, _, _, expires_in, _, _, _ in points:
            if not quarter_start <= time < quarter_end:
                quarter_start = self._quarter = start_of(time, QUARTER_HOUR)
                quarter_end = quarter_start + QUARTER_HOUR
                routes.clear()
            try:
                cell, users, kind = routes[series]
            except KeyError:
                cell, users, kind = routes[series] = self._route(quarter_start, series)
            cell[0] += sign
            if expires_in is not None:
                cell[1] += expires_in * sign
                cell[2] += sign
            if user_id is not None:
                try:
                    user = users[user_id]
                except KeyError:
                    user = users[user_id] = [0, 0, 0, 0]
                user[_EVENTS] += sign
                if kind:
                    user[kind] += sign

    def hours(self) -> list[tuple[int, ...]]:
        """Return rows of (hour, series, events, lifetime_sum, lifetime_count), by hour and series."""
        return [
            (hour, series, *cell)
            for (hour, series), cell in _folded(
                ((start_of(quarter, HOUR), series), cell) for (quarter, series), cell in self._quarters.items()
            )
        ]

    def totals(self) -> list[tuple[int, TotalSeries, int, int, int]]:
        """Return rows of (quarter of an hour, tags, events, lifetime_sum, lifetime_count), by quarter and tags."""
        tags = {number: self._series[number].of_all_clients() for _, number in self._quarters}
        return [
            (quarter, of_all, *cell)
            for (quarter, of_all), cell in _folded(
                ((quarter, tags[series]), cell) for (quarter, series), cell in self._quarters.items()
            )
        ]

    def user_days(self) -> list[tuple[int | str, ...]]:
        """Return rows of (day, user_id, source, host, events, issued, refreshed, failed), by day, source and user."""
        return [
            (day, user_id, source, host, *counts)
            for (day, source, host), users in sorted(self._users.items())
            for user_id, counts in sorted(users.items())
            if any(counts)
        ]

    def _route(self, quarter: int, number: int) -> tuple[list[int], dict[str, list[int]], int]:
        series = self._series[number]
        users = self._users.setdefault((start_of(quarter, DAY), series.source, series.host), {})
        kind = _EVENTS
        if is_issued(series.action):
            kind = _ISSUED
        elif series.action == REFRESHED:
            kind = _REFRESHED
        elif series.outcome == FAILURE:
            kind = _FAILED
        return self._quarters.setdefault((quarter, number), [0, 0, 0]), users, kind


def _folded(
    cells: Iterable[tuple[tuple[int, _Key], list[int]]],
) -> Iterator[tuple[tuple[int, _Key], tuple[int, int, int]]]:
    """Add up the cells of equal keys; yield those that change something, in order."""
    sums: dict[tuple[int, _Key], tuple[int, int, int]] = {}
    for key, (events, lifetime_sum, lifetime_count) in cells:
        known = sums.get(key, (0, 0, 0))
        sums[key] = (known[0] + events, known[1] + lifetime_sum, known[2] + lifetime_count)
    for key in sorted(sums):
        if any(sums[key]):
            yield key, sums[key]
