"""The normal form of text that comes from outside: what is stored, shown and compared.

A log's text is written by strangers. In normal form it cannot forge a point, a log line or a terminal escape, cannot
read differently from what it is (bidirectional controls, characters that nobody sees), always encodes as UTF-8, and has
a bounded length. Every function here is idempotent, so a filter typed by a person and a stored value meet in the same
form.

Joiners and variation selectors are invisible, too, but Persian, the scripts of India and emoji cannot be written without
them. A field is for reading, so it keeps them. A tag is a name that people compare and group by: two clients whose names
look alike must not be two, so a tag has none.
"""

import re
from hashlib import blake2b
from typing import Final

TAG_BYTES: Final = 256
FIELD_BYTES: Final = 4096
"""Caps in bytes of UTF-8; the mark of a cut counts."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
"""A cut value ends in this and 8 hex digits of BLAKE2b of the whole value: two long names never become one."""

_CUT_MARK_BYTES: Final = len(CUT.encode()) + 8
_UNSAFE: Final = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: line breaks, terminal escapes
    "\u2028\u2029"  # line and paragraph separators: a line break to JavaScript and to str.splitlines
    "\ud800-\udfff"  # lone surrogates: not encodable
)
INVISIBLE: Final = (
    # Unicode's category Cf: bidirectional controls, which show text in another order, and what shows nothing at all
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff"
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters and marks that show nothing either
)
JOINERS: Final = "\u200c\u200d\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Joiners and variation selectors. As ``INVISIBLE``, to be put between the brackets of a regular expression."""
_UNSAFE_IN_FIELDS: Final = re.compile(f"[{_UNSAFE}{INVISIBLE}]")
_UNSAFE_IN_TAGS: Final = re.compile(f"[{_UNSAFE}{INVISIBLE}{JOINERS}]")


def normal_field(text: str) -> str:
    """Return the text as a field keeps it: unsafe characters are U+FFFD, at most 4 KiB. Empty means absent."""
    return cap(clean(text), FIELD_BYTES)


def normal_tag(text: str) -> str:
    r"""Return the text as a tag keeps it. Empty means absent.

    As a field, and: joiners and variation selectors are U+FFFD; a backslash is ``/``, because InfluxDB 1.x and 2.x read
    one before a delimiter otherwise than 3.x does, which makes the event vanish from one of them; the edges are
    stripped; at most 256 bytes.
    """
    return cap(_replace(_UNSAFE_IN_TAGS, text).replace("\\", "/").strip(), TAG_BYTES)


def clean(text: str) -> str:
    """Replace every character that could forge or hide something by U+FFFD."""
    return _replace(_UNSAFE_IN_FIELDS, text)


def _replace(unsafe: re.Pattern[str], text: str) -> str:
    # The common case costs two calls and no copy.
    return text if text.isascii() and text.isprintable() else unsafe.sub(REPLACEMENT, text)


def cap(text: str, limit: int) -> str:
    """Cut the text to ``limit`` bytes of UTF-8, mark included. The text must be clean (encodable)."""
    if len(text) * 4 <= limit:  # no character takes more than four bytes
        return text
    data = text.encode()
    if len(data) <= limit:
        return text
    head = data[: limit - _CUT_MARK_BYTES].decode(errors="ignore")
    return f"{head}{CUT}{blake2b(data, digest_size=4).hexdigest()}"
