"""What a detector is. It looks at events in the order in which they are read, and says what they amount to.

It is pure: it goes by the events' own time, so that reading them again concludes the same. What it remembers is saved in the
checkpoint behind the events, so that a kill changes nothing: events behind the checkpoint are observed again, by a detector
that has forgotten them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, runtime_checkable

from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow

Memory: TypeAlias = Mapping[str, bytes]
"""What a detector remembers, in pieces with names of its own, such as one for each client."""
MemoryChanges: TypeAlias = Mapping[str, bytes | None]
"""The pieces that are others than before; None: forget this one."""


class ObservedEvents(NamedTuple):
    """New events of one log, in their order. They may be late: older than what was observed of other logs, or of this one."""

    source: str
    events: Sequence[EventRow]
    """Those of the detector's ``actions``."""
    block: Sequence[EventRow] = ()
    """All that were read together, ``events`` among them as the same objects: for what is looked at only now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the configuration says of a detector, in ``[detectors.NAME]``. A detector adds fields of its own: numbers, with defaults."""

    enabled: bool = True
    networks: tuple[str, ...] = ()
    """Events from these networks are not observed. CIDR notation."""
    user_agents: tuple[str, ...] = ()
    """Nor are those of these user agents; ``*`` stands for anything."""
    clients: Mapping[tuple[str, str], Self] = field(default_factory=dict)
    """Other options for single clients, by (realm, client id): ``[detectors.NAME.clients."realm/id"]``."""

    def of(self, realm: str, client_id: str) -> Self:
        """Return the options for the events of a client."""
        return self.clients.get((realm, client_id), self) if self.clients else self


class Detector(Protocol):
    """One pattern. Its class is made with its options, and called by one thread.

    The class states, as plain attributes, what is a property here, and ``options``: the class of what it is made with.
    """

    @property
    def name(self) -> str:
        """The tag ``pattern`` of its findings: lower case, words joined by ``_``."""
        ...

    @property
    def version(self) -> str:
        """Another one whenever it concludes something else, or remembers it otherwise. It begins with an empty memory then."""
        ...

    @property
    def title(self) -> str:
        """What it finds, for people: a few words without a full stop."""
        ...

    @property
    def actions(self) -> Collection[str]:
        """It observes events of these actions alone."""
        ...

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


class Meter(Protocol):
    """Is told how much there is of what a detector compares with its options, for ``tokentail baseline``.

    A subject is the ``realm``, ``client_id`` and ``key`` of the finding that it would become. Times are milliseconds since the Unix epoch.
    """

    def judge(
        self,
        subject: tuple[str, str, str],
        time_ms: int,
        rest_ms: int,
        options: Any,
        severity_of: Callable[[Any], Severity | None],
    ) -> None:
        """Take note of an event about a subject. ``options``: that hold for it; ``severity_of``: how bad it would be by others.

        What is at most ``rest_ms`` behind another event of the same subject is measured together with it.
        """
        ...

    def count(self, subject: tuple[str, str, str], first_ms: int, last_ms: int, options: Any, events: int) -> None:
        """Take note of a window that is over, with so many events: of a detector with one threshold."""
        ...

    def full(self, options: Any, severity_of: Callable[[Any], Severity | None]) -> None:
        """Take note of how bad the most that the detector can count would be by other options."""
        ...

    def at_end(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when all events were observed: it tells what was not over."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A detector that can tell a meter what it compares with its options. It finds the same as without one."""

    thresholds: Sequence[str]
    """Its options of which one is enough: the larger it is, the less is found by it. None: there is nothing to tell."""

    def measure(self, meter: Meter) -> None:
        """Tell this meter from now on; called once, before anything is observed."""
        ...
