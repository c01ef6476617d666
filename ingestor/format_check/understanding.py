"""Is a log understood? Judged from what became of its lines, by every command alike. Pure.

Lines are *ignored* that are well formed and no token operation: of a general audit log that may be nearly all. Lines are
*rejected* that nobody understands: of a log that is understood that is next to none. So a few events among ignored lines
are a remark, and a few among rejected ones are wrong.
"""

from enum import Enum
from typing import Final, NamedTuple

from ingestor.model.accounting import Account

FEWEST: Final = 20
"""Lines that chance does not bring about."""
HANDFUL: Final = 5
"""Fewer rejected lines are a mishap, such as a line that a crash left half written."""
_AMONG_REJECTED: Final = 20
"""Fewer than one event in so many events and rejected lines is almost nothing; one rejected line in so many is too much."""
_AMONG_ALL: Final = 100
"""Fewer than one event in so many lines, whatever the others are, is almost nothing."""


class Grasp(Enum):
    """How much of a log becomes events."""

    UNDERSTOOD = "understood"
    PARTLY = "partly"
    ALMOST_NOTHING = "almost nothing"
    NOTHING = "nothing"


class Understanding(NamedTuple):
    """What became of lines of one log, blank ones left out."""

    events: int
    rejected: int
    ignored: int
    kind: str = ""
    """Which of its lines these are, such as ``newest``; empty for all of them."""

    @property
    def lines(self) -> int:
        """All of them."""
        return self.events + self.rejected + self.ignored

    @property
    def expected(self) -> int:
        """Those that ought to be events."""
        return self.events + self.rejected

    @property
    def grasp(self) -> Grasp:
        """How much of it became events; no lines at all are no reason for doubt."""
        if not self.lines:
            return Grasp.UNDERSTOOD
        if not self.events:
            return Grasp.NOTHING
        rejected = self.rejected >= FEWEST and self.events * _AMONG_REJECTED < self.expected
        others = self.lines >= FEWEST and self.events * _AMONG_ALL < self.lines
        if rejected or others:
            return Grasp.ALMOST_NOTHING
        return Grasp.PARTLY if self.spoilt else Grasp.UNDERSTOOD

    @property
    def doubtful(self) -> bool:
        """Whether people must be told."""
        return self.grasp is not Grasp.UNDERSTOOD

    @property
    def wrong(self) -> bool:
        """Whether the answer to "is it read as it should be?" is no; what is doubtful and not wrong may be as it should be."""
        if self.grasp is Grasp.NOTHING:
            return True
        return self.grasp is Grasp.ALMOST_NOTHING and self.events * _AMONG_REJECTED < self.expected

    @property
    def spoilt(self) -> bool:
        """Whether too many lines are rejected; else what is doubtful and not wrong is a log of few token operations."""
        return self.rejected >= HANDFUL and self.rejected * _AMONG_REJECTED >= self.expected

    def told(self, kind: str = "") -> str:
        """Say it in a sentence without an end. ``kind``: as the field, where that is empty."""
        lines = f"{self.kind or kind} lines".strip()
        if self.grasp is Grasp.PARTLY:
            share = f"{self.rejected / self.expected:.0%} of what should be events"
            return f"{self.rejected:,} of its {self.lines:,} {lines} are rejected ({share})"
        parts = ((self.rejected, "rejected"), (self.ignored, "ignored"))
        others = ", ".join(f"{number:,} {name}" for number, name in parts if number)
        if self.lines == 1:
            return f"Its only line is no event ({others})"
        if not self.events:
            return f"None of its {self.lines:,} {lines} is an event ({others})"
        return f"Only {self.events:,} of its {self.lines:,} {lines} {'is an event' if self.events == 1 else 'are events'} ({others})"


NOTHING_KNOWN: Final = Understanding(0, 0, 0)


def of_account(account: Account) -> Understanding:
    """Return the understanding of a source. What expired was an event; what waits for the store may be one."""
    events = account.stored + account.expired + account.pending
    return Understanding(max(0, events), account.total_rejected, account.ignored)


def judged(newest: Understanding, last: Understanding, whole: Understanding = NOTHING_KNOWN) -> Understanding:
    """Judge a log as it is now, whatever it was before.

    ``newest``: some of its newest lines. ``last``: those of them at the end among which is no event, so that a log shows that
    was understood until a moment ago. ``whole``: all that is known of the log; of a general audit log a few hundred lines may
    hold no event, and no commoner is one in a file that was just begun.
    """
    if not newest.lines:
        return whole
    if last.lines >= FEWEST and last.rejected >= HANDFUL and not newest.wrong:
        return last._replace(kind="last")
    if not newest.doubtful:
        return newest
    if whole.events and newest.rejected < HANDFUL:
        return whole
    return whole if whole.doubtful and whole.wrong == newest.wrong else newest
