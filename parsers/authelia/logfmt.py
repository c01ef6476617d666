"""A line of logrus in plain text: ``time="..." level=error msg="..." path=/api/oidc/token``, values quoted as Go quotes them."""

import re
from collections.abc import Container
from typing import Final

from parsers.contract import Reason
from parsers.records import RejectedError

_PAIR: Final = re.compile(r'([\w.-]++)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^\s"]*+))(?: +|$)')
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read(line: bytes, keys: Container[str]) -> dict[str, str]:
    """Return the pairs of a line that have one of these keys; of equal keys the first counts. Raises RejectedError."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise RejectedError(Reason.INVALID_UTF8, f"byte {error.start}") from None
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


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    byte, short, long, letter = escape.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    code = int(byte or short or long, 16)
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if is_character and byte is None else "\ufffd"
