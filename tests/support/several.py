"""A provider whose lines tell of several operations: a JSON list of native records, or one record."""

import json
from collections.abc import Collection
from typing import Any

import orjson

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Events, Outcome
from parsers.native import NativeParser
from parsers.records import decode, each_line, together

NOW_MS = 1_793_600_000_000


class SeveralParser:
    """Makes an event of each record, in their order. Tests read by other rules with a subclass that leaves some out."""

    name = "several"
    version = "1"
    options = EventBuilder.OPTIONS
    left_out: Collection[Any] = ()
    """Actions."""

    def __init__(self, **options: Any) -> None:
        self._native = NativeParser(**options)
        self.counts = self._native.counts

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        return each_line(data, lambda line: self._read(decode(line), now_ms))

    def redact(self, line: bytes) -> str:
        return self._native.redact(line)

    def _read(self, record: Any, now_ms: int) -> Outcome:
        records = record if isinstance(record, list) else [record]
        return together(self._one(each, now_ms) for each in records)

    def _one(self, record: Any, now_ms: int) -> Outcome:
        if isinstance(record, dict) and record.get("action") in self.left_out:
            return IGNORED
        return self._native.parse(json.dumps(record).encode(), now_ms)[0]


def record(action: str = "token.refreshed", *, at: str = "2026-10-01T09:30:00.000Z", **details: Any) -> dict[str, Any]:
    """Return one native record."""
    known = {"client_id": "web", **details}
    return {"created_at": at, "action": action, "user_id": "u-1", "details": known}


def line(*records: dict[str, Any]) -> bytes:
    """Return a line of several records."""
    return orjson.dumps(list(records))


def events(outcome: Outcome) -> Events:
    """Return the events of a line that are several."""
    assert isinstance(outcome, list)
    return outcome
