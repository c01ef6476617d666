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
from collections import deque
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from itertools import chain
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import DamagedStateError, UnavailableError
from ingestor.model.agreement import Agreement
from ingestor.model.points import SeriesTable
from ingestor.state.counters import add_to_counters, save_series
from ingestor.state.database import is_damage, save_meta
from ingestor.state.rejected_file import RejectedFile, RejectedLine
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.backoff import Outage
from ingestor.stores.batch import Batch, refused_line
from ingestor.stores.comparing import Comparing, Finish
from ingestor.stores.delivery import PATIENCE_SECONDS, Backoff, add_to
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.ownership.claiming import Claiming
from ingestor.stores.influxdb.ownership.rebuilding import begin_rebuild
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.influxdb.read.stored_lines import InfluxLines
from ingestor.stores.influxdb.recovery.compared import look, save
from ingestor.stores.influxdb.recovery.readback import ReadBack
from ingestor.stores.influxdb.recovery.recent import Kept, Recent, Sent, kept, pack
from ingestor.stores.influxdb.setup.plan import RAW
from ingestor.stores.influxdb.write.counter_publisher import REQUESTS_AT_ONCE, CounterPublisher
from ingestor.stores.influxdb.write.counters import unwritten_sources
from ingestor.stores.influxdb.write.expired import ExpiredEvents
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.influxdb.write.migration import Migration, claim
from ingestor.stores.influxdb.write.partial_write import PartialWrite
from ingestor.stores.influxdb.write.reclassifier import Reclassifier
from ingestor.stores.influxdb.write.recount import recount_stored
from ingestor.stores.influxdb.write.response import WriteResponse
from ingestor.stores.influxdb.write.sender import Sender
from ingestor.stores.influxdb.write.uncheckpointed import Uncheckpointed
from ingestor.stores.notes import EARLIER, REBUILDING

log = logging.getLogger("tokentail")

BATCH_POINTS: Final = 5_000
BATCH_BYTES: Final = 4 << 20
IN_FLIGHT: Final = 2
CHECKPOINT_SECONDS: Final = 1.0
"""A checkpoint costs two fsyncs; what is in none is only read and written again after a crash."""
PAUSE_SECONDS: Final = 0.2
"""When nothing came for so long, the checkpoint need not wait."""
CONNECTIONS: Final = IN_FLIGHT + REQUESTS_AT_ONCE + 3
"""Also for the daemon's own figures, and for two requests of a migration."""
MOST_UNSAVED: Final = 20
"""Batches; while the disk refuses the checkpoint no more are read."""
MOST_UNSAVED_LINES: Final = 20_000
"""Rejected ones, which are held whole."""

DIFFERS_ADVICE: Final = (
    "What is missing, `tokentail backfill` of the log files of that time brings back. What nobody has counted is of a node"
    " that was cut off while another followed, or of another program: `tokentail rollup rebuild` counts it."
)


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
        self._rejected = rejected
        self._http = InfluxHttp(settings.store, connections=CONNECTIONS)
        self._sender = Sender(self._http, settings.store)
        self._encoder = Encoder(series)
        self._background = Background(self._came_back)
        self._claiming = Claiming(settings, state, self._background)
        self._claiming.add(unwritten_sources(state.connection), self.accounts)
        self._recent = Recent(state.connection)
        self._mover = Reclassifier(
            state,
            series,
            InfluxLines(self._http, settings.store, series),
            self._sender,
            self._background,
            settings.retention.raw_days,
            self._recent,
        )
        self._publisher = CounterPublisher(state, settings.retention, self.write, self._recent.published)
        self._read_back = ReadBack(
            settings, state, self._http, self._recent, self._background, self.write, self._publisher.publish_now
        )
        self._comparing = Comparing(self._look, self._came_back)
        self._tried = (0, 0)
        """Events that were missing when that was suspected to be a loss, and those that had been brought back by then."""
        self._sending: deque[tuple[Batch, Future[Sent]]] = deque()
        self._kept: list[Kept] = []
        """Of what is unsaved."""
        self._held: Batch | None = None
        """A batch that is sent only when what its lines were is moved."""
        held, self._notes = claim(settings, state)
        self._migration = Migration(state, series, self._write_events, self._notes) if held else None
        self._unsaved = Uncheckpointed(series)
        self._patience = Backoff()
        self._expired = ExpiredEvents()
        self._saved_at = self._submitted_at = self._sent_at = float("-inf")
        self._back = threading.Event()
        self._moved_at = float("-inf")
        """When the delivery of batches or counters last got on."""
        self.tick: Callable[[], None] = lambda: None
        self.wake: Callable[[], None] = lambda: None

    @property
    def trouble(self) -> Outage | None:
        """Why the store, or the disk under the state, refuses."""
        return self._claiming.trouble or self._sender.trouble or self._patience.trouble

    @property
    def agreement(self) -> Agreement | None:
        """Whether InfluxDB holds what was counted, as far as that was looked at."""
        return self._comparing.agreement

    @property
    def mended(self) -> tuple[int, int]:
        """How often InfluxDB was restarted, and how many events it had lost then and has again."""
        return self._read_back.restarts, self._read_back.brought_back

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

    def _write_events(self, body: bytes, times: list[int]) -> "Future[Sent]":
        """Write events, of which is kept what InfluxDB takes. Packing them is left to the thread that sends them."""

        def send() -> Sent:
            packed = pack(body)
            shipment = self._sender.send(RAW, body, times)
            return Sent(shipment, kept(body, packed, times, shipment))

        return self._background.do(send)

    def try_to_write(self, policy: str, body: bytes) -> "Future[WriteResponse]":
        """Write points that may be lost: the daemon's own figures."""
        return self._background.do(lambda: self._sender.try_once(policy, body))

    @property
    def has_room(self) -> bool:
        """Whether another batch may be submitted."""
        return self._has_place and not self._claiming.holds

    @property
    def _has_place(self) -> bool:
        nothing_moves = self._held is None and not self._mover.busy
        unsaved = self._unsaved
        return (
            nothing_moves
            and (not self._read_back.holds or self._needs_proof)
            and (len(self._sending) < IN_FLIGHT or self._needs_proof)
            and unsaved.batches < MOST_UNSAVED
            and len(unsaved.rejected) < MOST_UNSAVED_LINES
        )

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing of what was sent was taken."""
        return max(self._moved_at, self._sent_at, self._sender.stored_at) if self._sending else None

    @property
    def _needs_proof(self) -> bool:
        """Whether all that is on its way is refused, and only what is read next can show that the store takes points.

        Until then nothing is refused for good, so without it nothing would ever be read again.
        """
        waiting = sum(not future.done() for _, future in self._sending)
        return 0 < waiting <= self._sender.unproven(RAW) and len(self._sending) < MOST_UNSAVED

    @property
    def idle(self) -> bool:
        """Whether everything is in the store, and in a checkpoint."""
        publishing = not self._publisher.idle and self.counting
        return self._at_rest and self._claiming.settled and not publishing and self._read_back.idle

    @property
    def _comparable(self) -> bool:
        """Whether the counters of the state say what InfluxDB should hold."""
        return self.counting and self._migration is None

    @property
    def _at_rest(self) -> bool:
        """Whether every event that was sent is acknowledged, and in a checkpoint."""
        return not (self._held is not None or self._mover.busy or self._sending or self._unsaved.batches)

    def submit(self, batch: Batch, now: float) -> None:
        """Send a batch."""
        if not self._has_place:
            raise ValueError("no room")
        self._submitted_at = now
        if self._comparing.looking:
            self._comparing.changed(point[0] for point in chain(batch.points, batch.rewrites, batch.reclassified))
        if batch.reclassified or batch.may_be_stored or batch.may_be_stored_under or self._claiming.holds:
            self._held = batch
        else:
            self._send(batch)

    def advance(self, now: float) -> bool:
        """Take what has come back; make a checkpoint when it is time. ``now``: infinity for a moment that is always right."""
        self._back.clear()
        self._settle_claims(now)
        while self._sending and self._sending[0][1].done():
            batch, future = self._sending.popleft()
            sent = future.result()
            self._acknowledge(batch, sent.shipment)
            if sent.kept is not None:
                self._kept.append(sent.kept)
        self._move(now)
        quiet = not self._sending and now - self._submitted_at >= PAUSE_SECONDS
        saved = False
        if self._unsaved.batches and (quiet or now - self._saved_at >= CHECKPOINT_SECONDS):
            saved = self._save(now)
        self._settle_read_back(now)
        if self.counting and self._claiming.settled and self._publisher.settle(now):
            self._moved_at = time.monotonic()
        self._expired.tell()
        return saved

    @property
    def migrating(self) -> bool:
        """Whether embedded events are on their way."""
        return self._migration is not None

    def flush(self, patience: float = PATIENCE_SECONDS, *, at_most: float = math.inf) -> None:
        """Wait until everything is in the store and in a checkpoint, the embedded events of a migration excepted.

        Raises UnavailableError when nothing has come back for ``patience`` seconds, or after ``at_most``; ContestedError.
        """
        began = time.monotonic()
        self._publisher.publish_now()
        while True:
            self.advance(float("inf"))
            self._claiming.raise_if_contested()
            if self.idle:
                return
            now = time.monotonic()
            if now - max(began, self._moved_at) > patience or now - began > at_most:
                trouble = self.trouble
                raise UnavailableError(
                    f"The store could not be written for {now - max(began, self._moved_at):.0f} s",
                    where=trouble.what if trouble else self._http.url,
                    advice="Nothing is lost. `tokentail validate` looks closer; run it again when the store can be written.",
                )
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
        counted = recount_stored(self._settings, self._state, self._series, self._http, sources, tick)
        own = sum(self.accounts[source].stored for source in sources if source in self.accounts)
        with self._state.transaction():
            save_meta(self._state.connection, {EARLIER: str(max(0, counted - own))})
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

    def _send(self, batch: Batch) -> None:
        points = batch.points + batch.rewrites
        body, times = self._encoder.encode(points), [point[0] for point in points]
        self._sending.append((batch, self._write_events(body, times)))
        self._sent_at = time.monotonic()

    def _settle_claims(self, now: float) -> None:
        if not self._patience.may_try(now):
            return
        others = self._claiming.settle(writable=self._sender.trouble is None)
        if not others or not self.counting:
            return
        try:
            begin_rebuild(self._state, others, self._http.url)
        except sqlite3.Error as error:
            self._refused(error, now)
        self.counting = False
        if self._held is not None and self._held.points:
            self._held.may_be_stored = True  # under other tags: clients may have come in another order

    def _settle_read_back(self, now: float) -> None:
        if not self._patience.may_try(now):
            return
        try:
            self._read_back.settle(able=self._comparable, at_rest=self._at_rest)
            at_rest = self._comparable and self._at_rest and not self._read_back.holds
            if (agreement := self._comparing.settle(at_rest=at_rest)) is not None:
                self._take_agreement(agreement)
        except sqlite3.Error as error:
            self._refused(error, now)

    def _look(self) -> Finish:
        """Compare some days with what InfluxDB holds; in a thread of its own."""
        with contextlib.closing(State.open_reader(self._state.directory)) as state:
            found = look(state, self._settings, Queries(self._http, self._settings.store))

        def finish(changing: Collection[int]) -> Agreement:
            with self._state.transaction():
                save(self._state.connection, found.settled(changing), found.cursor, found.at)
            return found.agreement(changing)

        return finish

    def _take_agreement(self, agreement: Agreement) -> None:
        """Have what is missing be sent again, if it is kept; tell of what that does not mend."""
        trying = agreement.missing, self._read_back.brought_back
        if agreement.missing and (trying != self._tried or not self._read_back.idle):
            self._tried = trying
            self._read_back.suspect()
        else:
            self._comparing.tell(f"InfluxDB at {self._http.url}", DIFFERS_ADVICE)

    def _move(self, now: float) -> None:
        """Go on with the move of what the held batch's lines were; it begins when nothing else is on its way."""
        if not self._patience.may_try(now):
            return
        try:
            self._mover.settle()
            self._take_refused(self._mover.refused)
            if self._migration is not None:
                self._migration.settle()
                self._take_refused(self._migration.refused)
                if self._migration.done:
                    self._migration = None
                    self.accounts = self._state.accounts()
                    self._publisher.publish_now()
        except sqlite3.Error as error:
            self._refused(error, now)
            return
        # While embedded events are on their way, what is compared is not all there yet.
        if self._mover.busy or self._sending or self._held is None or self._migration is not None:
            return
        if self._claiming.holds:
            return
        batch, self._held = self._held, None
        if batch.reclassified or batch.may_be_stored or batch.may_be_stored_under:
            if batch.reclassified:
                origins = batch.reclassified_origins
                self._mover.begin(
                    batch.reclassified,
                    batch.series,
                    counted=True,
                    listed=lambda point, reason: refused_line(origins, point, reason),
                )
                batch.reclassified = []
            else:
                self._mover.begin(batch.points, batch.series, counted=False, elsewhere=batch.may_be_stored_under)
                batch.may_be_stored, batch.may_be_stored_under = False, {}
            self._held = batch
        else:
            self._send(batch)

    def _take_refused(self, lines: list[RejectedLine]) -> None:
        if lines:
            self._unsaved.add_refused(lines)
            lines.clear()

    def _save(self, now: float) -> bool:
        if not self._patience.may_try(now):
            return False
        if now == float("inf"):  # not to be remembered
            now = time.monotonic()
        unsaved = self._unsaved
        checkpoint = unsaved.checkpoint
        try:
            if unsaved.rejected:
                checkpoint.rejected_mark = self._rejected.append(unsaved.rejected)
            checkpoint.meta["heartbeat"] = repr(time.time())
            if self._kept:
                checkpoint.meta |= self._notes
            with self._state.transaction():
                save_series(self._state.connection, unsaved.series)
                add_to_counters(self._state.connection, unsaved.tally, mark=self._state.marks.new())
                self._state.save(checkpoint)
                self._recent.add(self._kept)
        except (sqlite3.Error, OSError) as error:
            self._refused(error, now)
            return False
        if self._kept:
            self._notes.clear()
        self._kept.clear()
        self._patience.succeeded(now)
        if checkpoint.rejected_mark is not None:
            self._rejected.settle(checkpoint.rejected_mark)
        self.acknowledged_bytes += unsaved.bytes_read
        add_to(self.accounts, checkpoint.accounts)
        add_to(self.accounts, self._mover.accounts)
        self._mover.accounts = {}
        self.checkpoint_at = time.time()
        self._unsaved = Uncheckpointed(self._series)
        self._saved_at = now
        return True

    def _refused(self, error: sqlite3.Error | OSError, now: float) -> None:
        """Note that the disk under the state refuses. Raises DamagedStateError when that is why."""
        if isinstance(error, sqlite3.Error) and is_damage(error):
            self._state.condemn()
            raise DamagedStateError(
                f"The state database is damaged: {error}", where=str(self._state.directory)
            ) from error
        self._patience.failed(f"The state in {self._state.directory} cannot be written: {error}", now)

    def _acknowledge(self, batch: Batch, shipment: PartialWrite) -> None:
        """Add a batch whose points are in the store, or refused, or too old."""
        self._moved_at = time.monotonic()
        too_old = self._unsaved.add(batch, shipment, counting=self.counting)
        for source, times in too_old.items():
            self._expired.add(source, times)
