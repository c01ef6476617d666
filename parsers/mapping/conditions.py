"""What a rule asks of a value, and whether one thing asked includes another."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from parsers.mapping import expressions
from parsers.mapping.paths import is_empty

Value: TypeAlias = str | int | float | bool
Holds: TypeAlias = Callable[[Any], bool]

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these, none of which is empty. A number also fits the text that it is written as."""

    values: tuple[Value, ...]

    def compile(self) -> Holds:
        """Return the function that says whether it holds."""
        texts = frozenset(value for value in self.values if isinstance(value, str))
        truths = frozenset(value for value in self.values if isinstance(value, bool))
        numbers = frozenset(value for value in self.values if not isinstance(value, str | bool))
        if not truths and not numbers:
            if len(texts) == 1:
                (only,) = texts
                return lambda value: value == only
            return lambda value: value.__class__ is str and value in texts

        def holds(value: Any) -> bool:
            if isinstance(value, bool):
                return value in truths
            return (isinstance(value, str) and value in texts) or as_number(value) in numbers

        return holds

    def includes(self, other: "Test") -> bool:
        """Whether every value that meets the other test meets this one."""
        return isinstance(other, OneOf) and all(map(self.compile(), other.values))


@dataclass(frozen=True, slots=True)
class Matches:
    """The value is a text that is not empty, and an expression matches all of it."""

    expression: str

    def compile(self) -> Holds:
        """Return the function that says whether it holds."""
        matches = expressions.matcher(self.expression)
        return lambda value: value.__class__ is str and value != "" and matches(value)

    def includes(self, other: "Test") -> bool:
        """Whether every value that meets the other test meets this one, as far as that is seen."""
        if isinstance(other, OneOf):  # a number of theirs fits other texts, too
            return all(isinstance(value, str) for value in other.values) and all(map(self.compile(), other.values))
        return self == other


@dataclass(frozen=True, slots=True)
class Within:
    """The value is a number, or the text of one, within bounds."""

    least: float | None
    most: float | None

    def compile(self) -> Holds:
        """Return the function that says whether it holds."""
        least = float("-inf") if self.least is None else self.least
        most = float("inf") if self.most is None else self.most

        def holds(value: Any) -> bool:
            number = as_number(value)
            return number is not None and least <= number <= most

        return holds

    def includes(self, other: "Test") -> bool:
        """Whether every value that meets the other test meets this one."""
        if isinstance(other, OneOf):
            return all(map(self.compile(), other.values))
        if not isinstance(other, Within):
            return False
        holds = self.compile()
        return all(
            mine is None or (theirs is not None and holds(theirs))
            for mine, theirs in ((self.least, other.least), (self.most, other.most))
        )


@dataclass(frozen=True, slots=True)
class Absent:
    """There is nothing at the path, or (``absent`` false) there is something."""

    absent: bool

    def compile(self) -> Holds:
        """Return the function that says whether it holds."""
        return is_empty if self.absent else lambda value: not is_empty(value)

    def includes(self, other: "Test") -> bool:
        """Whether every value that meets the other test meets this one."""
        return self == other or not (self.absent or isinstance(other, Absent))


Test: TypeAlias = OneOf | Matches | Within | Absent


@lru_cache(4096)
def _number_of_text(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def as_number(value: Any) -> float | None:
    """Return a number, or what number a text is; None for anything else."""
    if isinstance(value, str):
        return _number_of_text(value) if len(value) <= 32 else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
