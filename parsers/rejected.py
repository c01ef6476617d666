"""Text of a line that nobody understood, safe to keep in the rejected file and to show.

An unknown line may hold anything, and a secret in it need not have a shape. So only what is known to be harmless is kept:
the values of keys on a list, shape-redacted; every other value is masked. Keys are shown, since they tell what kind
of line it was, but as what they are: a stranger's text.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson

from parsers.redact import redact_identifier, redact_text
from parsers.text import cap, clean

SHOWN_BYTES: Final = 1024
"""At most so much is shown, the mark of a cut included."""
LOOK_BYTES: Final = 4096
"""Only so much of the line is looked at; a longer line is treated as a broken one."""

_MASK: Final = "[masked]"
_KEY_CHARS: Final = 64
_WORD_CHARS: Final = 512
_VALUE_BYTES: Final = 256
_TOKEN: Final = re.compile(
    r'"(?P<string>[^"\\]*+(?:\\.[^"\\]*+)*)(?:(?P<end>")(?P<colon>\s*+:)?)?'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<space>[\s,:]++)|(?P<bare>[^\"{}\[\],]++)",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"-?[0-9][0-9.eE+-]{0,23}|true|false|null|undefined|-?NaN|-?Infinity")
_HEADER: Final = re.compile(r'([^"{}]*+)\{\s*+["}]')
_ASSIGNMENT: Final = re.compile(r"(?<![\w.-])(?P<key>[A-Za-z_][\w.-]{0,63})=(?!\[)[^\s&,;]+")
_MASKS: Final = re.compile(r'(?:"?\[masked\]"?){2,}')


class Kept:
    """The keys whose values may be shown: names, or ``parent.name`` for those of an inner object."""

    def __init__(self, paths: Collection[str]) -> None:
        self.paths = frozenset(paths)
        self.parents = frozenset(path.partition(".")[0] for path in paths if "." in path)
        self.names = frozenset(path.rpartition(".")[2] for path in paths)


def redact_line(line: bytes, kept: Kept) -> str:
    """Return at most 1 KiB of the line, in one row of clean text."""
    return cap(clean(_redacted(line, kept)), SHOWN_BYTES)


def _redacted(line: bytes, kept: Kept) -> str:
    if len(line) <= LOOK_BYTES:
        try:
            return orjson.dumps(_masked(orjson.loads(line), kept)).decode()
        except ValueError:  # JSONDecodeError is one
            pass
    text = line[:LOOK_BYTES].decode(errors="replace")
    if len(line) > LOOK_BYTES:
        text = _without_last_word(text)
    if '"' in text or "{" in text:
        return _MASKS.sub(_MASK, "".join(_masked_pieces(text, kept)))
    return _ASSIGNMENT.sub(lambda m: m[0] if m["key"] in kept.names else f"{m['key']}={_MASK}", redact_text(text))


def _without_last_word(text: str) -> str:
    """Drop the word that is cut off at the end, or its last 512 characters: the head of a secret has no shape."""
    return text[: max(text.rfind(" ") + 1, len(text) - _WORD_CHARS)]


def _masked(value: Any, kept: Kept, parent: str = "") -> Any:
    if not isinstance(value, dict):
        return _MASK
    shown: dict[str, Any] = {}
    for key, inner in value.items():
        if not parent and key in kept.parents and isinstance(inner, dict):
            shown[key] = _masked(inner, kept, key + ".")
        else:
            shown[_shown_key(key)] = _shown_value(key, inner) if parent + key in kept.paths else _MASK
    return shown


def _shown_key(key: str) -> str:
    return clean(redact_identifier(key))[:_KEY_CHARS]


def _shown_value(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return _shown_text(key, value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        together = _shown_text(key, " ".join(value))  # "Bearer" and its token may be two strings
        return together if "[redacted:" in together else [_shown_text(key, item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else _MASK


def _shown_text(key: str, text: str) -> str:
    redact = redact_identifier if key.endswith("id") else redact_text
    return cap(clean(redact(text)), _VALUE_BYTES)


def _masked_pieces(text: str, kept: Kept) -> Iterator[str]:
    header = _HEADER.match(text)
    start = header.end(1) if header else 0
    yield redact_text(text[:start])
    masker = _Masker(kept)
    for token in _TOKEN.finditer(text, start):
        yield masker.shown(token)
        if masker.lost:
            return


class _Masker:
    """Masks a text that resembles JSON, token by token.

    Nothing is believed of it: in a line that lost its head, strings are what should be between them and the other way
    round. So a string is masked unless a kept key stands before it; a key that is not known may be a value too; what
    such a key opens is masked until it closes; and from the first word outside of strings on, all is masked.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._key = ""  # whose value comes next
        self._listed = False  # inside the list of a kept key
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
            known = self._key in self._kept.names or self._key in self._kept.parents
            return f'"{self._key if known else _MASK}":'
        return self._value(token)

    def _open(self, bracket: str) -> str:
        self._depth += 1
        self._listed = bracket == "[" and self._key in self._kept.names
        if self._hidden:
            return ""
        if self._listed or not self._key or self._key in self._kept.parents:
            return bracket
        self._hidden = self._depth
        return bracket + _MASK

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
            return _MASK
        if key not in self._kept.names:
            return f'"{_MASK}"'
        if token.lastgroup == "bare":
            return token[0]
        string = token["string"] if token["end"] else _without_last_word(token["string"])
        return f'"{_shown_text(key, string)}"'
