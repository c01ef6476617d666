"""The accounting identity: ``read = stored + rejected + ignored + expired + pending``, in lines that are not blank."""

from collections import Counter
from dataclasses import dataclass, field

from parsers.contract import Reason


@dataclass(slots=True)
class Account:
    """What became of the lines of one source. Every line is counted once, however often it is read."""

    read: int = 0
    stored: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    ignored: int = 0
    expired: int = 0

    def add(self, other: "Account") -> None:
        """Add what another account counted."""
        self.read += other.read
        self.stored += other.stored
        self.rejected.update(other.rejected)
        self.ignored += other.ignored
        self.expired += other.expired

    @property
    def total_rejected(self) -> int:
        """Rejected lines, whatever the reason."""
        return self.rejected.total()

    @property
    def pending(self) -> int:
        """Lines that were read and not yet acknowledged by the store."""
        return self.read - self.stored - self.total_rejected - self.ignored - self.expired
