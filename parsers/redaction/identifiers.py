"""Clients, users and realms are identifiers: what they are stored as, and which of them look like secrets and are none.

An identifier goes another way than free text. Dynamic registration, Doorkeeper (43 characters) and pairwise subjects draw
theirs by lot, so randomness tells nothing about one of up to 64 characters, and a mask would make one client of many. What is
certainly a secret is masked in the place of an identifier, too: people do paste tokens into the wrong field.
"""

import re
from collections.abc import Iterable
from typing import Final
from unicodedata import combining, normalize

from parsers.redaction.opaque import PUBLIC_IDENTIFIER
from parsers.redaction.redact import Counts, redact_identifier, redact_secrets
from parsers.wildcards import matches

_EMPTY: Final = "\N{BRAILLE PATTERN BLANK}"
"""A letter that shows nothing, and no blank to ``str.strip``."""
_BLANKS: Final = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Unicode's category Zs. What ends a line or controls a terminal is none: nobody types it, so it stays to be seen."""
_MARKS: Final = 30
"""More marks on one letter are no language's (UAX #15, stream-safe text), and composing them costs their number's square."""
_PUBLIC: Final = re.compile(PUBLIC_IDENTIFIER)


class Identifiers:
    """Reads identifiers. ``public``: those to be stored as they are, or patterns of them with ``*`` for anything."""

    def __init__(self, public: Iterable[str] = ()) -> None:
        forms = [one_form(name) for name in public]
        self._exact = frozenset(form for form in forms if "*" not in form)
        self._patterns = [form.split("*") for form in forms if "*" in form]

    def read(self, text: str, counts: Counts | None = None) -> str:
        """Return the one form of an identifier, without secrets; ``counts`` as in ``parsers.redaction.redact``."""
        return self.redact(one_form(text), counts)

    def redact(self, text: str, counts: Counts | None = None) -> str:
        """Return the text without secrets."""
        if text in self._exact or _PUBLIC.fullmatch(text):
            return text
        if self._patterns and any(matches(text, pieces) for pieces in self._patterns):
            return redact_secrets(text, counts)
        return redact_identifier(text, counts)


def one_form(text: str) -> str:
    """Return the text as everybody writes it who means the same: composed (NFC), without edge blanks and blank letters."""
    if text.isascii():
        return text.strip(" ")
    text = text.replace(_EMPTY, "").strip(_BLANKS)
    return normalize("NFC", text) if _is_composable(text) else text


def _is_composable(text: str) -> bool:
    if len(text) <= _MARKS:
        return True
    marks = 0
    for character in text:
        marks = marks + 1 if combining(character) else 0
        if marks > _MARKS:
            return False
    return True
