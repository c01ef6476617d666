"""Delivery into the embedded store: the events and the checkpoint in one transaction of one SQLite file."""

import sqlite3
import time
from collections.abc import Callable, Iterable

from ingestor.model.agreement import Agreement
from ingestor.model.points import SeriesTable
from ingestor.state.counters import save_series
from ingestor.state.rejected_file import RejectedFile
from ingestor.state.state import State
from ingestor.stores.backoff import Outage
from ingestor.stores.batch import Batch
from ingestor.stores.comparing import Comparing, Finish
from ingestor.stores.delivery import Backoff, add_to, merged
from ingestor.stores.embedded.agreement import look_at_embedded
from ingestor.stores.embedded.events import SqliteStore
from ingestor.stores.holder import EMBEDDED, check_holder
from ingestor.stores.recount import recount_embedded

BATCH_POINTS = 20_000
"""Points a transaction: large enough that the two fsyncs of a commit do not count, small enough for a flat memory."""
BATCH_BYTES = 32 << 20
"""Of lines: twenty thousand of them may be long."""
DIFFERS_ADVICE = (
    "That is a defect of tokentail: please report it with what `tokentail status --json` says. `tokentail verify` shows which"
    " lines are missing or stored twice, `tokentail rollup rebuild` counts the figures anew."
)


class EmbeddedDelivery:
    """Implements ``Delivery``. A batch is tried at once; it waits only when the disk refuses it."""

    batch_points = BATCH_POINTS
    batch_bytes = BATCH_BYTES
    can_reject_points = False

    def __init__(self, state: State, series: SeriesTable, rejected: RejectedFile) -> None:
        """Begin with nothing waiting. Raises ConfigError for a state whose events are in another store."""
        check_holder(state, EMBEDDED)
        self.acknowledged_bytes = 0
        self.accounts = state.accounts()
        self.checkpoint_at: float | None = None
        self.requests = (0, 0, 0.0)
        self.tick: Callable[[], None] = lambda: None
        self.wake: Callable[[], None] = lambda: None
        self._state = state
        self._series = series
        self._store = SqliteStore(state.connection, series)
        self._rejected = rejected
        self._waiting: Batch | None = None
        self._patience = Backoff()
        self._comparing = Comparing(self._look)

    @property
    def agreement(self) -> Agreement | None:
        """Whether the store holds what the accounts say."""
        return self._comparing.agreement

    def claim(self, sources: Iterable[str]) -> None:
        """Nobody else writes into this file."""

    def raise_if_contested(self) -> None:
        """Nobody else writes into this file."""

    counting = True
    mended = (0, 0)
    waiting_since = None

    @property
    def trouble(self) -> Outage | None:
        """Why the disk refuses."""
        return self._patience.trouble

    def stuck(self, now: float) -> bool:  # noqa: ARG002 - there is no thread but the caller's
        """Tell that nothing hangs: a commit is done by whoever asks."""
        return False

    @property
    def has_room(self) -> bool:
        """Whether the last batch is durable."""
        return self._waiting is None

    @property
    def idle(self) -> bool:
        """Whether the last batch is durable."""
        return self._waiting is None

    def submit(self, batch: Batch, now: float) -> None:
        """Take a batch and try to commit it."""
        if self._waiting is not None:
            raise ValueError("no room")
        self._waiting = batch
        self.advance(now)

    def advance(self, now: float) -> bool:
        """Try the batch that waits again, when it is time."""
        if self._comparing.advance(at_rest=self._waiting is None) is not None:
            self._comparing.tell("The embedded store", DIFFERS_ADVICE)
        if self._waiting is None or not self._patience.may_try(now):
            return False
        try:
            self.flush()
        except (sqlite3.Error, OSError) as error:
            commits, retries, seconds = self.requests
            self.requests = (commits, retries + 1, seconds)
            self._patience.failed(f"The store in {self._state.directory} cannot be written: {error}", now)
            return False
        self._patience.succeeded(now)
        return True

    migrating = False

    def flush(self, patience: float = 0.0, *, at_most: float = 0.0) -> None:  # noqa: ARG002 - a disk is not waited for
        """Commit the batch that waits. Raises sqlite3.Error and OSError; it waits on then."""
        if self._waiting is None:
            return
        try:
            self._commit(self._waiting)
        except sqlite3.Error as error:
            self._state.raise_if_damaged(error)
            raise
        self.acknowledged_bytes += self._waiting.bytes_read
        self._waiting = None

    def wait(self, seconds: float) -> None:
        """Wait: nothing comes back by itself."""
        time.sleep(seconds)

    def recount(self, sources: Iterable[str], tick: Callable[[], None]) -> int:  # noqa: ARG002 - it is one file
        """Count all events anew."""
        with self._state.transaction():
            return recount_embedded(self._state.connection, tick)

    def new_telemetry(self, host: str, interval_seconds: float) -> None:
        """Write none: nobody asks this file how the daemon was."""

    def close(self) -> None:
        """Hold nothing: the state is whoever opened it to close."""

    def _look(self) -> Finish:
        agreement = look_at_embedded(self._state.directory)
        return lambda _: agreement

    def _commit(self, batch: Batch) -> None:
        checkpoint, began = batch.checkpoint, time.monotonic()
        if batch.rejected:
            checkpoint.rejected_mark = self._rejected.append(batch.rejected)
        checkpoint.meta["heartbeat"] = repr(time.time())
        with self._state.transaction():
            save_series(self._state.connection, batch.series)
            if batch.points:
                self._store.write(batch.points)
            if batch.rewrites:
                self._store.rewrite(batch.rewrites, recount=False)
            changed = self._store.rewrite(batch.reclassified, batch.several, recount=True) if batch.reclassified else {}
            checkpoint.accounts = merged(batch.accounts, changed)
            self._state.save(checkpoint)
        if checkpoint.rejected_mark is not None:
            self._rejected.checkpointed(checkpoint.rejected_mark)
        add_to(self.accounts, checkpoint.accounts)
        self.checkpoint_at = time.time()
        commits, retries, seconds = self.requests
        self.requests = (commits + 1, retries, seconds + time.monotonic() - began)
