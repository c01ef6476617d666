"""One user's tokens of one client are refreshed from too many places and by too many programs: they are passed around.

Auth0's rules for refresh tokens count user agents and locations of a token's family over 30 days, and leave the thresholds open. Phones
change their network many times a day, browsers change their version, and people have several devices. So networks or programs alone,
however many, are low.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.incidents import Incidents
from ingestor.detectors.parts.measured import Measurable
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, SettledHashes
from ingestor.detectors.parts.sightings import Sightings, agent_key, client_key, network_key, realm_key, user_key
from ingestor.detectors.parts.surge import Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow

MOST_SIGHTINGS: Final = 131_072
"""Three for each user of a client and day: 3 MiB."""
MOST_ROAMING: Final = 2_000
"""Users of a client who came from a second place."""
_MOST_PLACES: Final = 32
"""Of one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSharingOptions(Options):
    """Within 24 hours: networks are /24, of IPv6 /48; agents are user agents without the numbers in them."""

    distinct_networks: int = 5
    """So many, together with ``distinct_agents``, are medium. A phone has many networks and few agents."""
    distinct_agents: int = 4
    """The same for agents. A household has many agents and few networks."""
    many_networks: int = 12
    """So many alone are low, together with ``many_agents`` high."""
    many_agents: int = 8
    """The same for agents."""


class Place(NamedTuple):
    """Where a token was refreshed from for the first time in a day or two."""

    time_ms: int
    ip: str | None
    user_agent: str | None
    event_id: str | None
    new_network: bool
    new_agent: bool


class TokenSharing(Measurable, Remembering):
    """Finds it by realm, client and user. The events of the incident are those from new places, until there was none for 24 hours.

    A place is new if it was not seen on this day (UTC) or the day before, and counts for 24 hours. A late event counts as if it came in time.

    Blind: to one thief beside the owner, and to sharing within a network or with one program. Without user agents, as in Keycloak's log,
    it is never more than low. On a busy site a user is forgotten after 40,000 others, and the day shrinks to that.
    """

    name = "token_sharing"
    version = "2"
    title = "Tokens of one user are used from too many places"
    actions = frozenset({"token.refreshed", "token.issued.refresh_token"})
    options = TokenSharingOptions
    thresholds = ("distinct_networks", "many_networks", "many_agents")

    def __init__(self, options: TokenSharingOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._seen = Sightings("seen", MOST_SIGHTINGS)
        self._roaming: BoundedMemory[list[Place]] = BoundedMemory(
            _to_json, _of_json, most=MOST_ROAMING, prefix="roaming"
        )
        self._incidents = Incidents("incident", quiet_ms=DAY_MS)
        self.parts = self._seen, self._roaming, self._incidents
        self._settled = SettledHashes()

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        places, mask = self._settled.places, self._settled.MASK
        start = end = day = 0
        for row in observed.events:
            if not start <= row[0] < end:
                day = row[0] // DAY_MS
                start, end = day * DAY_MS, (day + 1) * DAY_MS
            look = hash((day, row[2], row[3], row[4], row[5]))
            if places[look & mask] != look:
                places[look & mask] = look
                if row[3]:
                    self._look(row, row[3])
        return self._incidents.take()

    def _look(self, row: EventRow, user: str) -> None:
        """Note where an event comes from."""
        tags, options = row[2], self._options
        if not self._all_count:
            options = options.of(tags.realm, tags.client_id)
            if not options.enabled or is_allowed(Event(*row), options):
                return
        see, day, forgotten = self._seen.see, row[0] // DAY_MS, self._seen.forgotten
        key = realm_key(tags.realm) ^ client_key(tags.client_id) ^ user_key(user)
        agent_seen = see(key ^ agent_key(row[5]), day) if row[5] is not None else day - 1
        known = agent_seen == day or see(key, day) >= day - 1  # with an agent of this day the user was seen on it
        new_network = row[4] is not None and see(key ^ network_key(row[4]), day) < day - 1
        new_agent = agent_seen < day - 1
        if self._seen.forgotten != forgotten:
            self._settled.clear()
        if known and (new_network or new_agent):
            place = Place(row[0], row[4], row[5], row[8], new_network, new_agent)
            self._roam(Subject(tags.realm, tags.client_id, user), Event(*row), place, options)

    def _roam(self, subject: Subject, event: Event, place: Place, options: TokenSharingOptions) -> None:
        """Have a user come from one more place."""
        places = [*(self._roaming.get(subject) or ()), place]
        if len(places) > 1 and place.time_ms < places[-2].time_ms:
            places.sort(key=_time_of)
        oldest = places[-1].time_ms - DAY_MS
        while places[0].time_ms <= oldest or len(places) > _MOST_PLACES:
            del places[0]
        self._roaming.put(subject, places)
        if self.meter is not None:
            self.meter.judge(subject, place.time_ms, DAY_MS, options, lambda others: _severity(places, others))
        severity = _severity(places, options)
        if severity is None:
            return
        events = [place] if self._incidents.of(subject, place.time_ms) else places
        for each in events:
            self._incidents.add(subject, _event_of(each, event), severity)


def _severity(places: list[Place], options: TokenSharingOptions) -> Severity | None:
    """Return how bad so many places are. The one from which a user came first is in none of them."""
    enough = min(options.many_networks, options.many_agents, max(options.distinct_networks, options.distinct_agents))
    if 1 + len(places) < enough:
        return None
    networks = 1 + sum(place.new_network for place in places)
    agents = 1 + sum(place.new_agent for place in places)
    many = (networks >= options.many_networks) + (agents >= options.many_agents)
    if many == 2:
        return Severity.HIGH
    if networks >= options.distinct_networks and agents >= options.distinct_agents:
        return Severity.MEDIUM
    return Severity.LOW if many else None


def _time_of(place: Place) -> int:
    return place.time_ms


def _event_of(place: Place, event: Event) -> Event:
    """Return an event of the same user and client from another place."""
    return event._replace(time_ms=place.time_ms, ip=place.ip, user_agent=place.user_agent, event_id=place.event_id)


def _to_json(places: list[Place]) -> list[list[Any]]:
    return [list(place) for place in places]


def _of_json(value: list[list[Any]]) -> list[Place]:
    return [Place(*place) for place in value]


DETECTOR = TokenSharing
