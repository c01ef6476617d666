"""Writes the counters to InfluxDB when they have changed, at most once a minute each."""

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final

from ingestor.config.settings import RetentionSettings
from ingestor.model.periods import DAY_NS
from ingestor.state.database import save_meta
from ingestor.state.state import State
from ingestor.stores.influxdb.write.counters import (
    NOTHING_FORGOTTEN,
    Forgotten,
    Written,
    acknowledge,
    forget_before,
    leave_forgotten,
    newest_hour,
    unwritten,
)
from ingestor.stores.influxdb.write.partial_write import PartialWrite

log = logging.getLogger("tokentail")

PUBLISH_SECONDS: Final = 60.0
FORGOTTEN: Final = "forgotten"
"""Key of ``meta``: ``hour:day``, see ``Forgotten``."""
REQUESTS_AT_ONCE: Final = 5
"""Clients, hours, totals, active users, users."""

Send = Callable[[str, bytes, list[int]], "Future[PartialWrite]"]


class CounterPublisher:
    """One round a minute; a round goes on until nothing is unwritten. Times are monotonic seconds."""

    def __init__(
        self,
        state: State,
        retention: RetentionSettings,
        send: Send,
        published: Callable[[Iterable[int]], None] = lambda _: None,
    ) -> None:
        """Write nothing yet. ``send`` takes a policy, lines and their times; ``published`` times, inside a transaction."""
        self._state = state
        self._retention = retention
        self._send = send
        self._published = published
        self._sending: deque[tuple[Written, Future[PartialWrite]]] = deque()
        self._round: int | None = None
        """Counters with a mark up to this one are written in the round that is under way."""
        self._next_round = float("-inf")
        hour, _, day = state.meta().get(FORGOTTEN, "").partition(":")
        self._forgotten = Forgotten(int(hour), int(day)) if day else NOTHING_FORGOTTEN

    @property
    def idle(self) -> bool:
        """Whether no round is under way."""
        return self._round is None

    def publish_now(self) -> None:
        """Have a round begin at once."""
        self._round = self._state.marks.last

    def advance(self, now: float, *, force: bool = False) -> bool:
        """Take what has come back, and send what is next; return whether anything had come back.

        ``now``: monotonic seconds; ``force``: a round begins, although it is not time.
        """
        moved = False
        if force or now >= self._next_round:
            self._round = self._state.marks.last
            self._next_round = now + PUBLISH_SECONDS
        if self._round is None:
            return False
        try:
            while self._sending and self._sending[0][1].done():
                written, future = self._sending[0]
                self._say_what_is_refused(written, future.result())
                with self._state.transaction():
                    acknowledge(self._state.connection, written)
                    self._published(written.times)
                self._sending.popleft()
                moved = True
            if not self._sending:
                self._go_on(self._round)
        except sqlite3.Error as error:
            log.warning("The counters cannot be marked as written: %s", error)  # the checkpoint says the rest
            self._round = None
        return moved

    def _say_what_is_refused(self, written: Written, shipment: PartialWrite) -> None:
        """Whatever was refused would be refused again. The counter stays in the state, and goes again when it changes."""
        if shipment.refused:
            log.error(
                "InfluxDB refuses %d of the counters for %s, which are wrong or missing there: %s",
                len(shipment.refused),
                written.policy,
                shipment.refused[0].reason,
            )

    def _go_on(self, mark: int) -> None:
        connection = self._state.connection
        with self._state.transaction():
            leave_forgotten(connection, self._forgotten)
            parts = unwritten(connection, mark)
        for part in parts:
            if part.lines:
                self._sending.append(
                    (part, self._send(part.policy, ("\n".join(part.lines) + "\n").encode(), part.times))
                )
        if not self._sending:
            self._round = None
            self._forget()

    def _forget(self) -> None:
        """Delete what InfluxDB keeps no longer. A clock that is years ahead must not: what is counted would begin again."""
        connection = self._state.connection
        if (newest := newest_hour(connection)) is None:
            return
        now = min(time.time_ns(), newest + DAY_NS)
        with self._state.transaction():
            gone = forget_before(
                connection,
                raw=now - self._retention.raw_days * DAY_NS,
                rollup=now - self._retention.rollup_days * DAY_NS,
            )
            forgotten = self._forgotten.and_then(gone)
            if forgotten != self._forgotten:
                save_meta(connection, {FORGOTTEN: f"{forgotten.hour}:{forgotten.day}"})
        self._forgotten = forgotten
