"""Reads back what InfluxDB acknowledged, once it was restarted, and sends again what is not there.

A server that is killed can lose what it acknowledged: 1.x and 2.x write behind the torn entry of their own log, and the next start
throws that away. So whenever another process answers than before (``started``), what is kept of the last days (``recent``) is
counted there, by source and quarter of an hour. What differs is sent again, which changes nothing of what is there, and
counters that differ are published again. Meanwhile nothing else is sent, so that the sums mean something.

Where a server does not tell its start, a broken connection and our own start stand for it. What was seen is in the state, so a
kill of both, in whatever order, has it done again.
"""

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import TokentailError, one_line
from ingestor.model.agreement import written
from ingestor.model.periods import QUARTER_HOUR, clip, merge
from ingestor.model.questions import Period
from ingestor.state.database import save_meta
from ingestor.state.findings import mark_all
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.backoff import next_delay
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.client.started import Start
from ingestor.stores.influxdb.read.retention import first_whole_day
from ingestor.stores.influxdb.recovery.lost import NOTHING_LOST, Lost, look_for_losses
from ingestor.stores.influxdb.recovery.recent import Recent
from ingestor.stores.influxdb.recovery.restarts import Suspicion, Watch
from ingestor.stores.influxdb.setup.plan import RAW
from ingestor.stores.influxdb.write.counters import write_again
from ingestor.stores.influxdb.write.partial_write import PartialWrite
from ingestor.stores.notes import BROUGHT_BACK, RESTARTS

log = logging.getLogger("tokentail")

REQUESTS_AT_ONCE: Final = 2
STARTED: Final = "store_started"
"""Key of ``meta``: the start of the server's process whose points were read back last; empty when it does not tell."""

Send = Callable[[str, bytes, list[int]], "Future[PartialWrite]"]


class ReadBack:
    """One look at a time. ``advance`` is called again and again, by the thread that has the state."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        http: InfluxHttp,
        recent: Recent,
        background: Background,
        send: Send,
        publish: Callable[[], None],
    ) -> None:
        """Ask nothing yet. ``publish`` has a round of the counters begin."""
        meta = state.meta()
        self.restarts = int(meta.get(RESTARTS, 0))
        self.brought_back = int(meta.get(BROUGHT_BACK, 0))
        self.holds = False
        """Whether nothing else may be sent; changed by ``advance`` alone."""
        self._settings = settings
        self._state = state
        self._http = http
        self._recent = recent
        self._background = background
        self._send = send
        self._publish = publish
        self._watch = Watch(http, background, Start.of(meta.get(STARTED, "")))
        self._suspicion: Suspicion | None = None
        self._asking: tuple[Suspicion, Future[Lost]] | None = None
        self._looks: list[Lost] = []
        """What was found: first, and after each time that what is kept was sent again."""
        self._rows: deque[int] = deque()
        self._sending: deque[tuple[int, Future[PartialWrite]]] = deque()
        self._retry_at = float("-inf")
        self._backoff = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is suspected, and the server, as far as it answers, was asked since the last reason to."""
        return not self.holds and self._watch.idle

    def suspect(self) -> None:
        """Look, although nobody knows of a restart: events are missing."""
        if self._suspicion is None:
            self._suspicion = Suspicion(restarted=False, start=self._watch.start)

    def advance(self, *, able: bool, at_rest: bool) -> None:
        """Go on. Raises sqlite3.Error; call it again then.

        ``able``: the state's counters say what InfluxDB should hold. ``at_rest``: and nothing is on its way there.
        """
        self._suspicion = self._watch.advance() or self._suspicion
        if self._suspicion is not None and able and time.monotonic() >= self._retry_at:
            self._go_on(self._suspicion, at_rest=at_rest)
        self.holds = self._suspicion is not None and able and time.monotonic() >= self._retry_at

    def _go_on(self, suspicion: Suspicion, *, at_rest: bool) -> None:
        if self._asking is not None:
            if self._asking[1].done():
                self._take(*self._asking, suspicion)
        elif self._rows or self._sending:
            self._send_again()
        elif self._recent.empty:
            self._finish(NOTHING_LOST, NOTHING_LOST, suspicion)
        elif at_rest:
            self._ask(suspicion)

    def _ask(self, suspicion: Suspicion) -> None:
        oldest = first_whole_day(self._settings.retention, time.time_ns())
        kept = Period(oldest, 1 << 62)
        periods = [clip(period, kept) for period in self._recent.periods(QUARTER_HOUR) if period.until > oldest]
        hours = [hour for hour in self._recent.hours() if hour >= oldest]
        directory, http, store = self._state.directory, self._http, self._settings.store
        asking = self._background.do(lambda: look_for_losses(directory, http, store, periods, hours))
        self._asking = suspicion, asking

    def _take(self, asked: Suspicion, asking: "Future[Lost]", now: Suspicion) -> None:
        """Take what a look has found, and send again; the end is when nothing is missing, or sending changes nothing."""
        self._asking = None
        try:
            lost = asking.result()
        except (TokentailError, NoAnswerError, sqlite3.Error) as error:
            if not self._backoff:
                log.warning(
                    "What InfluxDB acknowledged cannot be read back, which is tried again: %s", one_line(str(error))
                )
            self._backoff = next_delay(self._backoff)
            self._retry_at = time.monotonic() + self._backoff
            return
        self._backoff = 0.0
        if asked != now:
            return  # it was restarted meanwhile, and has perhaps lost what was just there
        self._looks.append(lost)
        if lost.events and (len(self._looks) == 1 or lost.events != self._looks[-2].events):
            quarters = sorted({cell.start for cell in lost.events})
            self._rows.extend(self._recent.within(list(merge(Period(q, q + QUARTER_HOUR) for q in quarters))))
        if not self._rows:
            self._finish(self._looks[0], lost, asked)

    def _send_again(self) -> None:
        while self._sending and self._sending[0][1].done():
            number, future = self._sending[0]
            future.result()
            with self._state.transaction():
                self._recent.renew(number)
            self._sending.popleft()
        while self._rows and len(self._sending) < REQUESTS_AT_ONCE:
            row = self._recent.row(self._rows[0])
            number = self._rows.popleft()
            if row is not None:
                self._sending.append((number, self._send(RAW, row.lines, row.times)))

    def _finish(self, first: Lost, left: Lost, suspicion: Suspicion) -> None:
        lost, gone = first.events.total(), left.events.total()
        brought_back = max(0, lost - gone)
        noted = {
            STARTED: str(suspicion.start or ""),
            RESTARTS: str(self.restarts + suspicion.restarted),
            BROUGHT_BACK: str(self.brought_back + brought_back),
        }
        with self._state.transaction():
            mark = self._state.marks.new()
            write_again(self._state.connection, first.hours, first.days, mark)
            mark_all(self._state.connection, mark)  # they are few, and InfluxDB is not asked which of them it has
            save_meta(self._state.connection, noted)
        self.restarts += suspicion.restarted
        self.brought_back += brought_back
        self._watch.start, self._suspicion = suspicion.start, None
        self._looks.clear()
        if first.hours or first.days:
            self._publish()
        self._tell(first, brought_back, suspicion)

    @staticmethod
    def _tell(first: Lost, brought_back: int, suspicion: Suspicion) -> None:
        """Say it once: what is gone for good, the comparison with the accounts says."""
        if brought_back:
            times = [cell.start for cell in first.events]
            log.warning(
                "InfluxDB %shad lost %d events that it had acknowledged, from %s to %s; they were sent again and are there",
                "was restarted, and " if suspicion.restarted else "",
                brought_back,
                written(min(times)),
                written(max(times) + QUARTER_HOUR),
            )
        elif suspicion.restarted and not first.events:
            log.info("InfluxDB was restarted; what it had acknowledged is there")
        if first.hours or first.days:
            log.info(
                "Counters of %d hours and the users of %d days are published again", len(first.hours), len(first.days)
            )
