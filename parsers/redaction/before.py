"""A value before its name: ``'x' is not a valid code``, ``tried x as password``."""

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.sentences import ORDINARY

_VALUE_CHARS: Final = 128
_NAME_BEFORE: Final = r"['\"`]?(?:[a-z]{1,12}[_.-]){0,3}\Z"
"""What stands before the name in a longer one, such as a column's."""
_QUOTED: Final = Expression(
    r"(?P<quote>[\"'`])(?P<value>[^\"'`\s]{4,80})(?P=quote)"
    r"\s(?:(?:is|was|as|for|given|provided|supplied|not|an?|the|your|in|used|correct|right|incorrect|invalid|valid|expired|wrong|unknown|bad"
    r"|authorization|auth|refresh|access|id|client|user|device|parameter|field|value|key"
    r"|(?:does\snot\smatch|doesn't\smatch|(?:mis)?match(?:es)?|with|against|equals)(?:\sthe)?\s(?:stored|saved|current|hashed|configured|known))"
    rf"\s){{1,6}}{_NAME_BEFORE}",
    re.IGNORECASE,
)
_BARE: Final = Expression(
    rf"(?<![^\s(])(?P<value>(?!{ORDINARY})[^\s\"'`&<>()]{{4,80}})"
    r"\s(?:as|(?:is|was)(?:\snot)?|for\s(?:the\s)?(?:parameter|param|field))"
    rf"\s(?:(?:the|your|an?|my|his|her|their|valid|correct|right|current|stored|client|user|new|old)\s){{0,4}}{_NAME_BEFORE}",
    re.IGNORECASE,
)
"""Without quotes a value is what is no ordinary word."""
_LINKS: Final = (" as ", " is ", " was ", " for ")
_LINK_CHARS: Final = 48
_NO_NAME: Final = Expression(
    r"\w{3,20}[\s_-](?:endpoint|type|challenge|method|audience|issuer|owner|lifetime|exchange|format|server|service|store|policy|grant)",
    re.IGNORECASE,
)
"""The name of something else: ``'S256' is no valid code challenge method``."""


def value_before(text: str, begin: int, start: int) -> tuple[int, int] | None:
    """Return where the value is that the name at ``start`` is said of; it begins at ``begin`` or later."""
    begin = max(begin, start - _VALUE_CHARS)
    value = _QUOTED.search(text, begin, start)
    if value is None:
        linked = text[max(begin, start - _LINK_CHARS) : start].lower()
        if any(link in linked for link in _LINKS):
            value = _BARE.search(text, begin, start)
    return None if value is None or _NO_NAME.match(text, start) else value.span("value")
