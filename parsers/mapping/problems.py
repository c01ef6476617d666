"""What is wrong with a mapping file, gathered while it is read, and what values of it may be."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from parsers.mapping.expressions import NO_ENGINE
from parsers.mapping.paths import Path, parse_path
from parsers.mapping.positions import Place, line_of
from parsers.near_miss import did_you_mean

_SHOWN_CHARS: Final = 60


class Problem(NamedTuple):
    """One thing that is wrong. ``line``: counted from 1."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


class MappingError(ValueError):
    """Everything that is wrong with a mapping."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class NotAcceptedError(ValueError):
    """What is wrong with one value, and its place."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place = place


class Problems:
    """Gathers problems; the methods return a value if it is accepted, else None."""

    def __init__(self, lines: Mapping[Place, int]) -> None:
        """``lines``: of the file's places, from ``positions.lines_of``."""
        self._lines = lines
        self.found: list[Problem] = []

    def report(self, place: Place, what: str) -> None:
        """Add a problem; what is wrong with the machine, and not with the file, once."""
        if what != NO_ENGINE or all(problem.what != NO_ENGINE for problem in self.found):
            self.found.append(Problem(self.line(place), what))

    def line(self, place: Place) -> int:
        """Return the line of a place, counted from 1."""
        return line_of(place, self._lines)

    def refuse_unknown(self, table: Mapping[str, Any], known: Sequence[str], place: Place) -> None:
        """Report the keys that are not known here."""
        for key in table:
            if key not in known:
                hint = did_you_mean(key, known) or f"; known here: {', '.join(known)}"
                self.report((*place, key), f"unknown key {shown(key)}{hint}")

    def table(self, value: Any, place: Place) -> dict[str, Any]:
        """Accept a table; anything else is an empty one."""
        if isinstance(value, dict):
            return value
        self.report(place, f"{_name(place)} must be a table")
        return {}

    def tables(self, value: Any, place: Place) -> list[dict[str, Any]]:
        """Accept a list of tables; anything else is an empty one."""
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.report(place, f"{_name(place)} must be written as [[{_name(place)}]], once for each")
        return []

    def text(self, value: Any, place: Place) -> str | None:
        """Accept a text that is not blank."""
        if isinstance(value, str) and value.strip():
            return value
        self.report(place, f"{_name(place)} must be a text that is not empty (found {shown(value)})")
        return None

    def one_of(self, value: Any, words: Sequence[str], place: Place) -> str | None:
        """Accept one of some words."""
        if isinstance(value, str) and value in words:
            return value
        hint = did_you_mean(str(value), words) or f"; they are {', '.join(words)}"
        self.report(place, f"{_name(place)}: {shown(value)} is not known{hint}")
        return None

    def path(self, value: Any, place: Place) -> Path | None:
        """Accept a path."""
        try:
            if isinstance(value, str):
                return parse_path(value)
            self.report(place, f"a path must be a text, such as data.client_id (found {shown(value)})")
        except ValueError as error:
            self.report(place, f"the path {shown(value)}: {error}")
        return None


def _name(place: Place) -> str:
    """Return what a place is called: its last key, also of an element of a list."""
    return str(next(key for key in reversed(place) if isinstance(key, str)))


def shown(value: object) -> str:
    """Return a value as a message quotes it. Nobody writes a secret into a mapping."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
