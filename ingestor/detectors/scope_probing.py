"""A client asks for what it may not have: it tries which scopes it can get (RFC 6749 section 3.3, RFC 6819 section 4.1.1).

Elastic's rule for the first client credentials request with a scope that does not match within 14 days has the same form.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.incidents import Incidents, worse
from ingestor.detectors.parts.novelty import Novelty, Sight
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, HOUR_MS, Settled
from ingestor.detectors.parts.surge import SUCCESS_MS, SUCCESSES, Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, Tags

FAILED: Final = "token.validation_failed"
SCOPE_ERRORS: Final = frozenset({"invalid_scope", "insufficient_scope"})
_MOST: Final = 4_000
"""Habits: two of a client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeProbingOptions(Options):
    """How long a client is watched, and how much it has to try."""

    memory_days: int = 14
    """What a client was refused, or granted, so many days ago is not new."""
    learning_days: int = 7
    """Days on which the client gets tokens. Before that a developer may try what works."""
    different: int = 3
    """Different requests within an hour."""


class ScopeProbing(Remembering):
    """Finds it by client: low for what it was not refused within 14 days, medium for several such within an hour, high if it then gets more.

    More is a scope that it was never granted within 14 days, within three hours. Whether two requests differ is told by the scopes of the
    failure, and where the log has none by its text: Keycloak and Hydra write what was refused there. Of a log that has neither all are the
    same. An incident is over after three hours; what is older than it by more than that belongs to none.

    Blind: to who asks for one scope at a time, once in an hour, and to failures without a client, as of UserInfo in Keycloak and of the
    logs of Hydra and Authelia. It cannot tell an administrator who allows what was refused, so a single refusal never gets worse.
    """

    name = "scope_probing"
    version = "1"
    title = "A client tries which scopes it can get"
    actions = frozenset({FAILED, *SUCCESSES})
    options = ScopeProbingOptions

    def __init__(self, options: ScopeProbingOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._habits = Novelty("habit", _MOST)
        self._incidents = Incidents("incident", quiet_ms=SUCCESS_MS)
        self.parts = self._habits, self._incidents
        self._settled = Settled()

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        start, end, settled = 0, 0, set[int | Tags]()
        for row in observed.events:
            if not start <= row[0] < end:
                start, end, settled = self._settled.at(row[0])
            look = hash((row[2], row[6], row[9]))
            if look not in settled and row[2] not in settled:
                if self._all_count:
                    settled.add(look)
                if self._settles(Event(*row)):
                    settled.add(row[2])
        return self._incidents.take()

    def _settles(self, event: Event) -> bool:
        """Look at an event; return whether all events with its tags are done with for the day."""
        tags = event.tags
        client = tags.realm, tags.client_id
        options = self._options.of(*client)
        refused = tags.action == FAILED
        if not options.enabled or (refused and not (tags.error in SCOPE_ERRORS and tags.client_id)):
            return True
        if is_allowed(event, options):
            return False
        forgotten = self._habits.forgotten
        settles = self._refused(event, client, options) if refused else self._granted(event, client, options)
        if self._habits.forgotten != forgotten:
            self._settled.clear()
        return settles

    def _refused(self, event: Event, client: tuple[str, str], options: ScopeProbingOptions) -> bool:
        """Note what a client was refused."""
        subject, day, within = (*client, "refused"), event.time_ms // DAY_MS, options.memory_days
        asked = event.scopes or event.error_detail or ""
        if self._habits.see(subject, asked, day, within=within, learn=0) is Sight.NEW:
            incident = self._incidents.add(Subject(*client), event, Severity.LOW)
            if incident is not None:
                incident.note = sorted([*(incident.note or ()), event.time_ms])[-options.different :]
                at_once = len(incident.note) == options.different and incident.note[-1] - incident.note[0] <= HOUR_MS
                if at_once and self._habits.days((*client, "granted")) >= options.learning_days:
                    incident.severity = worse(incident.severity, Severity.MEDIUM)
        return self._habits.has_many(subject, day, within=within)

    def _granted(self, event: Event, client: tuple[str, str], options: ScopeProbingOptions) -> bool:
        """Note what a client got."""
        subject, day, within = (*client, "granted"), event.time_ms // DAY_MS, options.memory_days
        scopes = event.scopes.split() if event.scopes else [""]
        sights = [self._habits.see(subject, scope, day, within=within, learn=options.learning_days) for scope in scopes]
        incident = self._incidents.of(Subject(*client), event.time_ms)
        if incident is not None and incident.severity is not Severity.LOW and Sight.NEW in sights:
            self._incidents.add(Subject(*client), event, Severity.HIGH)
        return self._habits.has_many(subject, day, within=within)


DETECTOR = ScopeProbing
