"""Text as a reader takes it: decoded, without what nobody sees, and with other forms of a letter or sign as its ASCII one.

A zero-width space in ``password=x``, or ``code=x`` in fullwidth letters, leaks as well as without. This is for looking
only: what is stored is the text as it was written, unless a secret shows. Letters of other scripts that merely look
alike are others to us, too.
"""

import re
from typing import Final
from unicodedata import normalize

from parsers.text import INVISIBLE, JOINERS, REPLACEMENT

_CONTROLS: Final = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
"""Without what ends a line: ``\\s`` does for it."""
_UNSEEN: Final = re.compile(f"[{_CONTROLS}{INVISIBLE}{JOINERS}{REPLACEMENT}]")
_BLOCKS: Final = (
    (0xA0, 0x3400),
    (0xA700, 0xAB70),
    (0xFB00, 0xFFF0),
    (0x107A5, 0x107A6),
    (0x1D400, 0x1D800),
    (0x1F100, 0x1FC00),
)
"""Where the forms of ASCII characters are: fullwidth, mathematical, in circles, ligatures. All of Unicode would take long."""
_QUOTES: Final = {**dict.fromkeys(map(ord, "“”„‟«»″"), '"'), **dict.fromkeys(map(ord, "‘’‚‛‹›′"), "'")}  # noqa: RUF001  # on purpose
_FORMS: Final = {
    code: form for block in _BLOCKS for code in range(*block) if (form := normalize("NFKC", chr(code))).isascii()
}
_ASCII: Final = {**_FORMS, **_QUOTES}
"""A table, since normalizing a whole text costs the square of its length when it has many accents in a row."""


_ENCODED: Final = re.compile(r"(?:%(?:25)*[0-9a-fA-F]{2})+|(?:\\{1,8}u[0-9a-fA-F]{4})+")
"""Percent-encoded bytes, however often that was done, and the escapes of JSON in JSON."""
_PERCENT: Final = re.compile(r"%(?:25)*([0-9a-fA-F]{2})")
_ESCAPE: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")


def undisguised(text: str) -> str:
    """Return the text with its disguised characters plain; the same text when there are none."""
    if "%" in text or "\\u" in text:
        text = _ENCODED.sub(_decoded, text)
    if text.isascii() and text.isprintable():
        return text
    seen = _UNSEEN.sub("", text)
    return seen if seen.isascii() else seen.translate(_ASCII)


def _decoded(match: re.Match[str]) -> str:
    run = match[0]
    if run[0] == "%":
        return bytes.fromhex("".join(_PERCENT.findall(run))).decode(errors="replace")
    return bytes.fromhex("".join(_ESCAPE.findall(run))).decode("utf-16-be", errors="replace")
