"""What may still become of a line whose end is not there yet. Pure."""

import json
from typing import Final

from parsers.envelopes.headers import behind_header

_BEFORE: Final = "\0\ufeff \t\r"
"""What may stand before an object: a hole, a byte order mark, blanks."""
_LITERALS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_NUMBERS: Final = (".", "e", "E", "e+", "e-", "E+", "E-")
"""What may be left of a number behind the digits that are one already."""


def may_become_object(line: bytes) -> bool:
    """Tell whether the beginning of a line is one of a JSON object that has not ended, behind the header of an envelope or without.

    One that has ended is as good as a line with an end: what is in it can be looked at, and what stands behind it stays there.
    """
    text = behind_header(line.lstrip(b"\0 \t\r")).decode(errors="replace").lstrip(_BEFORE)
    if not text:
        return True
    if not text.startswith("{"):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except RecursionError:
        return False
    except json.JSONDecodeError as error:
        rest = text[error.pos :].strip(" \t\r")
        cut = not rest or error.msg.startswith("Unterminated string") or rest in _NUMBERS
        return cut or any(literal.startswith(rest) for literal in _LITERALS) or _is_cut_escape(error)
    return False


def _is_cut_escape(error: json.JSONDecodeError) -> bool:
    return error.msg.startswith("Invalid \\uXXXX") and len(error.doc) - error.pos <= len("u0000")
