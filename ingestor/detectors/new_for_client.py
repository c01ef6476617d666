"""A confidential client does what it never did: from another network, with another program, with another grant.

So a leaked secret shows: whoever found it works from somewhere else, with something else (RFC 6819 section 4.1.1). Elastic's rules for
new terms look back 14 days, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.crowd import Crowd
from ingestor.detectors.parts.incidents import Incidents
from ingestor.detectors.parts.novelty import Novelty, Sight
from ingestor.detectors.parts.origin import network_of, product_of
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, Settled
from ingestor.detectors.parts.surge import SUCCESSES, Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, Tags

CONFIDENTIAL: Final = "token.issued.client_credentials"
"""Only a client with a secret may get this (RFC 6749 section 4.4.2)."""

_MOST: Final = 6_000
"""Habits: three of a client."""
_SEVERITIES: Final = Severity.LOW, Severity.MEDIUM, Severity.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class NewForClientOptions(Options):
    """How long a client is watched before anything is new of it, and how many change at once when somebody deploys."""

    memory_days: int = 14
    """What a client did so many days ago is not new."""
    learning_days: int = 7
    """Days on which the client does something."""
    clients_at_once: int = 4
    """So many clients of a realm have something new within an hour: somebody moves or updates them."""


class NewForClient(Remembering):
    """Finds it by client: low for one thing, medium for two at once, high for three; low for many clients at once.

    An event belongs to the incident if something is new of it, and to none if it is older than the incident by more than an hour.

    Blind: to who works from the client's own network, or with its own program from a network of /24 (IPv6: /48) that it uses.
    It says little of a client on more than 24 networks, and takes an attack on four clients at once for a deployment.
    """

    name = "new_for_client"
    version = "1"
    title = "A confidential client comes from elsewhere, or with something else"
    actions = SUCCESSES
    options = NewForClientOptions

    def __init__(self, options: NewForClientOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._habits = Novelty("habit", _MOST)
        self._incidents = Incidents("incident")
        self._crowd = Crowd("crowd")
        self.parts = self._habits, self._incidents, self._crowd
        self._settled = Settled()

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        start, end, settled = 0, 0, set[int | Tags]()
        for row in observed.events:
            if not start <= row[0] < end:
                start, end, settled = self._settled.at(row[0])
            if row[2] in settled:
                continue
            look = hash((row[2], row[4], row[5]))
            if look not in settled:
                settled.add(look)
                if self._settles(Event(*row)):
                    settled.add(row[2])
        return self._incidents.take()

    def _settles(self, event: Event) -> bool:
        """Look at an event; return whether all events with its tags are done with for the day."""
        tags = event.tags
        client = tags.realm, tags.client_id
        options = self._options.of(*client)
        confidential = (*client, "grant") in self._habits
        if not options.enabled or not (confidential or tags.action == CONFIDENTIAL):
            return True
        if is_allowed(event, options):
            return False
        if not confidential:
            self._settled.clear()  # its other events matter from now on
        return self._compare(event, client, options)

    def _compare(self, event: Event, client: tuple[str, str], options: NewForClientOptions) -> bool:
        """Find what is new of an event; return whether only its tags matter, since the client comes from everywhere."""
        forgotten = self._habits.forgotten
        day, within = event.time_ms // DAY_MS, options.memory_days
        everywhere = self._habits.has_many((*client, "network"), day, within=within)
        new = 0
        for kind, value in _values(event):
            if value and (kind == "grant" or not everywhere):
                sight = self._habits.see((*client, kind), value, day, within=within, learn=options.learning_days)
                new += sight is Sight.NEW
        if self._habits.forgotten != forgotten:
            self._settled.clear()
        if new:
            self._tell(event, _SEVERITIES[new - 1], options)
        return everywhere

    def _tell(self, event: Event, severity: Severity, options: NewForClientOptions) -> None:
        realm, client_id = event.tags.realm, event.tags.client_id
        self._incidents.add(Subject(realm, client_id), event, severity)
        crowd = self._crowd.join(realm, client_id, event.time_ms)
        if len(crowd) >= options.clients_at_once:
            for each in crowd:
                self._incidents.rate(Subject(realm, each), event.time_ms, Severity.LOW)


def _values(event: Event) -> tuple[tuple[str, str], ...]:
    return (
        ("grant", event.tags.grant_type),
        ("network", network_of(event.ip) if event.ip else ""),
        ("agent", product_of(event.user_agent) if event.user_agent else ""),
    )


DETECTOR = NewForClient
