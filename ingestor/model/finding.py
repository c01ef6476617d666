"""Findings: what a detector concluded from many events, such as an attack on a client (design section 3)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from ingestor.model.identity import MILLISECOND_SLOTS
from ingestor.model.statistics import written_time

MEASUREMENT: Final = "token_findings"
RAISED_MEASUREMENT: Final = "token_findings_raised"
MOST_EXAMPLES: Final = 20
"""Of addresses, clients, user agents and event ids in the evidence of a finding."""
_ID_BYTES: Final = 4
"""With ten thousand findings of a pattern two have the same id with a chance of 1 in 90."""


class Severity(StrEnum):
    """How bad it is, if it is what it looks like."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}
"""How bad each is, the mildest first."""


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
    raised: int = 0
    """When it was saved with this severity for the first time, by this machine's clock: milliseconds since the Unix epoch. 0: it was not yet."""

    raised_from: str | None = None
    """From where its events were at that time, in words, for whoever is woken; None for one of many that came within an hour."""

    @property
    def id(self) -> str:
        """How people name it, and the same whenever it is found again: ``secret_guessing-1a2b3c4d``."""
        return f"{self.pattern}-{blake2b(str(self.time).encode(), digest_size=_ID_BYTES).hexdigest()}"

    @property
    def first_seen(self) -> int:
        """When the incident began, milliseconds since the Unix epoch."""
        return self.time // MILLISECOND_SLOTS

    @property
    def true_client(self) -> str:
        """The client that it is about, whether that has a tag of its own or not; empty for none, or many."""
        return self.client or self.client_id

    def listed(self, evidence: str) -> list[str]:
        """Return a list of evidence, at most 20: ``ips``, ``clients``, ``user_agents`` or ``event_ids``."""
        return _list(getattr(self, evidence))

    def as_json(self) -> dict[str, Any]:
        """Return the object of ``explain --json``."""
        return {
            "id": self.id,
            "pattern": self.pattern,
            "severity": self.severity,
            "realm": self.realm or None,
            "client_id": self.true_client or None,
            "user_id": self.user_id,
            "ips": self.listed("ips"),
            "clients": self.listed("clients"),
            "user_agents": self.listed("user_agents"),
            "first_seen": written_time(self.time, None),
            "last_seen": written_time(self.last_seen * MILLISECOND_SLOTS, None),
            "raised": written_time(self.raised * MILLISECOND_SLOTS, None) if self.raised else None,
            "count": self.events,
            "event_ids": self.listed("event_ids"),
        }


NEWS_MS: Final = 3_600_000
"""A finding is told of for so long after it came to its severity: the range of the alert rules."""
OLD_MS: Final = 24 * NEWS_MS
"""One whose last event is older than that wakes nobody: it was read late, of a log that is past."""


def wakes(finding: StoredFinding) -> bool:
    """Whether somebody has to be told that a finding came to its severity, as soon as it did."""
    return finding.severity != Severity.LOW and finding.raised - finding.last_seen <= OLD_MS


TAGS: Final = ("client_id", "host", "pattern", "realm")
"""Of ``StoredFinding``, in key order."""
FIELDS: Final = StoredFinding._fields[5:-1]


def slot_of(realm: str, client_id: str, key: str) -> int:
    """Return what tells findings of one moment apart by their subjects: the part of ``StoredFinding.time`` below the millisecond."""
    told_apart = f"{realm}\0{client_id}\0{key}".encode()
    return int.from_bytes(blake2b(told_apart, digest_size=8).digest(), "big") % MILLISECOND_SLOTS


def stored_finding(pattern: str, finding: Finding, *, host: str, tags: Mapping[str, str]) -> StoredFinding:
    """Return a finding of a detector as it is stored. ``tags``: its ``client_id`` and ``realm``, as budgets allow them."""
    slot = slot_of(finding.realm, finding.client_id, finding.key)
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
