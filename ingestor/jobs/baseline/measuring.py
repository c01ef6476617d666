"""Have the detectors look at stored events, and measure what they compare with their thresholds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from ingestor.detectors.contract import Measured, Options
from ingestor.detectors.registry import new_detectors
from ingestor.jobs.baseline.distribution import days_to_recur
from ingestor.jobs.baseline.meter import DAY_MS, Client, ReachMeter
from ingestor.model.finding import Severity, StoredFinding
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.points import Series
from ingestor.pipeline.detection import Detection
from parsers.contract import EventRow

_BLOCK: Final = 2_000
_BLOCK_MS: Final = 60_000
"""Of several logs so much time is in a block at most: within it each log comes in its turn."""
MOST_FOUND: Final = 50_000


class Found(NamedTuple):
    """A finding as it was in the end. Times are milliseconds since the Unix epoch."""

    id: str
    pattern: str
    severity: Severity
    client: Client
    """(realm, client id); without an id for one about none, or many."""
    clients: tuple[str, ...]
    """The ids of those that took part."""
    slot: int
    """What tells its subject apart (``slot_of``)."""
    first_ms: int
    last_ms: int


@dataclass(slots=True)
class Measurements:
    """What came of the events. Times are milliseconds since the Unix epoch."""

    events: int = 0
    first_ms: int = 0
    last_ms: int = 0
    failures: int = 0
    """Blocks that a detector could not observe."""
    found: dict[tuple[int, str], Found] = field(default_factory=dict)
    """By time and pattern; the first 50,000."""
    lost: int = 0
    """Findings, each as often as it grew, that are not among these."""
    meters: dict[str, ReachMeter] = field(default_factory=dict)
    """Of the detectors that are measured."""

    @property
    def days(self) -> float:
        """From the first event through the last."""
        return (self.last_ms - self.first_ms) / DAY_MS

    @property
    def days_to_recur(self) -> int:
        """On how many days something has to happen to be usual."""
        return days_to_recur(int(self.days) + 1)

    def with_detectors_of(self, other: "Measurements") -> "Measurements":
        """Return the same with what other detectors made of the same events."""
        return replace(
            self,
            failures=self.failures + other.failures,
            found=self.found | other.found,
            lost=self.lost + other.lost,
            meters=self.meters | other.meters,
        )

    def take(self, finding: StoredFinding) -> None:
        """Note a finding that is new or has grown."""
        key = finding[:2]
        if key not in self.found and len(self.found) >= MOST_FOUND:
            self.lost += 1
            return
        self.found[key] = Found(
            finding.id,
            finding.pattern,
            Severity(finding.severity),
            (finding.realm, finding.client_id),
            tuple(finding.listed("clients")),
            finding.time % MILLISECOND_SLOTS,
            finding.first_seen,
            finding.last_seen,
        )


def measure(
    rows: Iterable[tuple[Series, EventRow]],
    options: Mapping[str, Options],
    show: Callable[[int], None] | None = None,
) -> Measurements:
    """Have new detectors observe events, oldest first. ``show`` is called with their number now and then."""
    result = Measurements()
    detectors = list(new_detectors(options))
    for detector in detectors:
        if isinstance(detector, Measured) and detector.thresholds:
            meter = result.meters[detector.name] = ReachMeter(detector.thresholds)
            detector.measure(meter)
    detection = Detection(detectors)
    for (source, host), block in blocks(rows):
        if not result.events:
            result.first_ms = block[0][0]
        result.events += len(block)
        result.last_ms = block[-1][0]
        for finding in detection.observe(source, host, block, _tags_of):
            result.take(finding)
        if show is not None:
            show(result.events)
    for meter in result.meters.values():
        meter.end()
    result.failures = detection.failures
    return result


def blocks(rows: Iterable[tuple[Series, EventRow]]) -> Iterator[tuple[tuple[str, str], list[EventRow]]]:
    """Cut events into blocks of one source and host, as if their logs had been read in turns."""
    logs: dict[tuple[str, str], list[EventRow]] = {}
    log_of: dict[Series, list[EventRow]] = {}
    begun, left = 0, _BLOCK
    for series, row in rows:
        if not left or (row[0] - begun > _BLOCK_MS and len(logs) > 1):
            yield from _whole(logs)
            begun, left = row[0], _BLOCK
        log = log_of.get(series)
        if log is None:
            log = log_of[series] = logs.setdefault((series.source, series.host), [])
        log.append(row)
        left -= 1
    yield from _whole(logs)


def _whole(logs: Mapping[tuple[str, str], list[EventRow]]) -> Iterator[tuple[tuple[str, str], list[EventRow]]]:
    """Yield what there is of each log, and begin anew."""
    for place, rows in logs.items():
        if rows:
            yield place, rows.copy()
            rows.clear()


def _tags_of(realm: str, client_id: str) -> dict[str, str]:
    return {"realm": realm, "client_id": client_id}
