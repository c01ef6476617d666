"""Secrets never leave the parser.

Endpoints leak: they log error messages with the request in them, URLs with the code, whole token responses. What looks
like a credential (``parsers.redaction.patterns``) is replaced by ``[redacted:<kind>]``. There are several functions because kinds of
text differ in what is ordinary: an identifier may be random, prose may not. When in doubt, more is masked than needed. A
secret that shows only when the text is read as people read it (``parsers.redaction.deobfuscate``) is masked in that reading, and the
reading takes the text's place.

Text costs what its length says, whatever is in it: no more is looked at than is kept, and no more names of secrets are
looked behind than a text of people has (``masking.MOST_NAMES``): behind them all is masked.

What no shape tells (a password that is an ordinary word in a sentence) cannot be found here; ``parsers.redaction.lines``
therefore masks everything that is not known to be harmless in lines that nobody understood.

The expressions take a tenth of a second to compile, so they are imported when a text is looked at for the first time: a
command that only asks the store goes without.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, MutableMapping
from typing import Final, TypeAlias

from parsers.redaction.deobfuscate import deobfuscated
from parsers.text import FIELD_BYTES

LOOK_CHARS: Final = FIELD_BYTES
"""How much of a text is looked at; the rest is dropped unseen, since no field keeps more. A tag keeps less, but the mark of its
cut speaks for the whole of a long name."""
_TAIL_CHARS: Final = 512
_TOKEN_CHARS: Final = string.ascii_letters + string.digits + "._~+/=%-"
_MASK: Final = re.compile(r"\[redacted:([a-z_]{1,20})")
Counts: TypeAlias = MutableMapping[str, int]

plain_identifier: Final = re.compile(
    r"[0-9a-fA-F-]{1,36}|(?!A[KS]IA|EAA|eyJ)[0-9A-Za-z]{1,34}|[0-9]{37,64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{1,12}"
).fullmatch
"""Matches a UUID, also a numbered one, a ULID, a number, a short hash: no secret that we could know, and nothing that begins like a
token of letters.

The hot path asks this for every line, so it is one expression of simple runs, called without a function around it.
"""
UUID_CHARS: Final = 36
UUID_DASHES: Final = slice(8, 24, 5)
"""Where a UUID has its four dashes. Nothing else has them there, and looking costs a third of the expression."""


def redact_identifier(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in a text that should be an identifier; random ones of up to 64 characters are left alone.

    A longer opaque run is masked with 64 bits of its hash, so that two users whose ids look like tokens stay two; such a
    run is too random to be found again from its hash. ``counts`` gets one more of ``redacted_<kind>`` for every mask.
    """
    if plain_identifier(text) or (len(text) == UUID_CHARS and text[UUID_DASHES] == "----"):
        return text
    from parsers.redaction import masking  # noqa: PLC0415 - see above

    return _redact(text, counts, masking.in_identifier)


def redact_text(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in free text. ``counts`` gets one more of ``redacted_<kind>`` for every mask."""
    from parsers.redaction import masking  # noqa: PLC0415 - see above

    return _redact(text, counts, masking.in_text)


def redact_scopes(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in a list of scopes: as free text, but ``token:read`` is one of them."""
    from parsers.redaction import masking  # noqa: PLC0415 - see above

    return _redact(text, counts, masking.in_scopes)


def redact_secrets(text: str, counts: Counts | None = None) -> str:
    """Mask only what is certainly a secret, by itself: a JWT, a private key, what follows a scheme, a vendor's token."""
    from parsers.redaction import masking  # noqa: PLC0415 - see above

    return _redact(text, counts, masking.what_is_certain)


def _redact(text: str, counts: Counts | None, mask: Callable[[str], str]) -> str:
    text = _shorten(text)
    masked = mask(text)
    plain = deobfuscated(masked)
    if plain != masked:
        found = mask(plain)
        if found != plain:
            masked = found
    if counts is not None and masked != text:
        _count(counts, text, masked)
    return masked


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
