"""Batches on their way to InfluxDB: two requests at a time, whose answers are taken in order."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

from ingestor.stores.background import Background
from ingestor.stores.batch import Batch
from ingestor.stores.influxdb.recovery.recent import Sent, kept, pack
from ingestor.stores.influxdb.setup.plan import RAW
from ingestor.stores.influxdb.write.checkpointer import MOST_UNSAVED
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.influxdb.write.sender import Sender

IN_FLIGHT: Final = 2
MOST_UNPROVEN: Final = MOST_UNSAVED
"""Batches on their way while all is refused: as many as may be in no checkpoint."""


class InFlight:
    """The queue belongs to one thread; the requests run in others."""

    def __init__(self, sender: Sender, encoder: Encoder, background: Background) -> None:
        """Begin with nothing on its way."""
        self._sender = sender
        self._encoder = encoder
        self._background = background
        self._sending: deque[tuple[Batch, Future[Sent]]] = deque()
        self._sent_at = float("-inf")
        self.moved_at = float("-inf")
        """When the delivery of batches or counters last got on, monotonic seconds."""

    def __len__(self) -> int:
        return len(self._sending)

    @property
    def has_room(self) -> bool:
        """Whether another batch may be sent."""
        return len(self._sending) < IN_FLIGHT or self.needs_proof

    @property
    def needs_proof(self) -> bool:
        """Whether all that is on its way is refused, and only what is read next can show that the store takes points.

        Until then nothing is refused for good, so without it nothing would ever be read again.
        """
        waiting = sum(not future.done() for _, future in self._sending)
        return 0 < waiting <= self._sender.unproven(RAW) and len(self._sending) < MOST_UNPROVEN

    @property
    def waiting_since(self) -> float | None:
        """Since when nothing of what was sent was taken, monotonic seconds; None while nothing is on its way."""
        return max(self.moved_at, self._sent_at, self._sender.stored_at) if self._sending else None

    def send(self, batch: Batch) -> None:
        """Send the points of a batch."""
        points = batch.points + batch.rewrites
        body, times = self._encoder.encode(points), [point[0] for point in points]
        self._sending.append((batch, self.write_events(body, times)))
        self._sent_at = time.monotonic()

    def write_events(self, body: bytes, times: list[int]) -> "Future[Sent]":
        """Write events, of which is kept what InfluxDB takes. Packing them is left to the thread that sends them."""

        def send() -> Sent:
            packed = pack(body)
            shipment = self._sender.send(RAW, body, times)
            return Sent(shipment, kept(body, packed, times, shipment))

        return self._background.do(send)

    def returned(self) -> Iterator[tuple[Batch, Sent]]:
        """Take and yield, in order, the batches of which every point's fate is known."""
        while self._sending and self._sending[0][1].done():
            batch, future = self._sending.popleft()
            yield batch, future.result()

    def moved(self) -> None:
        """Note that the delivery got on."""
        self.moved_at = time.monotonic()
