"""A line of logrus in plain text: ``time="..." level=error msg="..." path=/api/oidc/token``, values quoted as Go quotes them.

``Lines.read`` is the quick way, where no quote is escaped, so that each one opens or closes a value. ``read`` is the careful one.
"""

import re
from collections.abc import Container
from typing import Final, NamedTuple

from parsers.contract import Reason
from parsers.memory import remember
from parsers.records import RejectedError

_PAIR: Final = re.compile(r'([\w.-]++)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^\s"]*+))(?: +|$)')
_BARE: Final = r'[\w.-]++=[^\s"]*+(?: ++|$)'
_BARE_PAIR: Final = re.compile(r'([\w.-]++)=([^\s"]*+)(?: +|$)')
_BETWEEN: Final = re.compile(rf'(?:"(?: +|$))?((?:{_BARE})*)(?:([\w.-]++)=")?')
"""From the quote that closes a value to the one that opens the next: pairs without quotes, and the next one's key."""
_MOST_QUOTED: Final = 32
"""Authelia writes at most a dozen values in quotes."""
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Between(NamedTuple):
    """What stands between two values in quotes."""

    pairs: tuple[tuple[str, str], ...]
    """Those without quotes that are asked for."""
    key: str | None
    """That of the value that follows, if it is asked for."""


class Lines:
    """Reads lines. What stands between values in quotes is nearly always the same, so it is remembered."""

    def __init__(self, keys: Container[str]) -> None:
        """``keys``: those that are asked for."""
        self._keys = keys
        self._known: dict[str, _Between | None] = {}

    def read(self, line: bytes) -> dict[str, str]:
        """Return what ``read`` does. Raises RejectedError."""
        pairs = None if b'\\"' in line else self._find(_decoded(line))
        return read(line, self._keys) if pairs is None else pairs

    def _find(self, text: str) -> dict[str, str] | None:
        """Return the pairs of a text without escaped quotes; None for one that is to be read with care."""
        parts = text.split('"', 2 * _MOST_QUOTED)
        if len(parts) % 2 == 0 or not parts[0]:
            return None
        pairs: dict[str, str] = {}
        last = len(parts) - 1
        for number in range(0, len(parts), 2):
            written = parts[number] if number == 0 else f'"{parts[number]}'
            if number < last:
                written += '"'
            try:
                between = self._known[written]
            except KeyError:
                between = self._learn(written)
            if between is None:
                return None
            for key, value in between.pairs:
                pairs.setdefault(key, value)
            if between.key is not None and between.key not in pairs:
                pairs[between.key] = _unquoted(parts[number + 1])
        return pairs

    def _learn(self, written: str) -> _Between | None:
        found = _BETWEEN.fullmatch(written)
        between = None
        if found is not None:
            pairs = [(key, value) for key, value in _BARE_PAIR.findall(found[1]) if key in self._keys]
            between = _Between(tuple(pairs), found[2] if found[2] in self._keys else None)
        remember(self._known, written, between)
        return between


def read(line: bytes, keys: Container[str]) -> dict[str, str]:
    """Return the pairs of a line that have one of these keys; of equal keys the first counts. Raises RejectedError."""
    text = _decoded(line)
    pairs: dict[str, str] = {}
    start = 0
    while start < len(text):
        pair = _PAIR.match(text, start)
        if pair is None:
            raise RejectedError(Reason.NOT_AN_OBJECT, f"not key=value at character {start}")
        key, quoted, bare = pair.groups()
        if key in keys and key not in pairs:
            pairs[key] = bare if quoted is None else _unquoted(quoted)
        start = pair.end()
    return pairs


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise RejectedError(Reason.INVALID_UTF8, f"byte {error.start}") from None


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    byte, short, long, letter = escape.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    code = int(byte or short or long, 16)
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if is_character and byte is None else "\ufffd"
