"""A shipment: which points of a request to send next, and what became of each. Pure; whoever sends tells it the verdicts.

The server does not say which point it refuses, so a refused request is halved until one point is left. That writes points
again, which changes nothing. Only an acknowledgement counts as stored: what an answer does not speak of is sent again.

A link may be too slow for a whole request. So when one is cut off, fewer points are sent at once from there on.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from ingestor.stores.influxdb.write.response import Expired, Refused, Retry, Stored, TooLarge, WriteResponse, failure

FEWEST_POINTS: Final = 50
"""A link that is too slow for so few is down; fewer only make more requests of what is sent when it is up again."""


class RefusedPoint(NamedTuple):
    """A point that the store refuses for what it is."""

    point: int
    """Its index in the batch."""
    reason: str


class Progress(Enum):
    """What a verdict has changed."""

    STORED = "stored"
    """Points are stored."""
    SORTED = "sorted"
    """More is known, or something else is to be tried."""
    NOTHING = "nothing"
    """Whoever sends should wait a while."""


class PartialWrite:
    """The points 0 to ``len(times)`` of one batch, on their way."""

    def __init__(self, times: Sequence[int]) -> None:
        """Begin with nothing sent. ``times``: of the points, nanoseconds; InfluxDB drops the oldest ones first."""
        self._times = times
        self._waiting: deque[Sequence[int]] = deque([range(len(times))] if times else [])
        self._most = max(1, len(times))
        """Points that are sent at once."""
        self._alone: set[int] = set()
        """Points that were refused alone, and are kept. They wait behind all others."""
        self.refused: list[RefusedPoint] = []
        self.expired: list[int] = []
        """Indexes of points that are older than the store's retention."""

    @property
    def next(self) -> Sequence[int] | None:
        """The points to send next, in order; None when the fate of every point is known."""
        return self._waiting[-1][: self._most] if self._waiting else None

    @property
    def unproven(self) -> bool:
        """Whether every point that is left was refused alone, while it was not proven that the store takes points at all."""
        return bool(self._waiting) and self._waiting[-1][0] in self._alone

    def apply(self, verdict: WriteResponse, *, proven: bool) -> Progress:
        """Take the verdict on ``next``.

        ``proven``: the store has taken some other point since the start. Until it has, a refusal may be the fault of the
        whole set-up, so a point that is refused alone is kept, and comes again behind all others: one of them may prove it.
        """
        sent = self._waiting.pop()
        if rest := sent[self._most :]:
            self._waiting.append(rest)
            sent = sent[: self._most]
        match verdict:
            case Stored():
                return Progress.STORED
            case Expired(dropped) if 0 < dropped <= len(sent):
                oldest = set(sorted(sent, key=self._times.__getitem__)[:dropped])
                self.expired += sorted(oldest)
                if young := [point for point in sent if point not in oldest]:
                    self._waiting.append(young)
                return Progress.SORTED
            case Refused() | TooLarge() if len(sent) > 1:
                middle = len(sent) // 2
                self._waiting += [sent[middle:], sent[:middle]]
                return Progress.SORTED
            case Refused() | TooLarge() if proven:
                self.refused.append(RefusedPoint(sent[0], failure(verdict)))
                return Progress.SORTED
            case Refused() | TooLarge():
                self._waiting.appendleft(sent)
                self._alone.add(sent[0])
            case Retry(smaller=True) if len(sent) > FEWEST_POINTS:
                self._most = max(FEWEST_POINTS, len(sent) // 2)
                self._waiting.append(sent)
            case Expired() | Retry():
                self._waiting.append(sent)
        return Progress.NOTHING
