"""Is a log understood? Judged from what became of its lines, by every command alike. Pure.

Lines are *ignored* that are well formed and no token operation: of a general audit log that may be nearly all. Lines are
*rejected* that nobody understands: of a log that is understood that is next to none. So a few events among ignored lines
are a remark, and a few among rejected ones are wrong.
"""

from enum import Enum
from typing import Final, NamedTuple

from ingestor.core.accounting import Account

FEWEST: Final = 20
"""Lines that chance does not bring about: fewer that are ignored are a log that has only begun."""
_AMONG_REJECTED: Final = 20
"""Fewer than one event in so many events and rejected lines is almost nothing."""
_AMONG_ALL: Final = 100
"""Fewer than one event in so many lines, whatever the others are, is almost nothing."""


class Grasp(Enum):
    """How much of a log becomes events."""

    UNDERSTOOD = "understood"
    ALMOST_NOTHING = "almost nothing"
    NOTHING = "nothing"


class Understanding(NamedTuple):
    """What became of lines of one log, blank ones left out."""

    events: int
    rejected: int
    ignored: int

    @property
    def lines(self) -> int:
        """All of them."""
        return self.events + self.rejected + self.ignored

    @property
    def grasp(self) -> Grasp:
        """How much of it became events; no lines at all are no reason for doubt."""
        if not self.lines:
            return Grasp.UNDERSTOOD
        if not self.events:
            return Grasp.NOTHING
        rejected = self.rejected >= FEWEST and self.events * _AMONG_REJECTED < self.events + self.rejected
        others = self.lines >= FEWEST and self.events * _AMONG_ALL < self.lines
        return Grasp.ALMOST_NOTHING if rejected or others else Grasp.UNDERSTOOD

    @property
    def doubtful(self) -> bool:
        """Whether people must be told."""
        return self.grasp is not Grasp.UNDERSTOOD

    @property
    def wrong(self) -> bool:
        """Whether the answer to "is it read as it should be?" is no; what is doubtful and not wrong may be as it should be."""
        if self.grasp is Grasp.NOTHING:
            return self.rejected > 0 or self.ignored >= FEWEST
        return self.grasp is Grasp.ALMOST_NOTHING and self.events * _AMONG_REJECTED < self.events + self.rejected

    def told(self, kind: str = "") -> str:
        """Say it in a sentence without an end. ``kind``: which of its lines these are, such as ``newest``."""
        parts = ((self.rejected, "rejected"), (self.ignored, "ignored"))
        others = ", ".join(f"{number:,} {name}" for number, name in parts if number)
        lines = f"{kind} lines".strip()
        if self.lines == 1:
            return f"Its only line is no event ({others})"
        if not self.events:
            return f"None of its {self.lines:,} {lines} is an event ({others})"
        return f"Only {self.events:,} of its {self.lines:,} {lines} {'is an event' if self.events == 1 else 'are events'} ({others})"


def of_account(account: Account) -> Understanding:
    """Return the understanding of a source. What expired was an event; what waits for the store may be one."""
    events = account.stored + account.expired + account.pending
    return Understanding(max(0, events), account.total_rejected, account.ignored)
