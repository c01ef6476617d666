"""How a daemon is: one snapshot a second, from which everything is told that watches it.

The file of vitals, the measurement ``tokentail``, Prometheus and systemd's status line say the same, since they say this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingestor.model.accounting import Account
from ingestor.model.words import counted


@dataclass(frozen=True, slots=True)
class SourceSnapshot:
    """One log. Counts are of all time, as far as they are durable."""

    account: Account
    clients: int = 0
    """Clients that have a series of their own."""
    overflowing: bool = False
    """A budget of tags is used up."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole daemon. Times are wall clock, seconds since the Unix epoch."""

    time: float
    started_at: float
    lag_since: float | None = None
    """When the oldest byte that is unread or unacknowledged was first seen; None when there is none."""
    unread_bytes: int = 0
    pending_bytes: int = 0
    """Read, and not yet durable."""
    checkpoint_at: float | None = None
    store_problem: str = ""
    store_failing_since: float | None = None
    log_problems: tuple[str, ...] = ()
    config_problem: str = ""
    """Why the configuration on disk is not the one in use."""
    store_requests: int = 0
    store_retries: int = 0
    store_seconds: float = 0.0
    """What the answered requests took, in sum."""
    store_restarts: int = 0
    """Of all time, as the next."""
    events_brought_back: int = 0
    """Events that the store had acknowledged and lost, and that were sent again."""
    events_missing: int = 0
    """Events that were acknowledged and are not in the store, as it was looked at last."""
    events_uncounted: int = 0
    """Events that are in the store and were not counted, likewise."""
    recent_gaps: int = 0
    """Gaps that were found in the last day."""
    detector_failures: int = 0
    """Times that a detector could not observe some events, since the start."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """By severity: how many incidents came to it since the start."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""
    sources: Mapping[str, SourceSnapshot] = field(default_factory=dict)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest byte that is unread or unacknowledged."""
        return max(0.0, self.time - self.lag_since) if self.lag_since else 0.0

    @property
    def total(self) -> Account:
        """The accounts of all logs."""
        total = Account()
        for source in self.sources.values():
            total.add(source.account)
        return total

    def summary(self) -> str:
        """Return one line for people: what systemd shows."""
        total = self.total
        said = (
            f"{counted(total.read, 'line')} read: {total.stored:,} stored, {total.total_rejected:,} rejected,"
            f" {total.ignored:,} ignored; lag {self.lag_seconds:.0f} s"
        )
        are = "is" if self.events_missing == 1 else "are"
        missing = (
            f"{counted(self.events_missing, 'event')} {are} not in the store any more" if self.events_missing else ""
        )
        problems = [self.store_problem, missing, self.config_problem, *self.log_problems]
        return "; ".join([*filter(None, problems), said])
