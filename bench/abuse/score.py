"""What the detectors make of a corpus: recall, false findings a quiet week, delay."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from bench.abuse.attacks import SLACK_MS, Attack
from bench.abuse.events import MINUTE_MS
from ingestor.detectors.registry import new_detectors
from ingestor.model.finding import Severity, StoredFinding
from ingestor.pipeline.detection import Detection
from parsers.contract import EventRow

_ORDER: Final = tuple(Severity)
BAR: Final = Severity.MEDIUM
"""What somebody is told of. A finding of low severity is a line in a table."""


class Found(NamedTuple):
    """A finding as it was in the end, and when it had become severe enough to be told."""

    finding: StoredFinding
    told_at_ms: int | None


class Score(NamedTuple):
    """How an attack fared."""

    attack: Attack
    by: tuple[str, ...]
    """The detectors that found it, at ``BAR`` or above; of those that should, first."""
    delay_ms: int | None
    """From its first event until it was told."""

    @property
    def is_found(self) -> bool:
        """Whether one of the expected detectors told of it."""
        return bool(self.attack.expected & set(self.by))


def findings_of(rows: Sequence[EventRow]) -> list[Found]:
    """Return what the detectors find at their defaults. Blocks are of a minute of the events' time."""
    detection = Detection(new_detectors({}))
    last: dict[tuple[int, str], StoredFinding] = {}
    told: dict[tuple[int, str], int] = {}
    for minute, group in groupby(rows, key=lambda row: row[0] // MINUTE_MS):
        block = list(group)
        for finding in detection.observe("audit.log", "host", block, _tags_of):
            key = finding.time, finding.pattern
            last[key] = finding
            if _ORDER.index(Severity(finding.severity)) >= _ORDER.index(BAR):
                told.setdefault(key, min((minute + 1) * MINUTE_MS, block[-1][0]))
    return [Found(finding, told.get(key)) for key, finding in last.items()]


def scored(attacks: Iterable[Attack], found: Sequence[Found]) -> Iterator[Score]:
    """Yield what became of each attack."""
    for attack in attacks:
        own = [each for each in found if each.told_at_ms is not None and belongs(each.finding, attack)]
        patterns = sorted({each.finding.pattern for each in own}, key=lambda name: (name not in attack.expected, name))
        expected = [each.told_at_ms for each in own if each.told_at_ms and each.finding.pattern in attack.expected]
        yield Score(attack, tuple(patterns), min(expected) - attack.begins_ms if expected else None)


def belongs(finding: StoredFinding, attack: Attack) -> bool:
    """Whether a finding is about an attack: at its time, and about one of its addresses, users or invented clients."""
    shown = finding.as_json()
    first_ms = finding.time // 1_000_000
    if finding.last_seen < attack.begins_ms or first_ms > attack.ends_ms + SLACK_MS:
        return False
    if attack.ips & set(shown["ips"]):
        return True
    return bool(shown["user_id"] and shown["user_id"] in attack.users) or bool(
        finding.pattern in attack.expected and shown["client_id"] in attack.clients
    )


def _tags_of(realm: str, client_id: str) -> dict[str, str]:
    return {"realm": realm, "client_id": client_id}
