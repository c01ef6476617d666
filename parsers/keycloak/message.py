"""The message of an event, as Keycloak's listener ``jboss-logging`` writes it, taken apart.

``Messages.find`` is the quick way, for a message whose parts are all in sight; ``read_message`` is the careful one. What both read,
they read alike.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from parsers.keycloak.fields import ALWAYS, DETAILS, KEY, MOST_KEYS, NAMES, Fields
from parsers.keycloak.patterns import Patterns, is_word
from parsers.keycloak.quoted import read_quoted, repeats
from parsers.keycloak.unquoted import bare, read_unquoted

_TYPE: Final = re.compile(r"type=([A-Z0-9_]*+|([^\w\s\\])([A-Z0-9_]*+)\2)(?=, |$)")
_BETWEEN: Final = re.compile(rf", ({KEY})=")
_DETAIL: Final = rf", (?!(?:realmName|error)(?:,|$)){KEY}"
_IN_ORDER: Final = re.compile(
    r"type, realmId(?:, realmName)?, clientId, userId(?:, sessionId)?, ipAddress"
    rf"(?:, error(?:{_DETAIL})*|(?:{_DETAIL})+)"
)
_USER: Final = NAMES.index("userId")
_ERROR: Final = NAMES.index("error")
_REALM, _SESSION = ", realmName", ", sessionId"
"""Keys of a shape."""
_MOST_SHAPES: Final = 1000
_MOST_CHARS: Final = 2000
"""Keycloak writes a few dozen sets of keys."""


class Messages:
    """Takes messages apart. A log knows few sets of keys, so where each stands is remembered."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], Callable[[Sequence[str | None]], tuple[Any, ...]] | None] = {}
        self._patterns = Patterns()

    def find(self, message: str) -> tuple[Any, ...] | None:
        r"""Return ``Fields``, as a plain tuple, of a message that has one reading at first sight, else None.

        With quotes: nothing has to be weighed where no ``\"`` is and nothing but keys stands between values.
        """
        quote = message[5:6]
        if quote == '"':
            if '\\"' in message:
                return None
            begin = message[: message.find('"', 6)]
            return self._patterns.find_quoted(begin, message) or self._find_quoted(begin, message)
        if not quote.isalnum():
            return None
        begin = message[: message.find(",")]
        fields = self._patterns.find_unquoted(begin, message) or self._find_unquoted(begin, message)
        if fields is None or "'" not in message:
            return fields
        return (*fields[:DETAILS], *[value and bare(value) for value in fields[DETAILS:]])

    def _find_quoted(self, begin: str, message: str) -> tuple[Any, ...] | None:
        parts: list[Any] = message.split('"', 2 * MOST_KEYS)
        if len(parts) % 2 == 0:
            return None
        shape = tuple(parts[::2])
        try:
            fields_at = self._shapes[shape]
        except KeyError:
            fields_at = self._learn(shape, _quoted_keys(shape))
        if fields_at is None:
            return None
        parts[-1] = None  # stands for what is not there
        fields = fields_at(parts)
        self._patterns.learn(begin, fields[0], _quoted_keys(shape), quoted=True)
        return fields

    def _find_unquoted(self, begin: str, message: str) -> tuple[Any, ...] | None:
        """Without quotes: each comma stands before a key and each ``=`` behind one, and no key is missing, elsewhere or there twice.

        All keys of the shape but the first bring a comma, so as many commas as keys leave none for the values.
        """
        parts: list[Any] = message.replace(", ", "=, ").split("=", 2 * MOST_KEYS)
        shape = tuple(parts[::2])
        if len(parts) % 2 or message.count(",") != len(shape) - 1:
            return None
        try:
            fields_at = self._shapes[shape]
        except KeyError:
            fields_at = self._learn(shape, _unquoted_keys(shape))
        if fields_at is None:
            return None
        parts.append(None)  # stands for what is not there
        fields = fields_at(parts)
        behind_user = 5 if shape[2] == _REALM else 4
        session = parts[2 * behind_user + 1] if shape[behind_user] == _SESSION else "none"
        if not (_is_type(fields[0]) and is_word(fields[_USER]) and is_word(session)) or fields[_ERROR] == "":
            return None
        self._patterns.learn(begin, fields[0], _unquoted_keys(shape), quoted=False)
        return fields

    def _learn(
        self, shape: tuple[str, ...], keys: list[str]
    ) -> Callable[[Sequence[str | None]], tuple[Any, ...]] | None:
        """Remember where the fields are among the parts of a message with these keys: a value is behind each piece of the shape."""
        fields_at = None
        if {*keys} >= ALWAYS and not repeats(keys):
            fields_at = itemgetter(*(2 * keys.index(name) + 1 if name in keys else -1 for name in NAMES))
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        if sum(map(len, shape)) < _MOST_CHARS:
            self._shapes[shape] = fields_at
        return fields_at


def _quoted_keys(shape: tuple[str, ...]) -> list[str]:
    """Return the keys that stand between values; none where something else does."""
    between = [_BETWEEN.fullmatch(piece) for piece in shape[1:-1]]
    return (
        ["type", *(key[1] for key in between if key)] if shape[0] == "type=" and all(between) and not shape[-1] else []
    )


def _unquoted_keys(shape: tuple[str, ...]) -> list[str]:
    """Return the keys of a message without quotes; none where one is not where it belongs."""
    first, *others = shape
    keys = [first, *(piece[2:] for piece in others if piece.startswith(", "))]
    return keys if _IN_ORDER.fullmatch(", ".join(keys)) and len({*keys}) == len(shape) else []


def _is_type(value: str) -> bool:
    """Whether a value has the form of a type."""
    return value.isascii() and value.isupper() and value.replace("_", "").isalnum()


def type_of(message: str) -> str | None:
    """Return the type of event, which comes first and is of Keycloak's choice alone; None for a message that has none."""
    found = _TYPE.match(message)
    return found and (found[3] if found[2] else found[1])


def read_message(message: str, *, may_be_cut: bool = False) -> Fields:
    """Return what a message says, read with care. Raises RejectedError for one without one reading.

    ``may_be_cut``: syslog cuts long records, so the end may be missing behind what says what happened.
    """
    quote = message[len("type=") : len("type=") + 1]
    return read_unquoted(message) if quote.isalnum() else read_quoted(message, quote, may_be_cut=may_be_cut)
