"""A detector that remembers several things, each with names of its own for its pieces."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ingestor.detectors.contract import Memory, MemoryChanges


class Part(Protocol):
    """What a detector remembers of one kind. No prefix of a part begins with that of another one."""

    def dump(self) -> MemoryChanges:
        """As ``Detector.dump``, of this part."""
        ...

    def restore(self, memory: Memory) -> None:
        """Take up its own pieces of all of the detector's memory."""
        ...


class Remembering:
    """Dumps and restores the ``parts`` that a detector has made."""

    parts: Sequence[Part] = ()

    def dump(self) -> MemoryChanges:
        """Return the pieces of all parts that have changed."""
        return dict(self._changes())

    def restore(self, memory: Memory) -> None:
        """Give each part its pieces."""
        for part in self.parts:
            part.restore(memory)

    def _changes(self) -> Iterator[tuple[str, bytes | None]]:
        for part in self.parts:
            yield from part.dump().items()
