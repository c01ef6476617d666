"""Writes lines to InfluxDB until the fate of every one is known, for as long as it takes (design section 6)."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ingestor.config.settings import StoreSettings
from ingestor.errors import TokentailError, one_line
from ingestor.stores.backoff import Outage, next_delay
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.write.partial_write import PartialWrite, Progress
from ingestor.stores.influxdb.write.response import Refused, Retry, TooLarge, WriteResponse, classify

log = logging.getLogger("tokentail")

T = TypeVar("T")

MOST_POINTS: Final = 5_000
MOST_BYTES: Final = 4 << 20
"""Of one request."""
GRACE_SECONDS: Final = 10.0
"""A thread that has not moved for so long after it should have hangs."""


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The sender was told to stop before the fate of all points was known."""


class Sender:
    """Sends to one database. ``send`` may be called from several threads; what they wait for shows in ``trouble``."""

    def __init__(self, http: InfluxHttp, store: StoreSettings) -> None:
        self._http = http
        self._database = store.database
        self._timeout_seconds = store.timeout_seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._stuck: set[object] = set()
        self._proven: set[str] = set()
        """Policies that have taken a point since the start."""
        self._unproven: dict[PartialWrite, str] = {}
        """What was refused to the last point before its policy had taken one, and the policy."""
        self.trouble: Outage | None = None
        """None while all is well. It lasts until nothing is stuck: that one policy takes points says nothing of another."""
        self._moves_by: dict[int, float] = {}
        """By thread: when it must have shown life again, monotonic seconds."""
        self.stored_at = float("-inf")
        """When points were taken last, monotonic seconds."""
        self.requests = 0
        self.retries = 0
        self.seconds = 0.0
        """How long the requests that were answered took, in sum."""

    def send(self, policy: str, body: bytes, times: Sequence[int]) -> PartialWrite:
        r"""Send lines, each ended by ``\n``, to a retention policy; return when the fate of every point is known.

        Raises Stopped.
        """
        shipment = PartialWrite(times)
        lines: list[bytes] = []
        backoff = 0.0
        try:
            while (part := shipment.next) is not None:
                if self._stop.is_set():
                    raise Stopped
                data = body
                if len(part) < len(times):
                    lines = lines or body.split(b"\n")
                    data = b"\n".join([lines[point] for point in part])
                if len(part) > 1 and (len(data) > MOST_BYTES or len(part) > MOST_POINTS):
                    shipment.apply(TooLarge(), proven=False)
                    continue
                verdict = self._post(policy, data)
                told = shipment.apply(verdict, proven=policy in self._proven)
                if told is Progress.NOTHING:
                    if shipment.unproven:
                        self._unproven[shipment] = policy
                    backoff = next_delay(backoff)
                    self._wait(shipment, verdict, backoff)
                    continue
                if told is Progress.STORED:
                    self.stored_at = time.monotonic()
                    self._proven.add(policy)
                    backoff = 0.0
                if told is Progress.STORED or policy in self._proven:
                    self._goes_on(shipment)
        finally:
            self._moves_by.pop(threading.get_ident(), None)
            self._unproven.pop(shipment, None)
        self._goes_on(shipment)
        return shipment

    def unproven(self, policy: str) -> int:
        """Return how many calls of ``send`` wait for another point to be taken: all of theirs are refused."""
        return 0 if policy in self._proven else list(self._unproven.values()).count(policy)

    def try_once(self, policy: str, body: bytes) -> WriteResponse:
        """Send lines that may be lost, and return what became of them. A failure is no ``trouble``: nothing waits for it."""
        try:
            return self._post(policy, body)
        finally:
            self._moves_by.pop(threading.get_ident(), None)

    def retry_until_done(self, work: Callable[[], T]) -> T:
        """Do something else with the server until it works, with the same patience. Raises Stopped."""
        backoff = 0.0
        try:
            while not self._stop.is_set():
                self._moves_by[threading.get_ident()] = math.inf  # how long a deletion takes nobody knows
                try:
                    result = work()
                except (TokentailError, NoAnswerError) as error:
                    backoff = next_delay(backoff)
                    self._wait(work, Retry(str(error)), backoff)
                else:
                    self._goes_on(work)
                    return result
        finally:
            self._moves_by.pop(threading.get_ident(), None)
        raise Stopped

    def stuck(self, now: float) -> bool:
        """Whether a thread has not moved although it should have. ``now``: monotonic seconds."""
        return any(now > moves_by for moves_by in list(self._moves_by.values()))

    def stop(self) -> None:
        """Have every ``send`` end soon."""
        self._stop.set()

    def _post(self, policy: str, data: bytes) -> WriteResponse:
        began = time.monotonic()
        self._moves_by[threading.get_ident()] = began + 2 * self._timeout_seconds + GRACE_SECONDS
        try:
            answer = self._http.request(
                "POST",
                "/write",
                params={"db": self._database, "rp": policy, "precision": "ns"},
                body=data,
                headers={"Content-Type": "text/plain; charset=utf-8"},
            )
        except NoAnswerError as error:
            return Retry(str(error), smaller=error.cut_off)
        except TokentailError as error:  # a secret that cannot be read: somebody may be about to replace it
            return Retry(str(error))
        with self._lock:
            self.requests += 1
            self.seconds += time.monotonic() - began
        return classify(answer.status, answer.headers, answer.body, now=time.time())

    def _goes_on(self, task: object) -> None:
        with self._lock:
            self._stuck.discard(task)
            if self.trouble is not None and not self._stuck:
                log.warning("InfluxDB takes points again, after %.0f s", time.monotonic() - self.trouble.since)
                self.trouble = None

    def _wait(self, task: object, verdict: WriteResponse, backoff: float) -> None:
        match verdict:
            case Retry(problem, after_seconds):
                asked = after_seconds or 0.0
            case Refused(reason):
                problem, asked = f"it has taken no point yet, and refuses this one: {reason}", 0.0
            case TooLarge():
                problem, asked = "it has taken no point yet, and this one is too large for it", 0.0
            case _:
                problem, asked = f"its answer makes no sense: {verdict}", 0.0
        problem = one_line(f"InfluxDB at {self._http.url} cannot be written: {problem}").rstrip(".")
        with self._lock:
            self.retries += 1
            self._stuck.add(task)
            if self.trouble is None:
                log.error("%s. Nothing is lost: it is tried again by itself, and reading waits.", problem)
                self.trouble = Outage(problem, time.monotonic(), time.time())
            else:
                self.trouble = self.trouble._replace(what=problem)
        # Jitter: many daemons must not come back in the same moment.
        seconds = max(asked, backoff * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        self._moves_by[threading.get_ident()] = time.monotonic() + seconds + GRACE_SECONDS
        self._stop.wait(seconds)
