"""Look for what is new, and fill batches from the source."""

import logging
import sqlite3
import time
from collections.abc import Callable

from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.contract import Source

log = logging.getLogger("tokentail")

HEARTBEAT_SECONDS = 10.0
"""How often an idle daemon says in the state that it lives."""
MIN_TURN_SECONDS = 0.1
"""Changes that come faster are gathered: a commit costs two fsyncs."""
READ_SECONDS = 1.0
"""How long a batch is filled, however little comes at a time: then it is stored, and the watchdog is fed."""


class Intake:
    """From a source into a pipeline. Times are monotonic seconds."""

    def __init__(self, source: Source, pipeline: Pipeline, carry_out_requests: Callable[[], None]) -> None:
        """``carry_out_requests`` is called between looking and reading, while the delivery has room."""
        self._source = source
        self._pipeline = pipeline
        self._carry_out_requests = carry_out_requests
        self._polled_at = float("-inf")
        self._shipped_at = float("-inf")
        self.behind = False
        """Whether the last turn left something to read, because it had filled a batch."""

    def look(self, now: float, *, force: bool = False) -> bool:
        """Look for what is new if it is time, so that what comes and goes is open by then; return whether it was."""
        if not force and now - self._polled_at < MIN_TURN_SECONDS:
            return False
        self._polled_at = now
        self._source.poll(now, force=force)
        return True

    def read(self, now: float, *, force: bool) -> bool:
        """Look, fill a batch and hand it over; return whether there was anything to hand over, or more to do."""
        pipeline = self._pipeline
        if self.look(now, force=force):
            if pipeline.generations.newly_followed:
                # Where reading begins is durable before anything is sent: a store that is away at the first start must
                # not make the next start the first one again, which would leave to a backfill what was rotated meanwhile.
                pipeline.submit(now)
            self._carry_out_requests()
            if not pipeline.delivery.has_room:
                return True
        try:
            pipeline.record_classifier(self._source.sources())
        except sqlite3.Error as error:
            log.warning("The state cannot be written, so nothing is read yet: %s", error)
            return False
        self._fill(now)
        worked = pipeline.has_pending or self._source.busy
        if worked or now - self._shipped_at >= HEARTBEAT_SECONDS:
            self._shipped_at = now
            pipeline.submit(now)
        return worked

    def _fill(self, now: float) -> None:
        self.behind = True
        end = time.monotonic() + READ_SECONDS
        while not self._pipeline.full:
            block = self._source.next_block(now)
            if block is None:
                self.behind = self._source.busy
                break
            self._pipeline.process(block)
            if time.monotonic() > end:
                break
