"""The daemon's own figures on their way out: to InfluxDB, at most one write under way, and never in the way of events."""

import logging
from concurrent.futures import Future

from ingestor.core.figures import Figures, own_lines
from ingestor.core.shipment import Shipment
from ingestor.shell.remote import RemoteDelivery

log = logging.getLogger("tokentail")


class Telemetry:
    """Writes snapshots to the measurement ``tokentail``. What cannot be written in time is left out: the next one says more."""

    def __init__(self, delivery: RemoteDelivery, host: str, interval_seconds: float) -> None:
        self._delivery = delivery
        self._host = host
        self._interval = interval_seconds
        self._next_at = float("-inf")
        self._previous: Figures | None = None
        self._sending: Future[Shipment] | None = None

    def tell(self, figures: Figures, now: float) -> None:
        """Write a snapshot when it is time. ``now``: monotonic seconds."""
        if now < self._next_at or (self._sending is not None and not self._sending.done()):
            return
        if self._sending is not None and (error := self._sending.exception()) is not None:
            log.warning("The daemon's own figures could not be written: %s", error)
        self._next_at = now + self._interval
        lines = list(own_lines(figures, self._previous, self._host))
        self._previous = figures
        times = [int(figures.time * 1e9)] * len(lines)
        self._sending = self._delivery.write("own", ("\n".join(lines) + "\n").encode(), times)
