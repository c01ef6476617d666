"""Read a mapping file strictly: everything that is wrong is told at once, each with its line.

A key that is not known is refused, as in the configuration: a misspelt one that does nothing is found in the middle of an
incident.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from parsers.contract import ERRORS, FAILURES, GRANT_TYPES
from parsers.mapping import MAPPING_BYTES, expressions, times
from parsers.mapping.conditions import Absent, OneOf
from parsers.mapping.definition import FIELDS, IGNORE, REJECT, Definition, ErrorMeaning, Field
from parsers.mapping.paths import Path
from parsers.mapping.positions import Place, lines_of
from parsers.mapping.problems import MappingError, Problem, Problems, shown
from parsers.mapping.reachability import shadowed
from parsers.mapping.rule_reading import read_rule

_KEYS: Final = (
    *("title", "unwrap", "require", "signs", "not_json", "otherwise", "empty", "clients_unknown"),
    *("fields", "rules", "groups", "grants", "errors", "realms"),
)
_FIELD_KEYS: Final = {"time": ("path", "format", "zone"), "scopes": ("path", "separator")}
"""Fields that may be written as a table, and what it holds."""
_LINE: Final = re.compile(r"\(at line ([0-9]+), column [0-9]+\)|\(at end of document\)")


def read_mapping(text: str, *, reach: bool = True) -> Definition:
    """Return the mapping that a file says. Raises MappingError. ``reach``: whether a rule that can never match is a problem."""
    if len(text) > MAPPING_BYTES:
        raise MappingError([Problem(1, f"a mapping has at most {MAPPING_BYTES:,} characters")])
    try:
        table = tomllib.loads(text)
        lines = lines_of(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError([_not_toml(str(error), text)]) from None
    except RecursionError:
        raise MappingError([Problem(1, "is not TOML that can be read: it is nested too deeply")]) from None
    return _Reader(Problems(lines)).read(table, reach=reach)


def _not_toml(told: str, text: str) -> Problem:
    match = _LINE.search(told)
    line = int(match[1]) if match and match[1] else text.count("\n") + 1
    return Problem(line, f"is not TOML: {_LINE.sub('', told).strip()}")


class _Reader:
    """Reads the tables of one file."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def read(self, table: dict[str, Any], *, reach: bool) -> Definition:
        problems = self._problems
        problems.refuse_unknown(table, _KEYS, ())
        fields = self._fields(problems.table(table.get("fields", {}), ("fields",)), ("fields",))
        if "time" not in table.get("fields", {}):
            problems.report(("fields",), "[fields] needs a time: the path of the time at which it happened")
        groups = self._groups(problems.table(table.get("groups", {}), ("groups",)))
        rules = [
            read_rule(rule, index + 1, ("rules", index), problems, self._fields, fields)
            for index, rule in enumerate(problems.tables(table.get("rules", []), ("rules",)))
        ]
        if not table.get("rules"):
            problems.report(("rules",), "there is no rule: write [[rules]], once for each kind of line")
        definition = Definition(
            fields=fields,
            rules=tuple(rule for rule in rules if rule is not None),
            title=self._title(table),
            unwrap=self._unwrap(table),
            require=self._require(table),
            signs=self._texts(table, "signs"),
            not_json=problems.one_of(table.get("not_json", REJECT), (IGNORE, REJECT), ("not_json",)) or REJECT,
            otherwise=problems.one_of(table.get("otherwise", IGNORE), (IGNORE, REJECT), ("otherwise",)) or IGNORE,
            empty=frozenset(self._texts(table, "empty")),
            clients_unknown=self._clients_unknown(table),
            groups=groups,
            grants=self._words(table, "grants", tuple(sorted(GRANT_TYPES))),
            errors=self._errors(table),
            realms=self._words(table, "realms"),
            digest=_digest(table),
        )
        if not problems.found:  # else what is missing may be in a rule that is wrong
            self._check_groups(definition)
            if reach:
                self._check_reach(definition)
        if problems.found:
            raise MappingError(sorted(problems.found))
        return definition

    def _title(self, table: Mapping[str, Any]) -> str:
        return (self._problems.text(table["title"], ("title",)) or "") if "title" in table else ""

    def _unwrap(self, table: Mapping[str, Any]) -> Path | None:
        path = self._problems.path(table["unwrap"], ("unwrap",)) if "unwrap" in table else None
        if path and path.groups:
            self._problems.report(("unwrap",), "unwrap has no named groups: there are none before a rule matches")
        return path

    def _require(self, table: Mapping[str, Any]) -> tuple[Path, ...]:
        paths = [self._problems.path(value, place) for value, place in self._list(table, "require")]
        for path in paths:
            if path and path.groups:
                self._problems.report(("require",), "require has no named groups: there are none before a rule matches")
        return tuple(path for path in paths if path is not None)

    def _texts(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        return tuple(filter(None, (self._problems.text(value, place) for value, place in self._list(table, key))))

    def _list(self, table: Mapping[str, Any], key: str) -> list[tuple[Any, Place]]:
        value = table.get(key, [])
        if isinstance(value, list):
            return [(item, (key, index)) for index, item in enumerate(value)]
        self._problems.report((key,), f'{key} must be a list, such as ["..."]')
        return []

    def _clients_unknown(self, table: Mapping[str, Any]) -> bool:
        value = table.get("clients_unknown", False)
        if not isinstance(value, bool):
            self._problems.report(("clients_unknown",), "clients_unknown must be true or false")
        return value is True

    def _fields(self, table: Mapping[str, Any], place: Place) -> dict[str, Field]:
        self._problems.refuse_unknown(table, FIELDS, place)
        read = {name: self._field(name, value, (*place, name)) for name, value in table.items() if name in FIELDS}
        return {name: found for name, found in read.items() if found is not None}

    def _field(self, name: str, value: Any, place: Place) -> Field | None:
        problems = self._problems
        keys = _FIELD_KEYS.get(name, ())
        table = value if isinstance(value, dict) and keys else {"path": value}
        problems.refuse_unknown(table, keys or ("path",), place)
        if "path" not in table:
            problems.report(place, f"{name} needs a path")
            return None
        path = problems.path(table["path"], (*place, "path") if table is value else place)
        texts = {key: problems.text(table[key], (*place, key)) or "" for key in keys if key != "path" and key in table}
        if name == "time":
            try:
                times.reader(texts.setdefault("format", times.RFC3339), texts.get("zone", ""))
            except ValueError as error:
                problems.report((*place, "zone" if "zone" in texts else "format"), f"time: {error}")
        return Field(path, **texts) if path else None

    def _groups(self, table: Mapping[str, Any]) -> tuple[tuple[Path, str], ...]:
        found = []
        for written, value in table.items():
            place = ("groups", written)
            path, expression = self._problems.path(written, place), self._problems.text(value, place)
            if path is None or expression is None:
                continue
            try:
                names = expressions.group_names(expression)
            except expressions.NoEngineError as error:
                self._problems.report(place, str(error))
                continue
            except expressions.BadExpressionError as error:
                self._problems.report(place, f"the expression {shown(expression)}: {error}")
                continue
            if names and not path.groups:
                found.append((path, expression))
            else:
                self._problems.report(place, "groups has paths, each with an expression with named groups")
        return tuple(found)

    def _words(self, table: Mapping[str, Any], name: str, known: tuple[str, ...] = ()) -> dict[str, str]:
        """Read what values of a log mean. ``known``: the words that they may mean; any when there are none."""
        words = {}
        for written, value in self._problems.table(table.get(name, {}), (name,)).items():
            place = (name, written)
            word = self._problems.one_of(value, known, place) if known else self._problems.text(value, place)
            if word:
                words[written] = word
        return words

    def _errors(self, table: Mapping[str, Any]) -> dict[str, ErrorMeaning]:
        meanings = {}
        for written, value in self._problems.table(table.get("errors", {}), ("errors",)).items():
            place = ("errors", written)
            inner = {"error": value} if isinstance(value, str) else value
            if not isinstance(inner, dict) or "error" not in inner or not written.strip():
                self._problems.report(place, 'an error text is an error, or { error = "...", action = "..." }')
                continue
            self._problems.refuse_unknown(inner, ("error", "action"), place)
            error = self._problems.one_of(inner["error"], tuple(sorted(ERRORS)), place)
            action = self._problems.one_of(inner["action"], FAILURES, place) if "action" in inner else None
            if error:
                meanings[written] = ErrorMeaning(error, action)
        return meanings

    def _check_groups(self, definition: Definition) -> None:
        """Report fields that ask for a named group which there is not: in all rules, or in one."""
        known = {name for _, expression in definition.groups for name in expressions.group_names(expression)}
        every = known.union(*(rule.groups for rule in definition.rules))
        for name, field in definition.fields.items():
            for missing in sorted(field.path.groups - every):
                self._problems.report(("fields", name), f"${missing}: no expression has a group of this name")
        for rule in definition.rules:
            for name, field in rule.fields.items():
                for missing in sorted(field.path.groups - known - rule.groups):
                    place = ("rules", rule.number - 1, "fields", name)
                    self._problems.report(place, f"${missing}: no expression of this rule has a group of this name")

    def _check_reach(self, definition: Definition) -> None:
        """Report the rules that can never match."""
        required = {path.ways for path in definition.require}
        for rule in definition.rules:
            place = ("rules", rule.number - 1, "when")
            for path, test in rule.when:
                if path.ways in required and test == Absent(absent=True):
                    self._problems.report(
                        (*place, path.written), f"rule {rule.number} can never match: {path.written} is required"
                    )
                if isinstance(test, OneOf) and all(value in definition.empty for value in test.values):
                    self._problems.report(
                        (*place, path.written),
                        f"rule {rule.number} can never match: {shown(test.values[0])} counts as empty",
                    )
        for rule, takers in shadowed(definition.rules):
            who = " and ".join(f"rule {taker.number} (line {taker.line})" for taker in takers)
            self._problems.report(
                ("rules", rule.number - 1), f"rule {rule.number} can never match: {who} before it takes all its lines"
            )


def _digest(table: dict[str, Any]) -> str:
    """Return the hash of what a file says, in its order, which decides among rules and patterns."""
    try:
        encoded = orjson.dumps(table)
    except TypeError:  # an integer of more than 64 bits, which is a problem anyway
        return ""
    return hashlib.blake2b(encoded, digest_size=8).hexdigest()
