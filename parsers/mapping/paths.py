"""Where a value stands in a record, and the functions that take it out.

A path is keys with dots between them: ``data.client_id``. A key with other characters than letters, digits and ``_ - @ : /`` stands
in double quotes: ``"log.logger"``. ``[0]`` is the first element of a list, ``[type=User]`` the first object of a list whose key
has that value. ``$name`` is a named group of the rule's expressions. ``|`` stands between several paths, of which the first
that leads to something counts.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from parsers.text import clean

_STEP: Final = re.compile(
    r'(?P<key>[\w@:/-]+|"(?:[^"\\]|\\.)*")|\[(?P<index>[0-9]{1,3})\]'
    r'|\[(?P<name>[\w@:/-]+|"(?:[^"\\]|\\.)*")=(?P<value>[\w@:/.-]+|"(?:[^"\\]|\\.)*")\]'
)
_GROUP: Final = re.compile(r"\$([A-Za-z_]\w*)")
_BLANK: Final = re.compile(r"[ \t]*")


class Element(NamedTuple):
    """The first object of a list whose ``key`` has this text."""

    key: str
    text: str


class Group(NamedTuple):
    """A named group: the key under which its text is put into a record. No key of JSON is equal to it."""

    name: str


Step: TypeAlias = str | int | Element | Group
Get: TypeAlias = Callable[[Mapping[Any, Any]], Any]
"""Returns a value of a record, or None."""


class Path(NamedTuple):
    """Several ways to a value. ``written``: as the file has it, fit to be shown."""

    written: str
    ways: tuple[tuple[Step, ...], ...]

    @property
    def groups(self) -> set[str]:
        """The named groups that it asks for."""
        return {way[0].name for way in self.ways if isinstance(way[0], Group)}

    @property
    def keys(self) -> set[str]:
        """The keys of records that lead to it."""
        return {step for way in self.ways for step in way if isinstance(step, str)}


def parse_path(written: str) -> Path:
    """Return the path. Raises ValueError, which says at which character something is wrong."""
    ways = []
    at = 0
    while True:
        at = _skip(written, at)
        way, at = _way(written, at)
        ways.append(way)
        at = _skip(written, at)
        if at == len(written):
            return Path(clean(written), tuple(ways))
        if written[at] != "|":
            raise ValueError(f"a dot, `[` or `|` is expected at character {at + 1}")
        at += 1


def getter(path: Path, empty: Collection[str] = ()) -> Get:
    """Return the function that takes the first value out that is not empty: no null, no ``""``, ``[]`` or ``{}``.

    ``empty``: texts that stand for nothing in this log.
    """
    gets = [_get(way) for way in path.ways]
    nothing = frozenset(empty)
    if len(gets) == 1 and not nothing:
        return gets[0]

    def first(record: Mapping[Any, Any]) -> Any:
        for get in gets:
            value = get(record)
            if value:
                if not nothing or value.__class__ is not str or value not in nothing:
                    return value
            elif value is not None and not is_empty(value):
                return value
        return None

    return first


def is_empty(value: Any) -> bool:
    """Whether a value says nothing. Zero and false say something."""
    return value is None or (value.__class__ in _SIZED and not value)


_SIZED: Final = (str, list, dict)


def _way(written: str, at: int) -> tuple[tuple[Step, ...], int]:
    if group := _GROUP.match(written, at):
        return (Group(group[1]),), group.end()
    steps: list[Step] = []
    while True:
        step = _STEP.match(written, at)
        if step is None or (step["key"] is None and not steps):
            raise ValueError(f"a key is expected at character {at + 1}")
        at = step.end()
        if step["key"] is not None:
            steps.append(_unquoted(step["key"]))
        elif step["index"] is not None:
            steps.append(int(step["index"]))
        else:
            steps.append(Element(_unquoted(step["name"]), _unquoted(step["value"])))
        if written[at : at + 1] == ".":
            at += 1
            if written[at : at + 1] == "[":
                raise ValueError(f"a key is expected at character {at + 1}")
        elif written[at : at + 1] != "[":
            return tuple(steps), at


def _skip(written: str, at: int) -> int:
    match = _BLANK.match(written, at)
    return match.end() if match else at


def _unquoted(text: str) -> str:
    if text[0] != '"':
        return text
    try:
        return str(orjson.loads(text))
    except ValueError:
        raise ValueError(f"{text} is not a text as JSON writes it") from None


def _get(way: tuple[Step, ...]) -> Get:
    """Return the function for one way. What is common goes without a loop."""
    first, *rest = way
    if not rest:
        return lambda record: record.get(first)
    if len(rest) == 1 and isinstance(rest[0], str):
        second = rest[0]

        def get_second(record: Mapping[Any, Any]) -> Any:
            value = record.get(first)
            return value.get(second) if value.__class__ is dict else None

        return get_second
    if all(isinstance(step, str) for step in rest):
        return _nested(way)
    steps = [_STEPS[step.__class__](step) for step in rest]

    def get(record: Mapping[Any, Any]) -> Any:
        value = record.get(first)
        for step in steps:
            value = step(value)
            if value is None:
                return None
        return value

    return get


def _nested(way: tuple[Step, ...]) -> Get:
    def get(record: Mapping[Any, Any]) -> Any:
        value: Any = record
        for key in way:
            if value.__class__ is not dict:
                return None
            value = value.get(key)
        return value

    return get


def _key(key: str) -> Callable[[Any], Any]:
    return lambda value: value.get(key) if value.__class__ is dict else None


def _index(index: int) -> Callable[[Any], Any]:
    return lambda value: value[index] if value.__class__ is list and len(value) > index else None


def _element(element: Element) -> Callable[[Any], Any]:
    key, text = element

    def find(value: Any) -> Any:
        if value.__class__ is not list:
            return None
        return next((item for item in value if item.__class__ is dict and item.get(key) == text), None)

    return find


_STEPS: Final[Mapping[type, Callable[[Any], Callable[[Any], Any]]]] = {str: _key, int: _index, Element: _element}
