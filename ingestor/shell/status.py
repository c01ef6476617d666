"""What `tokentail status` shows: accounting, lag, positions, gaps; read from the state, beside a running daemon or without."""

import time
from dataclasses import dataclass
from pathlib import Path

from ingestor.core.accounting import Account
from ingestor.core.generation import Generation, Status
from ingestor.shell.database import DATABASE
from ingestor.shell.files import FileIdentity, look
from ingestor.shell.lock import is_held
from ingestor.shell.state import Gap, State

HEARTBEAT_LATE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class LogStatus:
    """One source as it stands."""

    source: str
    path: str
    """Where its newest generation was last seen."""
    offset: int
    unread_bytes: int | None
    """None when the file is not there or may not be looked at."""
    account: Account


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The whole picture."""

    running: bool
    checkpoint_age_seconds: float | None
    lag_seconds: float
    total: Account
    logs: tuple[LogStatus, ...]
    gaps: tuple[Gap, ...]
    store_bytes: int
    set_aside: str | None
    """Where a damaged state was put."""


def status(state: State, now: float | None = None) -> StatusReport:
    """Report on a state. ``now``: wall clock, seconds."""
    now = time.time() if now is None else now
    meta = state.meta()
    running = is_held(state.directory)
    heartbeat = float(meta["heartbeat"]) if "heartbeat" in meta else None
    accounts = state.accounts()
    newest: dict[str, Generation] = {}
    for generation in state.generations():
        if generation.status is not Status.SKIPPED:
            newest[generation.source] = generation
    logs = tuple(
        _log_status(source, newest.get(source), accounts.get(source, Account()))
        for source in sorted({*newest, *accounts})
    )
    total = Account()
    for account in accounts.values():
        total.add(account)
    unread = any(entry.unread_bytes for entry in logs)
    lag_since = float(meta.get("lag_since") or 0) or None
    if not running and unread:
        # Nobody has looked since: the oldest unread byte is at most as old as the last look.
        lag_since = lag_since or heartbeat
    return StatusReport(
        running=running,
        checkpoint_age_seconds=None if heartbeat is None else max(0.0, now - heartbeat),
        lag_seconds=max(0.0, now - lag_since) if lag_since and (unread or running) else 0.0,
        total=total,
        logs=logs,
        gaps=tuple(state.gaps()),
        store_bytes=_size(state.directory / DATABASE),
        set_aside=meta.get("set_aside"),
    )


def _log_status(source: str, generation: Generation | None, account: Account) -> LogStatus:
    if generation is None:
        return LogStatus(source, "", 0, None, account)
    try:
        seen = look(generation.path)
    except OSError:
        seen = None
    same = seen is not None and seen.identity == FileIdentity(generation.device, generation.inode)
    unread = max(0, seen.size - generation.mark.offset) if seen is not None and same else None
    return LogStatus(source, generation.path, generation.mark.offset, unread, account)


def _size(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*") if part.is_file())
