"""What needs no second look within the same day, or the same hour: most of all events."""

from array import array
from typing import Final

from parsers.contract import Tags

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

MOST: Final = 16_384
"""What is told apart. When it is more, all is looked at again."""


class Settled:
    """What was looked at, in each of the last two periods that were asked for, since logs may be hours apart.

    It is for speed alone, and in no checkpoint. So a second look must change nothing: whoever forgets something clears this, too.
    A detector keeps an event's tags, when it is done with all events that have these: they are shared by many events. Or it keeps a hash of
    these and what else it looks at: hashes are small, and that two of 16,384 are equal by chance is a matter of 10^14 events.
    """

    def __init__(self, period_ms: int = DAY_MS, most: int = MOST) -> None:
        self._period_ms = period_ms
        self._most = most
        self._periods: dict[int, set[int | Tags]] = {}

    def at(self, time_ms: int) -> tuple[int, int, set[int | Tags]]:
        """Return when the period of a time begins and when the next one does (milliseconds), and what is settled in it."""
        period = time_ms // self._period_ms
        settled = self._periods.pop(period, None) or set()
        if len(settled) > self._most:
            settled.clear()
        self._periods[period] = settled
        while len(self._periods) > 2:
            del self._periods[next(iter(self._periods))]
        return period * self._period_ms, (period + 1) * self._period_ms, settled

    def clear(self) -> None:
        """Have all be looked at again."""
        for settled in self._periods.values():
            settled.clear()


class SettledHashes:
    """The same for what may be very much, such as users: a hash stands at its own place, or is lost to another one. 1.5 MiB.

    ``look`` is at its place if ``places[look & MASK] == look``. The day is part of the hash, or ``until`` has the day from which on it is
    looked at again.
    """

    MASK: Final = (1 << 17) - 1

    def __init__(self) -> None:
        self.places = array("q", bytes(8 * (self.MASK + 1)))
        self.until = array("I", bytes(4 * (self.MASK + 1)))

    def clear(self) -> None:
        """Have all be looked at again."""
        self.places[:] = array("q", bytes(8 * (self.MASK + 1)))
