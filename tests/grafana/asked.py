"""Questions of the dashboards whose variables are more than the common ones: `ip`, `action`, `error`, `host`, `source`."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.grafana.panels import Choice, Row, Target, dashboards, escape_regex, panel_target, rows, targets
from tests.grafana.stored import MS, Event, Stored

TEXTS: Final = frozenset({"ip"})
"""Variables that are typed: nothing typed is an empty text. The others are lists, where nothing chosen is All."""
LISTS: Final = frozenset({"action", "error", "host", "source"})
INTERVAL: Final = 6 * 3600 * 1000 * MS
"""Of ``Choice.interval``, in nanoseconds."""


@dataclass(frozen=True)
class Asked:
    """A choice with variables of one dashboard alone."""

    choice: Choice
    more: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def text(self, target: Target) -> Target:
        """Write the variables of this dashboard alone into a query."""
        text, more = target.text, dict(self.more)
        for name in TEXTS | LISTS:
            values = [escape_regex(value) for value in more.get(name, ())]
            nothing = "" if name in TEXTS else ".*"
            text = text.replace(
                f"${{{name}:regex}}", f"({'|'.join(values)})" if values[1:] else "".join(values) or nothing
            )
        return target._replace(text=text)

    def within(self, stored: Stored, *, evidence: bool = False) -> list[Event]:
        """Return the events that are shown; ``evidence``: by tables that `action` and `error` narrow."""
        more = {name: values for name, values in self.more if evidence or name not in ("action", "error")}
        return [
            event
            for event in stored.within(self.choice)
            if all((event[name] or "") in values for name, values in more.items())
        ]

    def last_minutes(self, minutes: int) -> "Asked":
        return dataclasses.replace(
            self, choice=dataclasses.replace(self.choice, since=self.choice.until - minutes * 60_000)
        )


def ask(stored: Stored, dashboard: str, panel: int, asked: Asked, ref: str = "A") -> list[Row]:
    """Return what a panel is told."""
    return rows(stored.store, asked.text(panel_target(dashboard, panel, ref)), asked.choice)


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
