"""What stands in a sample of a log: which paths there are, in how many lines, with which values. Nothing secret is kept."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from parsers.records import RejectedError, decode, stripped
from parsers.redaction.lines import MASK, AllowedKeys, masked
from parsers.text import clean

MOST_LINES: Final = 20_000
"""So many lines of a sample are looked at."""
MOST_PATHS: Final = 400
"""A log with more keys has names or numbers in the place of keys."""
MOST_VALUES: Final = 200
"""So many different values of a path are told apart."""
_VALUE_CHARS: Final = 120
_BARE_KEY: Final = re.compile(r"[\w@:/-]+")
_HIDDEN: Final = (MASK, "[redacted:")
_UNKNOWN: Final = AllowedKeys(())


@dataclass(slots=True)
class Found:
    """What stands at one path."""

    path: str
    """As a mapping writes it."""
    keys: tuple[str, ...]
    """Those that lead to it, the indexes of lists left out."""
    lines: int = 0
    """In how many lines there is something."""
    hidden: int = 0
    """In how many of them it may be a secret, or is too long to be shown."""
    values: Counter[str | float | bool] = field(default_factory=Counter)
    """The values that may be shown, as far as ``MOST_VALUES`` go."""
    others: int = 0
    """In how many lines there is another value."""

    @property
    def is_full(self) -> bool:
        """Whether there are more different values than are told apart."""
        return self.others > 0


@dataclass(slots=True)
class Survey:
    """What stands in a sample."""

    lines: int = 0
    """Lines that are not blank."""
    objects: int = 0
    """Those of them that are JSON objects."""
    found: dict[str, Found] = field(default_factory=dict)
    """By path, in the order in which they turned up."""
    is_cut: bool = False
    """Whether there are more paths than ``MOST_PATHS``."""


def survey(lines: Iterable[bytes]) -> Survey:
    """Look at the first ``MOST_LINES`` lines."""
    result = Survey()
    for line in lines:
        text = stripped(line)
        if not text:
            continue
        if result.lines == MOST_LINES:
            break
        result.lines += 1
        try:
            record = decode(text)
        except RejectedError:
            continue
        if isinstance(record, dict):
            result.objects += 1
            _add(result, masked(record, _UNKNOWN))
    return result


def _add(result: Survey, record: dict[str, Any]) -> None:
    for path, keys, value in _leaves(record, "", ()):
        found = result.found.get(path)
        if found is None:
            if len(result.found) >= MOST_PATHS:
                result.is_cut = True
                continue
            found = result.found[path] = Found(path, keys)
        found.lines += 1
        if isinstance(value, str) and (len(value) > _VALUE_CHARS or any(hidden in value for hidden in _HIDDEN)):
            found.hidden += 1
        elif value in found.values or len(found.values) < MOST_VALUES:
            found.values[value] += 1
        else:
            found.others += 1


def _leaves(value: Any, path: str, keys: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], str | float | bool]]:
    """Yield the values of an object that say something, each with its path and the keys that lead to it.

    Of a list it is the first element; of objects with a type, the first of each type.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if _is_as_written(key):
                yield from _leaves(inner, f"{path}.{_step(key)}" if path else _step(key), (*keys, key))
    elif isinstance(value, list):
        for selector, item in _elements(value):
            yield from _leaves(item, f"{path}[{selector}]", keys)
    elif value is not None and value != "":
        yield path, keys, clean(value) if isinstance(value, str) else value


def _elements(items: list[Any]) -> Iterator[tuple[str, Any]]:
    types = [item.get("type") if isinstance(item, dict) else None for item in items]
    if items and all(isinstance(type_, str) and _BARE_KEY.fullmatch(type_) for type_ in types):
        yield from {f"type={type_}": item for type_, item in reversed(list(zip(types, items, strict=True)))}.items()
    else:
        yield from (("0", item) for item in items[:1])


def _is_as_written(key: str) -> bool:
    """Whether a key of a masked object is the line's own, neither masked nor cut."""
    return 0 < len(key) < 64 and "[redacted:" not in key and clean(key) == key


def _step(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else orjson.dumps(key).decode()
