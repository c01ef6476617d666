"""The simulated endpoint's log: the day as native lines (design section 2), and exactly what was written. Pure.

A real log also holds what is no token operation, and now and then a line that something broke; so does this one.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self, TypeAlias

import orjson

from ingestor.demo import personas
from ingestor.demo.traffic import Operation, simulate

_Row: TypeAlias = dict[str, object]

OTHER_ACTIONS = ("user.login", "user.logout", "user.mfa_enrolled", "session.ended", "client.updated", "consent.granted")
_OTHER_LINES = 520
_BREAKAGES = 3


class Kind(StrEnum):
    """What must become of a line."""

    EVENT = "event"
    REJECTED = "rejected"
    IGNORED = "ignored"


class Happening(NamedTuple):
    """Something that someone who watches would want to be told."""

    time_ms: int
    """Simulated, Unix epoch."""
    label: str
    """A word or two, for the chart."""
    text: str
    alarming: bool = False


class Line(NamedTuple):
    """A line of the log, with its end."""

    time_ms: int
    """When it is written, Unix epoch, in simulated time."""
    data: bytes
    kind: Kind
    action: str = ""
    """Of an event."""
    event_id: str = ""
    """Of an event; no two are equal."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was written: the truth that the store is held against."""

    lines: int = 0
    rejected: int = 0
    ignored: int = 0
    by_action: Counter[str] = field(default_factory=Counter)
    event_ids: frozenset[str] = frozenset()

    @property
    def events(self) -> int:
        """Lines that must become events."""
        return self.by_action.total()

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        """Add up what these lines are."""
        lines = list(lines)
        kinds = Counter(line.kind for line in lines)
        events = [line for line in lines if line.kind is Kind.EVENT]
        return cls(
            lines=len(lines),
            rejected=kinds[Kind.REJECTED],
            ignored=kinds[Kind.IGNORED],
            by_action=Counter(line.action for line in events),
            event_ids=frozenset(line.event_id for line in events),
        )


def write_day(end_ms: int, seed: int) -> list[Line]:
    """Return the lines of the 24 hours before ``end_ms`` (Unix epoch), oldest first. Equal arguments, equal bytes."""
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    events = [_event(operation, rng) for operation in simulate(end_ms, rng)]
    others = [_other(rng.choice(events), rng) for _ in range(_OTHER_LINES)]
    broken = [_broken(rng.choice(events), damage) for damage in _DAMAGES * _BREAKAGES]
    return sorted(events + others + broken, key=lambda line: line.time_ms)


def _event(operation: Operation, rng: random.Random) -> Line:
    event_id = f"{rng.getrandbits(64):016x}"
    row = {
        "id": event_id,
        "created_at": _rfc3339(operation.time_ms),
        "action": operation.action,
        "user_id": operation.user,
        "resource_type": "oauth_token",
        "resource_id": operation.client,
        "details": {
            "client_id": operation.client,
            "endpoint": operation.endpoint,
            "grant_type": operation.grant_type,
            "scopes": operation.scopes,
            "ip_address": operation.address,
            "user_agent": operation.agent,
            "error": operation.error,
            "expires_in": operation.expires_in,
        },
    }
    return Line(operation.time_ms, orjson.dumps(row) + b"\n", Kind.EVENT, operation.action, event_id)


def _other(near: Line, rng: random.Random) -> Line:
    row = {
        "id": f"{rng.getrandbits(64):016x}",
        "created_at": _rfc3339(near.time_ms),
        "action": rng.choice(OTHER_ACTIONS),
        "user_id": f"u-{1000 + rng.randrange(personas.DAY_MS) % 600}",
        "resource_type": "user",
        "details": {"ip_address": f"203.0.113.{1 + rng.randrange(250)}"},
    }
    return Line(near.time_ms, orjson.dumps(row) + b"\n", Kind.IGNORED)


def _broken(like: Line, damage: Callable[[_Row], bytes]) -> Line:
    return Line(like.time_ms, damage(orjson.loads(like.data)) + b"\n", Kind.REJECTED)


def _rfc3339(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def _cut_short(row: _Row) -> bytes:
    whole = orjson.dumps(row)
    return whole[: len(whole) // 2]  # the writing process died


def _cut_within_a_secret(row: _Row) -> bytes:
    # What `tokentail rejected list` must not show, though no parser can tell where the value ends.
    return orjson.dumps({"action": row["action"], "client_secret": "correct-horse-battery-staple"})[:-8]


def _wrong_type(row: _Row) -> bytes:
    return orjson.dumps(row | {"action": 42})


def _unknown_action(row: _Row) -> bytes:
    return orjson.dumps(row | {"action": "token.teleported"})


def _no_time(row: _Row) -> bytes:
    return orjson.dumps({key: value for key, value in row.items() if key != "created_at"})


def _no_real_time(row: _Row) -> bytes:
    return orjson.dumps(row | {"created_at": "yesterday, about noon"})


def _invalid_utf8(row: _Row) -> bytes:
    return orjson.dumps(row).replace(b'"resource_type":"', b'"resource_type":"\xff\xfe')


_DAMAGES: tuple[Callable[[_Row], bytes], ...] = (
    _cut_short,
    _cut_within_a_secret,
    _wrong_type,
    _unknown_action,
    _no_time,
    _no_real_time,
    _invalid_utf8,
)
