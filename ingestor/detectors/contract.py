"""What a detector is. It looks at events in the order in which they are read, and says what they amount to.

It is pure: it goes by the events' own time, so that reading them again concludes the same. What it remembers is saved in the
checkpoint behind the events, so that a kill changes nothing: events behind the checkpoint are observed again, by a detector
that has forgotten them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from ingestor.model.finding import Finding
from parsers.contract import EventRow

Memory: TypeAlias = Mapping[str, bytes]
"""What a detector remembers, in pieces with names of its own, such as one for each client."""
MemoryChanges: TypeAlias = Mapping[str, bytes | None]
"""The pieces that are others than before; None: forget this one."""


class ObservedEvents(NamedTuple):
    """New events of one log, in their order. They may be late: older than what was observed of other logs, or of this one."""

    source: str
    events: Sequence[EventRow]


class Detector(Protocol):
    """One pattern. It is made without arguments, and called by one thread."""

    name: str
    """The tag ``pattern`` of its findings: lower case, words joined by ``_``."""
    version: str
    """Another one whenever it concludes something else, or remembers it otherwise. It begins with an empty memory then."""

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return what these events, and those before them, amount to: incidents that are new or have grown.

        However the events are cut into calls, the last word on each incident is the same.
        """
        ...

    def dump(self) -> MemoryChanges:
        """Return what has changed of its memory since the last call, or since ``restore``.

        It is called before each checkpoint, so it should cost what has changed, not what is remembered.
        """
        ...

    def restore(self, memory: Memory) -> None:
        """Take up what was dumped up to the last checkpoint; called once, before anything is observed."""
        ...
