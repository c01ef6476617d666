"""What `tokentail status` shows: accounting, lag, positions, gaps; read from the state, beside a running daemon or without."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingestor.jobs.condition import DAY_SECONDS
from ingestor.model.accounting import Account
from ingestor.model.finding import Severity
from ingestor.model.generation import Generation, Status
from ingestor.model.log_file import FileIdentity
from ingestor.model.rotation_names import is_compressed, live_name
from ingestor.pipeline.providers import PROVIDER
from ingestor.sources.file.beside import rotated_paths
from ingestor.sources.file.files import stat_file
from ingestor.sources.file.strangers import still_there
from ingestor.state.checkpoint import Gap
from ingestor.state.database import DATABASE, suspicion
from ingestor.state.findings import count_since
from ingestor.state.health import Health, read_vitals
from ingestor.state.lock import is_held
from ingestor.state.state import State

SILENT_SECONDS = 60.0
"""A daemon writes its vitals every second; only a long commit or a long read keeps it from that."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """One source as it stands."""

    source: str
    path: str
    """Where its newest generation was last seen."""
    provider: str
    """Whose log it is, and what is around its lines (``keycloak in docker``); empty while nothing of it was an event."""
    offset: int
    unread_bytes: int | None
    """Of all generations that are not read to their end; None when the newest is in no file that may be looked at."""
    account: Account


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The whole picture."""

    running: bool
    checkpoint_age_seconds: float | None
    lag_seconds: float
    problems: tuple[str, ...]
    """What is wrong now, as far as anybody can tell: the store, a refused configuration, logs that cannot be read, a daemon that is silent."""
    total: Account
    logs: tuple[LogStatus, ...]
    gaps: tuple[Gap, ...]
    store_bytes: int
    set_aside: str | None
    """Where a damaged state was put."""
    counts: dict[str, int]
    """What the parsers left out since the daemon's start: ``addresses_invalid``, ``redacted_<kind>``."""
    findings: dict[str, int]
    """Of the detectors, with events in the last day: how many of each severity, the worst first."""


def status(state: State, now: float | None = None) -> StatusReport:
    """Report on a state. ``now``: wall clock, seconds."""
    now = time.time() if now is None else now
    meta = state.meta()
    running = is_held(state.directory)
    vitals = read_vitals(state.directory)
    heartbeat = float(meta["heartbeat"]) if "heartbeat" in meta else None
    accounts = state.accounts()
    known: dict[str, list[Generation]] = {}
    everything = list(state.generations())
    generations = [generation for generation in everything if generation.status is not Status.SKIPPED]
    for generation in generations:
        known.setdefault(generation.source, []).append(generation)
    holders = _holders(generations)
    logs = tuple(
        _log_status(
            source, meta.get(PROVIDER + source, ""), known.get(source, []), holders, accounts.get(source, Account())
        )
        for source in sorted({*known, *accounts})
    )
    total = Account()
    for account in accounts.values():
        total.add(account)
    lag_since = _lag_since(vitals, heartbeat, running=running, unread=any(entry.unread_bytes for entry in logs))
    return StatusReport(
        running=running,
        checkpoint_age_seconds=None if heartbeat is None else max(0.0, now - heartbeat),
        lag_seconds=max(0.0, now - lag_since) if lag_since else 0.0,
        problems=(*_damage(state), *(_problems(vitals, now) if running else still_there(meta, everything))),
        total=total,
        logs=logs,
        gaps=tuple(state.gaps()),
        store_bytes=_size(state.directory / DATABASE),
        set_aside=meta.get("set_aside"),
        counts=vitals.counts if vitals else {},
        findings=_findings(state, now),
    )


def _findings(state: State, now: float) -> dict[str, int]:
    found = count_since(state.connection, int((now - DAY_SECONDS) * 1000))
    return {severity.value: found.get(severity, 0) for severity in reversed(Severity)}


def _damage(state: State) -> Iterator[str]:
    if fault := suspicion(state.directory / DATABASE):
        yield f"The state database is damaged: {fault}. `tokentail run` sets it aside when it starts"


def _lag_since(vitals: Health | None, heartbeat: float | None, *, running: bool, unread: bool) -> float | None:
    if running and vitals is not None and (vitals.lag_since or not unread):
        return vitals.lag_since
    # Nobody has looked since: what is unread is at most as old as the last look.
    looks = [moment for moment in (vitals and (vitals.lag_since or vitals.written_at), heartbeat) if moment]
    return min(looks, default=None) if unread else None


def _problems(vitals: Health | None, now: float) -> Iterator[str]:
    if vitals is None:
        yield "The daemon has not said yet how it is"
        return
    if (silent := now - vitals.written_at) > SILENT_SECONDS:
        yield f"The daemon has said nothing for {silent:,.0f} s: it hangs, or its state directory cannot be written"
    if vitals.store_problem:
        since = now - (vitals.store_failing_since or vitals.written_at)
        yield f"{vitals.store_problem} (for {since:,.0f} s)"
    if vitals.config_problem:
        yield vitals.config_problem
    yield from vitals.log_problems


def _holders(generations: list[Generation]) -> dict[FileIdentity, int]:
    """Return which generation each file holds: one was truncated, or its inode used again, when a later one is there."""
    by_claim = sorted(generations, key=lambda g: (g.status is Status.OPEN and g.position.offset > 0, g.number))
    return {FileIdentity(entry.device, entry.inode): entry.number for entry in by_claim}


def _log_status(
    source: str, provider: str, known: list[Generation], holders: dict[FileIdentity, int], account: Account
) -> LogStatus:
    if not known:
        return LogStatus(source, "", provider, 0, None, account)
    newest = known[-1]
    waiting = [
        _unread(generation, holders) for generation in known if generation is newest or generation.status is Status.OPEN
    ]
    unread = None if waiting[-1] is None else sum(filter(None, waiting))
    return LogStatus(source, newest.path, provider, newest.position.offset, unread, account)


def _unread(generation: Generation, holders: dict[FileIdentity, int]) -> int | None:
    """Return how much of a generation waits in its file, under its last name or a rotated one; None when it is in none."""
    for path in _places(Path(generation.path)):
        try:
            seen = stat_file(path)
        except OSError:
            continue
        if seen is not None and seen.identity == FileIdentity(generation.device, generation.inode):
            if is_compressed(path) and generation.status is not Status.OPEN:
                return 0  # it does not grow, and its size says nothing about what it holds
            closed_at = 0 if generation.status is Status.OPEN else generation.size_seen
            return (
                max(0, seen.size - max(generation.position.offset, closed_at))
                if holders[seen.identity] == generation.number
                else 0
            )
    return None


def _places(path: Path) -> Iterator[str]:
    yield str(path)
    live = path.with_name(live_name(path.name) or path.name)
    yield from reversed(rotated_paths(str(live), ()))


def _size(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*") if part.is_file())
