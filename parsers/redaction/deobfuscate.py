"""Text as a reader takes it: decoded, without what nobody sees, and with other forms of a letter or sign as its ASCII one.

A zero-width space in ``password=x``, or ``code=x`` in fullwidth letters or with a Cyrillic o, leaks as well as without. This
is for looking only: what is stored is the text as it was written, unless a secret shows.
"""

import re
from functools import cache
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

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
_QUOTES: Final = {**dict.fromkeys(map(ord, "“”„‟«»″「」『』"), '"'), **dict.fromkeys(map(ord, "‘’‚‛‹›′"), "'")}  # noqa: RUF001  # on purpose
_ALIKE: Final = str.maketrans(
    # Cyrillic, Greek, Armenian, small capitals and other letters that look like those of the names of secrets.
    "асԁеһіјӏорԛѕуԝхктАВСЕНІЈКМОРЅТХУԌԚԜαορνικτυεϲΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոհցքԁᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɑɡ",  # on purpose
    "acdehijlopqsywxktABCEHIJKMOPSTXYGQWaopviktuecABEZHIKMNOPTYXounhgqdabcdeghijklmnoprstuvwyziag",
)

_AGAIN: Final = re.compile(r"%(?:25)+(?=[0-9a-fA-F]{2})")
"""What was percent-encoded more than once."""
_ESCAPES: Final = re.compile(r"(?:\\{1,8}(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}))+")
"""The escapes of JSON in JSON, and of programming languages."""
_ESCAPE: Final = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")

_ENTITIES: Final = re.compile(r"&(?:amp;)*#(?:0{0,4}([0-9]{2,3})|x0{0,4}([2-7][0-9a-f]));", re.IGNORECASE)
"""The entities of HTML that may be letters of a name."""


def deobfuscated(text: str) -> str:
    """Return the text with its disguised characters plain; the same text when there are none."""
    if "%" in text:
        text = unquote(_AGAIN.sub("%", text), errors="replace")
    if "#" in text:
        text = _ENTITIES.sub(_decoded, text)
    if "\\u" in text or "\\x" in text:
        text = _ESCAPES.sub(_unescaped, text)
    if text.isascii() and text.isprintable():
        return text
    seen = _UNSEEN.sub("", text)
    return seen if seen.isascii() else seen.translate(_ascii())


@cache
def _ascii() -> dict[int, int | str]:
    """Return what stands for a character. Normalizing a whole text costs the square of its length when it has many accents in a row.

    Made when it is asked for the first time: most processes never see such a character.
    """
    codes = (code for block in _BLOCKS for code in range(*block))
    forms = {code: form for code in codes if (form := normalize("NFKC", chr(code))).isascii()}
    return {**_ALIKE, **forms, **_QUOTES}


def _decoded(match: re.Match[str]) -> str:
    code = int(match[1]) if match[1] else int(match[2], 16)
    return chr(code) if 0x20 <= code < 0x7F else match[0]


def _unescaped(match: re.Match[str]) -> str:
    code = match[0].lstrip("\\")[1:]
    if "\\" not in code and code[0] not in "dD":  # most stand alone and are no half of a character
        return chr(int(code, 16))
    codes = (wide or f"00{narrow}" for wide, narrow in _ESCAPE.findall(match[0]))
    return bytes.fromhex("".join(codes)).decode("utf-16-be", errors="replace")
