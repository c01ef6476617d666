"""Many failures from one address, and then it has a token: somebody has guessed right (OWASP's authn_login_successafterfail).

Datadog's rule for Auth0 takes five failures and a success for a medium signal. But people mistype their password a few times, and a program
whose secret was changed fails until somebody brings it the new one. Both do so from where they always are. So it matters
whether the address is new.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.detectors.contract import Memory, ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.memory import BoundedMemory, Key
from ingestor.detectors.parts.novelty import Novelty
from ingestor.detectors.parts.origin import network_of
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import DAY_MS, Settled
from ingestor.detectors.parts.sightings import Sightings, key_of
from ingestor.detectors.parts.surge import MINUTE_MS, SUCCESSES
from ingestor.model.finding import MOST_EXAMPLES, Finding, Severity
from parsers.contract import Event, EventRow, Tags

FAILED: Final = "token.validation_failed"
PASSWORD: Final = "token.issued.password"  # noqa: S105 - an action
MOST_RUNS: Final = 4_000
_MOST_AGENTS: Final = 3
_MOST_USERS: Final = 32_768
"""Two sightings of one with a password, every four days."""
_EVERY: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FailThenSuccessOptions(Options):
    """How many failures, and how long between them."""

    failures: int = 5
    """In a row, before the success."""
    many_failures: int = 30
    """So many are worse, and told of known networks, too."""
    window_minutes: int = 15
    """From each to the next one, and to the success."""
    memory_days: int = 14
    """In which an address gets known, by its network."""
    learning_days: int = 7
    """Days on which a client gets tokens, before a network is unknown of it."""


@dataclass(slots=True)
class Run:
    """Failures in a row. Times are milliseconds since the Unix epoch."""

    first: int
    last: int
    count: int = 0
    user_agents: list[str] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.first, self.last, self.count, self.user_agents, self.event_ids]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Run":
        """Return it again."""
        return cls(*value)

    def add(self, event: Event) -> None:
        """Have one more event belong to it."""
        self.first, self.last = min(self.first, event.time_ms), max(self.last, event.time_ms)
        self.count += 1
        if event.user_agent and event.user_agent not in self.user_agents and len(self.user_agents) < _MOST_AGENTS:
            self.user_agents.append(event.user_agent)
        if event.event_id:
            self.event_ids = [*self.event_ids, event.event_id][-MOST_EXAMPLES:]


class FailThenSuccess(Remembering):
    """Finds it by client and address when the client's secret fails, and by user, client and address when the user's password does.

    A client on a network on which it got no token before: medium, high after many failures. A user there: low, medium after twice
    the failures, high after many. A known network: low after many failures, and else nothing. A client that is not learned yet: low; a
    user of whom nothing is known: low, medium after many.

    A success after enough failures ends the row, and is a finding of its own. A late failure belongs to a row from which it is not further than the window.

    Blind: to who fails less often than the option says or takes longer, to guesses of users that the log does not name, and to who sits on
    the client's or the user's own network. Failed refreshes and codes do not count, since apps repeat them before a user logs in.
    """

    name = "fail_then_success"
    version = "1"
    title = "An address gets a token after many failures"
    actions = frozenset({FAILED, *SUCCESSES})
    options = FailThenSuccessOptions

    def __init__(self, options: FailThenSuccessOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._runs: BoundedMemory[Run] = BoundedMemory(Run.to_json, Run.of_json, most=MOST_RUNS, prefix="run")
        """By realm, client, user and address; the user is empty where the client itself fails."""
        self._clients = Novelty("network", 2_000)
        self._users = Sightings("user", _MOST_USERS)
        self.parts = self._runs, self._clients, self._users
        self._until: dict[str, int] = {}
        """By address with enough failures: up to when a success of it matters, at the latest."""
        self._settled = Settled()

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        """Yield each success that follows on failures."""
        until, always = self._until, not self._all_count
        start, end, settled = 0, 0, set[int | Tags]()
        for row in observed.events:
            if not start <= row[0] < end:
                start, end, settled = self._settled.at(row[0])
            if row[4] is None:
                continue
            matters = row[4] in until and row[0] <= until[row[4]]
            if not matters and (hash((row[2], row[4])) in settled or row[2] in settled):
                continue
            tags, options = row[2], self._options
            if always:
                options = options.of(tags.realm, tags.client_id)
                if not options.enabled or is_allowed(Event(*row), options):
                    continue
            if matters and tags.action != FAILED:
                yield from self._succeed(Event(*row), row[4], options)
            if self._settles(row, row[4], options):
                settled.add(tags)
            elif tags.action not in {FAILED, PASSWORD} and not always:
                settled.add(hash((tags, row[4])))

    def restore(self, memory: Memory) -> None:
        """Take up what was dumped, and note who fails."""
        super().restore(memory)
        self._note_all()

    def _settles(self, row: EventRow, ip: str, options: FailThenSuccessOptions) -> bool:
        """Take up an event; return whether others with its tags tell nothing more on its day."""
        if row[2].action == FAILED:
            return not self._fail(Event(*row), ip, options)
        return self._learn(row, ip, options)

    def _fail(self, event: Event, ip: str, options: FailThenSuccessOptions) -> bool:
        """Count a failure; return whether such ones count."""
        tags, window = event.tags, options.window_minutes * MINUTE_MS
        of_client = tags.error == "invalid_client" and bool(tags.client_id)
        of_user = tags.error == "invalid_grant" and tags.grant_type in {"", "password"}
        if not (of_client or of_user):
            return False
        if of_client or event.user_id:
            subject = (tags.realm, tags.client_id, "" if of_client else event.user_id or "", ip)
            run = self._runs.get(subject)
            if run is None or event.time_ms - run.last > window:
                run = Run(event.time_ms, event.time_ms)
            if run.first - event.time_ms <= window:
                run.add(event)
                self._runs.put(subject, run)
                self._note(subject, run)
        return True

    def _note(self, subject: Key, run: Run) -> None:
        """Have successes of an address be looked at."""
        realm, client_id, _, ip = subject
        options = self._options.of(realm, client_id)
        if run.count >= options.failures:
            until = run.last + options.window_minutes * MINUTE_MS
            self._until[ip] = max(until, self._until.get(ip, until))
            if len(self._until) > 2 * MOST_RUNS:
                self._until.clear()
                self._note_all()

    def _note_all(self) -> None:
        for subject in self._runs:
            if (run := self._runs.get(subject)) is not None:
                self._note(subject, run)

    def _succeed(self, event: Event, ip: str, options: FailThenSuccessOptions) -> Iterator[Finding]:
        """Yield what a success amounts to after failures."""
        tags, window = event.tags, options.window_minutes * MINUTE_MS
        for user in ("", event.user_id) if tags.action == PASSWORD and event.user_id else ("",):
            subject = (tags.realm, tags.client_id, user, ip)
            run = self._runs.get(subject)
            if run is None or run.count < options.failures or not run.first <= event.time_ms <= run.last + window:
                continue
            self._runs.forget(subject)
            rate = self._severity_of_user if user else self._severity_of_client
            severity = rate(event, run.count, options)
            if severity is not None:
                run.add(event)
                yield _finding(subject, run, severity)

    def _severity_of_client(self, event: Event, failures: int, options: FailThenSuccessOptions) -> Severity | None:
        client, day = (event.tags.realm, event.tags.client_id), event.time_ms // DAY_MS
        many = failures >= options.many_failures
        known = self._clients.knows(client, network_of(event.ip or ""), day, within=options.memory_days)
        if known:
            return Severity.LOW if many else None
        if known is None or self._clients.days(client) < options.learning_days:
            return Severity.LOW
        return Severity.HIGH if many else Severity.MEDIUM

    def _severity_of_user(self, event: Event, failures: int, options: FailThenSuccessOptions) -> Severity | None:
        user, since = key_of(event.tags.realm, event.user_id or ""), event.time_ms // DAY_MS - options.memory_days
        many = failures >= options.many_failures
        if self._users.last(user ^ key_of(network_of(event.ip or ""))) >= since:
            return Severity.LOW if many else None
        if self._users.last(user) < since:
            return Severity.MEDIUM if many else Severity.LOW
        if many:
            return Severity.HIGH
        return Severity.MEDIUM if failures >= 2 * options.failures else Severity.LOW

    def _learn(self, row: EventRow, ip: str, options: FailThenSuccessOptions) -> bool:
        """Note where tokens are got; return whether events with these tags tell nothing more on this day."""
        tags, day, forgotten = row[2], row[0] // DAY_MS, self._clients.forgotten + self._users.forgotten
        client, network = (tags.realm, tags.client_id), network_of(ip)
        self._clients.see(client, network, day, within=options.memory_days, learn=0)
        if tags.action == PASSWORD and row[3]:
            user = key_of(tags.realm, row[3])
            self._users.see(user, day, _EVERY)
            self._users.see(user ^ key_of(network), day, _EVERY)
        if self._clients.forgotten + self._users.forgotten != forgotten:
            self._settled.clear()
        return tags.action != PASSWORD and self._clients.has_many(client, day, within=options.memory_days)


def _finding(subject: Key, run: Run, severity: Severity) -> Finding:
    realm, client_id, user, ip = subject
    return Finding(
        severity=severity,
        client_id=client_id,
        realm=realm,
        first_seen_ms=run.first,
        last_seen_ms=run.last,
        events=run.count,
        key=f"{user} {ip}",
        user_id=user or None,
        ips=(ip,),
        clients=(client_id,) if client_id else (),
        user_agents=tuple(run.user_agents),
        event_ids=tuple(run.event_ids),
    )


DETECTOR = FailThenSuccess
