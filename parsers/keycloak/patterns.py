"""Messages that were seen before but for their values: one expression each, which takes the values out at once."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from parsers.keycloak.fields import NAMES

_QUOTED: Final = '"([^"]*+)"'
_UNQUOTED: Final = "([^,]*+)"
_USER: Final = NAMES.index("userId")
_ERROR: Final = NAMES.index("error")
_SESSION: Final = "sessionId"
_NEVER: Final = "(?:(?!)())?"
"""A group for what is not there."""
_MOST_OF_A_TYPE: Final = 8
_MOST_TYPES: Final = 64
"""Keycloak has fewer types about tokens. What is beyond is read as it is the first time."""


class _Known(NamedTuple):
    """What was learned of messages with the same keys."""

    matches: Callable[[str], re.Match[str] | None]
    order: tuple[int, ...]
    """The groups of ``NAMES``."""
    keys: int
    """How many there are."""
    session: int
    """The group of ``sessionId``."""


class Patterns:
    """Knows messages by how they begin, up to the end of their type."""

    def __init__(self) -> None:
        self._known: dict[str, list[_Known]] = {}

    def find_quoted(self, begin: str, message: str) -> tuple[Any, ...] | None:
        """Return the values of ``NAMES`` in a message that begins so and has no escaped quote; None when none like it was learned."""
        for matches, order, _, _ in self._known.get(begin, ()):
            found = matches(message)
            if found is not None:
                return found.group(*order)
        return None

    def find_unquoted(self, begin: str, message: str) -> tuple[Any, ...] | None:
        """As ``find_quoted``. No value holds a comma or ``=``, since as many of them as there are keys stand behind these."""
        known = self._known.get(begin)
        if known is None:
            return None
        signs = message.count("=")
        for matches, order, keys, session in known:
            found = matches(message) if keys == signs else None
            if found is not None:
                fields = found.group(*order)
                are_words = is_word(fields[_USER]) and (not session or is_word(found[session]))
                return fields if are_words and fields[_ERROR] != "" else None
        return None

    def learn(self, begin: str, type_: str, keys: list[str], *, quoted: bool) -> None:
        """Remember a message with one reading: no other value can be where one stands, if none holds what parts values.

        ``keys``: all of them, in their order, the type's first.
        """
        if len(self._known) >= _MOST_TYPES and begin not in self._known:
            return
        known = self._known.setdefault(begin, [])
        if len(known) < _MOST_OF_A_TYPE:
            quote, value = ('"', _QUOTED) if quoted else ("", _UNQUOTED)
            pairs = "".join([f", {re.escape(key)}={value}" for key in keys[1:]])
            group_of = {
                key: number for number, key in reversed([*enumerate(keys, 1)])
            }  # of equal keys the first counts
            never = len(keys) + 1
            known.append(
                _Known(
                    re.compile(f"type={quote}({re.escape(type_)}){quote}{pairs}{_NEVER}").fullmatch,
                    tuple([group_of.get(name, never) for name in NAMES]),
                    len(keys),
                    group_of.get(_SESSION, 0),
                )
            )


def is_word(value: str) -> bool:
    """Whether a value is not empty and without blanks, of which a space alone is printable."""
    return value != "" and value.isprintable() and " " not in value
