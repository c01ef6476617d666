"""Secrets never leave the parser.

Endpoints leak: they log error messages with the request in them, URLs with the code, whole token responses. What looks
like a credential (``parsers.shapes``) is replaced by ``[redacted:<kind>]``. There are several functions because kinds of
text differ in what is ordinary: an identifier may be random, prose may not. When in doubt, more is masked than needed. A
secret that shows only when the text is read as people read it (``parsers.disguise``) is masked in that reading, and the
reading takes the text's place.

Text costs what its length says, whatever is in it: no more is looked at than is kept, and no more names of secrets are
looked behind than a text of people has (``MOST_NAMES``): behind them all is masked.

What no shape tells (a password that is an ordinary word in a sentence) cannot be found here; ``parsers.rejected``
therefore masks everything that is not known to be harmless in lines that nobody understood.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from hashlib import blake2b
from itertools import islice
from typing import Final, TypeAlias

from parsers import opaque
from parsers.disguise import undisguised
from parsers.naming import BEGINNINGS
from parsers.opaque import PUBLIC_IDENTIFIER
from parsers.prose import BEFORE_NAME
from parsers.shapes import BEFORE_CHARS, CERTAIN, IDENTIFIER, SCOPES, TEXT, Kind, NamedLook, Shape
from parsers.text import FIELD_BYTES

LOOK_CHARS: Final = FIELD_BYTES
"""How much of a text is looked at; the rest is dropped unseen, since no field keeps more. A tag keeps less, but the mark of its
cut speaks for the whole of a long name."""
MOST_NAMES: Final = 48
_TAIL_CHARS: Final = 512
_TOKEN_CHARS: Final = string.ascii_letters + string.digits + "._~+/=%-"
_MASK: Final = re.compile(r"\[redacted:([a-z_]{1,20})")
_BEFORE_IDENTIFIER: Final = re.compile(
    r"(?:client|consumer|user|request|trace|span|correlation|tenant|app|application|account|operation|activity)s?[\s_-]?(?:id|key)"
    r"[\"'`]?(?:\s?(?::|=|%3d|is)\s?|\s)[\"'`([]?\Z|\b(?:azp|aud|sub|kid|jti|iss|client|trace|x-request-id)[\"']?[:=]\s?[\"'\[]?\Z",
    re.IGNORECASE,
)
"""What says that an identifier follows, in free text."""
_PUBLIC: Final = re.compile(PUBLIC_IDENTIFIER)
_NAME_CHARS: Final = 28
_VALUE_CHARS: Final = 128

Counts: TypeAlias = MutableMapping[str, int]

plain_identifier: Final = re.compile(r"[0-9a-fA-F-]{1,36}|(?!A[KS]IA|EAA|eyJ)[0-9A-Za-z]{1,34}").fullmatch
"""Matches a UUID, a ULID, a number, a short hash: no secret that we could know, and nothing that begins like a token of letters.

The hot path asks this for every line, so it is one expression of two simple runs, called without a function around it.
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
    return _redact(text, counts, _in_identifier)


def redact_text(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in free text. ``counts`` gets one more of ``redacted_<kind>`` for every mask."""
    return _redact(text, counts, _in_text)


def redact_scopes(text: str, counts: Counts | None = None) -> str:
    """Mask secrets in a list of scopes: as free text, but ``token:read`` is one of them."""
    return _redact(text, counts, _in_scopes)


def redact_secrets(text: str, counts: Counts | None = None) -> str:
    """Mask only what is certainly a secret, by itself: a JWT, a private key, what follows a scheme, a vendor's token."""
    return _redact(text, counts, lambda text: _in_shapes(text, text.lower(), CERTAIN))


def _redact(text: str, counts: Counts | None, mask: Callable[[str], str]) -> str:
    text = _shorten(text)
    masked = mask(text)
    plain = undisguised(masked)
    if plain != masked:
        found = mask(plain)
        if found != plain:
            masked = found
    if counts is not None and masked != text:
        _count(counts, text, masked)
    return masked


def _in_text(text: str) -> str:
    return opaque.RUN.sub(_opaque_in_text, _in_kind(text, TEXT))


def _in_scopes(text: str) -> str:
    return opaque.RUN.sub(_opaque_in_text, _in_kind(text, SCOPES))


def _in_identifier(text: str) -> str:
    return opaque.LONG_RUN.sub(_opaque_in_identifier, _in_kind(text, IDENTIFIER))


def _in_kind(text: str, kind: Kind) -> str:
    text = _in_shapes(text, text.lower(), kind.certain)
    text = _at_names(text, kind.named)
    return _in_shapes(text, text.lower(), kind.others)


def _in_shapes(text: str, lower: str, shapes: Iterable[Shape]) -> str:
    for hints, looks in shapes:
        for hint in hints:
            if hint in lower:
                for expression, replacement in looks:
                    text = expression.sub(replacement, text)
                break
    return text


def _at_names(text: str, looks: Iterable[NamedLook]) -> str:
    lower = text.lower()
    if len(lower) != len(text):  # a capital that is two small letters: places would not be the same
        lower = text.translate(_ASCII_LOWER)
    starts = [begin.start() for begin in islice(BEGINNINGS.finditer(lower), MOST_NAMES + 1)]
    if not starts:
        return text
    tried = [look for look in looks if not look.hints or any(hint in lower for hint in look.hints)]
    pieces: list[str] = []
    done = 0  # what is before is in the pieces
    for number, start in enumerate(starts):
        if start < done or lower.endswith("[redacted:", done, start):
            continue
        if number >= MOST_NAMES:
            pieces += [text[done:start], "[redacted:secret]"]
            done = len(text)
            break
        for look in tried:
            if look.before and not look.before.search(text, max(done, start - BEFORE_CHARS), start):
                continue
            if match := look.expression.match(text, start):
                pieces += [text[done:start], look.replacement(match)]
                done = match.end()
                break
        else:
            if value := BEFORE_NAME.search(text, max(done, start - _VALUE_CHARS), start):
                pieces += [text[done : value.start("value")], "[redacted:secret]"]
                done = value.end("value")
    return "".join([*pieces, text[done:]]) if pieces else text


def _opaque_in_text(match: re.Match[str]) -> str:
    run = match[0]
    if not opaque.is_opaque(run):
        return run
    named = run.rfind("=", 0, len(run.rstrip("="))) + 1  # the name in `client_id=x` is a part of the run
    start = match.start() + named
    if _PUBLIC.match(match.string, start) or _BEFORE_IDENTIFIER.search(
        match.string, max(0, start - _NAME_CHARS), start
    ):
        return run
    return "[redacted:opaque]"


def _opaque_in_identifier(match: re.Match[str]) -> str:
    run = match[0]
    if not opaque.is_opaque_identifier(run):
        return run
    return f"[redacted:opaque:{blake2b(run.encode(), digest_size=8).hexdigest()}]"


_ASCII_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


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
