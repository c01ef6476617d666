"""What a batch of points adds to the counters of quarters of an hour, hours and days (design section 3)."""

from collections.abc import Mapping, Sequence

from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR, start_of
from ingestor.model.points import Point, Series, TotalSeries
from ingestor.model.statistics import FAILURE, REFRESHED, is_issued

_EVENTS, _ISSUED, _REFRESHED, _FAILED = range(4)


class CounterDeltas:
    """Sums of increments, which may be negative. Its loop runs for every event, so it is flat on purpose."""

    def __init__(self, series: Mapping[int, Series]) -> None:
        self._series = series
        self._quarters: dict[tuple[int, int], list[int]] = {}
        """The finest there are; hours and totals are folded from them."""
        self._users: dict[tuple[int, str, str], dict[str, list[int]]] = {}
        self._quarter = 0
        self._routes: dict[int, tuple[list[int], dict[str, list[int]], int]] = {}
        """For the series of the current quarter: where its events are counted. Logs are in time order, nearly."""
        self._sides: dict[int, tuple[dict[str, list[int]], int]] = {}
        """For the series of the current day: where its users are counted, and as what."""

    def add(self, points: Sequence[Point], sign: int = 1) -> None:
        """Count points, or take them off with ``sign=-1``."""
        quarter_start = self._quarter
        quarter_end = quarter_start + QUARTER_HOUR
        routes = self._routes
        for time, series, user_id, _, _, _, _, expires_in, _, _, _ in points:
            if not quarter_start <= time < quarter_end:
                if start_of(time, DAY_NS) != start_of(quarter_start, DAY_NS):
                    self._sides.clear()
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
        hours: dict[tuple[int, int], list[int]] = {}
        for (quarter, series), cell in self._quarters.items():
            _add(hours, (quarter - quarter % HOUR_NS, series), cell)
        return [(hour, series, *cell) for (hour, series), cell in sorted(hours.items()) if any(cell)]

    def totals(self) -> list[tuple[int, TotalSeries, int, int, int]]:
        """Return rows of (quarter of an hour, tags, events, lifetime_sum, lifetime_count), by quarter of an hour."""
        places: dict[TotalSeries, int] = {}
        place_of = {
            series: places.setdefault(self._series[series].of_all_clients(), len(places))
            for series in dict.fromkeys(series for _, series in self._quarters)
        }
        totals: dict[tuple[int, int], list[int]] = {}  # by place: tag sets are slow keys
        for (quarter, series), cell in self._quarters.items():
            _add(totals, (quarter, place_of[series]), cell)
        tags = list(places)
        return [
            (quarter, tags[place], events, lifetime_sum, lifetime_count)
            for (quarter, place), (events, lifetime_sum, lifetime_count) in sorted(totals.items())
            if events or lifetime_sum or lifetime_count
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
        cell = self._quarters.setdefault((quarter, number), [0, 0, 0])
        try:
            return cell, *self._sides[number]
        except KeyError:
            side = self._sides[number] = self._side(start_of(quarter, DAY_NS), self._series[number])
            return cell, *side

    def _side(self, day: int, series: Series) -> tuple[dict[str, list[int]], int]:
        users = self._users.setdefault((day, series.source, series.host), {})
        kind = _EVENTS
        if is_issued(series.action):
            kind = _ISSUED
        elif series.action == REFRESHED:
            kind = _REFRESHED
        elif series.outcome == FAILURE:
            kind = _FAILED
        return users, kind


def _add(cells: dict[tuple[int, int], list[int]], key: tuple[int, int], added: list[int]) -> None:
    cell = cells.get(key)
    if cell is None:
        cells[key] = added.copy()
    else:
        cell[0] += added[0]
        cell[1] += added[1]
        cell[2] += added[2]
