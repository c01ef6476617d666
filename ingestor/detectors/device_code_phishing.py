"""Somebody has a user approve a device that is not the user's (RFC 8628 section 5.4; Storm-2372, Microsoft, February 2025).

The device polls, and the device gets the token: so the address of the token is the attacker's, and so are those of polling. The user's
own address is on the page for the user code, which is no token event in any log that tokentail reads. What events do tell is where the user
got tokens otherwise. The user agents of a device and of a browser always differ; those of the devices of one client do not.

Elastic's rule for Entra ID finds the first device code of a user within 14 days.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.incidents import Incidents, worse
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.novelty import Novelty, Sight
from ingestor.detectors.parts.origin import network_of, product_of
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, SettledHashes
from ingestor.detectors.parts.sightings import Sightings, key_of, network_key, realm_key, user_key
from ingestor.detectors.parts.surge import Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow

DEVICE_CODE: Final = "token.issued.device_code"
PRESENT: Final = frozenset(
    {"token.issued.authorization_code", "token.issued.password", "token.refreshed", "token.issued.refresh_token"}
)
"""Somebody is where the event comes from, or an app of theirs."""
MOST_SIGHTINGS: Final = 131_072
"""Two for each user, network and day: 3 MiB."""
MOST_CLIENTS: Final = 1_000
_EVERY: Final = 4
"""Days after which a user is noted anew."""
_ROUTINE_DAYS: Final = 3
_INSTALLATION: Final = ("",)
_V4: Final = key_of("IPv4")
_V6: Final = key_of("IPv6")
_DEVICE: Final = key_of("device")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodePhishingOptions(Options):
    """How long users are watched, and what is routine for a client of televisions."""

    memory_days: int = 14
    """A device, or a network, of so many days ago is known."""
    learning_days: int = 14
    """Days with events, before a device is a user's first."""
    routine: int = 10
    """First devices of users within the days before, on three days at least: the client's users do that all the time."""
    users: int = 3
    """So many users from elsewhere approve devices on one network: it is worse, even where it is routine."""


class DeviceCodePhishing(Remembering):
    """Finds it by client and the device's network: low for a first device or for one elsewhere, high for both.

    Elsewhere is a network (/24, IPv6: /48) on which the user got no token for 14 days, while the user did on others of the same kind.
    Where first devices are routine, as for televisions, both together are medium if the device is of a kind that the client never had, or
    if it is three users on one network. The events of the incident are those grants, until there was none for 24 hours. A late
    event is judged by all that was read before it.

    Blind: to users of whom nothing else was seen, and to an attacker on a network of the user's, such as a mobile one. On a busy site a
    user is forgotten after 60,000 others.
    """

    name = "device_code_phishing"
    version = "2"
    title = "A user may have approved somebody else's device"
    actions = frozenset({DEVICE_CODE, *PRESENT})
    options = DeviceCodePhishingOptions

    def __init__(self, options: DeviceCodePhishingOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._seen = Sightings("seen", MOST_SIGHTINGS)
        self._firsts: BoundedMemory[dict[int, int]] = BoundedMemory(_to_json, dict, most=MOST_CLIENTS, prefix="first")
        """First devices by day, of each client."""
        self._agents = Novelty("agent", MOST_CLIENTS)
        self._learned = Novelty("learned")
        self._incidents = Incidents("incident", quiet_ms=DAY_MS)
        self.parts = self._seen, self._firsts, self._agents, self._learned, self._incidents
        self._settled = SettledHashes()

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        settled, look_at_all = self._settled, not self._all_count
        places, until, mask = settled.places, settled.until, settled.MASK
        start = end = day = 0
        for row in observed.events:
            if not start <= row[0] < end:
                day = row[0] // DAY_MS
                start, end = day * DAY_MS, (day + 1) * DAY_MS
                self._learned.see(_INSTALLATION, "", day, within=1_000, learn=0)
            if not row[3] or not row[4]:
                continue
            look = hash((row[2][6], row[3], row[4]))
            at = look & mask
            if places[at] != look or day >= until[at] or row[2][0] == DEVICE_CODE or look_at_all:
                noted_until = self._look(row, row[3], row[4], day)
                places[at], until[at] = look, noted_until
        return self._incidents.take()

    def _look(self, row: EventRow, user: str, ip: str, day: int) -> int:
        """Note where a user gets a token; return on which day it is noted anew."""
        tags, options = row[2], self._options
        if not self._all_count:
            options = options.of(tags.realm, tags.client_id)
            if not options.enabled or is_allowed(Event(*row), options):
                return 0
        since, forgotten = day - options.memory_days, self._seen.forgotten
        every, key = min(_EVERY, options.memory_days), realm_key(tags.realm) ^ user_key(user)
        of_network = self._seen.see(key ^ network_key(ip), day, every)
        of_some = self._seen.see(key ^ (_V6 if ":" in ip else _V4), day, every)
        if tags.action == DEVICE_CODE:
            first = self._seen.see(key ^ _DEVICE, day) < since
            self._judge(Event(*row), options, first=first, elsewhere=of_some >= since > of_network)
        if self._seen.forgotten != forgotten:
            self._settled.clear()
            return 0
        return min(each if day - each < every else day for each in (of_network, of_some)) + every

    def _judge(self, event: Event, options: DeviceCodePhishingOptions, *, first: bool, elsewhere: bool) -> None:
        """Tell of a device, if it is the user's first one or elsewhere."""
        tags, day = event.tags, event.time_ms // DAY_MS
        routine = self._is_routine((tags.realm, tags.client_id), day, options, first=first)
        other = self._is_other_device(event, options)
        first = first and self._learned.days(_INSTALLATION) > options.learning_days
        if not (first and elsewhere if routine else first or elsewhere):
            return
        severity: Severity | None = Severity.HIGH if first and elsewhere else Severity.LOW
        if routine:
            severity = Severity.MEDIUM if other else None
        incident = self._incidents.add(Subject(tags.realm, tags.client_id, network_of(event.ip or "")), event, severity)
        if incident is not None and elsewhere and incident.evidence.figures.users >= options.users:
            incident.severity = worse(incident.severity, Severity.MEDIUM)

    def _is_other_device(self, event: Event, options: DeviceCodePhishingOptions) -> bool:
        """Whether a client's devices are known, and this is none of these."""
        if not event.user_agent:
            return False
        client, day = (event.tags.realm, event.tags.client_id), event.time_ms // DAY_MS
        agent = product_of(event.user_agent)
        sight = self._agents.see(client, agent, day, within=options.memory_days, learn=_ROUTINE_DAYS)
        return sight is Sight.NEW

    def _is_routine(
        self, client: tuple[str, str], day: int, options: DeviceCodePhishingOptions, *, first: bool
    ) -> bool:
        """Whether users of a client had their first device all the time before this day; count one more."""
        days = self._firsts.get(client) or {}
        if first:
            days = {each: count for each, count in days.items() if day - each <= options.memory_days}
            days[day] = days.get(day, 0) + 1
            self._firsts.put(client, days)
        before = [count for each, count in days.items() if 0 < day - each <= options.memory_days]
        return len(before) >= _ROUTINE_DAYS and sum(before) >= options.routine


def _to_json(days: dict[int, int]) -> list[tuple[int, int]]:
    return list(days.items())


DETECTOR = DeviceCodePhishing
