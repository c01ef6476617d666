"""The daemon's snapshot as line protocol of the measurement ``tokentail``."""

from collections.abc import Iterator, Mapping

from ingestor.model.finding import Severity
from ingestor.model.schema import OWN
from ingestor.model.snapshot import Snapshot
from ingestor.stores.influxdb.write.line_protocol import tag_set


def own_lines(figures: Snapshot, previous: Snapshot | None, host: str) -> Iterator[str]:
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
        "detector_failures": figures.detector_failures,
        **{f"findings_{severity}": figures.findings.get(severity, 0) for severity in Severity},
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
