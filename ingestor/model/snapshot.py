"""How a daemon is: one snapshot a second, from which everything is told that watches it.

The file of vitals, the measurement ``tokentail``, Prometheus and systemd's status line say the same, since they say this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ingestor.model.accounting import Account
from ingestor.model.schema import OWN
from ingestor.model.words import counted
from ingestor.stores.influxdb.write.line_protocol import tag_set


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One log. Counts are of all time, as far as they are durable."""

    account: Account
    clients: int = 0
    """Clients that have a series of their own."""
    overflowing: bool = False
    """A budget of tags is used up."""


@dataclass(frozen=True, slots=True)
class Figures:
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
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""
    sources: Mapping[str, SourceFigures] = field(default_factory=dict)

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


def own_lines(figures: Figures, previous: Figures | None, host: str) -> Iterator[str]:
    """Yield the figures as line protocol of the measurement ``tokentail``, at the time of the snapshot.

    ``previous``: the snapshot that was written last, for the mean latency in between.
    """
    at = int(figures.time * 1e9)
    requests = figures.store_requests - (previous.store_requests if previous else 0)
    seconds = figures.store_seconds - (previous.store_seconds if previous else 0.0)
    daemon: dict[str, int | float] = {
        "uptime_seconds": figures.time - figures.started_at,
        "lag_seconds": figures.lag_seconds,
        "unread_bytes": figures.unread_bytes,
        "pending_bytes": figures.pending_bytes,
        "checkpoint_age_seconds": figures.time - (figures.checkpoint_at or figures.started_at),
        "store_failing": int(bool(figures.store_problem)),
        "store_requests": figures.store_requests,
        "store_retries": figures.store_retries,
        "store_restarts": figures.store_restarts,
        "events_brought_back": figures.events_brought_back,
        "events_missing": figures.events_missing,
        "events_uncounted": figures.events_uncounted,
        "recent_gaps": figures.recent_gaps,
        "logs_unreadable": len(figures.log_problems),
        "redactions": sum(number for name, number in figures.counts.items() if name.startswith("redacted_")),
        "addresses_invalid": figures.counts.get("addresses_invalid", 0),
    }
    if requests > 0:
        daemon["store_latency_seconds"] = seconds / requests
    yield _line({"host": host}, daemon, at)
    for name, source in figures.sources.items():
        account = source.account
        yield _line(
            {"host": host, "source": name},
            {
                "read": account.read,
                "stored": account.stored,
                "rejected": account.total_rejected,
                "ignored": account.ignored,
                "expired": account.expired,
                "clients": source.clients,
                "budget_exhausted": int(source.overflowing),
            },
            at,
        )
        for reason, lines in sorted(account.rejected.items()):
            yield _line({"host": host, "reason": reason.value, "source": name}, {"rejected_lines": lines}, at)


def _line(tags: Mapping[str, str], fields: Mapping[str, int | float], at: int) -> str:
    # The type of a field is the type of its first point, for ever: seconds are floats also when they are whole.
    written = ",".join(
        f"{key}={float(value):.6f}" if key.endswith("_seconds") else f"{key}={int(value)}i"
        for key, value in fields.items()
    )
    return f"{OWN.name}{tag_set(tags)} {written} {at}"
