"""Far more of one kind about one subject than a window should have: for what is too frequent, and too many, to look at each."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from ingestor.detectors.contract import Memory, MemoryChanges, Meter, ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.case import Subject
from ingestor.detectors.parts.evidence import Evidence, hit_of, top
from ingestor.detectors.parts.measured import Measurable
from ingestor.detectors.parts.memory import BoundedMemory, Key
from ingestor.detectors.parts.surge import CLOCK_MS, HOUR_MS, OptionsT
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow

MOST_SUBJECTS: Final = 5_000
MOST_SHOWN: Final = 128
"""Events of an incident whose addresses, users and so on are counted. The others are counted alone."""


@dataclass(slots=True)
class Count:
    """The events of a subject in its newest window, and the incident that they are part of."""

    window: int
    """Its number: times divided by its length."""
    first: int
    """The time of its first event, milliseconds since the Unix epoch."""
    events: int = 0
    left: int = 0
    """So many more are too many."""
    evidence: Evidence | None = None

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.window, self.first, self.events, self.left, self.evidence and self.evidence.to_json()]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Count":
        """Return it again."""
        window, first, events, left, evidence = value
        return cls(window, first, events, left, evidence and Evidence(*evidence))


class Flood(Measurable, ABC, Generic[OptionsT]):
    """A detector of windows with too many events. Its findings are low: only who knows the subject can tell what is too many.

    Windows follow each other, from one full minute (or so) to another. An incident has all events of the windows that have too many, and is
    over after an hour without one. An event that is older than the newest window of its subject does not count, unless it is hours
    older: then a clock was wrong, and counting begins anew with it.
    """

    name: str
    version: str = "1"
    title: str
    actions: Collection[str]
    options: type[Options]

    def __init__(self, options: OptionsT) -> None:
        """Remember nothing."""
        self._options = options
        self._may_leave_out = bool(options.networks or options.user_agents or options.clients)
        self._counts = BoundedMemory(Count.to_json, Count.of_json, most=MOST_SUBJECTS)
        self._touched: dict[Key, Count] = {}
        self._ended: list[Finding] = []

    @abstractmethod
    def subjects_of(self, rows: Sequence[EventRow]) -> Iterable[Key | None]:
        """Return the subject of each event, as a tuple; None where it does not count."""

    @abstractmethod
    def most(self, options: OptionsT) -> int:
        """Return how many events in a window are too many."""

    @abstractmethod
    def window_ms(self) -> int:
        """Return how long a window is."""

    def observe(self, observed: ObservedEvents) -> Sequence[Finding]:
        """Return the incidents that are new or have grown."""
        rows, length = observed.events, self.window_ms()
        get, mark = self._counts.get, self._counts.mark
        for row, key in zip(rows, self.subjects_of(rows), strict=True):
            if key is None or (self._may_leave_out and self._is_left_out(row)):
                continue
            count = get(key)
            if count is not None and count.window == row[0] // length and count.left > 1:
                count.events += 1
                count.left -= 1
                mark(key)
            else:
                self._count(key, count, row, row[0] // length)
        findings, self._ended = self._ended, []
        touched, self._touched = self._touched, {}
        return [*findings, *(_finding(key, count.evidence) for key, count in touched.items() if count.evidence)]

    def measure(self, meter: Meter) -> None:
        """Tell a meter of each window that is over, and in the end of those that are not."""
        super().measure(meter)
        meter.at_end(self._tell_open)

    def dump(self) -> MemoryChanges:
        """Return the counts that have changed."""
        return self._counts.dump()

    def restore(self, memory: Memory) -> None:
        """Take up the counts of the last checkpoint."""
        self._counts.restore(memory)

    def _is_left_out(self, row: EventRow) -> bool:
        options = self._options.of(row[2].realm, row[2].client_id)
        return not options.enabled or is_allowed(Event(*row), options)

    def _count(self, key: Key, count: Count | None, row: EventRow, window: int) -> None:
        """Count an event that begins a window, or is one too many."""
        if count is None:
            count = Count(window, row[0])
        elif 0 < (count.window - window) * self.window_ms() <= CLOCK_MS:
            return  # it is late
        if count.window != window or not count.events:
            options = self._options.of(row[2].realm, row[2].client_id)
            if self.meter is not None and count.events:
                self._tell(self.meter, key, count)
            count.window, count.first, count.events, count.left = window, row[0], 0, self.most(options)
            self._counts.put(key, count)
        count.events += 1
        count.left -= 1
        if count.left <= 0:
            self._belongs(key, count, row)
        self._counts.mark(key)

    def _tell_open(self) -> None:
        for key in self._counts:
            if self.meter is not None and (count := self._counts.get(key)) is not None:
                self._tell(self.meter, key, count)

    def _tell(self, meter: Meter, key: Key, count: Count) -> None:
        realm, client_id, other = key
        end_ms = (count.window + 1) * self.window_ms() - 1
        meter.count((realm, client_id, other), count.first, end_ms, self._options.of(realm, client_id), count.events)

    def _belongs(self, key: Key, count: Count, row: EventRow) -> None:
        """Have an event belong to an incident, and all of its window with the one that is too many."""
        evidence = count.evidence
        if count.left == 0:
            if evidence is None or not -CLOCK_MS <= count.first - evidence.last <= HOUR_MS:
                ended = self._touched.pop(key, None)
                if ended is not None and ended.evidence is not None:
                    self._ended.append(_finding(key, ended.evidence))
                evidence = count.evidence = Evidence(count.first, count.first)
            evidence.events += count.events - 1
        if evidence is None:
            return
        if -count.left < MOST_SHOWN:
            evidence.count(hit_of(Event(*row)))
        else:
            evidence.events += 1
            evidence.last = max(evidence.last, row[0])
        self._touched[key] = count


def _finding(key: Key, evidence: Evidence) -> Finding:
    subject = Subject(*key)
    return Finding(
        severity=Severity.LOW,
        client_id=subject.client_id,
        realm=subject.realm,
        first_seen_ms=evidence.first,
        last_seen_ms=evidence.last,
        events=evidence.events,
        key=subject.key,
        ips=top(evidence.ips),
        clients=top(evidence.clients),
        user_agents=top(evidence.user_agents),
        event_ids=tuple(evidence.event_ids),
    )
