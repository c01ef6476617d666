"""Text of a line that nobody understood, safe to keep in the rejected file and to show.

An unknown line may hold anything, and a secret in it need not have a shape. But a person must recognise the line. So values
are shown by their names or by what they are (``parsers.redaction.showable``), shape-redacted; every other value is masked. Keys are
shown, since they tell what kind of line it was, but as what they are: a stranger's text.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Final

import orjson

from parsers.formats.encodings import as_utf8, encoding_of
from parsers.redaction.redact import redact_identifier, redact_text
from parsers.redaction.showable import (
    CONTAINERS,
    is_harmless,
    is_status,
    means_identifier,
    means_secret,
    means_text,
    plain_name,
)
from parsers.text import cap, clean

MASK: Final = "[masked]"
"""Stands for a value that may be a secret."""
SHOWN_BYTES: Final = 1024
"""At most so much is shown, the mark of a cut included."""
LOOK_BYTES: Final = 4096
"""Only so much of the line is looked at; a longer line is treated as a broken one."""

_KEY_CHARS: Final = 64
_WORD_CHARS: Final = 512
_VALUE_BYTES: Final = 512
_REMEMBERED_CHARS: Final = 128
_LIST_ITEMS: Final = 20
_DEPTH: Final = 8
_TOKEN: Final = re.compile(
    r'"(?P<string>[^"\\]*+(?:\\.[^"\\]*+)*)(?:(?P<end>")(?P<colon>\s*+:)?)?'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<space>[\s,:]++)|(?P<bare>[^\"{}\[\],]++)",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"-?[0-9][0-9.eE+-]{0,23}|true|false|null|undefined|-?NaN|-?Infinity")
_HEADER: Final = re.compile(r'([^"{}]*+)\{\s*+["}]')
_ASSIGNMENT: Final = re.compile(
    r"(?<![\w.-])(?P<key>[A-Za-z_][\w.-]{0,63})="
    r"(?:\"(?P<double>[^\"\\]*+(?:\\.[^\"\\]*+)*)\"?|'(?P<single>[^']*+)'?|(?P<bare>(?!\[(?:masked\]|redacted:))[^\s&,;\"']++))"
)
_NAME: Final = re.compile(r"[\w.:@$/-]{1,256}")
"""A key that is one; any other is a text."""
_MASKS: Final = re.compile(r'(?:"?\[masked\]"?){2,}')
_NAMES: Final = ("name", "key", "field", "param", "attribute")
_VALUES: Final = ("value", "values", "val", "content")
"""An object that has one of each is a key and its value: ``{"name": "client_id", "value": "web"}``."""


class AllowedKeys:
    """A provider's own keys whose values may be shown: names, or ``parent.name`` for those of an inner object."""

    def __init__(self, paths: Collection[str]) -> None:
        self.names = frozenset(plain_name(path.rpartition(".")[2]) for path in paths)

    def knows(self, key: str) -> bool:
        """Whether a value under this name may be shown, its secrets redacted."""
        return means_identifier(key) or means_text(key) or (plain_name(key) in self.names and not means_secret(key))


def redact_line(line: bytes, kept: AllowedKeys) -> str:
    """Return at most 1 KiB of the line, in one row of clean text."""
    return cap(clean(_redacted(line, kept)), SHOWN_BYTES)


def masked(record: Any, kept: AllowedKeys) -> Any:
    """Return a JSON value with nothing in it but what may be shown: ``MASK`` stands for what may be a secret."""
    return _masked("", record, kept, _DEPTH)


def _redacted(line: bytes, kept: AllowedKeys) -> str:
    if b"\0" in line and (encoding := encoding_of(line)) is not None and encoding.codec:
        line = as_utf8(line[: 4 * LOOK_BYTES], encoding)
    if len(line) <= LOOK_BYTES:
        try:
            return orjson.dumps(masked(orjson.loads(line), kept)).decode()
        except ValueError:  # JSONDecodeError is one
            pass
    text = line[:LOOK_BYTES].decode(errors="replace")
    if len(line) > LOOK_BYTES:
        text = _without_last_word(text)
    if "{" in text or text.count('"') % 2 or '":' in text:
        return _MASKS.sub(MASK, "".join(_pieces(text, kept)))
    return _prose(text, kept)


def _without_last_word(text: str) -> str:
    """Drop the word that is cut off at the end, or its last 512 characters: the head of a secret has no shape."""
    return text[: max(text.rfind(" ") + 1, len(text) - _WORD_CHARS)]


def _prose(text: str, kept: AllowedKeys) -> str:
    """Redact a text; logs repeat themselves, so what short ones came to is remembered."""
    return _short_prose(text, kept) if len(text) <= _REMEMBERED_CHARS else _redacted_prose(text, kept)


@lru_cache(4096)
def _short_prose(text: str, kept: AllowedKeys) -> str:
    return _redacted_prose(text, kept)


def _redacted_prose(text: str, kept: AllowedKeys) -> str:
    """Redact a text, and mask the values in it that stand behind ``key=`` of a key that does not tell that they are harmless."""

    def shown(found: re.Match[str]) -> str:
        key, quote = found["key"], '"' if found["double"] is not None else "'" if found["single"] is not None else ""
        value = next(value for value in found.group("double", "single", "bare") if value is not None)
        known = kept.knows(key) or _SCALAR.fullmatch(value) or is_harmless(value)
        return found[0] if known and not means_secret(key) else f"{key}={quote}{MASK}{quote}"

    return _ASSIGNMENT.sub(shown, redact_text(text))


def _masked(key: str, value: Any, kept: AllowedKeys, depth: int) -> Any:
    """Return a JSON value as it may be shown; ``key`` is the one that it stands under."""
    if value is None or isinstance(value, bool):
        return value
    if not depth or means_secret(key):
        return value if depth and is_status(key, value) else MASK
    if isinstance(value, dict):
        return _masked_object(value, kept, depth)
    if isinstance(value, list):
        return _masked_list(key, value, kept, depth)
    return _shown_text(key, value, kept, depth) if isinstance(value, str) else value


def _masked_object(value: dict[str, Any], kept: AllowedKeys, depth: int) -> dict[str, Any]:
    values = {key for key in value if key.lower() in _VALUES}
    name = next((key for key in value if values and key.lower() in _NAMES and isinstance(value[key], str)), None)
    shown: dict[str, Any] = {}
    for key, inner in value.items():
        if key == name:
            shown[key] = _shown_key(inner)
        elif name is not None and key in values:
            shown[_shown_key(key)] = _named(value[name], inner, kept, depth - 1)
        else:
            shown[_shown_key(key)] = _masked(key, inner, kept, depth - 1)
    return shown


def _named(name: str, value: Any, kept: AllowedKeys, depth: int) -> Any:
    """Mask what another member names; OpenTelemetry has the type in between: ``{"stringValue": "web"}``."""
    if isinstance(value, dict) and len(value) == 1:
        return {_shown_key(key): _masked(name, inner, kept, depth - 1) for key, inner in value.items()}
    return _masked(name, value, kept, depth)


@lru_cache(4096)
def _shown_key(key: str) -> str:
    redact = redact_identifier if _NAME.fullmatch(key) else redact_text
    return clean(redact(key))[:_KEY_CHARS]


def _masked_list(key: str, value: list[Any], kept: AllowedKeys, depth: int) -> Any:
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) == len(value) and value:
        together = _shown_text(key, " ".join(texts), kept, depth)  # "Bearer" and its token may be two strings
        if MASK in together or "[redacted:" in together:
            return together
    return [_masked(key, item, kept, depth - 1) for item in value[:_LIST_ITEMS]]


def _shown_text(key: str, text: str, kept: AllowedKeys, depth: int = 1) -> str:
    if not kept.knows(key):
        return text if is_harmless(text) else MASK
    if means_identifier(key):
        return cap(clean(redact_identifier(text)), _VALUE_BYTES)
    if text[:1] in {"{", "["}:  # JSON within a text, as wrappers have it
        try:
            inner = orjson.loads(text)
        except ValueError:
            return cap(clean(_MASKS.sub(MASK, "".join(_pieces(text, kept)))), _VALUE_BYTES)
        return cap(clean(orjson.dumps(_masked("", inner, kept, depth - 1)).decode()), _VALUE_BYTES)
    if len(text) > 2 * _VALUE_BYTES:  # no more is shown
        text = _without_last_word(text[: 2 * _VALUE_BYTES])
    return cap(clean(_prose(text, kept)), _VALUE_BYTES)


def _pieces(text: str, kept: AllowedKeys) -> Iterator[str]:
    """Yield what may be shown of a text that resembles JSON, or has JSON behind some words."""
    header = _HEADER.match(text)
    start = header.end(1) if header else 0
    yield _prose(text[:start], kept)
    try:
        yield orjson.dumps(masked(orjson.loads(text[start:]), kept)).decode()
    except ValueError:
        masker = _Masker(kept)
        for token in _TOKEN.finditer(text, start):
            yield masker.shown(token)
            if masker.lost:
                return


class _Masker:
    """Masks a text that resembles JSON, token by token.

    Nothing is believed of it: in a line that lost its head, strings are what should be between them and the other way
    round. So a string is masked unless a known key stands before it; a key that is not known may be a value too; what
    such a key opens is masked until it closes; and from the first word outside of strings on, all is masked.
    """

    def __init__(self, kept: AllowedKeys) -> None:
        self._kept = kept
        self._key = ""  # whose value comes next
        self._listed = False  # inside the list of a known key
        self._depth = 0  # of brackets
        self._hidden = 0  # the depth below which all is masked
        self.lost = False  # no telling any more what is inside of strings and what is outside

    def shown(self, token: re.Match[str]) -> str:
        """Return what to show of this token."""
        kind = token.lastgroup
        if kind == "open":
            return self._open(token[0])
        if kind == "close":
            return self._close(token[0])
        if self._hidden:
            return ""
        if kind == "space":
            return token[0]
        if kind == "colon":
            self._key, self._listed = token["string"], False
            known = self._kept.knows(self._key) or self._contains(self._key)
            return f'"{self._key if known else MASK}":'
        return self._value(token)

    def _contains(self, key: str) -> bool:
        return plain_name(key) in CONTAINERS

    def _open(self, bracket: str) -> str:
        self._depth += 1
        self._listed = bracket == "[" and self._kept.knows(self._key)
        if self._hidden:
            return ""
        key = self._key
        if bracket == "{":
            self._key = ""  # what stands in it first is no value of this key
        if self._listed or not key or self._contains(key):
            return bracket
        self._hidden = self._depth
        return bracket + MASK

    def _close(self, bracket: str) -> str:
        if self._hidden == self._depth:
            self._hidden = 0
        self._depth -= 1
        self._listed = False
        self._key = ""
        return "" if self._hidden else bracket

    def _value(self, token: re.Match[str]) -> str:
        key = self._key
        if not self._listed:
            self._key = ""
        if token.lastgroup == "bare" and not _SCALAR.fullmatch(token[0].strip()):
            self.lost = True
            return MASK
        if not self._kept.knows(key):
            return f'"{MASK}"'
        if token.lastgroup == "bare":
            return token[0]
        string = token["string"] if token["end"] else _without_last_word(token["string"])
        return f'"{_shown_text(key, string, self._kept)}"'
