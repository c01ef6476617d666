"""What the demo has to know of a server whose log it can write. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import NamedTuple

from ingestor.demo.traffic import Operation
from ingestor.model.questions import Record


class Kind(StrEnum):
    """What must become of a line."""

    EVENT = "event"
    REJECTED = "rejected"
    IGNORED = "ignored"


class Line(NamedTuple):
    """A line of the log, with its end."""

    time_ms: int
    """When it is written, Unix epoch, in simulated time."""
    data: bytes
    kind: Kind
    action: str = ""
    """Of an event."""
    key: str = ""
    """What an event is known by, in the log and in the store; no two are equal."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How a server logs the operations of the simulated day, and what else is in its log."""

    name: str
    """Short, as a title."""
    log: str
    """What is written, for sentences."""
    file_name: str
    usual_path: str
    """Where people have such a log."""
    lines: Callable[[Operation, int, Random], Sequence[Line]]
    """The lines of an operation: none where the server logs nothing of it. The number is its place in the day."""
    other: Callable[[int, Random], Line]
    """A line of this time that is no token operation (milliseconds since the Unix epoch)."""
    damages: tuple[Callable[[bytes], bytes], ...]
    """What makes a line that must be rejected of an event's line, which ends in no line break here."""
    key: Callable[[Record], str | None]
    """What a stored event is known by."""
    keys: str
    """What these are, in the plural."""
    limits: tuple[str, ...] = ()
    """What such a log cannot say of the day, in sentences."""
    unlogged: str = ""
    """Which requests leave no line, such as "such as ..."."""


def rfc3339(time_ms: int, nanoseconds: int | None = None) -> str:
    """Return a time in UTC, to the millisecond, or with so many nanoseconds below it."""
    seconds, milliseconds = divmod(time_ms, 1000)
    below = "" if nanoseconds is None else f"{nanoseconds:06d}"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}{below}Z"
