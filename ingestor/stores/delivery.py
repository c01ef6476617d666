"""Delivery: from a sealed batch to the store and the checkpoint, however often it has to be tried.

The log files are the buffer. A delivery takes few batches at a time; while it has no room nothing is read, so memory stays
bounded for as long as a store is away.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from ingestor.errors import UnavailableError
from ingestor.model.accounting import Account
from ingestor.model.agreement import Agreement
from ingestor.model.snapshot import Snapshot
from ingestor.stores.backoff import Outage, next_delay
from ingestor.stores.batch import Batch

log = logging.getLogger("tokentail")

PATIENCE_SECONDS = 60.0
"""How long ``flush`` waits for a store that does not answer."""


class Delivery(Protocol):
    """What every store's delivery does. Times are monotonic seconds; all is called from one thread."""

    acknowledged_bytes: int
    """Bytes of lines whose batch is durable, since the start."""
    accounts: dict[str, Account]
    """By source, of all time, as far as it is durable."""
    checkpoint_at: float | None
    """When the last checkpoint was made: wall clock, seconds."""
    tick: Callable[[], None]
    """Called now and then while ``flush`` waits; what it raises ends the waiting."""
    wake: Callable[[], None]
    """Called, from whatever thread, when there is something to take."""

    counting: bool
    """Whether what is submitted is added to the counters; not while they are to be counted anew from the stored events."""

    @property
    def trouble(self) -> Outage | None:
        """Why the store refuses; None while all is well."""
        ...

    @property
    def requests(self) -> tuple[int, int, float]:
        """Requests of the store that were answered, those that had to be repeated, and the seconds they took in sum."""
        ...

    @property
    def agreement(self) -> Agreement | None:
        """Whether the store holds as many events as were counted; None before the first look."""
        ...

    @property
    def mended(self) -> tuple[int, int]:
        """How often the store was restarted, and how many events it had lost by that and has again."""
        ...

    def stuck(self, now: float) -> bool:
        """Whether something neither works nor waits on purpose."""
        ...

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing of what was sent was taken, monotonic seconds; a store that hangs is no trouble yet."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted."""
        ...

    @property
    def idle(self) -> bool:
        """Whether everything that was submitted is durable."""
        ...

    @property
    def batch_points(self) -> int:
        """How many points make a full batch."""
        ...

    @property
    def batch_bytes(self) -> int:
        """How many bytes of lines make a full batch."""
        ...

    @property
    def can_reject_points(self) -> bool:
        """Whether the store may refuse a point for what it is, so that its line must be at hand."""
        ...

    def claim(self, sources: Iterable[str]) -> None:
        """Have these sources be this state's, where several may write into one store, before anything of them is sent."""
        ...

    def raise_if_contested(self) -> None:
        """Raise ContestedError while another state writes what is this state's."""
        ...

    def submit(self, batch: Batch, now: float) -> None:
        """Take a sealed batch. Raises DamagedStateError."""
        ...

    def advance(self, now: float) -> bool:
        """Go on with what was submitted; return whether something became durable. Raises DamagedStateError."""
        ...

    @property
    def migrating(self) -> bool:
        """Whether events of another store are on their way into this one; they are not waited for by ``flush``."""
        ...

    def flush(self, patience: float = PATIENCE_SECONDS, *, at_most: float = math.inf) -> None:
        """Make everything that was submitted durable before this returns.

        Gives up when nothing has moved for ``patience`` seconds, or after ``at_most``. Calls ``tick`` now and then.
        Raises what keeps it from that: sqlite3.Error, OSError, DamagedStateError, UnavailableError; it may be called again.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Wait until there may be something to take, but no longer than so many seconds."""
        ...

    def recount(self, sources: Iterable[str], tick: Callable[[], None]) -> int:
        """Count the counters of these sources anew from the stored events; return how many these are.

        Everything that was submitted must be durable. ``tick`` is called now and then. Raises TokentailError, sqlite3.Error.
        """
        ...

    def new_telemetry(self, host: str, interval_seconds: float) -> "Telemetry | None":
        """Return what writes the daemon's own figures into the store so often; None for a store that has no place for them."""
        ...

    def close(self) -> None:
        """Release what is held. What is not durable is read again next time."""
        ...


class Telemetry(Protocol):
    """Writes the daemon's own figures, never in the way of events."""

    def tell(self, figures: Snapshot, now: float) -> None:
        """Write a snapshot when it is time. ``now``: monotonic seconds. Raises nothing that the store is to blame for."""
        ...


def not_written(seconds: float, trouble: Outage | None, url: str) -> UnavailableError:
    """Make the error for a store that has taken nothing for so long."""
    return UnavailableError(
        f"The store could not be written for {seconds:.0f} s",
        where=trouble.what if trouble else url,
        advice="Nothing is lost. `tokentail validate` looks closer; run it again when the store can be written.",
    )


class Backoff:
    """Backoff of one thing that is tried again and again, and its trouble in the log: said once, not at every try."""

    def __init__(self) -> None:
        self.trouble: Outage | None = None
        self._retry_at = float("-inf")
        self._backoff = 0.0

    def may_try(self, now: float) -> bool:
        """Whether it is time to try."""
        return now >= self._retry_at

    def failed(self, what: str, now: float) -> None:
        """Note a failure."""
        self._backoff = next_delay(self._backoff)
        self._retry_at = now + self._backoff
        if self.trouble is None:
            log.error("%s. Nothing is lost: reading waits, and it is tried again by itself.", what)
        since = self.trouble or Outage(what, now, time.time())
        self.trouble = Outage(what, since.since, since.since_wall)

    def succeeded(self, now: float) -> None:
        """Note that it works."""
        if self.trouble is not None:
            log.warning("The store can be written again, after %.0f s", now - self.trouble.since)
        self.trouble, self._backoff, self._retry_at = None, 0.0, float("-inf")


def add_to(total: dict[str, Account], accounts: dict[str, Account]) -> None:
    """Add increments to a total."""
    for source, account in accounts.items():
        total.setdefault(source, Account()).add(account)


def merged(accounts: dict[str, Account], corrections: dict[str, Account]) -> dict[str, Account]:
    """Return the sum of two sets of increments."""
    total: dict[str, Account] = {}
    add_to(total, accounts)
    add_to(total, corrections)
    return total
