"""Whose turn it is: which logs are looked at in a turn, and which is read next.

With a few logs every turn looks at all. With thousands a look at all takes many turns, and between two of them only those
that were written lately are looked at.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from ingestor.sources.block import Block
from ingestor.sources.file.tailer import LogTailer

FULL_LOOK_SHARE: Final = 1 / 20
"""How much of the time a look at all logs may take. With a few logs every turn is such a look; with thousands only the ones
that were written lately are looked at in every turn, and all of them at least once in a poll interval."""
LATELY_SECONDS: Final = 10.0
"""How long a log that was written counts as busy."""
FIGURES_SECONDS: Final = 1.0
"""Figures are computed from looks that are younger; else files are looked at for them."""


TURN_SECONDS: Final = 0.5
"""How long logs are read, and holes and long lines passed over, before the daemon shows again that it lives."""


class Turns:
    """The turns of all logs. Times are monotonic seconds."""

    def __init__(
        self,
        poll: Callable[[LogTailer, float], bool],
        begin: Callable[[float], Collection[LogTailer]],
        end: Callable[[float], None],
    ) -> None:
        """``poll`` looks at one log and tells whether it may have a block.

        ``begin`` returns the logs when a look at all begins, ``end`` is called when it is over, with the time.
        """
        self._poll = poll
        self._begin = begin
        self._end = end
        self._round: deque[LogTailer] = deque()
        """Those that a look at all logs has still to come to: it may take many turns."""
        self.round_began_at = float("-inf")
        """When that look began."""
        self._turns_of_round = 0
        """How many turns it has taken."""
        self._turn: deque[LogTailer] = deque()
        """Which logs may have a block: those that the last poll looked at, less those that had none since."""
        self._lately: dict[LogTailer, float] = {}
        """Logs that had a block lately, with the time; what waited longest for its turn comes first."""
        self._unsettled: dict[LogTailer, None] = {}
        """Logs that may have unread bytes, as far as the last look at all of them tells."""
        self._full_look_at = float("-inf")
        self._full_look_seconds = 0.0
        self._looked_at = float("-inf")

    @property
    def is_looking(self) -> bool:
        """Whether a look at all logs is under way."""
        return bool(self._round)

    def poll(self, now: float, longest_pause: float, *, all_logs: bool) -> None:
        """Look at all logs, as far as one turn goes; at the busy ones alone while looking at all would cost too much.

        ``longest_pause``: seconds between two looks at all. ``all_logs``: there is no pause.
        """
        while self._lately and now - next(iter(self._lately.values())) > LATELY_SECONDS:
            del self._lately[next(iter(self._lately))]
        pause = min(self._full_look_seconds / FULL_LOOK_SHARE, longest_pause)
        if self._round or all_logs or not 0 <= now - self._full_look_at < pause:
            self._look_at_all(now)
            return
        self._turn = deque(followed for followed in self._lately if self._poll(followed, now))

    def look_soon(self) -> None:
        """Look at every known log at the next poll, however lately that was done."""
        self._full_look_at = float("-inf")

    def next_block(self, now: float) -> Block | None:
        """Return a block of the next log that has one; every log gets its turn. What has none is left until the next poll.

        None also when a turn's time is over and nothing but bytes to pass over was found: ``busy`` tells.
        """
        end = time.monotonic() + TURN_SECONDS
        while self._turn:
            followed = self._turn.popleft()
            block = followed.next_block(now)
            if block is None and followed.busy:
                self._turn.append(followed)
                if time.monotonic() > end:
                    return None
            if block is not None:
                self._turn.append(followed)
                self._lately.pop(followed, None)
                self._lately[followed] = now
                return block
        return None

    def unread_bytes(self, logs: Collection[LogTailer]) -> int:
        """Return how many bytes of the logs wait to be read; a look that is young is enough for that."""
        if time.monotonic() - self._looked_at > FIGURES_SECONDS:
            return sum(followed.unread_bytes() for followed in logs)
        return sum(followed.unread_bytes(look_again=False) for followed in self._unsettled)

    def leave(self, followed: LogTailer) -> None:
        """Give a log no turn any more."""
        self._lately.pop(followed, None)
        self._unsettled.pop(followed, None)
        with contextlib.suppress(ValueError):
            self._round.remove(followed)

    def begin_anew(self) -> None:
        """Look at all logs at the next poll; what was found until now is found again."""
        self._turn.clear()
        self._round.clear()
        self._unsettled.clear()
        self._full_look_at = self._looked_at = float("-inf")

    def _look_at_all(self, now: float) -> None:
        """Look at every log, as far as one turn goes; at the busy ones in each turn."""
        begun = time.monotonic()
        if not self._round:
            self._round = deque(self._begin(now))
            self.round_began_at, self._turns_of_round, self._full_look_seconds = now, 0, 0.0
        looked: dict[LogTailer, bool] = {}
        while self._round and (not looked or time.monotonic() - begun < TURN_SECONDS):
            followed = self._round.popleft()
            looked[followed] = self._poll(followed, now)
        if self._round:
            looked |= {followed: self._poll(followed, now) for followed in self._lately if followed not in looked}
        # What an earlier turn has found is not forgotten before it is read.
        before = [followed for followed in self._turn if followed not in looked] if self._turns_of_round else []
        self._turns_of_round += 1
        ready = dict.fromkeys([*before, *(followed for followed, is_ready in looked.items() if is_ready)])
        self._turn = deque(followed for followed in ready if followed not in self._lately)
        self._turn.extend(followed for followed in self._lately if followed in ready)
        self._unsettled = dict.fromkeys([*(self._unsettled if self._turns_of_round > 1 else ()), *ready, *self._lately])
        if not self._round:
            self._full_look_at = now
            self._end(now)
        self._looked_at = time.monotonic()
        self._full_look_seconds += self._looked_at - begun
