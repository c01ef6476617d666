"""Questions of dashboards, and what events say to them."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.grafana.panels import Choice, Row, Target, dashboards, panel_target, rows, targets
from tests.grafana.stored import MS, Event, Stored

INTERVAL: Final = 6 * 3600 * 1000 * MS
"""Of ``Choice.interval``, in nanoseconds."""


def ask(stored: Stored, dashboard: str, panel: int, choice: Choice, ref: str = "A") -> list[Row]:
    """Return what a panel is told."""
    return rows(stored.store, panel_target(dashboard, panel, ref), choice)


def last_minutes(choice: Choice, minutes: int) -> Choice:
    return dataclasses.replace(choice, since=choice.until - minutes * 60_000)


def one(found: list[Row], column: str) -> Any:
    """Return the only value, None when there is none."""
    assert len(found) <= 1
    return found[0][column] if found else None


def all_targets(dashboard: str) -> list[Target]:
    return list(targets(dashboard, dashboards()[dashboard]))


def by(events: Iterable[Event], *keys: str) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(event[key] or "" for key in keys) for event in events)


def by_interval(events: Iterable[Event], *keys: str) -> Counter[tuple[Any, ...]]:
    return Counter((event["time_ns"] // INTERVAL * INTERVAL, *(event[key] or "" for key in keys)) for event in events)


def counted(found: Iterable[Row], value: str, *keys: str) -> dict[tuple[Any, ...], int]:
    """Return what a panel counted, without its zeros."""
    return {tuple(row[key] for key in keys): row[value] for row in found if row[value]}


def failures(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event["outcome"] == "failure"]


def granted(events: Iterable[Event]) -> list[Event]:
    return [
        event for event in events if event["action"] == "token.refreshed" or event["action"].startswith("token.issued.")
    ]


def attempts(events: Iterable[Event]) -> list[Event]:
    """Return the attempts of section 7: at the token endpoint, or at none that is written."""
    events = [event for event in events if event["endpoint"] in (None, "token")]
    return failures(events) + granted(events)


def newest(found: list[Row], events: Iterable[Event], limit: int, columns: Iterator[str] | tuple[str, ...]) -> None:
    """Hold a table of single events to the newest ones: equal times may be cut anywhere."""
    columns = tuple(columns)
    ordered = sorted(events, key=lambda event: -event["time_ns"])
    assert len(found) == min(limit, len(ordered))
    assert [row["time"] for row in found] == [event["time_ns"] for event in ordered[:limit]]
    oldest = found[-1]["time"] if len(ordered) > limit else -1

    def shown(rows: Iterable[Event], time: str, client: str) -> Counter[tuple[Any, ...]]:
        names = [client if column == "client_id" else column for column in columns]
        return Counter(tuple(row[name] or None for name in names) for row in rows if row[time] > oldest)

    assert shown(found, "time", "client_id") == shown(ordered, "time_ns", "client_tag")
