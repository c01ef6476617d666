"""The simulated endpoint's log: the day as a provider's lines, and exactly what was written. Pure.

A real log also holds what is no token operation, and now and then a line that something broke; so does this one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Self

from ingestor.demo.providers.contract import Kind, Line, Provider
from ingestor.demo.traffic import simulate

_OTHER_LINES = 520
_BREAKAGES = 3


class Happening(NamedTuple):
    """Something that someone who watches would want to be told."""

    time_ms: int
    """Simulated, Unix epoch."""
    label: str
    """A word or two, for the chart."""
    text: str
    alarming: bool = False


class Day(NamedTuple):
    """A day's log."""

    lines: list[Line]
    """Oldest first."""
    unlogged: int = 0
    """Requests of which the server logs nothing."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was written: the truth that the store is held against."""

    lines: int = 0
    rejected: int = 0
    ignored: int = 0
    unlogged: int = 0
    by_action: Counter[str] = field(default_factory=Counter)
    keys: frozenset[str] = frozenset()

    @property
    def events(self) -> int:
        """Lines that must become events."""
        return self.by_action.total()

    @classmethod
    def of(cls, lines: Sequence[Line], unlogged: int = 0) -> Self:
        """Add up what these lines are."""
        kinds = Counter(line.kind for line in lines)
        events = [line for line in lines if line.kind is Kind.EVENT]
        return cls(
            lines=len(lines),
            rejected=kinds[Kind.REJECTED],
            ignored=kinds[Kind.IGNORED],
            unlogged=unlogged,
            by_action=Counter(line.action for line in events),
            keys=frozenset(line.key for line in events),
        )


def write_day(provider: Provider, end_ms: int, seed: int) -> Day:
    """Return the log of the 24 hours before ``end_ms`` (Unix epoch). Equal arguments, equal bytes."""
    rng = Random(seed)  # noqa: S311 - a simulation, not a secret
    logged = [provider.lines(operation, number, rng) for number, operation in enumerate(simulate(end_ms, rng))]
    events = [line for lines in logged for line in lines]
    others = [provider.other(rng.choice(events).time_ms, rng) for _ in range(_OTHER_LINES)]
    broken = [_broken(rng.choice(events), damage) for damage in provider.damages * _BREAKAGES]
    lines = sorted(events + others + broken, key=lambda line: line.time_ms)
    return Day(lines, unlogged=sum(not lines for lines in logged))


def _broken(like: Line, damage: Callable[[bytes], bytes]) -> Line:
    return Line(like.time_ms, damage(like.data.removesuffix(b"\n")) + b"\n", Kind.REJECTED)
