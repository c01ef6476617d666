"""What a batch of points adds to the hourly and daily counters (design section 3)."""

from collections.abc import Mapping, Sequence

from ingestor.core.metrics import FAILURE, REFRESHED, is_issued
from ingestor.core.periods import DAY, HOUR, start_of
from ingestor.core.points import Point, Series

_EVENTS, _ISSUED, _REFRESHED, _FAILED = range(4)


class Tally:
    """Sums of increments, which may be negative. Its loop runs for every event, so it is flat on purpose."""

    def __init__(self, series: Mapping[int, Series]) -> None:
        self._series = series
        self._hours: dict[tuple[int, int], list[int]] = {}
        self._users: dict[tuple[int, str, str], dict[str, list[int]]] = {}
        self._hour = 0
        self._routes: dict[int, tuple[list[int], dict[str, list[int]], int]] = {}
        """For the series of the current hour: where its events are counted. Logs are in time order, nearly."""

    def add(self, points: Sequence[Point], sign: int = 1) -> None:
        """Count points, or take them off with ``sign=-1``."""
        hour_start = self._hour
        hour_end = hour_start + HOUR
        routes = self._routes
        for time, series, user_id, _, _, _, _, expires_in, _, _, _ in points:
            if not hour_start <= time < hour_end:
                hour_start = self._hour = start_of(time, HOUR)
                hour_end = hour_start + HOUR
                routes.clear()
            try:
                cell, users, kind = routes[series]
            except KeyError:
                cell, users, kind = routes[series] = self._route(hour_start, series)
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
        return [(hour, series, *cell) for (hour, series), cell in sorted(self._hours.items()) if any(cell)]

    def user_days(self) -> list[tuple[int | str, ...]]:
        """Return rows of (day, user_id, source, host, events, issued, refreshed, failed), by day, source and user."""
        return [
            (day, user_id, source, host, *counts)
            for (day, source, host), users in sorted(self._users.items())
            for user_id, counts in sorted(users.items())
            if any(counts)
        ]

    def _route(self, hour: int, number: int) -> tuple[list[int], dict[str, list[int]], int]:
        series = self._series[number]
        users = self._users.setdefault((start_of(hour, DAY), series.source, series.host), {})
        kind = _EVENTS
        if is_issued(series.action):
            kind = _ISSUED
        elif series.action == REFRESHED:
            kind = _REFRESHED
        elif series.outcome == FAILURE:
            kind = _FAILED
        return self._hours.setdefault((hour, number), [0, 0, 0]), users, kind
