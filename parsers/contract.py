"""The event: what every parser makes of a line, in the field's own terms (RFC 6749, 7009, 7636, 7662, 8628, 8693, 9700).

An outcome is one of five things: an event, several of them (``Events``), a ``Rejection``, ``IGNORED`` (well formed, but no
token operation) or ``BLANK``. Events travel as plain tuples in the order of ``Event``'s fields, because building a named tuple costs a
third of a microsecond a line, which is a tenth of the whole budget; ``Event(*row)`` names the parts where people read.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable


class Tags(NamedTuple):
    """The tags that come from the line, in normal form (``parsers.text``); an empty string is an absent tag.

    In key order, as InfluxDB wants them. ``host`` and ``source`` are not the line's to say.
    """

    action: str
    client_id: str
    endpoint: str
    error: str
    grant_type: str
    outcome: str
    realm: str


class Event(NamedTuple):
    """One token operation. Text is in normal form, redacted and capped; ``None`` is unknown."""

    time_ms: int
    """The written time cut to milliseconds, Unix epoch."""
    fraction: str | None
    """The written fractional digits when there are not exactly three ("" for whole seconds), else None."""
    tags: Tags
    user_id: str | None
    ip: str | None
    user_agent: str | None
    scopes: str | None
    """Space separated, as RFC 6749 section 3.3 writes them."""
    expires_in: int | None
    """Seconds."""
    event_id: str | None
    error_detail: str | None


EventRow: TypeAlias = tuple[
    int, str | None, Tags, str | None, str | None, str | None, str | None, int | None, str | None, str | None
]
"""An ``Event`` as a plain tuple."""
Events: TypeAlias = list[EventRow]
"""What one line tells of several token operations: two or more, in the order of the line.

Their order is part of the contract as an event is: the k-th of a line is stored as the k-th (design section 4).
"""


class Reason(StrEnum):
    """Why a line was rejected. A closed set: it is stored, counted and alerted on."""

    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_KEY = "missing_key"
    WRONG_TYPE = "wrong_type"
    BAD_TIMESTAMP = "bad_timestamp"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_ACTION = "unknown_action"
    LINE_TOO_LONG = "line_too_long"
    SPLIT_RECORD = "split_record"
    PARSER_FAILED = "parser_failed"
    STORE_REFUSED = "store_refused"


class Rejection(NamedTuple):
    """A line that cannot become an event. ``detail`` names the key or the rule, never a value of the line."""

    reason: Reason
    detail: str


class NoEvent(Enum):
    """Outcomes that carry nothing."""

    IGNORED = "ignored"
    BLANK = "blank"


IGNORED: Final = NoEvent.IGNORED
BLANK: Final = NoEvent.BLANK

Outcome: TypeAlias = EventRow | Events | Rejection | Literal[NoEvent.IGNORED, NoEvent.BLANK]
"""``outcome.__class__ is tuple`` is the cheap test for an event, and ``list`` for several."""


def are_events(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether each line became one event. It costs a fifth of a loop over them."""
    return {tuple}.issuperset(map(type, outcomes))


def events_of(outcome: Outcome) -> Sequence[EventRow]:
    """Return the events that a line became, in their order: none, one or several."""
    if isinstance(outcome, list):
        return outcome
    return () if isinstance(outcome, Rejection | NoEvent) else (outcome,)


class Parser(Protocol):
    """A provider's format. Stateless towards its input: equal bytes give equal outcomes, in any order, on any day.

    (Except for the upper bound on the time, a day from ``now_ms``.)
    """

    name: str
    version: str
    """Another one whenever some line becomes something else than before, with the same options. A log's lines are read as
    reclassified then, so it is no release's number: it moves when the parser does, and with no other parser."""

    @property
    def options(self) -> Collection[str]:
        """The keyword options that decide what a line becomes; the parser is called with these and no others."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """How often, since this object was made, something written was left out; names are the provider's."""
        ...

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        r"""Parse whole lines, one outcome a line, in order. ``data`` is ``line\nline\n...``; the last ``\n`` may be absent.

        Never raises for bad input: a bad line is a ``Rejection`` and costs itself alone.
        """
        ...

    def redact(self, line: bytes) -> str:
        """Text of a line that is safe to show and keep: no secret, no control character, at most 1 KiB."""
        ...


@runtime_checkable
class Adviser(Protocol):
    """A parser that can tell from lines how its provider is set up. No parser needs to."""

    def advice(self, lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
        """Return what should be set otherwise at the provider, a sentence each, without its end and without a value of a line.

        ``lines``: some of a log, each with what became of it. They may be of other providers, too.
        """
        ...


def recognises(parser: Parser, line: bytes) -> bool | None:
    """Whether a parser knows a line for its provider's, by a cheap look; None: it does not say.

    Parsers of formats that somebody else's line never looks like have a method of this name. It is true of lines that are no
    token operations, too, such as those of other loggers: with ``auto`` these are ignored then, and not rejected.
    """
    look: Callable[[bytes], bool] | None = getattr(parser, "recognises", None)
    return None if look is None else look(line)


def rule_of(parser: Parser, line: bytes) -> str:
    """Return which rule of a parser decides about a line, for people; empty where none does.

    Parsers whose rules people write have a method of this name; for all others there is nothing to tell.
    """
    find = getattr(parser, "rule_of", None)
    return find(line) if find is not None else ""


ISSUED_PREFIX: Final = "token.issued."
GRANT_TYPES: Final = frozenset(
    {
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "device_code",
        "token_exchange",
        "jwt_bearer",
        "password",
        "ciba",
        "other",
    }
)
OUTCOMES: Final[dict[str, str]] = {
    **{ISSUED_PREFIX + grant: "success" for grant in sorted(GRANT_TYPES)},
    "token.refreshed": "success",
    "token.userinfo_accessed": "success",
    "token.introspected": "success",
    "token.revoked": "success",
    "token.validation_failed": "failure",
    "token.pkce_failed": "failure",
    "token.expired": "failure",
    "token.reuse_detected": "failure",
    "token.rate_limited": "failure",
    "token.authorization_pending": "pending",
}
"""Every action a log may write, and its outcome. ``token.suspicious`` is a detector's word, never a log's."""
FAILURES: Final = tuple(action for action, outcome in OUTCOMES.items() if outcome in {"failure", "pending"})
"""The actions of requests that gave no token: an error text can turn an action into one of these."""
CLIENT_REQUIRED: Final = frozenset(
    {
        *(action for action in OUTCOMES if action.startswith(ISSUED_PREFIX)),
        *("token.refreshed", "token.authorization_pending"),
    }
)
"""The actions of which a client is known when they happen: an event of one without a client is a fault of the log. A request
that fails may be refused before its client is known, and a log need not name who asked about a token that exists."""

ENDPOINTS: Final = frozenset({"token", "userinfo", "introspection", "revocation", "device"})
ERRORS: Final = frozenset(
    {
        # RFC 6749 section 5.2 and 4.1.2.1
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
        *("invalid_scope", "access_denied", "server_error", "temporarily_unavailable", "unsupported_response_type"),
        # RFC 8628, 7009, 8693, 9396, 9449, 9101, 9470, OpenID Connect and CIBA: the OAuth extensions error registry
        *("authorization_pending", "slow_down", "expired_token", "unsupported_token_type", "invalid_target"),
        *("invalid_authorization_details", "invalid_dpop_proof", "use_dpop_nonce", "invalid_request_uri"),
        *("invalid_request_object", "insufficient_user_authentication", "invalid_token", "insufficient_scope"),
        *("interaction_required", "login_required", "consent_required", "account_selection_required"),
        *("request_not_supported", "request_uri_not_supported", "registration_not_supported"),
        *("expired_login_hint_token", "unknown_user_id", "missing_user_code", "invalid_user_code"),
        *("invalid_binding_message", "transaction_failed"),
        # ours: what an endpoint knows and the RFC's words hide
        *("invalid_code", "expired_code", "unknown"),
    }
)
"""The closed set of the ``error`` tag; any other word is stored as ``other`` and kept in ``error_detail``."""
