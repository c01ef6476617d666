"""A mapping as functions: made once, called for each record."""

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, Final, NamedTuple, TypeAlias

from parsers.contract import ISSUED_PREFIX, OUTCOMES
from parsers.mapping import expressions, times
from parsers.mapping.definition import Definition, Field, Rule
from parsers.mapping.paths import Get, Group, Path, getter
from parsers.memory import remember
from parsers.records import integral
from parsers.vocabulary import GRANT_NAMES

Record: TypeAlias = dict[Any, Any]
"""A JSON object, and the texts of named groups under keys that are ``Group``."""
Match: TypeAlias = Callable[[Record], bool]

_TEXTS: Final = frozenset({str, NoneType})
_SCALARS: Final = frozenset({str, NoneType, int, float, bool})

_MOST_DIGITS: Final = 10
"""Of a lifetime in a text; more are out of its bounds."""


class CompiledRule(NamedTuple):
    """What to do with a record that a rule is about."""

    rule: Rule
    action: str | None
    """That of the vocabulary; None where the grant of the line decides, or where it is no event."""
    capture: Callable[[Record], None] | None
    """Puts the named groups into the record."""
    read_time: times.Read
    time: Get
    client_id: Get
    user_id: Get
    ip: Get
    user_agent: Get
    scopes: Get
    expires_in: Get
    event_id: Get
    realm: Get
    grant_type: Get
    error: Get
    error_detail: Get


Find: TypeAlias = Callable[[Record], CompiledRule | None]


def finder(definition: Definition) -> Find:
    """Return the function that finds the first rule whose conditions a record meets.

    A log has few kinds of lines. So the rule is remembered by the values that the rules look at, if all of these are texts or
    numbers.
    """
    rules = [(_match(rule, definition), _rule(rule, definition)) for rule in definition.rules]
    paths = {path.ways: path for rule in definition.rules for path, _ in rule.when}
    gets = [getter(path, definition.empty) for path in paths.values()]
    known: dict[tuple[Any, ...], CompiledRule | None] = {}

    def search(record: Record) -> CompiledRule | None:
        for match, rule in rules:
            if match(record):
                return rule
        return None

    def find(record: Record) -> CompiledRule | None:
        key: tuple[Any, ...] = tuple([get(record) for get in gets])
        kinds = {*map(type, key)}
        if not kinds <= _TEXTS:
            if not kinds <= _SCALARS:
                return search(record)
            key = (*key, *map(type, key))  # true and 1.0 are 1 to a dict
        try:
            return known[key]
        except KeyError:
            found = search(record)
            remember(known, key, found)
            return found

    return find


def _match(rule: Rule, definition: Definition) -> Match:
    tests = [(getter(path, definition.empty), test.compile()) for path, test in rule.when]
    if not tests:
        return lambda _: True
    if len(tests) == 1:
        ((get, holds),) = tests
        return lambda record: holds(get(record))

    def match(record: Record) -> bool:
        for get, holds in tests:  # noqa: SIM110 - a generator takes twice the time
            if not holds(get(record)):
                return False
        return True

    return match


def _rule(rule: Rule, definition: Definition) -> CompiledRule:
    fields = {name: found for name, found in {**definition.fields, **rule.fields}.items() if name not in rule.drop}

    def get(name: str) -> Get:
        return getter(fields[name].path, definition.empty) if name in fields else _nothing

    is_success = OUTCOMES.get(rule.action, "success") == "success"
    return CompiledRule(
        rule=rule,
        action=rule.action if rule.action in OUTCOMES else None,
        capture=_capture(rule, definition),
        read_time=times.reader(fields["time"].format, fields["time"].zone),
        time=get("time"),
        client_id=get("client_id"),
        user_id=get("user_id"),
        ip=get("ip"),
        user_agent=get("user_agent"),
        scopes=_scopes(get("scopes"), fields["scopes"].separator if "scopes" in fields else ""),
        expires_in=_number(get("expires_in")),
        event_id=get("event_id"),
        realm=_word(get("realm"), definition.realms),
        grant_type=_always(rule.grant_type) if rule.grant_type else _word(get("grant_type"), definition.grants),
        error=_nothing if is_success else _always(rule.error) if rule.error else _text(get("error")),
        error_detail=_nothing if is_success else _detail(rule, fields, definition),
    )


def _detail(rule: Rule, fields: Mapping[str, Field], definition: Definition) -> Get:
    """Return where the text about an error stands; of a rule that says itself which error it is, also the field ``error``."""
    names = ("error_detail", "error") if rule.error else ("error_detail",)
    ways = [way for name in names if name in fields for way in fields[name].path.ways]
    return _text(getter(Path("", tuple(ways)), definition.empty)) if ways else _nothing


def _capture(rule: Rule, definition: Definition) -> Callable[[Record], None] | None:
    captures = [
        (getter(path, definition.empty), expressions.capturer(expression))
        for path, expression in (*rule.expressions, *definition.groups)
    ]
    if not captures:
        return None

    def capture(record: Record) -> None:
        for get, groups in captures:
            text = get(record)
            for name, part in (groups(text) if text.__class__ is str else {}).items():
                record.setdefault(Group(name), part)

    return capture


def action_of_grant(grant: Any) -> str:
    """Return the action of a token that was issued by this grant. A refresh has one of its own."""
    name = GRANT_NAMES.get(grant, "other") if isinstance(grant, str) else "other"
    return "token.refreshed" if name == "refresh_token" else ISSUED_PREFIX + name


def _nothing(_: Any) -> None:
    return None


def _always(word: str) -> Get:
    return lambda _: word


def _text(get: Get) -> Get:
    """Give numbers and truths as the text that JSON writes: codes of errors are often numbers."""

    def read(record: Mapping[Any, Any]) -> Any:
        value = get(record)
        if value is None or value.__class__ is str:
            return value
        if value.__class__ is bool:
            return "true" if value else "false"
        number = integral(value)
        return value if number is None else str(number)

    return read


def _word(get: Get, meanings: Mapping[str, str]) -> Get:
    """Give what a text means by a table, or the text itself."""
    read = _text(get)
    if not meanings:
        return read

    def mean(record: Mapping[Any, Any]) -> Any:
        value = read(record)
        return meanings.get(value, value) if value.__class__ is str else value

    return mean


def _scopes(get: Get, separator: str) -> Get:
    if not separator:
        return get

    def split(record: Mapping[Any, Any]) -> Any:
        value = get(record)
        return value.replace(separator, " ") if value.__class__ is str else value

    return split


def _number(get: Get) -> Get:
    """Give a text of digits as the number."""

    def read(record: Mapping[Any, Any]) -> Any:
        value = get(record)
        is_number = value.__class__ is str and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
        return int(value) if is_number else value

    return read


def required(paths: Sequence[Path]) -> Callable[[Record], Path | None]:
    """Return the function that finds the first of some paths at which a record has nothing."""
    gets = [(path, getter(path)) for path in paths]

    def missing(record: Record) -> Path | None:
        for path, get in gets:
            value = get(record)
            if value is None or value == "":
                return path
        return None

    return missing
