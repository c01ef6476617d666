"""From bytes to typed values, or the reason why not. Details name keys and places, never a value of the line."""

import re
from typing import Any, Final

import orjson

from parsers.event import ISSUED_PREFIX, OUTCOMES, Reason, Rejection
from parsers.native.meanings import GRANT_NAMES, OTHER

EXPIRES_IN_MAX: Final = 2**31 - 1
_ESCAPED: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class RejectedError(ValueError):
    """Carries a rejection out of the depth of a line."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def decode(text: bytes) -> Any:
    """Return the JSON value of a line.

    Raises RejectedError. Of equal keys the last counts. JavaScript writes a lone surrogate as an escape, which is no
    Unicode text: it becomes U+FFFD, so that a client cannot make its events unreadable by sending one.
    """
    try:
        return orjson.loads(text)
    except ValueError as error:
        detail = f"not JSON at character {error.pos}" if isinstance(error, orjson.JSONDecodeError) else "not JSON"
    if b"\\ud" in text or b"\\uD" in text:
        try:
            return orjson.loads(_ESCAPED.sub(lambda m: b"\\ufffd" if m["lone"] else m[0], text))
        except ValueError:
            pass
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise RejectedError(Reason.INVALID_UTF8, f"not UTF-8 at byte {error.start}") from None
    raise RejectedError(Reason.INVALID_JSON, detail)


def required_text(record: dict[str, Any], key: str) -> str:
    """Return the string at ``key``. Raises RejectedError when there is none."""
    text = optional_text(record, key)
    if text is None:
        raise RejectedError(Reason.MISSING_KEY, key)
    return text


def optional_text(record: dict[str, Any], key: str, path: str = "") -> str | None:
    """Return the string at ``key``, None for null or nothing. Raises RejectedError naming ``path`` for another type."""
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    raise RejectedError(Reason.WRONG_TYPE, f"{path or key}: not a string")


def identifier(record: dict[str, Any], key: str, path: str = "") -> str | None:
    """Return the string or integer at ``key`` as text: databases number their rows and users.

    Raises RejectedError for another type, and for an integer that no 64 bits hold, which JSON readers round.
    """
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise RejectedError(Reason.WRONG_TYPE, f"{path or key}: neither a string nor an integer")


def known_action(written: str) -> str:
    """Return the action of the vocabulary. Raises RejectedError for one outside it; an unknown grant is ``other``."""
    if written.startswith(ISSUED_PREFIX):
        return ISSUED_PREFIX + GRANT_NAMES.get(written.removeprefix(ISSUED_PREFIX), OTHER)
    if written in OUTCOMES:
        return written
    raise RejectedError(Reason.UNKNOWN_ACTION, "action: not in the vocabulary")


def grant_name(action: str, written: str | None) -> str:
    """Return the grant: the action's suffix, else the written one, else that of a refresh."""
    if action.startswith(ISSUED_PREFIX):
        return action.removeprefix(ISSUED_PREFIX)
    if written:
        return GRANT_NAMES.get(written, OTHER)
    return "refresh_token" if action == "token.refreshed" else ""


def lifetime(value: Any) -> int | None:
    """Return ``expires_in`` in seconds. ``3600.0`` is an integer too: JSON has one kind of number.

    Raises RejectedError for anything else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise RejectedError(Reason.WRONG_TYPE, "details.expires_in: not an integral number")
    if not 0 <= value <= EXPIRES_IN_MAX:
        raise RejectedError(Reason.OUT_OF_RANGE, "details.expires_in: not from 0 to 2147483647")
    return int(value)
