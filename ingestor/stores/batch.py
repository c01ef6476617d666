"""A batch: what was read since the last one, and everything that becomes durable with it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

from ingestor.model.accounting import Account
from ingestor.model.points import Point, Series
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.rejected_file import RejectedLine
from ingestor.stores.reclassified import SeveralEvents

Origin: TypeAlias = tuple[int, Callable[[int, str], RejectedLine]]
"""(first point, how to list the n-th from there as refused): where the points of a block or of a replay begin."""


def refused_line(origins: Sequence[Origin], point: int, reason: str) -> RejectedLine:
    """Return the entry of the rejected file for a point that the store refuses."""
    first, listed = origins[bisect_right(origins, point, key=itemgetter(0)) - 1]
    return listed(point - first, reason)


@dataclass(slots=True)
class Batch:
    """Filled by ``Pipeline``; once it is sealed nobody changes it, so a delivery can try it as often as it has to."""

    points: list[Point] = field(default_factory=list)
    rewrites: list[Point] = field(default_factory=list)
    """Points of lines that were counted before, under the same rules: they are put back, and count nothing."""
    reclassified: list[Point] = field(default_factory=list)
    """Points of lines that were counted before, under other rules: they replace what these lines were."""
    several: list[SeveralEvents] = field(default_factory=list)
    """Those lines of ``reclassified`` that are or were several events."""
    may_be_stored: bool = False
    """``points`` may be in the store under other rules: they were sent before a crash, and no checkpoint says so."""
    may_be_several: list[SeveralEvents] = field(default_factory=list)
    """Those lines of ``points`` that were several events, if they may be stored."""
    may_be_stored_under: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    """By (source, host): times of ``points`` that may be in the store under that name, for the same reason."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """Increments by source; every point of ``points`` is in ``stored``."""
    rejected: list[RejectedLine] = field(default_factory=list)
    bytes_read: int = 0
    origins: list[Origin] = field(default_factory=list)
    """Of ``points``."""
    reclassified_origins: list[Origin] = field(default_factory=list)
    """Of ``reclassified``."""
    series: dict[int, Series] = field(default_factory=dict)
    """Series that are new in this batch."""
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    """The positions behind the batch, and what else goes with them; set when it is sealed."""

    @property
    def size(self) -> int:
        """Points and rejected lines, whichever are more."""
        return max(len(self.points) + len(self.rewrites) + len(self.reclassified), len(self.rejected))

    def refused_line(self, point: int, reason: str) -> RejectedLine:
        """Return the entry of the rejected file for one of ``points`` that the store refuses."""
        return refused_line(self.origins, point, reason)

    def account(self, source: str) -> Account:
        """Return the increments of a source."""
        return self.accounts.setdefault(source, Account())
