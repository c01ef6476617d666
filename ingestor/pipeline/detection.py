"""The detectors beside the pipeline: they observe what becomes points, and what they say goes into the same checkpoint."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Self

from ingestor.detectors.contract import Detector, Memory, MemoryChanges, ObservedEvents, Options
from ingestor.detectors.registry import new_detectors
from ingestor.model.finding import Finding, StoredFinding, stored_finding
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.findings import keep_memory_of, load_memory, noted_versions
from ingestor.state.state import State
from parsers.contract import EventRow
from parsers.faults import kind_and_place

log = logging.getLogger("tokentail")

TagsOf = Callable[[str, str], Mapping[str, str]]
"""Takes the realm and client id of a finding; returns the tags ``realm`` and ``client_id``, as budgets allow them."""

MOST_GATHERED: Final = 4_096
"""Events that are observed at once: many cost each detector less than a few at a time, and these take it some milliseconds."""


class Detection:
    """Detectors and what they have said since the last checkpoint.

    A detector that raises an exception costs its findings of those events, and nothing else: it is said once for each kind of fault, counted, and
    the detector goes on with the next ones.
    """

    def __init__(self, detectors: Iterable[Detector], memory_of: Callable[[str], Memory] = lambda _: {}) -> None:
        """Take up what was remembered. ``memory_of`` takes the name of a detector. Raises what it raises."""
        self.failures = 0
        """Times that a detector could not observe some events, since the start."""
        self._detectors: list[Detector] = []
        self._interests: dict[frozenset[str], int] = {}
        """Which actions detectors observe: each set of these once, with its number."""
        self._findings: dict[tuple[int, str], StoredFinding] = {}
        self._told: set[str] = set()
        self._gathered: list[EventRow] = []
        self._gathered_of: tuple[str, str, TagsOf] | None = None
        """The source of these, the host, and the tags of what is found by them."""
        for detector in detectors:
            memory = memory_of(detector.name)
            try:
                detector.restore(memory)
            except Exception as error:  # noqa: BLE001 - a detector may raise anything, and events do not depend on it
                self._fail(detector, error, "It is switched off until the next start.")
            else:
                self._interests.setdefault(frozenset(detector.actions), len(self._interests))
                self._detectors.append(detector)

    def __bool__(self) -> bool:
        return bool(self._detectors)

    @classmethod
    def of(cls, state: State, options: Mapping[str, Options]) -> Self:
        """Return the detectors there are, as they were at the last checkpoint. ``options``: by detector. Raises sqlite3.Error."""
        detectors = list(new_detectors(options))
        versions = {detector.name: detector.version for detector in detectors}
        if versions != noted_versions(state.connection):
            with state.transaction():
                keep_memory_of(state.connection, versions)
        return cls(detectors, lambda name: load_memory(state.connection, name))

    def observe(self, source: str, host: str, events: Sequence[EventRow], tags_of: TagsOf) -> list[StoredFinding]:
        """Have new events of one log observed; return what was found by them. ``host``: the tag of the findings."""
        found: list[StoredFinding] = []
        if not events:
            return found
        wanted = self._wanted(events)
        for detector in self._detectors:
            observed = ObservedEvents(source, wanted[self._interests[frozenset(detector.actions)]], events)
            try:
                found += [_placed(detector, finding, host, tags_of) for finding in detector.observe(observed)]
            except Exception as error:  # noqa: BLE001 - as above
                self._fail(detector, error, "Its findings of some lines are missing.")
        self._findings.update((finding[:2], finding) for finding in found)
        return found

    def gather(self, source: str, host: str, events: Sequence[EventRow], tags_of: TagsOf) -> None:
        """Have new events of one log observed, with those that come before the checkpoint, or some of them."""
        of = (source, host, tags_of)
        if self._gathered and (of != self._gathered_of or len(self._gathered) >= MOST_GATHERED):
            self._observe_gathered()
        self._gathered += events
        self._gathered_of = of

    def _observe_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if self._gathered_of is not None:
            source, host, tags_of = self._gathered_of
            self.observe(source, host, gathered, tags_of)

    def _wanted(self, events: Sequence[EventRow]) -> list[list[EventRow]]:
        """Return the events of each set of actions: one look at each event, however many detectors there are."""
        wanted: list[list[EventRow]] = [[] for _ in self._interests]
        adders: dict[str, list[Callable[[EventRow], None]]] = {}
        for actions, number in self._interests.items():
            for action in actions:
                adders.setdefault(action, []).append(wanted[number].append)
        nobody: list[Callable[[EventRow], None]] = []
        for row in events:
            for add in adders.get(row[2][0], nobody):
                add(row)
        return wanted

    def move_changes(self, checkpoint: Checkpoint) -> None:
        """Move what was found, and what has changed of the detectors' memories, into a checkpoint."""
        self._observe_gathered()
        checkpoint.findings, self._findings = self._findings, {}
        for detector in self._detectors:
            changes: MemoryChanges = {}
            try:
                changes = detector.dump()
            except Exception as error:  # noqa: BLE001 - as above
                self._fail(detector, error, "After a restart it will not remember some lines.")
            checkpoint.remembered.update(((detector.name, key), value) for key, value in changes.items())

    def _fail(self, detector: Detector, error: Exception, follows: str) -> None:
        self.failures += 1
        fault = f"The detector {detector.name!r} fails: {kind_and_place(error)}. {follows} Events are stored as always."
        if fault not in self._told:
            self._told.add(fault)
            log.error("%s", fault)


def _placed(detector: Detector, finding: Finding, host: str, tags_of: TagsOf) -> StoredFinding:
    return stored_finding(detector.name, finding, host=host, tags=tags_of(finding.realm, finding.client_id))
