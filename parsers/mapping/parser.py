"""The parser that a mapping makes."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import orjson

from parsers.builder import DAY_MS, EventBuilder
from parsers.contract import IGNORED, Outcome, Reason
from parsers.mapping.compiled import CompiledRule, Find, Record, action_of_grant, finder, required
from parsers.mapping.definition import IGNORE, REJECT, Definition
from parsers.mapping.paths import Path, getter
from parsers.records import RejectedError, decode, each_line, text_or_none
from parsers.redaction.lines import AllowedKeys, redact_line
from parsers.rfc3339 import Written
from parsers.vocabulary import ErrorRule

VERSION: Final = "1"
"""Of what a mapping means: another one whenever an unchanged mapping makes something else of a line."""
_SHOWN: Final = AllowedKeys(())
"""A mapping says where values stand, and not which are harmless: what is shown of a rejected line goes by general rules."""


class MappingParser:
    """Parses lines of JSON as a mapping says."""

    options = EventBuilder.OPTIONS

    def __init__(
        self,
        definition: Definition,
        name: str,
        errors: Mapping[str, ErrorRule] | None = None,
        trusted_proxies: Iterable[str] = (),
        public_identifiers: Iterable[str] = (),
    ) -> None:
        """Raise ValueError for a bad option. ``errors`` go before the mapping's own; the others: see ``EventBuilder``."""
        self.name = name
        self.version = f"{VERSION} {definition.digest}"
        self._not_json_ignored = definition.not_json == IGNORE
        self._rest_ignored = definition.otherwise == IGNORE
        self._wrapped = getter(definition.unwrap) if definition.unwrap else None
        self._definition = definition
        self._signs = tuple(sign.encode() for sign in definition.signs)
        meanings = {
            **(errors or {}),
            **{text: m for text, m in definition.errors.items() if text not in (errors or {})},
        }
        self._names = _names(definition)
        self._builder = EventBuilder(
            meanings, trusted_proxies, public_identifiers, self._names, clients_unknown=definition.clients_unknown
        )
        self.counts = self._builder.counts

    # Made with the first line: where logs are detected, most mappings never get one.

    @cached_property
    def _find(self) -> Find:
        return finder(self._definition)

    @cached_property
    def _missing(self) -> Callable[[Record], Path | None]:
        return required(self._definition.require)

    @cached_property
    def _required_keys(self) -> list[list[bytes]]:
        return [_last_keys(path) for path in self._definition.require]

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line."""
        latest_ms = now_ms + DAY_MS
        return each_line(data, lambda line: self._read(line, latest_ms))

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep."""
        return redact_line(line, _SHOWN)

    def recognises(self, line: bytes) -> bool | None:
        """Whether a line is of this log, by a cheap look; None for a mapping without signs."""
        if not self._signs:
            return None
        is_signed = any(sign in line for sign in self._signs)
        if not line.startswith(b"{"):
            return is_signed and self._not_json_ignored
        return is_signed and all(any(key in line for key in keys) for keys in self._required_keys)

    def rule_of(self, line: bytes) -> str:
        """Return which rule decides about a line, for people; empty where none does."""
        try:
            record = self._record(line)
        except RejectedError:
            return ""
        found = self._find(record) if record is not None and self._missing(record) is None else None
        return f"rule {found.rule.number} (line {found.rule.line})" if found else ""

    def _record(self, line: bytes) -> Record | None:
        """Return the object of a line; None when it is no JSON and may be something else. Raises RejectedError.

        What begins as an object and is none is damaged, and no line of another kind.
        """
        if self._not_json_ignored and not line.startswith(b"{"):
            return None
        record = decode(line)
        if not isinstance(record, dict):
            raise RejectedError(Reason.NOT_AN_OBJECT, "the line")
        return record if self._wrapped is None else _unwrapped(record, self._wrapped(record))

    def _read(self, line: bytes, latest_ms: int) -> Outcome:
        record = self._record(line)
        if record is None:
            return IGNORED
        if (path := self._missing(record)) is not None:
            raise RejectedError(Reason.MISSING_KEY, path.written)
        found = self._find(record)
        if found is None:
            if self._rest_ignored:
                return IGNORED
            raise RejectedError(Reason.UNKNOWN_ACTION, "no rule is about the line")
        action = found.rule.action
        if action == IGNORE:
            return IGNORED
        if action == REJECT:
            looked_at = ", ".join(path.written for path, _ in found.rule.when)
            raise RejectedError(Reason.UNKNOWN_ACTION, f"rule {found.rule.number} rejects it: {looked_at}")
        return self._event(found, record, latest_ms)

    def _event(self, found: CompiledRule, record: Record, latest_ms: int) -> Outcome:
        if found.capture is not None:
            found.capture(record)
        builder = self._builder
        moment = self._time(found, record)
        builder.check_time(moment[0], latest_ms)
        grant = found.grant_type(record)
        action = found.action or action_of_grant(grant)
        tags, detail = builder.read_tags(
            action,
            action,
            found.client_id(record),
            grant,
            found.error(record),
            found.realm(record),
            found.rule.endpoint or None,
        )
        if (text := found.error_detail(record)) is not None:
            detail = builder.read_detail(text_or_none(text, self._names["error_detail"])) or detail
        return builder.row(
            moment,
            (tags, detail),
            user_id=found.user_id(record),
            ip=found.ip(record),
            user_agent=found.user_agent(record),
            scopes=found.scopes(record),
            expires_in=found.expires_in(record),
            event_id=found.event_id(record),
        )

    def _time(self, found: CompiledRule, record: Record) -> Written:
        value = found.time(record)
        if value is None or value == "":
            raise RejectedError(Reason.MISSING_KEY, self._names["time"])
        moment = found.read_time(value)
        if moment is None:
            raise RejectedError(Reason.BAD_TIMESTAMP, f"{self._names['time']}: not written as the mapping says")
        return moment


def _last_keys(path: Path) -> list[bytes]:
    """Return the keys in which the ways of a path end, as lines of JSON have them, escapes left out."""
    ends = [[step for step in way if isinstance(step, str)][-1] for way in path.ways]
    return [orjson.dumps(end) for end in ends]


def _unwrapped(record: Record, inner: Any) -> Record:
    """Return a record with the keys of an object within it, or of one that is written in a text; these go before its own."""
    if isinstance(inner, str) and inner.startswith("{"):
        try:
            inner = orjson.loads(inner)
        except ValueError:
            return record
    return {**record, **inner} if isinstance(inner, dict) else record


def _names(definition: Definition) -> dict[str, str]:
    """Return what the fields are called in lines: their paths, those of all rules before those of some."""
    names = {name: field.path.written for rule in definition.rules for name, field in rule.fields.items()}
    names |= {name: field.path.written for name, field in definition.fields.items()}
    return {"error_detail": names.get("error", ""), **names}
