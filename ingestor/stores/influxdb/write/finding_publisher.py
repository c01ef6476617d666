"""Sends findings to InfluxDB soon after the checkpoint that has them. The state keeps them, so none is lost on the way."""

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final

from ingestor.detectors.registry import title_of
from ingestor.model.finding import NEWS_MS, StoredFinding, wakes
from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.periods import DAY_NS
from ingestor.state.findings import acknowledge_findings, forget_findings, unwritten_findings
from ingestor.state.state import State
from ingestor.stores.influxdb.setup.plan import FINDINGS
from ingestor.stores.influxdb.write.line_protocol import encode_finding, encode_raised
from ingestor.stores.influxdb.write.partial_write import PartialWrite

log = logging.getLogger("tokentail")

PUBLISH_SECONDS: Final = 5.0
"""An incident that grows with each event is written so often; one that is new waits as long, at most."""
FINDINGS_AT_ONCE: Final = 1_000

Send = Callable[[str, bytes, list[int]], "Future[PartialWrite]"]


class FindingPublisher:
    """One request at a time. Times are monotonic seconds."""

    def __init__(self, state: State, findings_days: int, send: Send) -> None:
        """Send nothing yet. ``findings_days``: how long InfluxDB keeps findings."""
        self._state = state
        self._kept_ns = findings_days * DAY_NS
        self._send = send
        self._sending: tuple[list[tuple[int, StoredFinding]], Future[PartialWrite]] | None = None
        self._next_at = float("-inf")
        self._forgot_at = float("-inf")

    @property
    def idle(self) -> bool:
        """Whether InfluxDB has every finding that is in a checkpoint. Raises sqlite3.Error."""
        return self._sending is None and not unwritten_findings(self._state.connection, 1)

    def advance(self, now: float, *, force: bool = False) -> bool:
        """Take what has come back, and send what is next; return whether something had come back. Raises sqlite3.Error.

        ``now``: monotonic seconds; ``force``: send, although it is not time.
        """
        moved = self._sending is not None and self._sending[1].done()
        if self._sending is not None and moved:
            written, future = self._sending
            self._say_what_is_refused(future.result())
            with self._state.transaction():
                acknowledge_findings(self._state.connection, written)
            self._sending = None
        if self._sending is None and (force or now >= self._next_at):
            self._next_at = now + PUBLISH_SECONDS
            self._forget()
            if unwritten := unwritten_findings(self._state.connection, FINDINGS_AT_ONCE):
                lines = [(encode_finding(finding), finding.time) for _, finding in unwritten]
                lines += self._news(finding for _, finding in unwritten)
                body = "".join(f"{line}\n" for line, _ in lines).encode()
                self._sending = unwritten, self._send(FINDINGS, body, [at for _, at in lines])
        return moved

    @staticmethod
    def _news(findings: Iterable[StoredFinding]) -> list[tuple[str, int]]:
        """Return the lines of what somebody has to be told of, with their times."""
        since = time.time_ns() // MILLISECOND_SLOTS - NEWS_MS
        news = (finding for finding in findings if finding.raised >= since and wakes(finding))
        return [encode_raised(finding, title_of(finding.pattern)) for finding in news]

    def _forget(self) -> None:
        """Delete what InfluxDB keeps no longer, once a day."""
        if time.monotonic() - self._forgot_at > DAY_NS / 1e9:
            self._forgot_at = time.monotonic()
            with self._state.transaction():
                forget_findings(self._state.connection, time.time_ns() - self._kept_ns)

    @staticmethod
    def _say_what_is_refused(shipment: PartialWrite) -> None:
        """Whatever was refused would be refused again. The finding stays in the state, and goes again when it grows."""
        if shipment.refused:
            log.error(
                "InfluxDB refuses %d of the findings, which are missing there: %s",
                len(shipment.refused),
                shipment.refused[0].reason,
            )
