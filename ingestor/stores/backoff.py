"""Trouble with something that is tried again and again, and how long the waits in between are."""

from typing import Final, NamedTuple

FIRST_BACKOFF_SECONDS: Final = 0.5
LONGEST_BACKOFF_SECONDS: Final = 60.0


class Outage(NamedTuple):
    """Why the store refuses, and since when."""

    what: str
    since: float
    """Monotonic seconds."""
    since_wall: float
    """Seconds since the Unix epoch."""


def next_delay(backoff: float) -> float:
    """Return the wait, in seconds, behind one of ``backoff``; the first is behind 0."""
    return min(LONGEST_BACKOFF_SECONDS, max(FIRST_BACKOFF_SECONDS, backoff * 2))
