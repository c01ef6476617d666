"""How large something usually is: percentiles, and what it reaches again and again. Pure, and bounded."""

from collections import Counter
from typing import Final

FEWEST_DAYS: Final = 3
"""What happens on so many days, and on a tenth of all, is usual. What happened on fewer may have been an attack."""
_A_TENTH: Final = 10
_MOST_DAYS: Final = 40
"""That are known by what was largest on them: a tenth of more than a year."""
_EXACT: Final = 1_000
"""Up to here every number is counted by itself; beyond it numbers of which the first three digits are the same."""


class Distribution:
    """Many numbers, each with the day on which it came. Days count from the Unix epoch."""

    def __init__(self) -> None:
        self.count = 0
        self.largest = 0
        self._counts: Counter[int] = Counter()
        self._by_day: dict[int, int] = {}
        """The largest of each of the 40 days with the largest."""

    def add(self, value: int, day: int | None) -> None:
        """Take up a number; without a day one that may be part of an attack, so that it is not usual."""
        self.count += 1
        self._counts[value if value < _EXACT else _rounded(value)] += 1
        self.largest = max(self.largest, value)
        if day is not None and value > self._by_day.get(day, 0):
            note_day(self._by_day, value, day)

    def __add__(self, other: "Distribution") -> "Distribution":
        """Return all numbers of both."""
        both = Distribution()
        both.count, both.largest = self.count + other.count, max(self.largest, other.largest)
        both._counts = self._counts + other._counts
        for by_day in (self._by_day, other._by_day):
            for day, value in by_day.items():
                note_day(both._by_day, value, day)
        return both

    def percentile(self, percent: float) -> int:
        """Return the smallest number that so many percent of all do not exceed; 0 of none. From 1,000 on to three digits."""
        wanted, so_far = self.count * percent / 100, 0
        for value in sorted(self._counts):
            so_far += self._counts[value]
            if so_far >= wanted:
                return min(value, self.largest)
        return 0

    def days(self) -> dict[int, int]:
        """Return the days with the largest usual numbers: the largest of each."""
        return dict(self._by_day)


def note_day(by_day: dict[int, int], value: int, day: int) -> None:
    """Note a number of a day among the days with the largest."""
    by_day[day] = max(value, by_day.get(day, 0))
    if len(by_day) > _MOST_DAYS:
        del by_day[min(by_day, key=lambda each: (by_day[each], each))]


def days_to_recur(days: int) -> int:
    """Return on how many of so many days something has to happen to be usual."""
    return min(max(FEWEST_DAYS, -(-days // _A_TENTH)), _MOST_DAYS)


def recurring(by_day: dict[int, int], days: int) -> int:
    """Return what is reached on so many days, by the days with the largest numbers; 0 where there are fewer."""
    return sorted(by_day.values(), reverse=True)[days - 1] if len(by_day) >= days else 0


def _rounded(value: int) -> int:
    """Round up to three digits."""
    unit = 1
    while value // unit >= _EXACT:
        unit *= 10
    return -(-value // unit) * unit
