"""What every detector must do, whatever it finds: it goes by events alone, and a kill changes nothing.

A check takes a function that makes the detector, and events of one log in their order, some of which should be findings.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from ingestor.detectors.contract import Detector, Measured, ObservedEvents
from ingestor.jobs.baseline.meter import ReachMeter
from ingestor.model.finding import Severity, StoredFinding, slot_of, stored_finding
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.schema import FINDINGS, Kind
from parsers.contract import EventRow

New: TypeAlias = Callable[[], Detector]
Found: TypeAlias = dict[tuple[int, str], StoredFinding]

PYTHON_TYPES: Final = {Kind.INTEGER: int, Kind.STRING: str}


def observe(detector: Detector, events: Sequence[EventRow], found: Found, source: str = "audit.log") -> None:
    """Have events observed; ``found`` holds the last word on each incident."""
    wanted = [event for event in events if event[2].action in detector.actions]
    for finding in detector.observe(ObservedEvents(source, wanted, events)):
        tags = {"realm": finding.realm, "client_id": finding.client_id}
        stored = stored_finding(detector.name, finding, host="idp-1", tags=tags)
        found[stored[:2]] = stored


def findings(new: New, events: Sequence[EventRow], *, at_once: int) -> Found:
    """Return what is found of events that are read in blocks of so many."""
    detector, found = new(), Found()
    detector.restore({})
    for start in range(0, len(events), at_once):
        observe(detector, events[start : start + at_once], found)
    return found


def check_it_finds_something(new: New, events: Sequence[EventRow]) -> None:
    assert findings(new, events, at_once=len(events))


def check_blocks_do_not_matter(new: New, events: Sequence[EventRow]) -> None:
    whole = findings(new, events, at_once=len(events))
    for size in (1, 2, 7, 100):
        assert findings(new, events, at_once=size) == whole


def check_a_kill_changes_nothing(new: New, events: Sequence[EventRow]) -> None:
    """After any block, what was observed since the last checkpoint is forgotten, and observed once more."""
    whole = findings(new, events, at_once=len(events))
    size = max(1, len(events) // 10)
    found, memory = Found(), dict[str, bytes]()
    for start in range(0, len(events), size):
        killed, ends_well = new(), new()
        for detector in (killed, ends_well):
            detector.restore(dict(memory))
            observe(detector, events[start : start + size], found)
        for key, value in ends_well.dump().items():
            if value is None:
                memory.pop(key, None)
            else:
                memory[key] = value
        assert not ends_well.dump(), "what has not changed is dumped again"
    assert found == whole


def check_its_findings_are_as_the_schema_says(new: New, events: Sequence[EventRow]) -> None:
    assert new().name.replace("_", "").isalnum()
    assert new().name.islower()
    assert new().version
    kinds = {field.name: PYTHON_TYPES[field.kind] for field in FINDINGS.fields}
    for finding in findings(new, events, at_once=len(events)).values():
        for name, kind in kinds.items():
            value = getattr(finding, name)
            assert value is None or isinstance(value, kind)
        assert finding.events > 0
        assert finding.last_seen >= finding.time // 1_000_000


def check_nothing_is_found_of_nothing(new: New, events: Sequence[EventRow]) -> None:
    assert not findings(new, [], at_once=1)
    detector, found = new(), Found()
    detector.restore({})
    observe(detector, [], found)
    assert not found
    assert not detector.dump()
    assert events, "a check needs events"


def check_a_meter_changes_nothing_and_is_told_of_findings(new: New, events: Sequence[EventRow]) -> None:
    """What is measured is what is judged: behind a finding there is something that reaches a threshold."""
    whole = findings(new, events, at_once=len(events))
    detector, found = new(), Found()
    if not isinstance(detector, Measured) or not detector.thresholds:
        return
    meter = ReachMeter(detector.thresholds)
    detector.measure(meter)
    detector.restore({})
    observe(detector, events, found)
    meter.end()
    assert found == whole
    reached = {slot_of(*stretch.subject) for stretch in meter.beyond}
    assert reached <= {time % MILLISECOND_SLOTS for time, _ in whole}
    assert reached or all(finding.severity == Severity.LOW or finding.user_id for finding in whole.values())


CHECKS: Final = (
    check_a_meter_changes_nothing_and_is_told_of_findings,
    check_it_finds_something,
    check_blocks_do_not_matter,
    check_a_kill_changes_nothing,
    check_its_findings_are_as_the_schema_says,
    check_nothing_is_found_of_nothing,
)
