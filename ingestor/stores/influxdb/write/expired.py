"""Events that are older than the store keeps: counted, and told as one range a source, at most once a minute."""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from ingestor.model.words import counted

log = logging.getLogger("tokentail")

QUIET_SECONDS: Final = 60.0


class ExpiredEvents:
    """What has not been told yet. Times are nanoseconds."""

    def __init__(self) -> None:
        self._ranges: dict[str, tuple[int, int, int]] = {}
        self._told_at = float("-inf")

    def add(self, source: str, times: Iterable[int]) -> None:
        """Note events of a source."""
        found = sorted(times)
        count, first, last = self._ranges.get(source, (0, found[0], found[-1]))
        self._ranges[source] = (count + len(found), min(first, found[0]), max(last, found[-1]))

    def tell(self, *, at_once: bool = False) -> None:
        """Log what there is to tell, when it is time, or at once."""
        now = time.monotonic()
        if not self._ranges or (now - self._told_at < QUIET_SECONDS and not at_once):
            return
        self._told_at = now
        for source, (count, first, last) in self._ranges.items():
            log.warning(
                "%s of %s, from %s to %s, are older than InfluxDB keeps them (retention.raw_days)",
                counted(count, "event"),
                source,
                _second(first),
                _second(last),
            )
        self._ranges.clear()


def _second(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).isoformat()
