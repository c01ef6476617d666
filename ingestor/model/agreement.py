"""Whether a store holds as many events as were counted: sums of both, by source, host and unit of time, compared (pure)."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from ingestor.model.periods import DAY_NS
from ingestor.model.questions import Period

SHOWN: Final = 20
"""Disagreements that are kept: one is a run of days, so more of them say nothing more."""


class Cell(NamedTuple):
    """The events of one source and host in one unit of time."""

    source: str
    """In the normal form of a tag, as is the host."""
    host: str
    start: int
    """Nanoseconds."""


Sums: TypeAlias = Mapping[Cell, int]
"""Numbers of events; none where there is none."""


class Disagreement(NamedTuple):
    """A span of time in which a store holds more, or fewer, events of a source than were counted."""

    source: str
    host: str
    since: int
    """Nanoseconds."""
    until: int
    counted: int
    found: int

    def __str__(self) -> str:
        """Say it for people; of what has no times of its own, the source alone."""
        span = f" from {written(self.since)} to {written(self.until)}" if self.until else ""
        return f"source {self.source}{span}: {self.counted:,} counted, {self.found:,} there"


@dataclass(frozen=True, slots=True)
class Agreement:
    """The outcome of one comparison, within what the store keeps."""

    at: float
    """Wall clock, seconds."""
    counted: int
    """Events that were acknowledged, and that the store keeps still."""
    found: int
    """The store's ``sum("events")``."""
    disagreements: tuple[Disagreement, ...] = ()
    """None when the store agrees; at most ``SHOWN``."""
    waiting: int = 0
    """Events that were not looked at yet, or that come in at this moment; they are in neither number."""

    @property
    def agrees(self) -> bool:
        """Whether the store holds what was counted, everywhere."""
        return not self.disagreements

    @property
    def missing(self) -> int:
        """Events that were acknowledged and are not there."""
        return sum(max(0, place.counted - place.found) for place in self.disagreements)

    @property
    def surplus(self) -> int:
        """Events that are there and were not counted."""
        return sum(max(0, place.found - place.counted) for place in self.disagreements)


def compare(counted: Sums, found: Sums, unit: int, at: float, *, unsettled: Container[Cell] = frozenset()) -> Agreement:
    """Compare two sums over the same period. ``unsettled``: cells that change at this moment, and say nothing.

    Only what was counted under a source and host is looked at: others may write into the same store.
    """
    ours = {(cell.source, cell.host) for cell in counted}
    cells = [cell for cell in sorted({*counted, *found}) if (cell.source, cell.host) in ours and cell not in unsettled]
    differing = [cell for cell in cells if counted.get(cell, 0) != found.get(cell, 0)]
    return Agreement(
        at,
        sum(counted.get(cell, 0) for cell in cells),
        sum(found.get(cell, 0) for cell in cells),
        tuple(_joined(differing, counted, found, unit))[:SHOWN],
        sum(events for cell, events in counted.items() if cell in unsettled),
    )


def days_in_turn(counted: Sums, compared: Mapping[Cell, tuple[int, int]], period: Period, cursor: int) -> Iterator[int]:
    """Yield the days of a period, whole ones, in the order in which they are to be compared.

    First those that have changed since, or that differ, the newest first; then all others from the ``cursor`` back, and round.
    ``compared``: (counted, found) when a cell was looked at last.
    """
    urgent = {cell.start for cell, events in counted.items() if compared.get(cell) != (events, events)}
    urgent |= {cell.start for cell, (events, found) in compared.items() if events != found}
    urgent = {day for day in urgent if period.since <= day < period.until}
    yield from sorted(urgent, reverse=True)
    every = range(period.until - DAY_NS, period.since - 1, -DAY_NS)
    behind = [day for day in every if day < cursor]
    yield from (day for day in (*behind, *every[: len(every) - len(behind)]) if day not in urgent)


def _joined(cells: list[Cell], counted: Sums, found: Sums, unit: int) -> Iterator[Disagreement]:
    """Join cells that follow on one another and differ in the same direction."""
    current: Disagreement | None = None
    for cell in cells:
        here = Disagreement(*cell, cell.start + unit, counted.get(cell, 0), found.get(cell, 0))
        if current is not None and _follows(current, here):
            current = current._replace(
                until=here.until, counted=current.counted + here.counted, found=current.found + here.found
            )
            continue
        if current is not None:
            yield current
        current = here
    if current is not None:
        yield current


def _follows(former: Disagreement, later: Disagreement) -> bool:
    alike = (former.source, former.host, former.until) == (later.source, later.host, later.since)
    return alike and (former.found < former.counted) == (later.found < later.counted)


def written(nanoseconds: int) -> str:
    """Write a time for people, to the minute."""
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%dT%H:%MZ}"
