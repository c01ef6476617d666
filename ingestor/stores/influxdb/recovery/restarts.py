"""Whether another process of the server answers than before, asked now and then, beside everything else."""

import time
from concurrent.futures import Future
from typing import Final, NamedTuple

from ingestor.errors import TokentailError
from ingestor.stores.background import Background
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.client.started import Start, started

WATCH_SECONDS: Final = 30.0
"""How often the server is asked; after a broken connection at once."""
BETWEEN_SECONDS: Final = 1.0
"""Between two questions, whatever breaks."""


class Suspicion(NamedTuple):
    """Why to read back what was acknowledged."""

    restarted: bool
    """Whether another process answers, for certain; else a server that does not tell may have been restarted."""
    start: Start | None
    """What it said of its start."""


class Watch:
    """Asks. Never raises: a server that does not answer is the sender's trouble."""

    def __init__(self, http: InfluxHttp, background: Background, start: Start | None) -> None:
        """Ask nothing yet. ``start``: what the state has noted."""
        self.start = start
        """Of the process whose points were read back last; None when it did not tell."""
        self._http = http
        self._background = background
        self._asking: Future[Start | None] | None = None
        self._asked_at = float("-inf")
        self._never = True
        self._failed = False
        self._broken = self._broken_then = self._answered = 0

    @property
    def idle(self) -> bool:
        """Whether there is no reason to ask but the time; a server that does not answer is none until it does."""
        return self._asking is None and not self._has_reason

    def advance(self) -> Suspicion | None:
        """Take an answer, or ask; return a suspicion when there is one."""
        if self._asking is None:
            now = time.monotonic()
            waited = now - self._asked_at
            if waited >= WATCH_SECONDS or (waited >= BETWEEN_SECONDS and self._has_reason):
                self._asked_at, self._broken_then = now, self._http.broken
                self._asking = self._background.do(lambda: started(self._http))
            return None
        if not self._asking.done():
            return None
        asking, self._asking = self._asking, None
        try:
            start = asking.result()
        except (TokentailError, NoAnswerError):
            self._failed, self._answered = True, self._http.answered
            return None
        broke = self._never or self._broken_then != self._broken
        self._never, self._failed, self._broken = False, False, self._broken_then
        return self._suspicion(start, broke=broke)

    def _suspicion(self, start: Start | None, *, broke: bool) -> Suspicion | None:
        if start is None:
            return Suspicion(restarted=False, start=None) if broke else None
        if self.start is not None and start.is_same(self.start):
            self.start = start  # its clock may go otherwise than ours, a little further at each question
            return None
        return Suspicion(restarted=self.start is not None, start=start)

    @property
    def _has_reason(self) -> bool:
        if self._failed:
            return self._http.answered != self._answered
        return self._never or self._http.broken != self._broken
