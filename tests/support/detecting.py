"""What detectors say of events: the last word on each incident."""

from collections.abc import Iterable, Sequence

from ingestor.detectors.contract import Detector, ObservedEvents
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow


def last_words(detector: Detector, *events: EventRow, source: str = "audit.log") -> list[Finding]:
    """Return the last word on each incident, in the order in which they were first told. The detector goes on remembering."""
    wanted = [each for each in events if each[2].action in detector.actions]
    found = {}
    for finding in detector.observe(ObservedEvents(source, wanted, events)):
        found[finding.realm, finding.client_id, finding.first_seen_ms, finding.key] = finding
    return list(found.values())


def severities(findings: Iterable[Finding]) -> list[Severity]:
    return [finding.severity for finding in findings]


def saved(detector: Detector, memory: dict[str, bytes]) -> int:
    """Bring a memory up to date as a checkpoint does; return how many bytes were written."""
    written = 0
    for name, piece in detector.dump().items():
        written += len(name)
        if piece is None:
            memory.pop(name, None)
        else:
            memory[name] = piece
            written += len(piece)
    return written


def told(detector: Detector, events: Sequence[EventRow], *, at_once: int = 1000) -> list[Finding]:
    """As ``last_words``, of many events in blocks."""
    found = {}
    for start in range(0, len(events), at_once):
        for finding in last_words(detector, *events[start : start + at_once]):
            found[finding.realm, finding.client_id, finding.first_seen_ms, finding.key] = finding
    return list(found.values())
