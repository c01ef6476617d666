"""Put masks into text where it looks like a secret. Whoever masks nothing goes without this module: ``parsers.redaction.redact``."""

import re
import string
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Final

from parsers.redaction import opaque
from parsers.redaction.before import value_before
from parsers.redaction.expression import Expression
from parsers.redaction.harmless import is_harmless
from parsers.redaction.key_names import beginnings
from parsers.redaction.opaque import PUBLIC_IDENTIFIER
from parsers.redaction.patterns import BEFORE_CHARS, CERTAIN, IDENTIFIER, SCOPES, TEXT, Kind, NamedLook, SecretPattern

MOST_NAMES: Final = 48
_BEFORE_IDENTIFIER: Final = Expression(
    r"(?:client|consumer|user|request|trace|span|correlation|tenant|app|application|account|operation|activity)s?[\s_-]?(?:id|key)"
    r"[\"'`]?(?:\s?(?::|=|%3d|is)\s?|\s)[\"'`([]?\Z|\b(?:azp|aud|sub|kid|jti|iss|client|trace(?:parent)?|x-request-id)[\"']?[:=]\s?[\"'\[]?\Z",
    re.IGNORECASE,
)
"""What says that an identifier follows, in free text."""
_PUBLIC: Final = Expression(PUBLIC_IDENTIFIER)
_NAME_CHARS: Final = 28
_ASCII_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def in_text(text: str) -> str:
    """Mask secrets in free text."""
    return opaque.RUN.sub(_opaque_in_text, _in_kind(text, TEXT))


def in_scopes(text: str) -> str:
    """Mask secrets in a list of scopes."""
    return opaque.RUN.sub(_opaque_in_text, _in_kind(text, SCOPES))


def in_identifier(text: str) -> str:
    """Mask secrets in a text that should be an identifier."""
    return opaque.LONG_RUN.sub(_opaque_in_identifier, _in_kind(text, IDENTIFIER))


def what_is_certain(text: str) -> str:
    """Mask what is a secret by itself, whatever stands before it."""
    return _in_shapes(text, text.lower(), CERTAIN)


def _in_kind(text: str, kind: Kind) -> str:
    text = _in_shapes(text, text.lower(), kind.certain)
    text = _at_names(text, kind.named)
    return _in_shapes(text, text.lower(), kind.others)


def _in_shapes(text: str, lower: str, shapes: Iterable[SecretPattern]) -> str:
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
    starts = [*islice(beginnings(lower), MOST_NAMES + 1)]
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
        for look in () if is_harmless(text, start) else tried:
            if look.before and not look.before.search(text, max(done, start - BEFORE_CHARS), start):
                continue
            if match := look.expression.match(text, start):
                pieces += [text[done:start], look.replacement(match)]
                done = match.end()
                break
        else:
            if value := value_before(text, done, start):
                pieces += [text[done : value[0]], "[redacted:secret]"]
                done = value[1]
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
