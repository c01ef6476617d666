"""How two JSON documents differ, told so that a person recognises the place (pure)."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from parsers.text import clean

_KEYS: Final = ("uid", "id", "refId", "name")
"""What tells the members of a list apart, where members are objects: panels, queries, rules, variables."""
_ABSENT: Final = object()
_MOST_CHARS: Final = 60


class Difference(NamedTuple):
    """One place. ``found`` and ``wanted`` are as JSON, shortened; an empty text is: not there."""

    place: str
    found: str
    wanted: str


def differences(found: Any, wanted: Any, place: str = "") -> Iterator[Difference]:
    """Yield every place in which what is found is another than what is wanted."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in [*wanted, *(key for key in found if key not in wanted)]:
            yield from differences(found.get(key, _ABSENT), wanted.get(key, _ABSENT), _join(place, str(key)))
    elif isinstance(found, list) and isinstance(wanted, list) and (key := _key_of(found, wanted)):
        yield from _of_members(found, wanted, key, place)
    elif isinstance(found, bool) != isinstance(wanted, bool) or found != wanted:
        yield Difference(place, _shown(found), _shown(wanted))


def _of_members(found: list[Any], wanted: list[Any], key: str, place: str) -> Iterator[Difference]:
    there = {member[key]: member for member in found}
    should = {member[key]: member for member in wanted}
    for name, member in should.items():
        yield from differences(there.get(name, _ABSENT), member, _join(place, _name(member, key)))
    for name, member in there.items():
        if name not in should:
            yield Difference(_join(place, _name(member, key)), _shown(member), "")
    if there.keys() == should.keys() and list(there) != list(should):
        yield Difference(_join(place, "order"), _shown(list(there)), _shown(list(should)))


def _key_of(*lists: list[Any]) -> str | None:
    members = [member for members in lists for member in members]
    for key in _KEYS:
        if members and all(isinstance(member, dict) and isinstance(member.get(key), str | int) for member in members):
            unique = all(len({member[key] for member in one}) == len(one) for one in lists)
            if unique:
                return key
    return None


def _name(member: dict[str, Any], key: str) -> str:
    title = member.get("title")
    return f'"{clean(title)}"' if isinstance(title, str) and title else clean(str(member[key]))


def _join(place: str, key: str) -> str:
    return f"{place}/{key}" if place else key


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return ""
    text = clean(orjson.dumps(value).decode())
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 3]}..."
