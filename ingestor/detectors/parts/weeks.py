"""How much somebody did in each hour of the last weeks, and what is usual at an hour of the week. Hours count from the Unix epoch."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final, NamedTuple

HOURS: Final = 168
"""Of a week."""
MOST_WEEKS: Final = 8
"""That are remembered, besides the current one."""
_MOST_IN_TWO_BYTES: Final = 65_535


class Norm(NamedTuple):
    """What is usual at an hour of the week."""

    median: float
    deviation: float
    """The median of how far the weeks are from the median (MAD)."""


@dataclass(slots=True)
class Weeks:
    """Counts by hour, without those of the newest one, which change all the time. 4 KiB, as long as an hour has less than 65,536."""

    first: int
    """The first hour in which there was something; what was before is not known."""
    newest: int
    counts: "dict[int, array[int]]" = field(default_factory=dict)
    """By week: its 168 hours."""

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.first, self.newest, {str(week): hours.tolist() for week, hours in self.counts.items()}]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Weeks":
        """Return it again."""
        first, newest, counts = value
        return cls(first, newest, {int(week): _packed(hours) for week, hours in counts.items()})

    def begin(self, hour: int, count: int) -> None:
        """Go on to an hour that is newer; ``count``: of the one that was newest. After weeks without anything all is learned anew."""
        self.add(self.newest, count)
        if hour - self.newest > HOURS * MOST_WEEKS:
            self.first = hour
        oldest = hour // HOURS - MOST_WEEKS
        if oldest > self.newest // HOURS - MOST_WEEKS:
            self.counts = {week: hours for week, hours in self.counts.items() if week >= oldest}
        self.newest = hour

    def is_forgotten(self, hour: int) -> bool:
        """Whether an hour is too old to be counted."""
        return hour // HOURS < self.newest // HOURS - MOST_WEEKS

    def add(self, hour: int, count: int) -> None:
        """Count so much more in an hour, which is not forgotten."""
        week, at = divmod(hour, HOURS)
        hours = self.counts.get(week) or array("H", bytes(2 * HOURS))
        total = hours[at] + count
        if total > _MOST_IN_TWO_BYTES and hours.typecode == "H":
            hours = array("Q", hours)
        hours[at] = total
        self.counts[week] = hours

    def at(self, hour: int) -> int:
        """Return what was counted in an hour."""
        week, at = divmod(hour, HOURS)
        hours = self.counts.get(week)
        return hours[at] if hours else 0

    def norm(self, hour: int, fewest: int) -> Norm | None:
        """Return what is usual at an hour, by the weeks before it; None unless at least ``fewest`` of these are known.

        Of each week the most of the hour and its neighbours counts: summer time moves jobs by an hour.
        """
        known = min((hour - 1 - self.first) // HOURS, MOST_WEEKS)
        if known < fewest:
            return None
        most = [max(map(self.at, range(then - 1, then + 2))) for then in range(hour - HOURS * known, hour, HOURS)]
        usual = median(most)
        return Norm(usual, median(abs(each - usual) for each in most))


def _packed(hours: Iterable[int]) -> "array[int]":
    hours = list(hours)
    return array("Q" if max(hours) > _MOST_IN_TWO_BYTES else "H", hours)
