"""Take envelopes off one line."""

from functools import lru_cache
from typing import Final

from parsers.envelopes import collectors, headers, kinds, objects
from parsers.envelopes.kinds import Taken

_BOM: Final = b"\xef\xbb\xbf"
_BEFORE: Final = b" \t\r\0"
"""What may stand before a line and is no part of it, as ``parsers.records`` has it."""


@lru_cache(4096)
def may_be_wrapped(head: bytes) -> bool:
    """Tell whether a line that begins so may be in an envelope; most of the lines that are in none begin alike.

    ``head``: its first ``collectors.HEAD_BYTES``.
    """
    return not head.startswith(b"{") or collectors.may_begin(head)


def taken_off(line: bytes) -> Taken | None:
    """Return what is in the outermost envelope of a line; None when it is in none that is known.

    Docker's and CRI's are taken off with the one around them, since what they split is put together before all else.
    """
    outer = outermost(line)
    if outer is None or outer.stream is not None or outer.text is None or not may_be_split(outer.text):
        return outer
    inner = outermost(outer.text)
    if inner is None or inner.stream is None:
        return outer
    return inner._replace(envelopes=outer.envelopes + inner.envelopes)


def outermost(line: bytes) -> Taken | None:
    """Return what is in the outermost envelope of a line, and in no other; None when it is in none that is known."""
    line = line.lstrip(_BEFORE).removeprefix(_BOM)
    try:
        if line.startswith(b"{"):
            return objects.taken_off(line.rstrip(_BEFORE))
        if line.startswith(b'"'):
            return objects.in_string(line.rstrip(_BEFORE))
        if line.startswith(b"\x1e"):
            return Taken((kinds.SEQUENCE,), line.lstrip(b"\x1e"))
    except (ValueError, RecursionError):
        return None
    return headers.taken_off(line)


def may_be_split(text: bytes) -> bool:
    """Tell whether a text may be a line of Docker's or CRI's, which can be a part of a record."""
    return text[10:11] == b"T" or text.startswith(b'{"log":')
