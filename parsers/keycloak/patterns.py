"""Messages that were seen before but for their values: one expression each, which takes the values out at once."""

import re
from collections.abc import Callable
from typing import Any, Final

from parsers.keycloak.fields import NAMES

_QUOTED: Final = '"([^"]*+)"'
_UNQUOTED: Final = "([^,=]*+)"
_WORD: Final = r"([!-+\--<>-~]++)"
"""Printable ASCII without what parts values: what stands without quotes before the address is a word."""
_UNQUOTED_OTHERS: Final = {"userId": _WORD, "sessionId": _WORD, "error": "([^,=]++)"}
_NEVER: Final = "(?:(?!)())?"
"""A group for what is not there."""
_MOST_OF_A_TYPE: Final = 8
_MOST_TYPES: Final = 64
"""Keycloak has fewer types about tokens. What is beyond is read as it is the first time."""


class Patterns:
    """Knows messages by how they begin, up to the end of their type."""

    def __init__(self) -> None:
        self._known: dict[str, list[tuple[Callable[[str], re.Match[str] | None], tuple[int, ...]]]] = {}

    def find(self, begin: str, message: str) -> tuple[Any, ...] | None:
        """Return the values of ``NAMES`` in a message that begins so; None when none like it was learned.

        Where values stand in quotes, no quote may be escaped.
        """
        for matches, order in self._known.get(begin, ()):
            found = matches(message)
            if found is not None:
                return found.group(*order)
        return None

    def learn(self, begin: str, type_: str, keys: list[str], *, quoted: bool) -> None:
        """Remember a message with one reading: no other value can be where one stands, if none holds what parts values.

        ``keys``: all of them, in their order, the type's first.
        """
        if len(self._known) >= _MOST_TYPES and begin not in self._known:
            return
        known = self._known.setdefault(begin, [])
        if len(known) < _MOST_OF_A_TYPE:
            quote = '"' if quoted else ""
            values = [_QUOTED if quoted else _UNQUOTED_OTHERS.get(key, _UNQUOTED) for key in keys[1:]]
            pairs = [f", {re.escape(key)}={value}" for key, value in zip(keys[1:], values, strict=True)]
            pattern = f"type={quote}({re.escape(type_)}){quote}{''.join(pairs)}{_NEVER}"
            order = tuple(keys.index(name) + 1 if name in keys else len(keys) + 1 for name in NAMES)
            known.append((re.compile(pattern).fullmatch, order))
