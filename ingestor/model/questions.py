"""The questions of design section 7 and the shape of their answers, the same for every store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ingestor.model.points import Series
from parsers.contract import EventRow


@dataclass(frozen=True, slots=True)
class Period:
    """``since <= time < until``, nanoseconds since the Unix epoch."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on events; None is no condition. ``client`` matches the tag or the field ``client``.

    An empty ``client`` or ``realm`` matches the events that have none. Values are in the normal form of ``parsers.text``, as the stored ones are.
    """

    client: str | None = None
    realm: str | None = None
    user: str | None = None
    action: str | None = None
    outcome: str | None = None
    error: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The keys of ``tokentail stats --json``. Rates and averages are None where nothing can be divided."""

    total_issued: int = 0
    total_refreshed: int = 0
    total_failed: int = 0
    total_expired: int = 0
    total_rate_limited: int = 0
    total_reused: int = 0
    total_failures: int = 0
    userinfo_accesses: int = 0
    unique_users: int = 0
    unique_clients: int = 0
    without_client: int = 0
    failure_rate: float | None = None
    refresh_usage_rate: float | None = None
    average_token_lifetime_seconds: float | None = None
    token_lifetime_coverage: float | None = None
    by_action: dict[str, int] = field(default_factory=dict)
    by_grant_type: dict[str, int] = field(default_factory=dict)
    by_client: dict[str, int] = field(default_factory=dict)
    by_error: dict[str, int] = field(default_factory=dict)


class Record(NamedTuple):
    """A stored event as people see it: the keys of ``events`` and ``activity`` (design section 9)."""

    time: str
    """RFC 3339, UTC, the written precision."""
    action: str
    outcome: str
    client_id: str | None
    user_id: str | None
    grant_type: str | None
    scopes: str | None
    ip: str | None
    user_agent: str | None
    error: str | None
    error_detail: str | None
    expires_in: int | None
    event_id: str | None
    realm: str | None
    endpoint: str | None
    source: str
    host: str


class Ranked(NamedTuple):
    """A row of ``top clients`` (name, realm or None) or ``top users`` (name, None)."""

    name: str | None
    """None for the events of a realm that name no client."""
    realm: str | None
    events: int
    issued: int
    refreshed: int
    failures: int


class PeakCell(NamedTuple):
    """Events in an hour of the week, in the configured time zone. Monday is 0."""

    weekday: int
    hour: int
    events: int


class AnalyticsRow(NamedTuple):
    """The story's ``token_analytics`` view: date in the configured zone, ISO 8601."""

    date: str
    action: str
    client_id: str | None
    grant_type: str | None
    count: int  # type: ignore[assignment]  # the story's word; nobody counts within a row


class Answers(Protocol):
    """What every store can be asked. Ties are broken by name; activity is ordered by time, then series."""

    def stats(self, period: Period, filters: Filters) -> Stats:
        """Return the totals, rates and breakdowns of a period."""
        ...

    def activity(self, period: Period, filters: Filters, limit: int) -> Sequence[Record]:
        """Return the newest events first."""
        ...

    def events(self, period: Period, filters: Filters) -> Iterator[Record]:
        """Yield the events oldest first, in constant memory."""
        ...

    def rows(self, period: Period) -> Iterator[tuple[Series, EventRow]]:
        """Yield the events oldest first, as a parser made them, each with its tags in the store; in constant memory.

        A client or realm without a tag of its own has its true name in the row where the store knows it. Equal times come in any order.
        """
        ...

    def top_clients(self, period: Period, filters: Filters, limit: int) -> Sequence[Ranked]:
        """Return the clients with most events."""
        ...

    def top_users(self, period: Period, filters: Filters, limit: int) -> Sequence[Ranked]:
        """Return the users with most events."""
        ...

    def peak(self, period: Period, filters: Filters, zone: str) -> Sequence[PeakCell]:
        """Return events by hour of the week in a time zone (IANA name); cells without events are left out."""
        ...

    def analytics(self, period: Period, filters: Filters, zone: str) -> Sequence[AnalyticsRow]:
        """Return the story's daily rows, dates in a time zone (IANA name)."""
        ...
