"""What a subject never did before, within some days: the addresses, user agents or scopes of a client."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from ingestor.detectors.contract import Memory, MemoryChanges
from ingestor.detectors.parts.memory import BoundedMemory, Key

MOST_VALUES: Final = 24
"""Of one subject. What has more, such as an app on phones, has something new all the time: nothing is new of it."""
MOST_SUBJECTS: Final = 4_000


class Sight(Enum):
    """What a value is to its subject."""

    KNOWN = "known"
    NEW = "new"
    """It was not seen within the days, and the subject is known well enough to say so."""
    LEARNED = "learned"
    """It was not seen either, but the subject is still being learned, or has too many values to tell."""


@dataclass(slots=True)
class Habit:
    """What a subject does. Days count from the Unix epoch."""

    days: int = 0
    """On how many days it did something."""
    last: int = -1
    """The last of them."""
    values: dict[str, int] = field(default_factory=dict)
    """On which day each was seen last."""
    many: int | None = None
    """The day on which it had too many values, and lost them."""

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [self.days, self.last, self.values, self.many]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Habit":
        """Return it again."""
        return cls(*value)

    def note(self, value: str, day: int, within: int) -> None:
        """Have it do this on a day."""
        if day > self.last:
            self.days, self.last = self.days + 1, day
        if self.many is None:
            self.values[value] = max(day, self.values.get(value, day))
        if len(self.values) > MOST_VALUES:
            self.values = {each: last for each, last in self.values.items() if day - last <= within}
        if len(self.values) > MOST_VALUES:
            self.values, self.many = {}, day


class Novelty:
    """Values of subjects, with the day on which each was seen last. A piece changes with a new value or a new day, and with nothing else.

    A subject is learned on the first days on which it does something, whenever these are: a time of 1970 among the others is one day.
    It is learned anew after it did nothing for so long as is remembered, after it had too many values, and after it was forgotten
    since too many other subjects did something new.
    """

    def __init__(self, prefix: str, most: int = MOST_SUBJECTS) -> None:
        self._habits: BoundedMemory[Habit] = BoundedMemory(Habit.to_json, Habit.of_json, most=most, prefix=prefix)

        self._anew = 0

    def __contains__(self, subject: Key) -> bool:
        return self._habits.get(subject) is not None

    @property
    def forgotten(self) -> int:
        """How often a subject was forgotten since the start, or what it did."""
        return self._habits.forgotten + self._anew

    def see(self, subject: Key, value: str, day: int, *, within: int, learn: int) -> Sight:
        """Note a value that was seen on a day. ``within``: days that are remembered; ``learn``: days on which it has to do something."""
        habit = self._habits.get(subject)
        if habit is None or day - habit.last > within or (habit.many is not None and day - habit.many > within):
            self._anew += habit is not None
            habit = Habit()
        if habit.last - day > within:
            return Sight.KNOWN  # too old to tell
        known = self._knows(habit, value, day, within)
        learned = habit.days >= learn and habit.many is None
        if day > habit.last or (habit.many is None and day > habit.values.get(value, -1)):
            habit.note(value, day, within)
            self._habits.put(subject, habit)
        if known:
            return Sight.KNOWN
        return Sight.NEW if learned else Sight.LEARNED

    def days(self, subject: Key) -> int:
        """Return on how many days a subject did something."""
        habit = self._habits.get(subject)
        return 0 if habit is None else habit.days

    def has_many(self, subject: Key, day: int, *, within: int) -> bool:
        """Whether a subject has too many values, so that nothing is new of it on this day."""
        habit = self._habits.get(subject)
        return habit is not None and habit.many is not None and day - habit.many <= within

    def knows(self, subject: Key, value: str, day: int, *, within: int) -> bool | None:
        """Whether a value was seen of a subject; None when nothing is known of it, or too much."""
        habit = self._habits.get(subject)
        return None if habit is None or habit.many is not None else self._knows(habit, value, day, within)

    def dump(self) -> MemoryChanges:
        """Return the subjects that have changed."""
        return self._habits.dump()

    def restore(self, memory: Memory) -> None:
        """Take up its pieces of a detector's memory."""
        self._habits.restore(memory)

    @staticmethod
    def _knows(habit: Habit, value: str, day: int, within: int) -> bool:
        last = habit.values.get(value)
        return last is not None and day - last <= within
