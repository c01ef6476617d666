"""The normal form of text that comes from outside: what is stored, shown and compared.

A log's text is written by strangers. In normal form it cannot forge a point, a log line or a terminal escape, cannot
read differently from what it is (bidirectional controls), always encodes as UTF-8, and has a bounded length. Every
function here is idempotent, so a filter typed by a person and a stored value meet in the same form.
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
_UNSAFE: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: line breaks, terminal escapes
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: text that shows in another order
    "\u2028\u2029"  # line and paragraph separators: a line break to JavaScript and to str.splitlines
    "\ufeff"  # byte order mark, invisible
    "\ud800-\udfff"  # lone surrogates: not encodable
    "]"
)


def normal_field(text: str) -> str:
    """Return the text as a field keeps it: unsafe characters are U+FFFD, at most 4 KiB. Empty means absent."""
    return cap(clean(text), FIELD_BYTES)


def normal_tag(text: str) -> str:
    r"""Return the text as a tag keeps it. Empty means absent.

    As a field, and: a backslash is ``/``, because InfluxDB 1.x and 2.x read one before a delimiter otherwise than 3.x
    does, which makes the event vanish from one of them; the edges are stripped; at most 256 bytes.
    """
    return cap(clean(text).replace("\\", "/").strip(), TAG_BYTES)


def clean(text: str) -> str:
    """Replace every character that could forge or hide something by U+FFFD."""
    # The common case costs two calls and no copy.
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(REPLACEMENT, text)


def cap(text: str, limit: int) -> str:
    """Cut the text to ``limit`` bytes of UTF-8, mark included. The text must be clean (encodable)."""
    if len(text) * 4 <= limit:  # no character takes more than four bytes
        return text
    data = text.encode()
    if len(data) <= limit:
        return text
    head = data[: limit - _CUT_MARK_BYTES].decode(errors="ignore")
    return f"{head}{CUT}{blake2b(data, digest_size=4).hexdigest()}"
