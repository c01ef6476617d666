"""The checkpoint behind what InfluxDB has taken: about once a second, in one transaction of the state.

A crash between the acknowledgement and the checkpoint has lines read and written again, which changes nothing.
"""

import sqlite3
import time
from typing import Final

from ingestor.model.points import SeriesTable
from ingestor.state.counters import add_to_counters, save_series
from ingestor.state.rejected_file import RejectedFile, RejectedLine
from ingestor.state.state import State
from ingestor.stores.backoff import Outage
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import Backoff
from ingestor.stores.influxdb.recovery.recent import Kept, Recent, Sent
from ingestor.stores.influxdb.write.uncheckpointed import Uncheckpointed

CHECKPOINT_SECONDS: Final = 1.0
"""A checkpoint costs two fsyncs; what is in none is only read and written again after a crash."""
MOST_UNSAVED: Final = 20
"""Batches; while the disk refuses the checkpoint no more are read."""
MOST_UNSAVED_LINES: Final = 20_000
"""Rejected ones, which are held whole."""


class Checkpointer:
    """Gathers what is to be durable, and makes it so. Its backoff holds for whatever is written to the state."""

    def __init__(
        self, state: State, series: SeriesTable, rejected: RejectedFile, recent: Recent, notes: dict[str, str]
    ) -> None:
        """Begin with nothing. ``notes``: what ``meta`` must say once the store has taken something; emptied then, whoever writes it first."""
        self.unsaved = Uncheckpointed(series)
        self._state = state
        self._series = series
        self._rejected = rejected
        self._recent = recent
        self._notes = notes
        self._kept: list[Kept] = []
        """Of what is unsaved."""
        self._patience = Backoff()
        self._saved_at = float("-inf")

    @property
    def trouble(self) -> Outage | None:
        """Why the disk under the state refuses."""
        return self._patience.trouble

    @property
    def has_room(self) -> bool:
        """Whether more may become unsaved."""
        return self.unsaved.batches < MOST_UNSAVED and len(self.unsaved.rejected) < MOST_UNSAVED_LINES

    def may_try(self, now: float, *, force: bool = False) -> bool:
        """Whether it is time to write to the state. ``now``: monotonic seconds; ``force``: it is, however short ago it failed."""
        return force or self._patience.may_try(now)

    def is_due(self, now: float, *, force: bool = False) -> bool:
        """Whether the last checkpoint is long enough ago."""
        return force or now - self._saved_at >= CHECKPOINT_SECONDS

    def add(self, batch: Batch, sent: Sent, *, counting: bool) -> dict[str, list[int]]:
        """Add a batch whose points are in the store, or refused, or too old; return the times of these by source."""
        too_old = self.unsaved.add(batch, sent.shipment, counting=counting)
        if sent.kept is not None:
            self._kept.append(sent.kept)
        return too_old

    def add_refused(self, lines: list[RejectedLine]) -> None:
        """Take over lines that were stored, and that the store refuses now."""
        if lines:
            self.unsaved.add_refused(lines)
            lines.clear()

    def save(self, now: float, *, force: bool = False) -> Uncheckpointed | None:
        """Make the checkpoint; return what is durable by it, None when it is not. Raises DamagedStateError."""
        if not self.may_try(now, force=force):
            return None
        unsaved = self.unsaved
        checkpoint = unsaved.checkpoint
        try:
            if unsaved.rejected:
                checkpoint.rejected_mark = self._rejected.append(unsaved.rejected)
            checkpoint.meta["heartbeat"] = repr(time.time())
            if self._kept:
                checkpoint.meta |= self._notes
            with self._state.transaction():
                save_series(self._state.connection, unsaved.series)
                mark = self._state.marks.new()
                add_to_counters(self._state.connection, unsaved.tally, mark=mark)
                self._state.save(checkpoint, mark)
                self._recent.add(self._kept)
        except (sqlite3.Error, OSError) as error:
            self.refused(error, now)
            return None
        if self._kept:
            self._notes.clear()
        self._kept.clear()
        self._patience.succeeded(now)
        if checkpoint.rejected_mark is not None:
            self._rejected.checkpointed(checkpoint.rejected_mark)
        self.unsaved = Uncheckpointed(self._series)
        self._saved_at = now
        return unsaved

    def refused(self, error: sqlite3.Error | OSError, now: float) -> None:
        """Note that the disk under the state refuses. Raises DamagedStateError when that is why."""
        self._state.raise_if_damaged(error)
        self._patience.failed(f"The state in {self._state.directory} cannot be written: {error}", now)
