"""Findings: what a detector concluded from many events, such as an attack on a client (design section 3)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.statistics import written_time

MEASUREMENT: Final = "token_findings"
MOST_EXAMPLES: Final = 20
"""Of addresses, clients, user agents and event ids in the evidence of a finding."""


class Severity(StrEnum):
    """How bad it is, if it is what it looks like."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Finding(NamedTuple):
    """One incident, as far as it is known. It grows: the same ``realm``, ``client_id``, ``first_seen_ms`` and ``key`` replace it.

    All text comes from events, so it is in normal form and redacted already.
    """

    severity: Severity
    client_id: str
    """The OAuth client; empty where the finding is about none, or about many."""
    realm: str
    first_seen_ms: int
    """When the incident began: the time of its first event, milliseconds since the Unix epoch. It never changes."""
    last_seen_ms: int
    events: int
    """How many events belong to it."""
    key: str = ""
    """What tells it from another incident of the same client and beginning, such as a user. It is not stored."""
    user_id: str | None = None
    ips: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    user_agents: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()


class StoredFinding(NamedTuple):
    """A finding as it is stored: tags, time and fields. (``time``, ``pattern``) is its identity within one state."""

    time: int
    """Nanoseconds: when the incident began, and below the millisecond what tells it apart."""
    pattern: str
    client_id: str
    """The tag: ``_other`` for a client without a series of its own."""
    host: str
    realm: str
    severity: str
    events: int
    last_seen: int
    """Milliseconds since the Unix epoch."""
    client: str | None
    """The true client id of a finding whose tag is ``_other``."""
    user_id: str | None
    ips: str | None
    """A JSON list, as the next three; None when it would be empty."""
    clients: str | None
    user_agents: str | None
    event_ids: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the object of ``explain --json``."""
        return {
            "pattern": self.pattern,
            "severity": self.severity,
            "realm": self.realm or None,
            "client_id": self.client or self.client_id or None,
            "user_id": self.user_id,
            "ips": _list(self.ips),
            "clients": _list(self.clients),
            "user_agents": _list(self.user_agents),
            "first_seen": written_time(self.time, None),
            "last_seen": written_time(self.last_seen * MILLISECOND_SLOTS, None),
            "count": self.events,
            "event_ids": _list(self.event_ids),
        }


TAGS: Final = ("client_id", "host", "pattern", "realm")
"""Of ``StoredFinding``, in key order."""
FIELDS: Final = StoredFinding._fields[5:]


def stored_finding(pattern: str, finding: Finding, *, host: str, tags: Mapping[str, str]) -> StoredFinding:
    """Return a finding of a detector as it is stored. ``tags``: its ``client_id`` and ``realm``, as budgets allow them."""
    told_apart = f"{finding.realm}\0{finding.client_id}\0{finding.key}".encode()
    slot = int.from_bytes(blake2b(told_apart, digest_size=8).digest(), "big") % MILLISECOND_SLOTS
    client_id = tags["client_id"]
    return StoredFinding(
        time=finding.first_seen_ms * MILLISECOND_SLOTS + slot,
        pattern=pattern,
        client_id=client_id,
        host=host,
        realm=tags["realm"],
        severity=finding.severity,
        events=finding.events,
        last_seen=finding.last_seen_ms,
        client=None if client_id == finding.client_id else finding.client_id,
        user_id=finding.user_id,
        ips=_json(finding.ips),
        clients=_json(finding.clients),
        user_agents=_json(finding.user_agents),
        event_ids=_json(finding.event_ids),
    )


def _json(examples: Iterable[str]) -> str | None:
    listed = list(examples)[:MOST_EXAMPLES]
    return orjson.dumps(listed).decode() if listed else None


def _list(examples: str | None) -> list[str]:
    return orjson.loads(examples) if examples else []
