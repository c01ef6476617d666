"""Much of one kind about one subject within a short time: what most attacks look like. A detector says of what, and how much."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Generic, TypeVar

from ingestor.detectors.contract import Memory, Meter, ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.awaited import ISSUED, SUCCESSES, Awaited
from ingestor.detectors.parts.case import Case, Subject
from ingestor.detectors.parts.evidence import Evidence, Figures, hit_of, top
from ingestor.detectors.parts.measured import FULL, Measurable, Windows
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.window import Window
from ingestor.model.finding import MOST_EXAMPLES, Finding, Severity
from parsers.contract import Event, EventRow, Tags

__all__ = ["ISSUED", "MINUTE_MS", "SUCCESSES", "Subject", "Surge"]

OptionsT = TypeVar("OptionsT", bound=Options)

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
SUCCESS_MS: Final = 3 * HOUR_MS
"""A success so long after the last event belongs to the incident."""
CLOCK_MS: Final = 6 * HOUR_MS
"""An event so much older than a case says that a clock was wrong: the case begins anew with it."""
MOST_CASES: Final = 5_000
"""Subjects that are remembered, at about 1 KB each."""
_ORDER: Final = tuple(Severity)


class Surge(Measurable, Remembering, ABC, Generic[OptionsT]):
    """A detector of more than is usual within a window.

    Below its threshold a subject has the events of the window; then it is an incident, which grows with each further event until
    there was none for ``quiet_ms``. A late event counts while it is within the window of the newest one, or no older than
    ``quiet_ms`` before the incident; an older one belongs to nothing. A subject is forgotten some hours after its last event.

    A success within three hours of an incident that is more than low, of the same client and by an address or user of the incident,
    raises its severity by one. What is low looks harmless, and whoever is harmless succeeds. That success belongs to the finding, too, and
    is not counted: who looks for the finding's events sees it among them.
    """

    name: str
    version: str = "2"
    title: str
    actions: Collection[str]
    """Of the events that may be part of it, and of those that it learns from."""
    learns_from: Collection[str] = frozenset()
    """The ``actions`` of events that are no part of it, and tell what is usual: ``learn`` is shown these."""
    options: type[Options]
    raised_by_success: bool = True
    begins_at_once: bool = False
    """Whether one event is an incident, so that a threshold is about the whole of it."""
    each_stands_for: int = 1
    """So many events stand behind each that is observed."""

    def __init__(self, options: OptionsT) -> None:
        """Remember nothing."""
        self._options = options
        self._cases = BoundedMemory(Case.to_json, Case.of_json, most=MOST_CASES, prefix="case")
        self.parts = (self._cases,)
        every = (options, *(options.of(*client) for client in options.clients))
        self._keep_ms = HOUR_MS + max(SUCCESS_MS, *map(self.quiet_ms, every))
        self._touched: dict[Subject, Case] = {}
        self._ended: list[Finding] = []
        self._awaited = Awaited(self._succeed)
        self._windows = Windows()
        """For the meter."""

    def concerns(self, tags: Tags) -> bool:  # noqa: ARG002 - for those that can tell by the tags alone
        """Whether an event with these tags may be part of an incident. ``subject_of`` is asked about these alone."""
        return True

    @abstractmethod
    def subject_of(self, event: Event) -> Subject | None:
        """Return what an event is about; None when it does not count."""

    @abstractmethod
    def severity_of(self, figures: Figures, options: OptionsT) -> Severity | None:
        """Return how bad so much is; None when it is not enough."""

    @abstractmethod
    def window_ms(self, options: OptionsT) -> int:
        """Return within what time it has to be so much."""

    def fewest(self, options: OptionsT) -> int:  # noqa: ARG002 - for those that need many
        """Return of how many events ``severity_of`` need not be asked whether they are enough: of fewer than these."""
        return 1

    def quiet_ms(self, options: OptionsT) -> int:
        """Return after what time without an event an incident is over."""
        return max(HOUR_MS, self.window_ms(options))

    def least_severity_of(self, event: Event, options: OptionsT) -> Severity:  # noqa: ARG002 - for those that tell
        """Return how bad an event is by itself. An incident is no less; whether there is one, it does not decide."""
        return Severity.LOW

    def is_success_of(self, event: Event, subject: Subject, evidence: Evidence) -> bool:  # noqa: ARG002 - as above
        """Whether a success of the subject's realm and client, since the incident began, is by one of those who took part."""
        return event.ip in evidence.ips or event.user_id in evidence.users

    def user_of(self, subject: Subject) -> str | None:  # noqa: ARG002 - for those that are about users
        """Return the user that an incident is about, if it is about one."""
        return None

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Take up events that tell what is usual. These are most of all events."""

    def observe(self, observed: ObservedEvents) -> Sequence[Finding]:
        """Return the incidents that are new or have grown."""
        rows, begin = observed.events, 0
        self._awaited.begin(observed.block)
        for number in self._numbers(rows):
            self._pass(rows[begin:number])
            row, begin = rows[number], number + 1
            if self.concerns(row[2]):
                self._awaited.look_up_to(row)
                self._hit(Event(*row))
                self._awaited.look_at(row)
        self._pass(rows[begin:])
        self._awaited.end()
        findings, self._ended = self._ended, []
        touched, self._touched = self._touched, {}
        for subject, case in touched.items():
            self._tell(findings, subject, case)
        return findings

    def restore(self, memory: Memory) -> None:
        """Take up what was dumped up to the last checkpoint."""
        super().restore(memory)
        for key in self._cases:
            if (case := self._cases.get(key)) is not None:
                self._await_success(Subject(*key), case)

    def measure(self, meter: Meter) -> None:
        """Tell a meter how much there is, from event to event."""
        super().measure(meter)
        if not self.begins_at_once:
            meter.full(self._options, lambda others: self.severity_of(FULL, others))

    def _numbers(self, rows: Sequence[EventRow]) -> Iterable[int]:
        """Return which events may be part of an incident."""
        learns = self.learns_from
        if not learns:
            return range(len(rows))
        return [number for number, row in enumerate(rows) if row[2][0] not in learns]

    def _pass(self, rows: Sequence[EventRow]) -> None:
        """Learn from events."""
        if not self._awaited:
            if rows:
                self.learn(rows)
            return
        for row in rows:
            self._awaited.look_up_to(row)
            self.learn((row,))
            self._awaited.look_at(row)

    def _hit(self, event: Event) -> None:
        subject = self.subject_of(event)
        if subject is None:
            return
        options = self._options.of(event.tags.realm, event.tags.client_id)
        if not options.enabled or is_allowed(event, options):
            return
        case = self._case_of(subject, event.time_ms, options)
        if case is None:
            return
        if case.evidence is None:
            self._gather(case, event, options)
        else:
            case.evidence.add(event)
        if self.meter is not None:
            self._tell_meter(self.meter, subject, case, event, options)
        known = len(self._cases)
        self._cases.put(subject, case)
        if self._awaited or len(self._cases) > known:
            self._forget_old(event.time_ms)
        if case.evidence is not None:
            judged = self.severity_of(case.figures, options) or Severity.LOW
            self._raise(case, max(judged, self.least_severity_of(event, options), key=_ORDER.index))
            self._touched[subject] = case
            self._await_success(subject, case)

    def _tell_meter(self, meter: Meter, subject: Subject, case: Case, event: Event, options: OptionsT) -> None:
        window_ms, figures = self.window_ms(options), case.figures
        if not self.begins_at_once:
            figures = self._windows.add(subject, event, window_ms)
            figures = figures if case.successes is None else case.successes.add_to(figures)
        meter.judge(subject, event.time_ms, window_ms, options, lambda others: self.severity_of(figures, others))

    def _case_of(self, subject: Subject, time_ms: int, options: OptionsT) -> Case | None:
        """Return the case that an event at this time belongs to, which may be a new one; None when it is too old for it."""
        case = self._cases.get(subject)
        if case is None:
            self._leave(subject)  # it may have been forgotten
            return Case()
        if case.evidence is None:
            behind, most = case.window.newest - time_ms, self.window_ms(options)
        else:
            behind, most = case.evidence.first - time_ms, self.quiet_ms(options)
        is_over = case.evidence is not None and time_ms - case.evidence.last > most
        if is_over or behind > max(most, CLOCK_MS):
            self._leave(subject)
            return Case()
        return None if behind > most else case

    def _gather(self, case: Case, event: Event, options: OptionsT) -> None:
        """Add an event to those of the window; make it an incident when it is enough."""
        newest = max(event.time_ms, case.window.newest) if case.window.hits else event.time_ms
        case.window.add(hit_of(event), newest - self.window_ms(options))
        if case.successes is not None:
            case.successes.advance(newest // self.window_ms(self._options))
        if len(case.window.hits) >= self.fewest(options) and self.severity_of(case.figures, options) is not None:
            case.window, case.evidence = Window(), Evidence.of(case.window.hits)

    def _leave(self, subject: Subject) -> None:
        """Have a subject's case be followed by another one."""
        self._awaited.drop(subject)
        self._tell(self._ended, subject, self._touched.pop(subject, None))

    def _forget_old(self, now_ms: int) -> None:
        """Forget what is over for long: at most two subjects at a time, so that one wrong time forgets little."""
        for _ in range(2):
            key = next(iter(self._cases))
            case = self._cases.get(key)
            if case is not None and now_ms - case.last <= self._keep_ms:
                return
            self._cases.forget(key)
            self._awaited.drop(Subject(*key))

    def _succeed(self, subject: Subject, event: Event) -> None:
        """Have an incident see a success that has its name."""
        case, tags = self._cases.get(subject), event.tags
        if case is None or case.evidence is None:
            self._awaited.drop(subject)  # it was forgotten
            return
        same = subject.realm == tags.realm and subject.client_id in {"", tags.client_id}
        if event.time_ms - case.evidence.last > SUCCESS_MS:
            self._end(subject, case, "no")
        elif same and event.time_ms >= case.evidence.first and self.is_success_of(event, subject, case.evidence):
            case.succeeded = hit_of(event)
            self._end(subject, case, "yes")
            self._raise(case, case.severity)
            self._touched[subject] = case

    def _end(self, subject: Subject, case: Case, success: str) -> None:
        case.success = success
        self._cases.put(subject, case)
        self._awaited.drop(subject)

    def _raise(self, case: Case, severity: Severity) -> None:
        """Have a case be at least as severe; one that succeeded is one worse."""
        rank = _ORDER.index(severity)
        if case.success == "yes" and severity is not Severity.LOW:
            rank = min(rank + 1, len(_ORDER) - 1)
        case.severity = _ORDER[max(rank, _ORDER.index(case.severity))]

    def _await_success(self, subject: Subject, case: Case) -> None:
        is_open = case.evidence is not None and not case.success and case.severity is not Severity.LOW
        if is_open and self.raised_by_success:
            self._awaited.add(subject)

    def _tell(self, findings: list[Finding], subject: Subject, case: Case | None) -> None:
        if case is None or case.evidence is None:
            return
        evidence = case.evidence
        time_ms, ip, client, _, agent, event_id = case.succeeded or (evidence.last, "", "", "", "", "")
        findings.append(
            Finding(
                severity=case.severity,
                client_id=subject.client_id,
                realm=subject.realm,
                first_seen_ms=evidence.first,
                last_seen_ms=max(evidence.last, time_ms),
                events=evidence.events * self.each_stands_for,
                key=subject.key,
                user_id=self.user_of(subject),
                ips=_among(top(evidence.ips), ip),
                clients=_among(top(evidence.clients), client),
                user_agents=_among(top(evidence.user_agents), agent),
                event_ids=_among(tuple(evidence.event_ids), event_id),
            )
        )


def _among(examples: tuple[str, ...], value: str) -> tuple[str, ...]:
    """Return examples with this value among them, if it is known."""
    return examples if not value or value in examples else (*examples[: MOST_EXAMPLES - 1], value)
