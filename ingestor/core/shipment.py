"""A shipment: which points of a request to send next, and what became of each. Pure; whoever sends tells it the verdicts.

The server does not say which point it refuses, so a refused request is halved until one point is left. That writes points
again, which changes nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ingestor.core.verdict import Expired, Refused, Retry, Stored, TooLarge, Verdict


class RefusedPoint(NamedTuple):
    """A point that the store refuses for what it is."""

    point: int
    """Its index in the batch."""
    reason: str


class Shipment:
    """The points 0 to ``len(times)`` of one batch, on their way."""

    def __init__(self, times: Sequence[int]) -> None:
        """Begin with nothing sent. ``times``: of the points, nanoseconds; InfluxDB drops the oldest ones first."""
        self._times = times
        self._waiting = [range(len(times))] if times else []
        self.refused: list[RefusedPoint] = []
        self.expired: list[int] = []
        """Indexes of points that are older than the store's retention."""

    @property
    def next(self) -> range | None:
        """The points to send next; None when the fate of every point is known."""
        return self._waiting[-1] if self._waiting else None

    def tell(self, verdict: Verdict, *, proven: bool) -> bool:
        """Take the verdict on ``next``; return whether some point was stored by it.

        ``proven``: the store has taken some other point since the start. Until it has, a refusal may be the fault of the
        whole set-up, so the last point is kept (``next`` stays as it is).
        """
        sent = self._waiting.pop()
        match verdict:
            case Stored():
                return True
            case Expired(dropped):
                oldest = sorted(sent, key=self._times.__getitem__)[:dropped]
                self.expired += oldest
                return dropped < len(sent)
            case Refused() | TooLarge() if len(sent) > 1:
                middle = sent.start + len(sent) // 2
                self._waiting += [range(middle, sent.stop), range(sent.start, middle)]
            case Refused() | TooLarge() if proven:
                reason = verdict.reason if isinstance(verdict, Refused) else "larger than the server takes"
                self.refused.append(RefusedPoint(sent.start, reason))
            case Refused() | TooLarge() | Retry():
                self._waiting.append(sent)
        return False
