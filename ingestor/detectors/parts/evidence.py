"""Who took part in an incident, and how often: bounded, whatever an attacker invents."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple, Self

from ingestor.model.finding import MOST_EXAMPLES
from parsers.contract import Event

MOST_COUNTED: Final = 64
"""Values of one kind that are told apart. What comes later is one of many."""


class Figures(NamedTuple):
    """How much an incident is: events, and how many different addresses, clients, users and user agents they have, at most 64."""

    events: int
    ips: int
    clients: int
    users: int
    user_agents: int


@dataclass(slots=True)
class Evidence:
    """It grows. Times are milliseconds since the Unix epoch; a dict holds how often a value came, in the order of their first times."""

    first: int
    """Of the first event. It never changes, since it is part of the finding's identity."""
    last: int
    events: int = 0
    ips: dict[str, int] = field(default_factory=dict)
    clients: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    user_agents: dict[str, int] = field(default_factory=dict)
    event_ids: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        """Return what these events tell, of which there is at least one."""
        first = min(event.time_ms for event in events)
        found = cls(first, first)
        for event in events:
            found.add(event)
        return found

    def add(self, event: Event) -> None:
        """Count one more event."""
        for counts, value in (
            (self.ips, event.ip),
            (self.clients, event.tags.client_id),
            (self.users, event.user_id),
            (self.user_agents, event.user_agent),
        ):
            if value and (value in counts or len(counts) < MOST_COUNTED):
                counts[value] = counts.get(value, 0) + 1
        if event.event_id and len(self.event_ids) < MOST_EXAMPLES:
            self.event_ids.append(event.event_id)
        self.last = max(self.last, event.time_ms)
        self.events += 1

    @property
    def figures(self) -> Figures:
        """How much it is."""
        return Figures(self.events, len(self.ips), len(self.clients), len(self.users), len(self.user_agents))

    def to_json(self) -> list[Any]:
        """Return it for JSON; ``Evidence(*...)`` makes it again."""
        return [getattr(self, each.name) for each in fields(self)]


def top(counts: dict[str, int]) -> tuple[str, ...]:
    """Return what came most often, most first, as many as a finding holds."""
    return tuple(sorted(counts, key=lambda value: -counts[value])[:MOST_EXAMPLES])
