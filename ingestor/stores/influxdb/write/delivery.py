"""Delivery into InfluxDB: two requests in flight, acknowledged in order, and the checkpoint behind them about once a second.

All state is this thread's; the others send bytes and bring back what became of each point. A crash between the
acknowledgement and the checkpoint has lines read and written again, which changes nothing.
"""

import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain
from typing import Final

from ingestor.config.settings import Settings
from ingestor.model.agreement import Agreement
from ingestor.model.points import SeriesTable
from ingestor.state.rejected_file import RejectedFile
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.backoff import Outage
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import PATIENCE_SECONDS, add_to, not_written
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.ownership.claiming import Claiming
from ingestor.stores.influxdb.ownership.rebuilding import begin_rebuild
from ingestor.stores.influxdb.recovery.maintenance import Maintenance
from ingestor.stores.influxdb.recovery.recent import Recent, Sent
from ingestor.stores.influxdb.setup.plan import OWN
from ingestor.stores.influxdb.write.checkpointer import Checkpointer
from ingestor.stores.influxdb.write.counter_publisher import REQUESTS_AT_ONCE, CounterPublisher
from ingestor.stores.influxdb.write.counters import unwritten_sources
from ingestor.stores.influxdb.write.expired import ExpiredEvents
from ingestor.stores.influxdb.write.finding_publisher import FindingPublisher
from ingestor.stores.influxdb.write.in_flight import IN_FLIGHT, InFlight
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.influxdb.write.moves import Moves
from ingestor.stores.influxdb.write.partial_write import PartialWrite
from ingestor.stores.influxdb.write.recount import recount_stored
from ingestor.stores.influxdb.write.sender import Sender
from ingestor.stores.influxdb.write.telemetry import OwnFigures
from ingestor.stores.notes import REBUILDING

log = logging.getLogger("tokentail")

BATCH_POINTS: Final = 5_000
BATCH_BYTES: Final = 4 << 20
PAUSE_SECONDS: Final = 0.2
"""When nothing came for so long, the checkpoint need not wait."""
CONNECTIONS: Final = IN_FLIGHT + REQUESTS_AT_ONCE + 4
"""Also for the daemon's own figures, for findings, and for two requests of a migration."""


class InfluxDelivery:
    """Implements ``Delivery``."""

    batch_points = BATCH_POINTS
    batch_bytes = BATCH_BYTES
    can_reject_points = True

    def __init__(self, settings: Settings, state: State, series: SeriesTable, rejected: RejectedFile) -> None:
        """Nothing is sent yet. Raises ConfigError for certificates that cannot be loaded."""
        self.acknowledged_bytes = 0
        self.accounts = state.accounts()
        self.checkpoint_at: float | None = None
        self.counting = state.meta().get(REBUILDING) != "1"
        """Whether what is sent is counted. Not while a lost state is rebuilt: files that are gone would be missing."""
        self._settings = settings
        self._state = state
        self._series = series
        self._http = InfluxHttp(settings.store, connections=CONNECTIONS)
        self._sender = Sender(self._http, settings.store)
        self._background = Background(self._came_back)
        self._claiming = Claiming(settings, state, self._background)
        self._claiming.add(unwritten_sources(state.connection), self.accounts)
        self._recent = Recent(state.connection)
        self._publisher = CounterPublisher(state, settings.retention, self.write, self._recent.published)
        publish_now, came_back = self._publisher.publish_now, self._came_back
        self._findings = FindingPublisher(state, settings.retention.findings_days, self.write)
        self._maintenance = Maintenance(
            settings, state, self._http, self._recent, self._background, self.write, publish_now, came_back
        )
        self._in_flight = InFlight(self._sender, Encoder(series), self._background)
        move = self._sender, self._background, self._recent, self._in_flight.write_events
        self._moves = Moves(settings, state, series, self._http, *move)
        self._checkpointer = Checkpointer(state, series, rejected, self._recent, self._moves.notes)
        self._expired = ExpiredEvents()
        self._submitted_at = float("-inf")
        self._back = threading.Event()
        self.tick: Callable[[], None] = lambda: None
        self.wake: Callable[[], None] = lambda: None

    @property
    def trouble(self) -> Outage | None:
        """Why the store, or the disk under the state, refuses."""
        return self._claiming.trouble or self._sender.trouble or self._checkpointer.trouble

    @property
    def agreement(self) -> Agreement | None:
        """Whether InfluxDB holds what was counted, as far as that was looked at."""
        return self._maintenance.agreement

    @property
    def mended(self) -> tuple[int, int]:
        """How often InfluxDB was restarted, and how many events it had lost then and has again."""
        return self._maintenance.mended

    @property
    def requests(self) -> tuple[int, int, float]:
        """Answered, repeated, and the seconds they took."""
        return self._sender.requests, self._sender.retries, self._sender.seconds

    def stuck(self, now: float) -> bool:
        """Whether a thread neither works nor waits on purpose."""
        return self._sender.stuck(now)

    def claim(self, sources: Iterable[str]) -> None:
        """Have these sources be this state's before anything of them is sent."""
        self._claiming.add(sources, self.accounts)

    def raise_if_contested(self) -> None:
        """Raise ContestedError when another state writes the same."""
        self._claiming.raise_if_contested()

    def write(self, policy: str, body: bytes, times: list[int]) -> "Future[PartialWrite]":
        """Write points that are in no batch: counters."""
        return self._background.do(lambda: self._sender.send(policy, body, times))

    def new_telemetry(self, host: str, interval_seconds: float) -> OwnFigures:
        """Return what writes the daemon's own figures, which may be lost."""
        return OwnFigures(
            lambda body: self._background.do(lambda: self._sender.try_once(OWN, body)), host, interval_seconds
        )

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted."""
        return self._has_place and not self._claiming.holds

    @property
    def _has_place(self) -> bool:
        return (
            self._moves.idle
            and (not self._maintenance.holds or self._in_flight.needs_proof)
            and self._in_flight.has_room
            and self._checkpointer.has_room
        )

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing of what was sent was taken."""
        return self._in_flight.waiting_since

    @property
    def idle(self) -> bool:
        """Whether everything is in the store, and in a checkpoint."""
        published = (self._publisher.idle or not self.counting) and self._findings.idle
        return self._at_rest and self._claiming.confirmed and published and self._maintenance.idle

    @property
    def _at_rest(self) -> bool:
        """Whether every event that was sent is acknowledged, and in a checkpoint."""
        return self._moves.idle and not (self._in_flight or self._checkpointer.unsaved.batches)

    def submit(self, batch: Batch, now: float) -> None:
        """Send a batch."""
        if not self._has_place:
            raise ValueError("no room")
        self._submitted_at = now
        self._maintenance.changed(point[0] for point in chain(batch.points, batch.rewrites, batch.reclassified))
        if batch.reclassified or batch.may_be_stored or batch.may_be_stored_under or self._claiming.holds:
            self._moves.held = batch
        else:
            self._in_flight.send(batch)

    def advance(self, now: float, *, force: bool = False) -> bool:
        """Take what has come back; make a checkpoint when it is time. ``force``: it is time for everything."""
        self._back.clear()
        if self._checkpointer.may_try(now, force=force):
            self._advance_claims(now)
        for batch, sent in self._in_flight.returned():
            self._acknowledge(batch, sent)
        if self._checkpointer.may_try(now, force=force):
            self._move(now)
        quiet = not self._in_flight and now - self._submitted_at >= PAUSE_SECONDS
        saved = False
        if self._checkpointer.unsaved.batches and (quiet or self._checkpointer.is_due(now, force=force)):
            saved = self._save(now, force=force)
        if self._checkpointer.may_try(now, force=force):
            self._maintain(now, force=force)
        if self.counting and self._claiming.confirmed and self._publisher.advance(now, force=force):
            self._in_flight.moved()
        self._expired.tell()
        return saved

    @property
    def migrating(self) -> bool:
        """Whether embedded events are on their way."""
        return self._moves.migrating

    def flush(self, patience: float = PATIENCE_SECONDS, *, at_most: float = math.inf) -> None:
        """Wait until everything is in the store and in a checkpoint, the embedded events of a migration excepted.

        Raises UnavailableError when nothing has come back for ``patience`` seconds, or after ``at_most``; ContestedError.
        """
        began = time.monotonic()
        self._publisher.publish_now()
        while True:
            self.advance(time.monotonic(), force=True)
            self._claiming.raise_if_contested()
            if self.idle:
                return
            now = time.monotonic()
            if now - max(began, self._in_flight.moved_at) > patience or now - began > at_most:
                raise not_written(now - max(began, self._in_flight.moved_at), self.trouble, self._http.url)
            self.tick()
            self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """Wait until something comes back, but no longer than so many seconds."""
        self._back.wait(seconds)

    def recount(self, sources: Iterable[str], tick: Callable[[], None]) -> int:
        """Count the days that the raw policy holds whole; what is older stays as it was counted."""
        sources = list(sources)
        self.claim(sources)
        self.flush()
        own = sum(self.accounts[source].stored for source in sources if source in self.accounts)
        counted = recount_stored(self._settings, self._state, self._series, self._http, sources, own, tick)
        self.counting = True
        self._publisher.publish_now()
        return counted

    def close(self) -> None:
        """Stop sending. What is not in a checkpoint is read and written again next time."""
        self._expired.tell(at_once=True)
        self._sender.stop()
        since = self.waiting_since
        self._claiming.close(silent_seconds=0.0 if since is None else time.monotonic() - since)
        self._http.close()

    def _came_back(self) -> None:
        self._back.set()
        self.wake()

    def _advance_claims(self, now: float) -> None:
        others = self._claiming.advance(writable=self._sender.trouble is None)
        if not others or not self.counting:
            return
        with self._writing_state(now):
            begin_rebuild(self._state, others, self._http.url)
        self.counting = False
        self._moves.expect_stored()

    def _maintain(self, now: float, *, force: bool) -> None:
        comparable = self.counting and not self._moves.migrating  # the counters say what InfluxDB should hold
        with self._writing_state(now):
            self._maintenance.advance(comparable=comparable, at_rest=self._at_rest)
            if self._claiming.confirmed and self._findings.advance(now, force=force):
                self._in_flight.moved()

    def _move(self, now: float) -> None:
        """Go on with the move of what the held batch's lines were; it begins when nothing else is on its way."""
        with self._writing_state(now):
            try:
                if self._moves.advance():
                    self.accounts = self._state.accounts()
                    self._publisher.publish_now()
            finally:
                self._checkpointer.add_refused(self._moves.refused)
            if not self._in_flight and not self._claiming.holds and (batch := self._moves.go_on()) is not None:
                self._in_flight.send(batch)

    @contextlib.contextmanager
    def _writing_state(self, now: float) -> Iterator[None]:
        """Have what is done inside be tried again later when the disk under the state refuses it. Raises DamagedStateError."""
        try:
            yield
        except sqlite3.Error as error:
            self._checkpointer.refused(error, now)

    def _save(self, now: float, *, force: bool) -> bool:
        saved = self._checkpointer.save(now, force=force)
        if saved is None:
            return False
        self.acknowledged_bytes += saved.bytes_read
        add_to(self.accounts, saved.checkpoint.accounts)
        add_to(self.accounts, self._moves.mover.accounts)
        self._moves.mover.accounts = {}
        self.checkpoint_at = time.time()
        return True

    def _acknowledge(self, batch: Batch, sent: Sent) -> None:
        """Add a batch whose points are in the store, or refused, or too old."""
        self._in_flight.moved()
        for source, times in self._checkpointer.add(batch, sent, counting=self.counting).items():
            self._expired.add(source, times)
