"""Many clients that nobody has seen before: somebody registers them by the dozen (RFC 7591 section 5), or has the server fetch addresses.

Panther's rule for Auth0 wakes somebody for 15 registrations within 60 minutes. Here registrations show when the client gets its first token, and
so does the launch of an app. So many alone are medium, unless the realm has as many all the time, as where each installation of an app is a client.

A client id may be the address of the client's metadata, which the server fetches (OAuth Client ID Metadata Documents). Ids of that form that
are refused are how somebody looks for what the server can reach (OWASP: server-side request forgery).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final, NamedTuple

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.incidents import Incidents
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.novelty import Novelty
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, HOUR_MS, Settled
from ingestor.detectors.parts.sightings import Sightings, key_of
from ingestor.detectors.parts.surge import MINUTE_MS, SUCCESSES, Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, Tags

FAILED: Final = "token.validation_failed"
MOST_REALMS: Final = 200
_MOST_HITS: Final = 64
_EVERY: Final = 4
"""Days after which a client is noted anew."""
_INSTALLATION: Final = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClientsOptions(Options):
    """How many within 60 minutes, and how long clients are remembered."""

    new: int = 15
    """New clients, refused addresses among them."""
    refused: int = 5
    """Addresses as client ids that are refused: as many alone are medium, among ``new`` they make it high."""
    times: int = 2
    """Times what the realm usually has in the busiest hour of a day."""
    memory_days: int = 14
    """A client of so many days ago is not new."""
    learning_days: int = 7
    """Days with events, before a client is new."""


class Hit(NamedTuple):
    """A client that was not seen before."""

    time_ms: int
    client_id: str
    ip: str | None
    user_agent: str | None
    event_id: str | None


@dataclass(slots=True)
class Realm:
    """What is new in a realm."""

    minutes: dict[int, list[int]] = field(default_factory=dict)
    """Of the last hour, since the Unix epoch: how many clients were new, and how many addresses were refused."""
    hits: list[Hit] = field(default_factory=list)
    """The newest of them, by time."""
    days: dict[int, int] = field(default_factory=dict)
    """The most within an hour on each day that had any."""

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [list(self.minutes.items()), [list(hit) for hit in self.hits], list(self.days.items())]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Realm":
        """Return it again."""
        minutes, hits, days = value
        return cls(dict(minutes), [Hit(*hit) for hit in hits], dict(days))

    def add(self, hit: Hit, *, refused: bool, memory_days: int) -> bool:
        """Have one more be new; False when it is more than an hour late."""
        minute, newest = hit.time_ms // MINUTE_MS, max(self.minutes, default=0)
        if newest - minute >= 60:
            return False
        now = max(minute, newest)
        self.minutes = {each: counts for each, counts in self.minutes.items() if now - each < 60}
        counts = self.minutes.setdefault(minute, [0, 0])
        counts[refused] += 1
        hits = sorted([*self.hits, hit], key=lambda each: each.time_ms)
        self.hits = [each for each in hits if hits[-1].time_ms - each.time_ms < HOUR_MS][-_MOST_HITS:]
        day = now // (24 * 60)
        self.days = {each: most for each, most in self.days.items() if day - each <= memory_days}
        self.days[day] = max(self.days.get(day, 0), self.new)
        return True

    @property
    def new(self) -> int:
        """How many were new within the hour."""
        return sum(map(sum, self.minutes.values()))

    @property
    def refused(self) -> int:
        """How many of them were addresses that were refused."""
        return sum(refused for _, refused in self.minutes.values())

    def usual(self, day: int, days: int) -> float:
        """Return how many there are in the busiest hour of one of so many days before this one: the median."""
        before = [self.days.get(day - ago, 0) for ago in range(1, days + 1)]
        return median(before) if before else 0


class NewClients(Remembering):
    """Finds it by realm: medium for many new clients or several refused addresses, high for both together.

    A client is new with its first token in 14 days, or up to three days less. The events of the incident are those first ones, until there was none for an hour. What
    comes more than an hour late is no part of it.

    Blind: in the first week, to registrations that get no token, and to ids that are no addresses and are refused: that is enumeration.
    Of more than about 15,000 clients a day some are new again; the realm is then one that has as many all the time.
    """

    name = "new_clients"
    version = "1"
    title = "Many clients are new"
    actions = frozenset({FAILED, *SUCCESSES})
    options = NewClientsOptions

    def __init__(self, options: NewClientsOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._seen = Sightings("seen")
        self._realms: BoundedMemory[Realm] = BoundedMemory(
            Realm.to_json, Realm.of_json, most=MOST_REALMS, prefix="realm"
        )
        self._learned = Novelty("learned")
        self._incidents = Incidents("incident")
        self.parts = self._seen, self._realms, self._learned, self._incidents
        self._settled = Settled()

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        start, end, settled = 0, 0, set[int | Tags]()
        for row in observed.events:
            if not start <= row[0] < end:
                start, end, settled = self._settled.at(row[0])
                self._learned.see(_INSTALLATION, "", row[0] // DAY_MS, within=1_000, learn=0)
            if row[2] not in settled and (self._all_count or self._counts(Event(*row))):
                settled.add(row[2])
                if row[2].client_id:
                    self._look(Event(*row))
        return self._incidents.take()

    def _counts(self, event: Event) -> bool:
        """Whether the options have an event count."""
        options = self._options.of(event.tags.realm, event.tags.client_id)
        return options.enabled and not is_allowed(event, options)

    def _look(self, event: Event) -> None:
        """Note a client, or an address that is refused."""
        tags, day, options = event.tags, event.time_ms // DAY_MS, self._options
        refused = tags.action == FAILED
        if refused and not (tags.error == "invalid_client" and "://" in tags.client_id):
            return
        forgotten = self._seen.forgotten
        kind = ("refused",) if refused else ()
        before = self._seen.see(key_of(tags.realm, tags.client_id, *kind), day, min(_EVERY, options.memory_days))
        if self._seen.forgotten != forgotten:
            self._settled.clear()
        if day - before > options.memory_days and self._learned.days(_INSTALLATION) > options.learning_days:
            hit = Hit(event.time_ms, tags.client_id, event.ip, event.user_agent, event.event_id)
            realm = self._realms.get((tags.realm,)) or Realm()
            if realm.add(hit, refused=refused, memory_days=options.memory_days):
                self._realms.put((tags.realm,), realm)
                self._judge(realm, hit, event)

    def _judge(self, realm: Realm, hit: Hit, event: Event) -> None:
        """Tell of what is new, if that is much."""
        options = self._options
        days = min(self._learned.days(_INSTALLATION) - options.learning_days - 1, options.memory_days)
        usual = realm.usual(event.time_ms // DAY_MS, days)
        many = realm.new >= options.new and realm.new > options.times * usual
        severity = Severity.HIGH if many and realm.refused >= options.refused else Severity.MEDIUM
        if many or realm.refused >= options.refused:
            subject = Subject(event.tags.realm)
            for each in [hit] if self._incidents.of(subject, hit.time_ms) else realm.hits:
                self._incidents.add(subject, _event_of(each, event), severity)


def _event_of(hit: Hit, event: Event) -> Event:
    """Return an event of the same realm about another client."""
    return event._replace(
        time_ms=hit.time_ms,
        tags=event.tags._replace(client_id=hit.client_id),
        user_id=None,
        ip=hit.ip,
        user_agent=hit.user_agent,
        event_id=hit.event_id,
    )


DETECTOR = NewClients
