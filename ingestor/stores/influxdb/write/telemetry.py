"""The daemon's own figures on their way out: to InfluxDB, at most one write under way, and never in the way of events.

A snapshot is sent once. That it cannot be written is said once, and is no trouble of the store: the events may be well.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future

from ingestor.model.snapshot import Snapshot
from ingestor.stores.influxdb.write.own_lines import own_lines
from ingestor.stores.influxdb.write.response import WriteResponse, failure

log = logging.getLogger("tokentail")


class OwnFigures:
    """Implements ``Telemetry``. Writes snapshots to the measurement ``tokentail``. What cannot be written in time is left out: the next one says more."""

    def __init__(self, write: "Callable[[bytes], Future[WriteResponse]]", host: str, interval_seconds: float) -> None:
        """``write`` sends lines to the policy of these figures, once."""
        self._write = write
        self._host = host
        self._interval = interval_seconds
        self._next_at = float("-inf")
        self._previous: Snapshot | None = None
        self._sending: Future[WriteResponse] | None = None
        self._failing = False

    def tell(self, figures: Snapshot, now: float) -> None:
        """Write a snapshot when it is time. ``now``: monotonic seconds."""
        if now < self._next_at or (self._sending is not None and not self._sending.done()):
            return
        if self._sending is not None:
            self._say(self._sending)
        self._next_at = now + self._interval
        lines = list(own_lines(figures, self._previous, self._host))
        self._previous = figures
        self._sending = self._write(("\n".join(lines) + "\n").encode())

    def _say(self, sent: "Future[WriteResponse]") -> None:
        """Say when it begins to fail, and when it works again."""
        problem = str(error) if (error := sent.exception()) is not None else failure(sent.result())
        if problem and not self._failing:
            log.warning("The daemon's own figures cannot be written, and are left out until they can: %s", problem)
        elif self._failing and not problem:
            log.info("The daemon's own figures are written again")
        self._failing = bool(problem)
