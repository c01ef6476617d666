"""What a log looks like that is not understood, for the people who must put it right. Pure; a hint, which nothing depends on.

Lines vote. The envelopes that most of them are in (``parsers.envelopes``) are taken off first, or what else stands before JSON; then
each line has a form (``parsers.formats.forms``), the family of most forms wins, and in it the form that says most.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from parsers.envelopes.records import innermost
from parsers.formats import forms
from parsers.formats.encodings import as_utf8, encoding_of
from parsers.formats.forms import Form

MOST_LINES: Final = 400
"""So many lines vote, evenly chosen."""
MOST_BYTES: Final = 1 << 20
"""So much of them is looked at in all, and of one at most a sixteenth of it."""
_ENOUGH: Final = 0.05
"""The share of lines that a known family needs: others may be start-up banners and stack traces."""
_WEAK: Final = frozenset({"csv", "yaml", "xml", "pretty", "broken", "array", "objects", "access", "json", "values", ""})
"""Families whose lines turn up in other logs, too: the most of the lines must be theirs, or nobody else's."""
_PREFIX: Final = "a prefix before each JSON object"
"""It is no envelope: many providers begin their lines with words, and have JSON behind them."""
_PREFIX_ADVICE: Final = "Have the endpoint write a file of its own, or take the prefix off, for example: `sed 's/^[^{]*//' LOG > audit.jsonl`."
_PREFIX_CHARS: Final = 300
_GENERIC: Final = {form.family: form for form in (*forms.OF_OBJECTS, *forms.OF_TEXT)}
"""The last form of a family is what any line of it fits."""


class Lookalike(NamedTuple):
    """What a log looks like."""

    name: str
    """To be read behind "looks like"."""
    advice: str
    """What to do, in one or more sentences."""


def lookalike(lines: Sequence[bytes], head: bytes = b"") -> Lookalike | None:
    """Return what these lines look like; None when there are none. ``head``: how their file begins, which tells its encoding.

    The lines are best those alone that are not understood.
    """
    encoding = encoding_of(head) or (encoding_of(lines[0]) if lines else None)
    if encoding is not None and not encoding.codec:
        return Lookalike(encoding.name, encoding.advice)
    if encoding is not None:
        inner = lookalike(as_utf8(head or b"\n".join(lines), encoding).split(b"\n")[:-1])
        return Lookalike(_around(encoding.name, inner.name if inner else ""), encoding.advice)
    sample = _sample(lines)
    if not sample:
        return None
    wrapper, values = _unwrapped(sample)
    prefixed = [_behind_prefix(value) for value in values]
    if has_prefix := sum(value is not None for value in prefixed) * 2 > len(values):
        wrapper = _around(wrapper, _PREFIX)
        values = [value if inner is None else inner for value, inner in zip(values, prefixed, strict=True)]
    form = _winner([_form(value) for value in values])
    advice = form.advice or forms.USUAL_ADVICE
    if has_prefix:
        advice = _PREFIX_ADVICE if form.family == "native" else f"{_PREFIX_ADVICE} {advice}"
    shown = form.name if not wrapper or form not in {forms.OTHER_JSON, forms.PLAIN_TEXT} else ""
    return Lookalike(_around(wrapper, shown), advice)


def _around(outer: str, inner: str) -> str:
    return " around ".join(filter(None, (outer, inner)))


def _sample(lines: Sequence[bytes]) -> list[bytes]:
    filled = [line for line in lines if line.strip(b" \t\r\0")]
    step = max(1, len(filled) // MOST_LINES)
    chosen, left = [], MOST_BYTES
    for line in filled[::step][:MOST_LINES]:
        chosen.append(line[: MOST_BYTES // 16].strip(b"\r\0"))
        left -= len(chosen[-1])
        if left < 0:
            break
    return chosen


def _value(line: bytes) -> Any:
    """Return a JSON object or list, the text of any other line, or its bytes when they are no text."""
    line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return line
    return _json(text)


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in {"{", "["}:
        return text
    try:
        value = orjson.loads(text)
    except ValueError:
        try:
            value = json.loads(text)  # NaN, huge numbers, lone surrogates
        except (ValueError, RecursionError):
            return text
    return value if isinstance(value, dict | list) else text


def _unwrapped(sample: Sequence[bytes]) -> tuple[str, list[Any]]:
    """Return the names of the envelopes that most of the lines are in, and the values of the lines, without these."""
    found = [innermost([line]) for line in sample]
    best, lines = Counter(envelopes for _, envelopes in found).most_common(1)[0]
    if not best or lines * 2 <= len(sample):
        return "", [_value(line) for line in sample]
    opened = (text if its == best else line for line, (text, its) in zip(sample, found, strict=True))
    return " around ".join(envelope.name for envelope in best), [_value(line) for line in opened]


def _behind_prefix(value: Any) -> Any:
    """Return the JSON object that stands behind some words; None when none does."""
    start = value.find("{", 0, _PREFIX_CHARS) if isinstance(value, str) else -1
    if start < 1 or not value.rstrip().endswith("}") or not any(map(str.isalnum, value[:start])):
        return None
    try:
        return orjson.loads(value[start:])
    except ValueError:
        return None


def _form(value: Any) -> Form:
    if isinstance(value, dict):
        return forms.form_of_object(value, _text(value))
    if isinstance(value, list):
        return _GENERIC["array"] if value and isinstance(value[0], dict) else forms.NO_OBJECTS
    return forms.form_of_text(value) if isinstance(value, str) else forms.NOT_UTF8


def _text(record: dict[str, Any]) -> str:
    try:
        return orjson.dumps(record).decode()
    except TypeError:  # an integer of more than 64 bits, a lone surrogate
        return json.dumps(record, separators=(",", ":"))


def _winner(found: Sequence[Form]) -> Form:
    families = Counter(form.family for form in found)
    strong = {family: lines for family, lines in families.items() if family not in _WEAK}
    best = max(strong or families, key=lambda family: families[family])
    most = families.most_common(1)[0][0]
    if families[best] < _ENOUGH * len(found) or (most in _WEAK - {"", "json"} and families[most] * 2 > len(found)):
        best = most
    forms_of_it = Counter(form for form in found if form.family == best)
    telling = {
        form: lines
        for form, lines in forms_of_it.items()
        if form != _GENERIC.get(best) and lines >= _ENOUGH * families[best]
    }
    return max(telling or forms_of_it, key=lambda form: forms_of_it[form])
