"""Much of one kind about one subject within a short time: what most attacks look like. A detector says of what, and how much."""

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ingestor.detectors.contract import Memory, MemoryChanges, ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.evidence import Evidence, Figures, top
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.model.finding import Finding, Severity
from parsers.contract import ISSUED_PREFIX, OUTCOMES, Event, EventRow, Tags

OptionsT = TypeVar("OptionsT", bound=Options)
Hit = tuple[int, str, str, str, str, str]
"""Of an event before there is an incident: its time (ms), address, client, user, user agent and id; empty where absent."""

MINUTE_MS: Final = 60_000
MOST_HITS: Final = 128
"""Events within the window that are remembered, the newest. A threshold above it cannot be met."""
SUCCESS_MS: Final = 3 * 3_600_000
"""A success so long after the last event belongs to the incident."""
SUCCESSES: Final = frozenset({"token.refreshed", *(action for action in OUTCOMES if action.startswith(ISSUED_PREFIX))})
"""Somebody has a token."""
_ORDER: Final = tuple(Severity)


class Subject(NamedTuple):
    """What an incident is about. Two events with the same one belong to the same incident."""

    realm: str
    client_id: str = ""
    """Empty where the incident is about no client, or about many."""
    key: str = ""
    """What else tells it apart: a user, an address."""


@dataclass(slots=True)
class Case:
    """What is known of a subject: events of the last while, or the incident that they became."""

    hits: list[Hit] = field(default_factory=list)
    """By time; empty once there is an incident."""
    evidence: Evidence | None = None
    severity: Severity = Severity.LOW
    """The highest so far."""
    success: str = ""
    """``yes`` once one of the addresses or users of the incident has succeeded, ``no`` when none has in time; empty before."""

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.hits, self.evidence and self.evidence.to_json(), self.severity, self.success]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Case":
        """Return it again."""
        hits, evidence, severity, success = value
        return cls([tuple(hit) for hit in hits], evidence and Evidence(*evidence), Severity(severity), success)


class Surge(ABC, Generic[OptionsT]):
    """A detector of more than is usual within a window.

    Below its threshold a subject has the events of the window; then it is an incident, which grows with each further event until
    there was none for ``quiet_ms``. A late event counts while it is within the window of the newest one, or no older than
    ``quiet_ms`` before the incident; an older one belongs to nothing.

    A success within three hours of an incident, of the same client and by an address or user of the incident, raises its severity by one.
    """

    name: str
    version: str = "1"
    title: str
    actions: Collection[str]
    """Of the events that may be part of it."""
    options: type[Options]
    raised_by_success: bool = True

    def __init__(self, options: OptionsT) -> None:
        """Remember nothing."""
        self._options = options
        self._cases: BoundedMemory[Case] = BoundedMemory(Case.to_json, Case.of_json)
        self._touched: dict[Subject, Case] = {}
        self._awaiting: dict[str, dict[Subject, None]] = {}
        """Incidents after which a success would matter, by their key (an address, a user) or else by their client."""

    @abstractmethod
    def subject_of(self, event: Event) -> Subject | None:
        """Return what an event is about; None when it does not count."""

    @abstractmethod
    def severity_of(self, figures: Figures, options: OptionsT) -> Severity | None:
        """Return how bad so much is; None when it is not enough."""

    @abstractmethod
    def window_ms(self, options: OptionsT) -> int:
        """Return within what time it has to be so much."""

    def quiet_ms(self, options: OptionsT) -> int:
        """Return after what time without an event an incident is over."""
        return max(60 * MINUTE_MS, self.window_ms(options))

    def user_of(self, subject: Subject) -> str | None:  # noqa: ARG002 - for those that are about users
        """Return the user that an incident is about, if it is about one."""
        return None

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        """Yield the incidents that are new or have grown."""
        for row in self._rows(observed):
            action = row[2].action
            if action in self.actions:
                yield from self._hit(Event(*row))
            elif action in SUCCESSES:
                self._succeed(Event(*row))
        touched, self._touched = self._touched, {}
        for subject, case in touched.items():
            if case.evidence is not None:
                yield self._finding(subject, case, case.evidence)

    def dump(self) -> MemoryChanges:
        """Return the cases that have changed."""
        return self._cases.dump()

    def restore(self, memory: Memory) -> None:
        """Take up the cases of the last checkpoint."""
        self._cases.restore(memory)
        for key in self._cases:
            case = self._cases.get(key)
            if case is not None and case.evidence is not None and not case.success and self.raised_by_success:
                self._await_success(Subject(*key))

    def _rows(self, observed: ObservedEvents) -> Iterator[EventRow]:
        """Yield what has to be looked at: successes only while there is an incident, since most of all events are."""
        for row in () if self._awaiting else observed.events:
            yield row
            if self._awaiting:
                place = next(index for index, each in enumerate(observed.block) if each is row)
                yield from observed.block[place + 1 :]
                return
        if self._awaiting:
            yield from observed.block

    def _hit(self, event: Event) -> Iterator[Finding]:
        subject = self.subject_of(event)
        if subject is None:
            return
        options = self._options.of(event.tags.realm, event.tags.client_id)
        if not options.enabled or is_allowed(event, options):
            return
        case = self._cases.get(subject) or Case()
        if case.evidence is not None:
            quiet = self.quiet_ms(options)
            if case.evidence.first - event.time_ms > quiet:
                return  # too old to belong to it
            if event.time_ms - case.evidence.last > quiet:
                yield from self._over(subject)
                case = Case()
        if self._grows(case, event, options):
            self._cases.put(subject, case)
            self._note(subject, case, options)

    def _over(self, subject: Subject) -> Iterator[Finding]:
        """Forget an incident, after it was told."""
        self._expect_none(subject)
        if (case := self._touched.pop(subject, None)) is not None and case.evidence is not None:
            yield self._finding(subject, case, case.evidence)

    def _grows(self, case: Case, event: Event, options: OptionsT) -> bool:
        """Add an event to a case; False when it is too old to count."""
        if case.evidence is None:
            return self._gather(case, event, options)
        case.evidence.add(event)
        return True

    def _note(self, subject: Subject, case: Case, options: OptionsT) -> None:
        """Tell of a case if it is an incident."""
        if case.evidence is not None:
            self._raise(case, self.severity_of(case.evidence.figures, options))
            self._touched[subject] = case
            if not case.success and self.raised_by_success:
                self._await_success(subject)

    def _gather(self, case: Case, event: Event, options: OptionsT) -> bool:
        """Add an event to those of the window; make it an incident when it is enough. False for one that is too old to count."""
        newest = max(event.time_ms, case.hits[-1][0] if case.hits else event.time_ms)
        oldest = newest - self.window_ms(options)
        if event.time_ms < oldest:
            return False
        insort(case.hits, _hit_of(event))
        case.hits = [hit for hit in case.hits if hit[0] >= oldest][-MOST_HITS:]
        evidence = Evidence.of([_event_of(hit) for hit in case.hits])
        if self.severity_of(evidence.figures, options) is not None:
            case.hits, case.evidence = [], evidence
        return True

    def _succeed(self, event: Event) -> None:
        tags = event.tags
        for name in {tags.client_id, event.ip, event.user_id} - {"", None}:
            for subject in list(self._awaiting.get(name or "", ())):
                case = self._cases.get(subject)
                if case is None or case.evidence is None:  # it was forgotten
                    self._expect_none(subject)
                elif event.time_ms - case.evidence.last > SUCCESS_MS:
                    self._end(subject, case, "no")
                elif self._is_of(event, subject, case.evidence):
                    self._end(subject, case, "yes")
                    self._raise(case, case.severity)
                    self._touched[subject] = case

    def _is_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:
        """Whether a success is by one of those who took part."""
        tags = event.tags
        same = subject.realm == tags.realm and subject.client_id in {"", tags.client_id}
        return (
            same and event.time_ms >= evidence.first and (event.ip in evidence.ips or event.user_id in evidence.users)
        )

    def _end(self, subject: Subject, case: Case, success: str) -> None:
        case.success = success
        self._cases.put(subject, case)
        self._expect_none(subject)

    def _raise(self, case: Case, severity: Severity | None) -> None:
        """Have a case be at least as severe; one that succeeded is one worse."""
        rank = _ORDER.index(severity or Severity.LOW)
        if case.success == "yes":
            rank = min(rank + 1, len(_ORDER) - 1)
        case.severity = _ORDER[max(rank, _ORDER.index(case.severity))]

    def _await_success(self, subject: Subject) -> None:
        self._awaiting.setdefault(subject.key or subject.client_id, {})[subject] = None

    def _expect_none(self, subject: Subject) -> None:
        name = subject.key or subject.client_id
        self._awaiting.get(name, {}).pop(subject, None)
        if not self._awaiting.get(name, True):
            del self._awaiting[name]

    def _finding(self, subject: Subject, case: Case, evidence: Evidence) -> Finding:
        return Finding(
            severity=case.severity,
            client_id=subject.client_id,
            realm=subject.realm,
            first_seen_ms=evidence.first,
            last_seen_ms=evidence.last,
            events=evidence.events,
            key=subject.key,
            user_id=self.user_of(subject),
            ips=top(evidence.ips),
            clients=top(evidence.clients),
            user_agents=top(evidence.user_agents),
            event_ids=tuple(evidence.event_ids),
        )


def _hit_of(event: Event) -> Hit:
    tags = event.tags
    return (
        event.time_ms,
        event.ip or "",
        tags.client_id,
        event.user_id or "",
        event.user_agent or "",
        event.event_id or "",
    )


def _event_of(hit: Hit) -> Event:
    time_ms, ip, client_id, user_id, user_agent, event_id = hit
    tags = Tags("", client_id, "", "", "", "", "")
    return Event(time_ms, None, tags, user_id, ip, user_agent, None, None, event_id, None)
