"""From bytes to typed values, or the reason why not. Details name keys and places, never a value of the line."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any, Final

import orjson

from parsers.contract import BLANK, IGNORED, ISSUED_PREFIX, OUTCOMES, Events, Outcome, Reason, Rejection, events_of
from parsers.vocabulary import GRANT_NAMES, OTHER

EXPIRES_IN_MAX: Final = 2**31 - 1
_INEXACT: Final = 2**53
"""From here on a double stands for more than one integer."""
CHUNK_BYTES: Final = 65_536
"""So many bytes of lines are looked at together: a whole block and its lines do not fit into a processor's cache."""

_PADDING: Final = b" \t\r\0\n"
"""What may stand before and after a line and is no part of it. A writer that does not append leaves a hole of NUL bytes before
its first line after a truncation; a crash of the machine and writers of C strings leave them behind one."""
_BOM: Final = b"\xef\xbb\xbf"
_EVENT_TYPE: Final = re.compile(r"(?:OAUTH2_)?[A-Z_]{1,60}")
"""Words without digits, of which secrets are made; ``OAUTH2_`` alone begins types that have one."""


class RejectedError(ValueError):
    """Carries a rejection out of the depth of a line."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def chunks(data: bytes) -> Iterator[bytes]:
    r"""Cut whole lines into pieces of about ``CHUNK_BYTES`` of whole lines, without the ``\n`` at their ends."""
    start = 0
    while start < len(data):
        end = len(data) if len(data) - start <= CHUNK_BYTES else data.rfind(b"\n", start, start + CHUNK_BYTES) + 1
        if not end:  # a long line
            end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end].removesuffix(b"\n")
        start = end


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    if data.isascii():  # nearly always, and many times faster to tell
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode(text: bytes) -> Any:
    """Return the JSON value of a line; of equal keys the last counts. Raises RejectedError.

    Two things are JSON by its grammar that no double and no Unicode text can hold: a huge number, and a lone surrogate,
    which JavaScript writes as an escape. They do not make a line unreadable: otherwise a client could hide by sending
    one. Such a number is infinite, such a character becomes U+FFFD in the normal form.
    """
    try:
        return orjson.loads(text)
    except ValueError as error:
        detail = f"not JSON at character {error.pos}" if isinstance(error, orjson.JSONDecodeError) else "not JSON"
    try:
        return json.loads(text.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise RejectedError(Reason.INVALID_UTF8, f"not UTF-8 at byte {error.start}") from None
    except (ValueError, RecursionError):
        raise RejectedError(Reason.INVALID_JSON, detail) from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are JavaScript, not JSON


def required_text(record: dict[str, Any], key: str) -> str:
    """Return the string at ``key``. Raises RejectedError when there is none."""
    return required(optional_text(record, key), key)


def required(text: str | None, name: str) -> str:
    """Return the text. Raises RejectedError naming ``name`` when there is none."""
    if text is None:
        raise RejectedError(Reason.MISSING_KEY, name)
    return text


def optional_text(record: dict[str, Any], key: str) -> str | None:
    """Return the string at ``key``, None for null or nothing. Raises RejectedError naming ``key`` for another type."""
    return text_or_none(record.get(key), key)


def part(record: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object at ``key``, an empty one for null or nothing. Raises RejectedError naming ``key`` for another type."""
    found = record.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RejectedError(Reason.WRONG_TYPE, f"{key}: not an object")
    return found


def text_or_none(value: Any, name: str) -> str | None:
    """Return a string, None for null. Raises RejectedError naming ``name`` for another type."""
    if value is None or isinstance(value, str):
        return value
    raise RejectedError(Reason.WRONG_TYPE, f"{name}: not a string")


def integral(value: Any) -> int | None:
    """Return the integer that a JSON number is, however it is written, or None.

    JSON has one kind of number, so 42, 42.0 and 4.2e1 are one; Lua and JavaScript's kin write any of them.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identifier_text(value: Any, name: str) -> str | None:
    """Return a string or an integral number as text: databases number their rows and users. None for null.

    Raises RejectedError naming ``name`` for another type, and for a number that readers of JSON round: an integer that no 64
    bits hold, and one written with decimals or an exponent that is not below 2^53.
    """
    if value is None or isinstance(value, str):
        return value
    number = integral(value)
    if number is None or (isinstance(value, float) and abs(number) >= _INEXACT):
        raise RejectedError(Reason.WRONG_TYPE, f"{name}: neither a string nor an integer")
    return str(number)


def known_action(written: str, name: str = "action") -> str:
    """Return the action of the vocabulary. Raises RejectedError for one outside it; an unknown grant is ``other``."""
    if written.startswith(ISSUED_PREFIX):
        return ISSUED_PREFIX + GRANT_NAMES.get(written.removeprefix(ISSUED_PREFIX), OTHER)
    if written in OUTCOMES:
        return written
    raise RejectedError(Reason.UNKNOWN_ACTION, f"{name}: not in the vocabulary")


def unknown_operation(written: str, name: str) -> RejectedError:
    """Return what to raise for a provider's word that looks like a token operation and is not known.

    ``name``: the key that it stands at. The word itself is told only if it has the shape of a provider's event types, because
    the rest is what somebody else chose.
    """
    told = written if _EVENT_TYPE.fullmatch(written) else "not in the vocabulary"
    return RejectedError(Reason.UNKNOWN_ACTION, f"{name}: {told}")


def grant_name(action: str, written: str | None) -> str:
    """Return the grant: the action's suffix, else the written one, else that of a refresh."""
    if action.startswith(ISSUED_PREFIX):
        return action.removeprefix(ISSUED_PREFIX)
    if written:
        return GRANT_NAMES.get(written, OTHER)
    return "refresh_token" if action == "token.refreshed" else ""


def lifetime(value: Any, name: str) -> int | None:
    """Return a lifetime in seconds. Raises RejectedError naming ``name`` for what is no integral number within the bounds."""
    if value is None:
        return None
    seconds = integral(value)
    if seconds is None:
        raise RejectedError(Reason.WRONG_TYPE, f"{name}: not an integral number")
    if not 0 <= seconds <= EXPIRES_IN_MAX:
        raise RejectedError(Reason.OUT_OF_RANGE, f"{name}: not from 0 to {EXPIRES_IN_MAX}")
    return seconds


def each_line(data: bytes, read: Callable[[bytes], Outcome]) -> list[Outcome]:
    r"""Return what ``read`` makes of each line of a block: what ``Parser.parse`` has to return.

    ``read`` gets the line without its ``\n``, blanks, NUL bytes and byte order mark around it, and may raise RejectedError. It
    is not asked for blank lines.
    """
    outcomes = []
    for line in BytesIO(data):  # which finds the ends of long lines many times faster than ``split`` does
        text = line[:-1] if line[:1] == b"{" and line[-2:] == b"}\n" else stripped(line)  # nothing stands around most
        try:
            outcomes.append(read(text) if text else empty_line(line))
        except RejectedError as error:
            outcomes.append(error.rejection)
    return outcomes


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what a line is whose parts became these, in their order.

    One rejected part rejects the line: a line is stored whole or listed, so that a replay after a fix finds all of it.
    """
    rows: Events = []
    for outcome in outcomes:
        if isinstance(outcome, Rejection):
            return outcome
        rows += events_of(outcome)
    return rows if len(rows) > 1 else rows[0] if rows else IGNORED


def stripped(line: bytes) -> bytes:
    """Return a line without what stands around it and is no part of it."""
    return line.strip(_PADDING).removeprefix(_BOM).strip(_PADDING)


def empty_line(line: bytes) -> Outcome:
    """Return what a line is of which ``stripped`` leaves nothing."""
    return Rejection(Reason.INVALID_JSON, "nothing but NUL bytes") if b"\0" in line else BLANK
