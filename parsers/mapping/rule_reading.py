"""Read one rule of a mapping file."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from parsers.contract import ENDPOINTS, ERRORS, GRANT_TYPES, ISSUED_PREFIX, OUTCOMES
from parsers.mapping import expressions
from parsers.mapping.conditions import Absent, Matches, OneOf, Test, Value, Within
from parsers.mapping.definition import GRANT, IGNORE, REJECT, Condition, Field, Rule
from parsers.mapping.positions import Place
from parsers.mapping.problems import NotAcceptedError, Problems, shown

ACTIONS: Final = (*sorted(OUTCOMES), ISSUED_PREFIX + GRANT, IGNORE, REJECT)
"""What a rule may make of a line."""

_KEYS: Final = ("when", "action", "error", "endpoint", "grant_type", "fields", "drop")
_TESTS: Final = ("matches", "absent", "from", "to")
_FORMS: Final = (
    'a condition is a value, a list of values, { matches = "..." }, { absent = true } or { from = 400, to = 499 }'
)
ReadFields: TypeAlias = Callable[[Mapping[str, Any], Place], dict[str, Field]]


def read_rule(
    table: dict[str, Any],
    number: int,
    place: Place,
    problems: Problems,
    read_fields: ReadFields,
    fields: Mapping[str, Field],
) -> Rule | None:
    """Return a rule, or None when it is wrong. ``number``: counted from 1. ``fields``: those of all rules."""
    before = len(problems.found)
    problems.refuse_unknown(table, _KEYS, place)
    if "action" not in table:
        problems.report(place, f"rule {number} needs an action: {', '.join(ACTIONS)}")
        return None
    action = problems.one_of(table["action"], ACTIONS, (*place, "action"))
    words = {
        key: problems.one_of(table[key], tuple(sorted(known)), (*place, key)) or ""
        for key, known in (("error", ERRORS), ("endpoint", ENDPOINTS), ("grant_type", GRANT_TYPES))
        if key in table
    }
    own = read_fields(problems.table(table.get("fields", {}), (*place, "fields")), (*place, "fields"))
    rule = Rule(
        number=number,
        line=problems.line(place),
        action=action or IGNORE,
        when=_conditions(problems.table(table.get("when", {}), (*place, "when")), (*place, "when"), problems),
        fields=own,
        drop=_drop(table.get("drop", []), (*place, "drop"), problems, {*fields, *own}),
        **words,
    )
    if action:
        _check(rule, table, place, problems, {*fields, *own} - rule.drop)
    return rule if len(problems.found) == before else None


def _check(rule: Rule, table: Mapping[str, Any], place: Place, problems: Problems, fields: set[str]) -> None:
    """Report what has no use in a rule of this action."""
    if rule.action in (IGNORE, REJECT):
        for key in table.keys() - {"when", "action"}:
            problems.report((*place, key), f'{key} has no use where the action is "{rule.action}"')
    elif rule.error and OUTCOMES.get(rule.action, "success") == "success":
        problems.report((*place, "error"), "error has no use where the action is a success")
    elif GRANT in rule.action and not rule.grant_type and "grant_type" not in fields:
        problems.report((*place, "action"), f"{rule.action} needs the field grant_type: the path of the grant")
    elif rule.grant_type and rule.action.startswith(ISSUED_PREFIX) and GRANT not in rule.action:
        problems.report((*place, "grant_type"), "grant_type has no use where the action names the grant")


def _drop(value: Any, place: Place, problems: Problems, fields: set[str]) -> frozenset[str]:
    if not isinstance(value, list):
        problems.report(place, 'drop must be a list of fields, such as ["user_id"]')
        return frozenset()
    known = tuple(sorted(fields - {"time"}))
    names = [problems.one_of(name, known, (*place, index)) for index, name in enumerate(value)]
    return frozenset(filter(None, names))


def _conditions(table: Mapping[str, Any], place: Place, problems: Problems) -> tuple[Condition, ...]:
    conditions = []
    for written, value in table.items():
        at = (*place, written)
        path = problems.path(written, at)
        if path and path.groups:
            problems.report(at, "a condition cannot ask for a named group: there are none before a rule matches")
        try:
            test = _test(value, at)
        except NotAcceptedError as error:
            problems.report(error.place, str(error))
        else:
            conditions += [Condition(path, test)] if path else []
    return tuple(conditions)


def _test(value: Any, place: Place) -> Test:
    """Return what is asked of a value. Raises NotAcceptedError, as all below."""
    if isinstance(value, list):
        if not value:
            raise NotAcceptedError(place, "an empty list of values fits nothing: the rule can never match")
        return OneOf(tuple(_value(item, (*place, index)) for index, item in enumerate(value)))
    if not isinstance(value, dict):
        return OneOf((_value(value, place),))
    if unknown := value.keys() - set(_TESTS):
        quoted = f'"{place[-1]}.{min(unknown)}"'
        raise NotAcceptedError(place, f"{_FORMS}; a path with dots is one key, in quotes: {quoted}")
    if "matches" in value:
        return _matches(value, place)
    return _absent(value, place) if "absent" in value else _within(value, place)


def _value(value: Any, place: Place) -> Value:
    if value == "":
        raise NotAcceptedError(place, "an empty text is nothing: write { absent = true }")
    if isinstance(value, str | int | float):  # a boolean is an integer
        return value
    raise NotAcceptedError(place, f"{_FORMS} (found {shown(value)})")


def _matches(value: Mapping[str, Any], place: Place) -> Matches:
    expression = value["matches"]
    if len(value) > 1 or not isinstance(expression, str) or not expression:
        raise NotAcceptedError(place, "matches must be a text that is not empty, and stand alone")
    try:
        expressions.check(expression)
    except expressions.NoEngineError as error:
        raise NotAcceptedError((*place, "matches"), str(error)) from None
    except expressions.BadExpressionError as error:
        raise NotAcceptedError((*place, "matches"), f"the expression {shown(expression)}: {error}") from None
    return Matches(expression)


def _absent(value: Mapping[str, Any], place: Place) -> Absent:
    if len(value) > 1 or not isinstance(value["absent"], bool):
        raise NotAcceptedError(place, "absent must be true or false, and stand alone")
    return Absent(value["absent"])


def _within(value: Mapping[str, Any], place: Place) -> Within:
    if not value:
        raise NotAcceptedError(place, _FORMS)
    for key, bound in value.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float) or math.isnan(bound):
            raise NotAcceptedError((*place, key), f"{key} must be a number")
    least, most = value.get("from"), value.get("to")
    if least is not None and most is not None and least > most:
        raise NotAcceptedError(place, f"from {least} to {most} fits nothing: the rule can never match")
    return Within(least, most)
