"""How far reading and delivery are behind: since when the oldest byte waits that is not acknowledged yet."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_SIGHTINGS: Final = 1000
"""Of unread bytes, each with the time when it was first seen."""


class Lag:
    """When bytes were first seen, wall clock. Bytes are counted since the start."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        """When bytes were first seen, and how many had been seen by then in all; acknowledged ones are forgotten."""

    def since(self, seen: int, acknowledged: int, *, is_more_unseen: Callable[[], bool]) -> float | None:
        """Return when the oldest byte was first seen that is not acknowledged; None for none.

        ``seen``: how many were accepted or wait. ``is_more_unseen``: whether more may
        wait, which costs a look at every log.
        """
        if seen > (self._seen[-1][1] if self._seen else acknowledged):
            self._seen.append((time.time(), seen))
        elif self._seen and seen < self._seen[-1][1] and not is_more_unseen():
            self._forget_beyond(seen)
        while self._seen and self._seen[0][1] <= acknowledged:
            self._seen.popleft()
        if len(self._seen) > MOST_SIGHTINGS:
            # An outage may last for days. Of two neighbours the older time stands for both: lag is never understated.
            last = [self._seen.pop()] if len(self._seen) % 2 else []
            pairs = zip(*[iter(self._seen)] * 2, strict=True)
            self._seen = deque([(older[0], newer[1]) for older, newer in pairs] + last)
        return self._seen[0][0] if self._seen else None

    def _forget_beyond(self, seen: int) -> None:
        """Forget bytes that nobody will ever read: lost, in a log that was left, or half a line that waits for its end."""
        since = 0.0
        while self._seen and self._seen[-1][1] > seen:
            since = self._seen.pop()[0]
        if not self._seen or self._seen[-1][1] < seen:
            self._seen.append((since, seen))
