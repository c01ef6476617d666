"""A client whose refresh tokens or codes are used twice again and again: somebody has stolen a list of them."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges, ObservedEvents
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event

REUSE: Final = "token.reuse_detected"
QUIET_MS: Final = 3_600_000
"""After so long without reuse the incident is over."""
FEWEST: Final = 2
MANY: Final = 10
MOST_CLIENTS: Final = 10_000
"""Whose incidents are remembered; the one that was seen longest ago is forgotten first."""

Client: TypeAlias = tuple[str, str]
"""(realm, client id): the same id in two realms is two clients."""


class Incident(NamedTuple):
    """What is known of one client. Times are milliseconds since the Unix epoch."""

    turn: int
    """It grows with each event, so that incidents are forgotten in the same order after a restart."""
    first: int
    last: int
    events: int
    ips: list[str]


class RepeatedReuse:
    """Finds it. An event from before the incident belongs to it when it is an hour older at most, and else to none."""

    name = "repeated_reuse"
    version = "1"

    def __init__(self) -> None:
        self._incidents: dict[Client, Incident] = {}
        self._changed: set[Client] = set()
        self._turn = 0

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        """Yield the incidents that are new or have grown."""
        for row in observed.events:
            if row[2].action == REUSE:
                event = Event(*row)
                client = event.tags.realm, event.tags.client_id
                incident = self._remember(client, event)
                if incident is not None and incident.events >= FEWEST:
                    yield _finding(client, incident)

    def dump(self) -> MemoryChanges:
        """Return the incidents that have changed; None for those that are forgotten."""
        changed, self._changed = self._changed, set()
        found = {client: self._incidents.get(client) for client in changed}
        return {
            _key(client): None if incident is None else orjson.dumps(list(incident))
            for client, incident in found.items()
        }

    def restore(self, memory: Memory) -> None:
        """Take up the incidents of the last checkpoint, in the order in which they were seen."""
        read = [(_client(key), Incident(*orjson.loads(value))) for key, value in memory.items()]
        self._incidents = dict(sorted(read, key=lambda each: each[1].turn))
        self._turn = max((incident.turn for _, incident in read), default=0)

    def _remember(self, client: Client, event: Event) -> Incident | None:
        """Return the incident that an event belongs to; None for one that is too old for it."""
        now = event.time_ms
        incident = self._incidents.get(client)
        if incident is not None and incident.first - now > QUIET_MS:
            return None
        if incident is None or now - incident.last > QUIET_MS:
            incident = Incident(0, now, now, 0, [])
        self._turn += 1
        ips = [*incident.ips, event.ip] if event.ip and event.ip not in incident.ips else incident.ips
        incident = Incident(self._turn, incident.first, max(incident.last, now), incident.events + 1, ips[:10])
        self._incidents.pop(client, None)
        self._incidents[client] = incident  # behind all others
        self._changed.add(client)
        if len(self._incidents) > MOST_CLIENTS:
            oldest = next(iter(self._incidents))
            del self._incidents[oldest]
            self._changed.add(oldest)
        return incident


def _finding(client: Client, incident: Incident) -> Finding:
    realm, client_id = client
    severity = Severity.HIGH if incident.events >= MANY else Severity.MEDIUM
    return Finding(
        severity=severity,
        client_id=client_id,
        realm=realm,
        first_seen_ms=incident.first,
        last_seen_ms=incident.last,
        events=incident.events,
        ips=tuple(incident.ips),
    )


def _key(client: Client) -> str:
    return orjson.dumps(client).decode()


def _client(key: str) -> Client:
    realm, client_id = orjson.loads(key)
    return realm, client_id


DETECTOR = RepeatedReuse
