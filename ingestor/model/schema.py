"""THE list of what is stored (design section 3): measurements, tags, fields, types, units.

Documentation, stores and the lint of dashboards read it; a test holds ``Point``, ``Series`` and the embedded store to it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from ingestor.model import finding
from ingestor.model.points import MEASUREMENT


class Kind(StrEnum):
    """Type of a field, the same for ever: InfluxDB refuses a point whose field has another one."""

    INTEGER = "integer"
    FLOAT = "float"
    STRING = "string"


class Tag(NamedTuple):
    """Indexed text of low cardinality; absent when empty."""

    name: str
    description: str


class Field(NamedTuple):
    """A value; absent when unknown. ``unit`` is empty for text."""

    name: str
    kind: Kind
    unit: str
    description: str


class Measurement(NamedTuple):
    """What points of one kind hold. Tags are in key order; ``time`` says what the timestamp is."""

    name: str
    description: str
    time: str
    tags: tuple[Tag, ...]
    fields: tuple[Field, ...]


_SOURCE: Final = Tag("source", "The log: its configured name, else its path.")
_HOST: Final = Tag("host", "The machine that read it: the configured name, else the one of its first start.")
_EVENT_TAGS: Final = (
    Tag("action", "What happened, one of the vocabulary of design section 2."),
    Tag("client_id", "The OAuth client; `_other` beyond the budget of the source."),
    Tag("endpoint", "`token`, `userinfo`, `introspection`, `revocation` or `device`."),
    Tag("error", "Why it failed, of a closed set; `other` for any other word."),
    Tag("grant_type", "The grant: of the action, else as written."),
    _HOST,
    Tag("outcome", "`success`, `failure`, `pending` or `finding`."),
    Tag("realm", "The provider's tenant; a client is (realm, client_id) wherever realms exist."),
    _SOURCE,
)

EVENTS: Final = Measurement(
    MEASUREMENT,
    "One point for each token operation.",
    "the written time to the millisecond; the digits below are the line's identity",
    _EVENT_TAGS,
    (
        Field("events", Kind.INTEGER, "events", "Always 1, so that sum(events) counts."),
        Field("user_id", Kind.STRING, "", "The user, where one takes part."),
        Field("ip", Kind.STRING, "", "Address of the caller: the rightmost hop that is no trusted proxy."),
        Field("user_agent", Kind.STRING, "", "As the caller named itself."),
        Field("scopes", Kind.STRING, "", "Space separated (RFC 6749 section 3.3)."),
        Field("client", Kind.STRING, "", "The true client id of an event whose tag is `_other`."),
        Field("expires_in", Kind.INTEGER, "s", "Lifetime of the issued token."),
        Field(
            "fraction", Kind.STRING, "", "Written fractional digits when not exactly three; empty for whole seconds."
        ),
        Field("event_id", Kind.STRING, "", "The log's own id of the event."),
        Field("error_detail", Kind.STRING, "", "The provider's own words for the error, cleaned."),
    ),
)


def _sums(interval: str) -> tuple[Field, ...]:
    """Return the fields of events that were added up."""
    return (
        Field("events", Kind.INTEGER, "events", f"Events of the {interval}."),
        Field("lifetime_sum", Kind.INTEGER, "s", "Sum of expires_in over the events that carry it."),
        Field("lifetime_count", Kind.INTEGER, "events", "Events that carry expires_in."),
    )


HOURLY: Final = Measurement(
    "token_events_1h",
    "Events of an hour, for questions over years.",
    "start of the hour, UTC",
    _EVENT_TAGS,
    _sums("hour"),
)

TOTALS: Final = Measurement(
    "token_totals_15m",
    "Events of a quarter of an hour of all clients together, for sums that must not open the series of every client.",
    "start of the quarter of an hour, UTC",
    tuple(tag for tag in _EVENT_TAGS if tag.name != "client_id"),
    _sums("quarter of an hour"),
)

CLIENTS: Final = Measurement(
    "token_clients_1h",
    "Events of a client in an hour, in one series a client.",
    "start of the hour, UTC",
    tuple(tag for tag in _EVENT_TAGS if tag.name in {"client_id", "host", "realm", "source"}),
    (
        Field("events", Kind.INTEGER, "events", "All events of the client."),
        Field("issued", Kind.INTEGER, "events", "Actions token.issued.*."),
        Field("refreshed", Kind.INTEGER, "events", "Action token.refreshed."),
        Field("failed", Kind.INTEGER, "events", "Events whose outcome is failure."),
    ),
)

USERS: Final = Measurement(
    "token_users_1d",
    "Events of a user on a day.",
    "start of the day, UTC",
    (
        _HOST,
        _SOURCE,
        Tag("user_id", "The user; `_other` beyond the budget of the source in InfluxDB, exact in the embedded store."),
    ),
    (
        Field("events", Kind.INTEGER, "events", "All events that name the user."),
        Field("issued", Kind.INTEGER, "events", "Actions token.issued.*."),
        Field("refreshed", Kind.INTEGER, "events", "Action token.refreshed."),
        Field("failed", Kind.INTEGER, "events", "Events whose outcome is failure."),
    ),
)

FINDINGS: Final = Measurement(
    finding.MEASUREMENT,
    "Incidents that detectors found. One that grows stays one point.",
    "the written time of the first event, to the millisecond; the digits below tell incidents apart",
    (
        Tag("client_id", "The OAuth client; absent where it is about none or many, `_other` for one without a series."),
        _HOST,
        Tag("pattern", "The detector that found it."),
        Tag("realm", "The provider's tenant."),
    ),
    (
        Field("severity", Kind.STRING, "", "`low`, `medium`, `high` or `critical`."),
        Field("events", Kind.INTEGER, "events", "How many belong to it."),
        Field("last_seen", Kind.INTEGER, "ms", "Time of its last event, since the Unix epoch."),
        Field("client", Kind.STRING, "", "The true client id of a finding whose tag is `_other`."),
        Field("user_id", Kind.STRING, "", "The user, where it is about one."),
        Field("ips", Kind.STRING, "", "Addresses that took part, as the next three a JSON list of at most 20."),
        Field("clients", Kind.STRING, "", "Clients."),
        Field("user_agents", Kind.STRING, "", "User agents."),
        Field("event_ids", Kind.STRING, "", "The log's own ids of its events."),
        Field("raised", Kind.INTEGER, "ms", "When it came to its severity, by the clock of the machine."),
    ),
)

RAISED: Final = Measurement(
    finding.RAISED_MEASUREMENT,
    "Incidents that came to a severity, medium or worse: what alerts are made of. One that only grows stays one point.",
    "wall clock, when it was found to be so severe; the digits below the millisecond as in token_findings",
    (
        Tag(
            "addresses",
            "The first three, and how many there are more, in words; absent where it is told of with others.",
        ),
        Tag("client_id", "The OAuth client; where it is told of with others, as in token_findings."),
        Tag("finding", "Its id; absent where it is told of with others, beyond ten in an hour."),
        _HOST,
        Tag("pattern", "The detector that found it."),
        Tag("realm", "The provider's tenant."),
        Tag("severity", "`medium`, `high` or `critical`."),
        Tag("title", "What the pattern is, in a few words."),
    ),
    (
        Field("events", Kind.INTEGER, "events", "How many belong to it."),
        Field("first_seen", Kind.INTEGER, "ms", "Time of its first event, since the Unix epoch."),
        Field("last_seen", Kind.INTEGER, "ms", "Time of its last event, since the Unix epoch."),
    ),
)

ACTIVE: Final = Measurement(
    "token_active_1d",
    "Distinct users of a day, kept longer than the users themselves.",
    "start of the day, UTC",
    (_HOST, _SOURCE),
    (Field("users", Kind.INTEGER, "users", "Distinct users within the source."),),
)

OWN: Final = Measurement(
    "tokentail",
    "The daemon's own figures: of the daemon where there is no tag source, else of one log.",
    "wall clock, when they were read off",
    (_HOST, Tag("reason", "Why lines were rejected; with the field rejected_lines alone."), _SOURCE),
    (
        Field("uptime_seconds", Kind.FLOAT, "s", "Since the start. That it is written is the heartbeat."),
        Field("lag_seconds", Kind.FLOAT, "s", "Age, since first seen, of the oldest byte unread or unacknowledged."),
        Field("unread_bytes", Kind.INTEGER, "bytes", "Bytes of the logs that wait to be read."),
        Field("pending_bytes", Kind.INTEGER, "bytes", "Bytes that were read and are not yet durable."),
        Field("checkpoint_age_seconds", Kind.FLOAT, "s", "Since the last checkpoint."),
        Field("store_failing", Kind.INTEGER, "0 or 1", "1 while the store refuses, else 0."),
        Field("store_requests", Kind.INTEGER, "requests", "Answered requests since the start."),
        Field("store_retries", Kind.INTEGER, "requests", "Requests since the start that had to be repeated."),
        Field("store_latency_seconds", Kind.FLOAT, "s", "Mean time of a request since the last point."),
        Field("store_restarts", Kind.INTEGER, "restarts", "Of all time: another process of InfluxDB answered."),
        Field(
            "events_brought_back", Kind.INTEGER, "events", "Of all time: InfluxDB had lost them, and has them again."
        ),
        Field(
            "events_missing", Kind.INTEGER, "events", "Acknowledged, and not in the store when it was compared last."
        ),
        Field("events_uncounted", Kind.INTEGER, "events", "In the store then, and counted by nobody."),
        Field(
            "recent_gaps", Kind.INTEGER, "gaps", "Found in the last day: bytes of logs that are in no file any more."
        ),
        Field("logs_unreadable", Kind.INTEGER, "logs", "Logs that cannot be read now."),
        Field(
            "redactions", Kind.INTEGER, "secrets", "Secrets masked since the start: each is a leak of the log's writer."
        ),
        Field(
            "detector_failures", Kind.INTEGER, "blocks", "Of lines that a detector failed to observe, since the start."
        ),
        Field("findings_low", Kind.INTEGER, "incidents", "Came to severity low since the start, as the next three."),
        Field("findings_medium", Kind.INTEGER, "incidents", "Came to severity medium."),
        Field("findings_high", Kind.INTEGER, "incidents", "Came to severity high."),
        Field("findings_critical", Kind.INTEGER, "incidents", "Came to severity critical."),
        Field("addresses_invalid", Kind.INTEGER, "addresses", "Addresses since the start that are none."),
        Field("read", Kind.INTEGER, "lines", "Of all time, as the five that follow: the accounting of a log."),
        Field("stored", Kind.INTEGER, "lines", "Became events in the store."),
        Field("rejected", Kind.INTEGER, "lines", "Could not become events."),
        Field("ignored", Kind.INTEGER, "lines", "No token operations."),
        Field("expired", Kind.INTEGER, "lines", "Older than the store keeps."),
        Field("clients", Kind.INTEGER, "clients", "Clients with a series of their own."),
        Field("budget_exhausted", Kind.INTEGER, "0 or 1", "1 when a budget of tags is used up, else 0."),
        Field(
            "state", Kind.STRING, "", "Id of the state that writes this log, once a minute, with the three that follow."
        ),
        Field("run", Kind.STRING, "", "Id of the process that holds the state."),
        Field("holder", Kind.STRING, "", "Its machine and state directory."),
        Field("writing", Kind.INTEGER, "0 or 1", "0 when it ended, so that another state may follow at once."),
        Field("validated", Kind.INTEGER, "0 or 1", "1, written by `tokentail validate` to prove that it can be."),
        Field("rejected_lines", Kind.INTEGER, "lines", "Of all time, rejected for the reason in the tag."),
    ),
)

MEASUREMENTS: Final = (EVENTS, HOURLY, TOTALS, CLIENTS, USERS, ACTIVE, FINDINGS, RAISED, OWN)
