"""Filters as SQL conditions. Values are always bound; a filter that is not set sends no condition."""

from typing import NamedTuple, Self

from ingestor.model.questions import Filters, Period

NO_FILTERS = Filters()


class Condition(NamedTuple):
    """SQL for a WHERE clause, and the values of its places."""

    sql: str
    values: tuple[str | int, ...] = ()

    def __and__(self, other: Self) -> "Condition":
        return Condition(f"{self.sql} AND {other.sql}", self.values + other.values)


def within(period: Period) -> Condition:
    """On any table here: the rows whose time is in a period."""
    return Condition("time >= ? AND time < ?", (bound(period.since), bound(period.until)))


def bound(time: int) -> int:
    """Return the time, or the nearest one that SQLite takes: no point is beyond it."""
    return max(-(1 << 63), min(time, (1 << 63) - 1))


def on_events(filters: Filters) -> Condition:
    """On ``token_events``: the rows that all filters match."""
    condition = on_hours(filters)
    if filters.client is not None:
        of_tags = _series(filters)
        condition = Condition(
            f"({condition.sql} OR (client = ? AND {of_tags.sql}))",
            (*condition.values, filters.client, *of_tags.values),
        )
    if filters.user is not None:
        condition &= Condition("user_id = ?", (filters.user,))
    if filters.ip is not None:
        condition &= Condition("ip = ?", (filters.ip,))
    return condition


def on_hours(filters: Filters) -> Condition:
    """On ``token_events_1h``: the rows whose tags match; user, IP and the field ``client`` are not counted there."""
    if filters.client is None:
        return _series(filters)
    return _series(filters, Condition("client_id = ?", (filters.client,)))


def counted(filters: Filters) -> bool:
    """Whether the hourly counters and the events with a ``client`` can answer."""
    return filters.user is None and filters.ip is None


def _series(filters: Filters, *more: Condition) -> Condition:
    tags = {
        "realm": filters.realm,
        "action": filters.action,
        "outcome": filters.outcome,
        "error": filters.error,
    }
    conditions = [Condition(f"{tag} = ?", (value,)) for tag, value in tags.items() if value is not None]
    conditions += more
    if not conditions:
        return Condition("TRUE")
    first, *rest = conditions
    for condition in rest:
        first &= condition

    return Condition(f"series IN (SELECT number FROM series WHERE {first.sql})", first.values)
