"""When the server that answers was started, as far as it tells. It takes no secret.

Both have it among the metrics of their process, without a token and with authentication on: 1.6.7 the start itself
(``process_start_time_seconds``), 2.7.12 how long it is up (``influxdb_uptime_seconds``), which says the start to within the time of the
exchange. 1.x also has it at ``/debug/vars``, for a server whose ``/metrics`` something in between keeps. Of a server behind one
that lets neither through nobody can know; of several behind one address each tells its own.
"""

import re
import time
from datetime import datetime
from typing import Final, NamedTuple, Self

import orjson

from ingestor.stores.influxdb.client.http import InfluxHttp

TOLERANCE_SECONDS: Final = 0.05
"""By which clocks may be set meanwhile. More than that is taken for another start, which costs a look."""
_START: Final = re.compile(rb"^process_start_time_seconds (\S{1,40})\s*$", re.MULTILINE)
_UPTIME: Final = re.compile(rb"^influxdb_uptime_seconds(?:\{[^}\n]{0,200}\})? (\S{1,40})\s*$", re.MULTILINE)


class Start(NamedTuple):
    """Between which two moments a server was started: wall clock, seconds since the Unix epoch."""

    first: float
    last: float

    def is_same(self, other: "Start") -> bool:
        """Whether it may be the start of the same process."""
        return self.first - TOLERANCE_SECONDS <= other.last and other.first - TOLERANCE_SECONDS <= self.last

    def __str__(self) -> str:
        return f"{self.first!r} {self.last!r}"

    @classmethod
    def of(cls, text: str) -> Self | None:
        """Return what ``str`` has written; None for anything else."""
        first, _, last = text.partition(" ")
        try:
            return cls(float(first), float(last))
        except ValueError:
            return None


def started(http: InfluxHttp) -> Start | None:
    """Return the start of the server's process; None when it does not tell. Raises NoAnswerError."""
    sent = time.time()
    answer = http.request("GET", "/metrics", anonymous=True)
    received = time.time()
    if answer.status == 200:
        if (start := _number(_START, answer.body)) is not None:
            return Start(start, start)
        if (uptime := _number(_UPTIME, answer.body)) is not None:
            return Start(sent - uptime, received - uptime)
    answer = http.request("GET", "/debug/vars", anonymous=True)
    return _of_variables(answer.body) if answer.status == 200 else None


def _number(metric: re.Pattern[bytes], body: bytes) -> float | None:
    found = metric.search(body)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _of_variables(body: bytes) -> Start | None:
    try:
        moment = datetime.fromisoformat(orjson.loads(body)["system"]["started"]).timestamp()
    except (ValueError, LookupError, TypeError):
        return None
    return Start(moment, moment)
