"""One pattern that shows in several ways: about an address, or about a client when many addresses share the work."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Generic

from ingestor.detectors.contract import Memory, MemoryChanges, Meter, ObservedEvents, Options
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.surge import OptionsT, Surge
from ingestor.model.finding import Finding
from parsers.contract import EventRow


class Several(Remembering, Generic[OptionsT]):
    """Surges with the same options, of which each finds incidents about a kind of subject of its own.

    What they remember has names that begin with their numbers; ``parts`` is what else is remembered.
    """

    name: str
    version: str = "2"
    title: str
    actions: Collection[str]
    options: type[Options]
    thresholds: Sequence[str] = ()
    ways: Sequence[type[Surge[OptionsT]]]
    """At most ten."""

    def __init__(self, options: OptionsT) -> None:
        """Remember nothing."""
        self._surges = {str(number): way(options) for number, way in enumerate(self.ways)}

    def shown(self, rows: Sequence[EventRow]) -> Sequence[Sequence[EventRow]]:
        """Return the events that each surge is shown, in their order. It may learn from the others."""
        return [rows] * len(self.ways)

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        each = zip(self._surges.values(), self.shown(observed.events), strict=True)
        return [finding for surge, events in each for finding in surge.observe(observed._replace(events=events))]

    def measure(self, meter: Meter) -> None:
        """Have each surge tell a meter."""
        for surge in self._surges.values():
            surge.measure(meter)

    def restore(self, memory: Memory) -> None:
        """Give each surge, and each part, its pieces."""
        super().restore(memory)
        for number, surge in self._surges.items():
            surge.restore({name[1:]: piece for name, piece in memory.items() if name.startswith(number)})

    def dump(self) -> MemoryChanges:
        """Return what has changed."""
        return {**super().dump(), **dict(self._changes_of_surges())}

    def _changes_of_surges(self) -> Iterator[tuple[str, bytes | None]]:
        for number, surge in self._surges.items():
            for name, piece in surge.dump().items():
                yield number + name, piece
