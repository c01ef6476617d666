"""Who took part in an incident, and how often: bounded, whatever an attacker invents."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple, Self, TypeAlias

from ingestor.detectors.parts.origin import network_of
from ingestor.model.finding import MOST_EXAMPLES
from parsers.contract import Event

MOST_COUNTED: Final = 64
"""Values of one kind that are told apart. What comes later is one of many."""

Hit: TypeAlias = tuple[int, str, str, str, str, str]
"""What is kept of an event: its time (ms), address, client, user, user agent and id; a text is empty where it is unknown."""


def hit_of(event: Event) -> Hit:
    """Return what is kept of an event."""
    user, agent = event.user_id or "", event.user_agent or ""
    return event.time_ms, event.ip or "", event.tags.client_id, user, agent, event.event_id or ""


class Figures(NamedTuple):
    """How much something is: events, and how many different addresses, clients, users and user agents these have."""

    events: int
    ips: int
    clients: int
    users: int
    user_agents: int
    addresses: Collection[str] = ()
    """The addresses themselves."""
    span_ms: int = 0
    """Between the first event and the last one."""
    successes: int = 0
    """Of ``Weighed`` detectors: successes that speak against an attack."""
    successful_users: int = 0
    """The users of these."""

    @property
    def networks(self) -> int:
        """How many networks the addresses are of: whoever has an IPv6 network has any number of addresses."""
        return len({network_of(ip) for ip in self.addresses})


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
    def of(cls, hits: Sequence[Hit]) -> Self:
        """Return what these tell, of which there is at least one; the earliest is the first."""
        found = cls(hits[0][0], hits[0][0])
        for hit in hits:
            found.count(hit)
        return found

    def add(self, event: Event) -> None:
        """Count one more event."""
        self.count(hit_of(event))

    def count(self, hit: Hit) -> None:
        """Count one more."""
        time_ms, *values, event_id = hit
        for counts, value in zip((self.ips, self.clients, self.users, self.user_agents), values, strict=True):
            if value and (value in counts or len(counts) < MOST_COUNTED):
                counts[value] = counts.get(value, 0) + 1
        if event_id and len(self.event_ids) < MOST_EXAMPLES:
            self.event_ids.append(event_id)
        self.last = max(self.last, time_ms)
        self.events += 1

    @property
    def figures(self) -> Figures:
        """How much it is; of each kind at most 64 are told apart."""
        counted = len(self.ips), len(self.clients), len(self.users), len(self.user_agents)
        return Figures(self.events, *counted, self.ips.keys(), self.last - self.first)

    def to_json(self) -> list[Any]:
        """Return it for JSON; ``Evidence(*...)`` makes it again."""
        return [getattr(self, each.name) for each in fields(self)]


def top(counts: dict[str, int]) -> tuple[str, ...]:
    """Return what came most often, most first, as many as a finding holds."""
    return tuple(sorted(counts, key=lambda value: -counts[value])[:MOST_EXAMPLES])
