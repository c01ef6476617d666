"""Where in a TOML text a key stands, so that a problem can be told with its line: ``tomllib`` keeps no positions."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value: ``("rules", 2, "when")``."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[A-Za-z0-9_-]+")
_STRING: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}' + r"|'''(?:[^']|'(?!''))*'{3,5}" + r"|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, counted from 1, of each key and each list's element. ``text`` is one that ``tomllib`` takes."""
    return _Scanner(text).scan()


def line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """Return the line of a value, or that of the nearest table around it that is written."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


class _Scanner:
    """Walks through a text once. What is no TOML need not be told: ``tomllib`` did."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [end.start() for end in re.finditer("\n", text)]
        self._at = 0
        self._lines: dict[Place, int] = {}
        self._tables: dict[Place, int] = {}
        """How many ``[[tables]]`` a place has so far."""

    def scan(self) -> dict[Place, int]:
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            before = self._at
            self._skip(_BLANK)
            if self._at == before < len(self._text):  # no end of a line: no TOML
                break
        return self._lines

    def _header(self) -> Place:
        many = self._text.startswith("[[", self._at)
        start = self._at
        self._at += 2 if many else 1
        *outer, last = self._keys()
        place: Place = ()
        for key in outer:
            place = self._newest((*place, key))
        place = (*place, last)
        if many:
            self._tables[place] = self._tables.get(place, 0) + 1
            self._note(place, start)
        place = self._newest(place)
        self._note(place, start)
        self._at += 2 if many else 1
        return place

    def _newest(self, place: Place) -> Place:
        """Return the place of the table that a header within this one is about: the last of several."""
        return (*place, self._tables[place] - 1) if place in self._tables else place

    def _pair(self, table: Place) -> None:
        start = self._at
        place = table
        for key in self._keys():
            place = (*place, key)
            self._note(place, start)
        self._at += 1  # the equals sign
        self._value(place)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self._text, self._at)
            if match is None:
                return keys or [""]
            keys.append(_read(match[0]))
            self._at = match.end()
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, place: Place) -> None:
        self._skip(_BLANK)
        self._note(place, self._at)
        opened = self._text[self._at : self._at + 1]
        if opened == "[":
            self._items(place, "]")
        elif opened == "{":
            self._items(place, "}")
        else:
            string = _STRING.match(self._text, self._at)
            self._at = string.end() if string else self._at
            self._skip(_SCALAR)

    def _items(self, place: Place, closed: str) -> None:
        """Walk through a list, or a table within braces."""
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            before = self._at
            if self._at >= len(self._text) or self._text[self._at] == closed:
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
            elif closed == "]":
                self._value((*place, index))
                index += 1
            else:
                self._pair(place)
            if self._at == before:  # no TOML
                return

    def _note(self, place: Place, at: int) -> None:
        self._lines.setdefault(place, bisect_right(self._ends, at - 1) + 1)

    def _skip(self, expression: re.Pattern[str]) -> None:
        match = expression.match(self._text, self._at)
        self._at = match.end() if match else self._at


def _read(key: str) -> str:
    if key[0] not in "\"'":
        return key
    return next(iter(tomllib.loads(f"{key} = 0"))) if "\\" in key else key[1:-1]
