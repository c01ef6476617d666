"""What one transaction of the state makes durable, the points excepted (design section 5)."""

from dataclasses import dataclass, field

from ingestor.model.accounting import Account
from ingestor.model.finding import StoredFinding
from ingestor.model.generation import Generation
from ingestor.model.points import Admitted


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of a generation that are in no file any more. ``last`` is exclusive; None: nobody can tell."""

    source: str
    path: str
    generation: int
    first: int
    last: int | None
    found_at: float
    why: str

    def __str__(self) -> str:
        end = f"to {self.last}" if self.last is not None else "on"
        return f"bytes {self.first} {end} of {self.path} (source {self.source}): {self.why}"


@dataclass(slots=True)
class Checkpoint:
    """Everything but the points that one transaction makes durable."""

    generations: dict[int, Generation] = field(default_factory=dict)
    trails: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """(generation, part): what its lines are recognised by later (``model.trail``)."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """Increments, by source."""
    admitted: list[tuple[str, Admitted]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    rejected_mark: str | None = None
    """What ``RejectedFile`` must find at its end after a crash."""
    findings: dict[tuple[int, str], StoredFinding] = field(default_factory=dict)
    """New ones, and those that have grown, by their identity."""
    remembered: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    """Of what detectors remember: (detector, name of the piece), and None for what is forgotten."""
    meta: dict[str, str] = field(default_factory=dict)

    def add(self, later: "Checkpoint") -> None:
        """Add what a later one says; of equal things the later wins."""
        self.generations.update(later.generations)
        self.trails.update(later.trails)
        for source, account in later.accounts.items():
            self.accounts.setdefault(source, Account()).add(account)
        self.admitted += later.admitted
        self.gaps += later.gaps
        self.replayed += later.replayed
        self.findings.update(later.findings)
        self.remembered.update(later.remembered)
        self.meta.update(later.meta)

    def __bool__(self) -> bool:
        changes = (
            self.generations,
            self.accounts,
            self.admitted,
            self.gaps,
            self.replayed,
            self.findings,
            self.remembered,
        )
        return any(changes) or bool(self.meta) or self.rejected_mark is not None
