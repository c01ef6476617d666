"""What a log looks like that is not understood, for the people who must put it right. Pure; a hint, which nothing depends on.

Lines vote. A wrapper that most of them are in (``parsers.formats.envelopes``) is taken off first; then each line has a form
(``parsers.formats.forms``), the family of most forms wins, and in it the form that says most.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from parsers.formats import envelopes, forms
from parsers.formats.encodings import as_utf8, encoding_of
from parsers.formats.envelopes import Envelope
from parsers.formats.forms import Form

MOST_LINES: Final = 400
"""So many lines vote, evenly chosen."""
MOST_BYTES: Final = 1 << 20
"""So much of them is looked at in all, and of one at most a sixteenth of it."""
_ENOUGH: Final = 0.05
"""The share of lines that a known family needs: others may be start-up banners and stack traces."""
_WEAK: Final = frozenset({"csv", "yaml", "xml", "pretty", "broken", "array", "objects", "access", "json", "values", ""})
"""Families whose lines turn up in other logs, too: the most of the lines must be theirs, or nobody else's."""
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
    values = [_value(line) for line in _sample(lines)]
    if not values:
        return None
    wrapper = _wrapper(values)
    if wrapper is not None:
        values = [_unwrapped(value, wrapper) for value in values]
    form = _winner([_form(value) for value in values])
    advice = form.advice or forms.USUAL_ADVICE
    if wrapper is None:
        return Lookalike(form.name, advice)
    shown = form.name if form not in {forms.OTHER_JSON, forms.PLAIN_TEXT} else ""
    return Lookalike(
        _around(wrapper.name, shown), f"{wrapper.advice} {'' if form.family == 'native' else advice}".strip()
    )


def _around(outer: str, inner: str) -> str:
    return f"{outer} around {inner}" if inner else outer


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


def _wrapper(values: Sequence[Any]) -> Envelope | None:
    """Return the wrapper that most of the lines are in."""
    found = Counter(
        next((each for each in _wrappers(value) if each.inner(value) is not None), None) for value in values
    )
    best, lines = found.most_common(1)[0]
    return best if lines * 2 > len(values) else None


def _wrappers(value: Any) -> tuple[Envelope, ...]:
    return envelopes.OF_OBJECTS if isinstance(value, dict) else envelopes.OF_TEXT if isinstance(value, str) else ()


def _unwrapped(value: Any, wrapper: Envelope) -> Any:
    inner = wrapper.inner(value)
    return value if inner is None else _json(inner) if isinstance(inner, str) else inner


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
