"""Secrets never leave the parser.

Endpoints leak: they log error messages with the request in them, URLs with the code, whole token responses. What looks
like a credential (``parsers.shapes``) is replaced by ``[redacted:<kind>]``. There are two functions because two kinds of
text differ in what is ordinary: an identifier may be a UUID or 64 hex digits, prose may not. When in doubt, more is
masked than needed. A secret that shows only when the text is read as people read it (``parsers.disguise``) is masked in
that reading, and the reading takes the text's place.

What no shape tells (a password that is an ordinary word in a sentence) cannot be found here; ``parsers.rejected``
therefore masks everything that is not known to be harmless in lines that nobody understood.
"""

import re
import string
from collections import Counter
from collections.abc import MutableMapping
from hashlib import blake2b
from typing import Final, TypeAlias

from parsers.disguise import undisguised
from parsers.shapes import OPAQUE_RUN, SHAPES, TEXT_SHAPES, is_opaque

LOOK_CHARS: Final = 8192
"""How much of a text is looked at; the rest is dropped unseen (a field keeps 4 KiB at most)."""
_TAIL_CHARS: Final = 512
_TOKEN_CHARS: Final = string.ascii_letters + string.digits + "._~+/=%-"
_MASK: Final = re.compile(r"\[redacted:([a-z_]{1,20})")

Counts: TypeAlias = MutableMapping[str, int]

plain_identifier: Final = re.compile(r"[0-9a-fA-F-]{1,36}|[0-9A-Za-z]{1,34}").fullmatch
"""Matches a UUID, a ULID, a number, a short hash: no secret that we could know.

The hot path asks this for every line, so it is one expression of two simple runs, called without a function around it.
"""
UUID_CHARS: Final = 36
UUID_DASHES: Final = slice(8, 24, 5)
"""Where a UUID has its four dashes. Nothing else has them there, and looking costs a third of the expression."""


def redact_identifier(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in a text that should be an identifier; UUIDs, ULIDs and up to 64 hex digits are left alone.

    An opaque run is masked with 8 hex digits of its hash, so that two users whose ids look like tokens stay two; such a
    run is too random to be found again from its hash. ``counts`` gets one more of ``redacted_<kind>`` for every mask.
    """
    if plain_identifier(text) or (len(text) == UUID_CHARS and text[UUID_DASHES] == "----"):
        return text
    return _redact(text, counts, identifier=True)


def redact_text(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in free text. ``counts`` gets one more of ``redacted_<kind>`` for every mask."""
    return _redact(text, counts, identifier=False)


def _redact(text: str, counts: Counts | None, *, identifier: bool) -> str:
    text = _shorten(text)
    masked = _mask(text, identifier=identifier)
    plain = undisguised(masked)
    if plain != masked:
        found = _mask(plain, identifier=identifier)
        if found != plain:
            masked = found
    if counts is not None and masked != text:
        _count(counts, text, masked)
    return masked


def _mask(text: str, *, identifier: bool) -> str:
    lower = text.lower()
    for hints, looks in SHAPES if identifier else TEXT_SHAPES:
        for hint in hints:
            if hint in lower:
                for expression, replacement in looks:
                    text = expression.sub(replacement, text)
                break

    def mask(match: re.Match[str]) -> str:
        run = match[0]
        if not is_opaque(run, identifier=identifier):
            return run
        digest = ":" + blake2b(run.encode(), digest_size=4).hexdigest() if identifier else ""
        return f"[redacted:opaque{digest}]"

    return OPAQUE_RUN.sub(mask, text)


def _count(counts: Counts, text: str, masked: str) -> None:
    """Count the masks that are new: each once, whatever is under it and however many expressions knew it."""
    after = Counter(_MASK.findall(masked))
    for kind, number in (
        after - Counter(_MASK.findall(text)) or after
    ).items():  # a mask that was written may be under one
        name = f"redacted_{kind}"
        counts[name] = counts.get(name, 0) + number


def _shorten(text: str) -> str:
    """Drop what is beyond ``LOOK_CHARS``, and the word that is cut there: the head of a secret has no shape.

    The length takes its place, so that the mark of a cut (``parsers.text``) tells two such texts apart.
    """
    if len(text) <= LOOK_CHARS:
        return text
    head = text[:LOOK_CHARS]
    kept = head[-_TAIL_CHARS:].rstrip(_TOKEN_CHARS)
    return f"{head[:-_TAIL_CHARS]}{kept}…{len(text)}" if kept else f"{head}…{len(text)}"
