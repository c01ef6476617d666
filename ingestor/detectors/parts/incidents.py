"""Incidents that grow with each event that belongs to them, and are over after a time without one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ingestor.detectors.contract import Memory, MemoryChanges
from ingestor.detectors.parts.evidence import Evidence, top
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.surge import MINUTE_MS, Subject
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event

MOST: Final = 500
"""Incidents that may go on growing."""
QUIET_MS: Final = 60 * MINUTE_MS
_ORDER: Final = tuple(Severity)


def worse(first: Severity | None, second: Severity | None) -> Severity | None:
    """Return the worse one of two severities; None is none yet."""
    return max((each for each in (first, second) if each is not None), key=_ORDER.index, default=None)


@dataclass(slots=True)
class Incident:
    """One incident. Who changes it puts it back with ``Incidents.put``."""

    evidence: Evidence
    severity: Severity | None
    """None as long as it is nothing to tell."""
    note: Any = None
    """What else the detector has to know of it; of JSON's types."""

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.evidence.to_json(), self.severity, self.note]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Incident":
        """Return it again."""
        evidence, severity, note = value
        return cls(Evidence(*evidence), severity and Severity(severity), note)


class Incidents:
    """The incidents of a detector, one at a time of each subject. What is older than one by more than ``quiet_ms`` belongs to none."""

    def __init__(self, prefix: str = "incident", *, quiet_ms: int = QUIET_MS, most: int = MOST) -> None:
        """``prefix``: of the names of its pieces. ``most``: incidents that go on."""
        self._quiet_ms = quiet_ms
        self._most = most
        self._open: BoundedMemory[Incident] = BoundedMemory(
            Incident.to_json, Incident.of_json, most=most, prefix=prefix
        )
        self._grown: dict[Subject, Incident] = {}
        self._over: list[Finding] = []

    def of(self, subject: Subject, time_ms: int) -> Incident | None:
        """Return the incident that something at this time would belong to, or come before; None when it would begin one."""
        incident = self._open.get(subject)
        if incident is not None and time_ms - incident.evidence.last > self._quiet_ms:
            self._end(subject)
            return None
        return incident

    def add(self, subject: Subject, event: Event, severity: Severity | None) -> Incident | None:
        """Have an event belong to the incident of its subject, which is at least so severe. Return None when it is too old."""
        incident = self.of(subject, event.time_ms)
        if incident is None:
            incident = Incident(Evidence(event.time_ms, event.time_ms), severity)
        elif incident.evidence.first - event.time_ms > self._quiet_ms:
            return None
        incident.evidence.add(event)
        incident.severity = worse(incident.severity, severity)
        self.put(subject, incident)
        return incident

    def put(self, subject: Subject, incident: Incident) -> None:
        """Take up what was changed of an incident. The one that has not grown for longest makes room."""
        if len(self._open) >= self._most and self._open.get(subject) is None:
            oldest = next(iter(self._open))
            self._end(Subject(*oldest))
        self._open.put(subject, incident)
        self._grown[subject] = incident

    def rate(self, subject: Subject, time_ms: int, severity: Severity) -> None:
        """Have an incident that goes on at this time be so severe, whatever it was before."""
        incident = self.of(subject, time_ms)
        if incident is not None and incident.severity is not severity:
            incident.severity = severity
            self.put(subject, incident)

    def take(self) -> list[Finding]:
        """Return the incidents that are new or have grown since the last call."""
        findings, self._over = self._over, []
        grown, self._grown = self._grown, {}
        for subject, incident in grown.items():
            findings += self._findings(subject, incident)
        return findings

    def dump(self) -> MemoryChanges:
        """Return the incidents that have changed."""
        return self._open.dump()

    def restore(self, memory: Memory) -> None:
        """Take up its pieces of a detector's memory."""
        self._open.restore(memory)

    def _end(self, subject: Subject) -> None:
        if (grown := self._grown.pop(subject, None)) is not None:
            self._over += self._findings(subject, grown)
        self._open.forget(subject)

    def _findings(self, subject: Subject, incident: Incident) -> Iterator[Finding]:
        if incident.severity is None:
            return
        evidence = incident.evidence
        yield Finding(
            severity=incident.severity,
            client_id=subject.client_id,
            realm=subject.realm,
            first_seen_ms=evidence.first,
            last_seen_ms=evidence.last,
            events=evidence.events,
            key=subject.key,
            user_id=next(iter(evidence.users)) if len(evidence.users) == 1 else None,
            ips=top(evidence.ips),
            clients=top(evidence.clients),
            user_agents=top(evidence.user_agents),
            event_ids=tuple(evidence.event_ids),
        )
