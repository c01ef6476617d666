"""Hydra's audit events: events of OpenTelemetry spans, many in one line of the Collector's file exporter."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from parsers.builder import EventBuilder
from parsers.contract import ISSUED_PREFIX, Outcome, Reason
from parsers.hydra import meaning
from parsers.hydra.meaning import Meaning
from parsers.hydra.spans import Attribute, SpanEvent
from parsers.records import RejectedError, together
from parsers.rfc3339 import Written
from parsers.vocabulary import GRANT_NAMES

NAMES: Final = {
    "time": "timeUnixNano",
    "client_id": "OAuth2ClientID",
    "user_id": "OAuth2Subject",
    "grant_type": "OAuth2GrantType",
    "ip": "ClientIP",
    "error": "ErrorReason",
}
_OTHERS: Final = frozenset(
    {
        # A refresh token and an ID token come beside an access token, which is told.
        *("OAuth2RefreshTokenIssued", "OIDCIdentityTokenIssued"),
        *(
            "OAuth2LoginAccepted",
            "OAuth2LoginRejected",
            "OAuth2ConsentAccepted",
            "OAuth2ConsentRejected",
            "OAuth2ConsentRevoked",
        ),
        *("OAuth2DeviceUserCodeAccepted", "OAuth2DeviceUserCodeRejected"),
        *("OAuth2ClientCreated", "OAuth2ClientDeleted", "OAuth2ClientUpdated"),
    }
)
"""Audit events that are no token operation of their own."""
_OPERATIONS: Final = ("OAuth2", "OIDC")
"""How the names of Hydra's audit events begin."""
_OBJECTS: Final = frozenset({dict})
_INTROSPECTED: Final = Meaning("token.introspected")
_REVOKED: Final = Meaning("token.revoked")


def read(record: dict[str, Any], events: EventBuilder, now_ms: int) -> Outcome:
    """Return the events of a line, in their order. One that is rejected rejects the line. Raises RejectedError."""
    return together(
        _read(name, event.get("timeUnixNano"), _attributes(event), events, now_ms)
        for name, event in _audit_events(record)
        if name not in _OTHERS
    )


def read_usual(found: Iterable[SpanEvent], events: EventBuilder, now_ms: int) -> Outcome:
    """Return the events of a line of the usual types, as ``read`` does. Raises RejectedError."""
    return together(
        _read(event.name, event.timeUnixNano, _texts(event.attributes or ()), events, now_ms)
        for event in found
        if event.name and event.name.startswith(_OPERATIONS) and event.name not in _OTHERS
    )


def _read(name: str, time: Any, attributes: dict[str, str], events: EventBuilder, now_ms: int) -> Outcome:
    client_id, subject = attributes.get("OAuth2ClientID") or None, attributes.get("OAuth2Subject") or None
    grant_type = attributes.get("OAuth2GrantType") or None
    meant = _meaning(name, grant_type, attributes)
    reason = attributes.get("ErrorReason")
    return events.event(
        now_ms,
        time=_time(time),
        action=meant.action,
        client_id=client_id,
        user_id=None if subject == client_id else subject,  # a client that acts for itself is no user
        grant_type=grant_type,
        ip=attributes.get("ClientIP"),
        error=meant.error,
        error_detail=reason if reason != meant.error else None,
        endpoint="token" if name == "OAuth2TokenExchangeError" else None,
    )


def _meaning(name: str, grant_type: str | None, attributes: dict[str, str]) -> Meaning:
    match name:
        case "OAuth2AccessTokenIssued":
            return _issued(grant_type or "other")
        case "OAuth2TokenExchangeError":
            return meaning.of_exchange_error(attributes.get("ErrorReason", ""))
        case "OAuth2AccessTokenInspected":
            return _INTROSPECTED
        case "OAuth2AccessTokenRevoked":
            return _REVOKED
        case _:
            raise RejectedError(Reason.UNKNOWN_ACTION, "name: no audit event of Hydra")


@lru_cache(100)
def _issued(grant_type: str) -> Meaning:
    is_refresh = GRANT_NAMES.get(grant_type) == "refresh_token"
    return Meaning("token.refreshed" if is_refresh else ISSUED_PREFIX + grant_type)


def _audit_events(record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the span events of a line whose name is one of an audit event's form. Raises RejectedError."""
    for resource in _objects(record, "resourceSpans"):
        for scope in _objects(resource, "scopeSpans"):
            for span in _objects(scope, "spans"):
                for event in _objects(span, "events"):
                    name = event.get("name")
                    if isinstance(name, str) and name.startswith(_OPERATIONS):
                        yield name, event


def _attributes(event: dict[str, Any]) -> dict[str, str]:
    """Return the attributes that are text. Of equal keys the last counts: the first subject is a hash of the true one."""
    found = {}
    for attribute in _objects(event, "attributes"):
        key, value = attribute.get("key"), attribute.get("value")
        text = value.get("stringValue") if isinstance(value, dict) else None
        if isinstance(key, str) and isinstance(text, str):
            found[key] = text
    return found


def _texts(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Return what ``_attributes`` does, of attributes of the usual types."""
    return {
        attribute.key: attribute.value.stringValue
        for attribute in attributes
        if attribute.value is not None and attribute.value.stringValue is not None and attribute.key is not None
    }


def _objects(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = record.get(name)
    if listed is None:
        return []
    if not isinstance(listed, list) or not {*map(type, listed)} <= _OBJECTS:
        raise RejectedError(Reason.WRONG_TYPE, f"{name}: not a list of objects")
    return listed


def _time(nanoseconds: Any) -> Written | None:
    """Return the time of nanoseconds since the Unix epoch, which OTLP's JSON writes as text. Raises RejectedError."""
    if nanoseconds is None:
        return None
    text = str(nanoseconds)
    if isinstance(nanoseconds, bool | float) or not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise RejectedError(Reason.BAD_TIMESTAMP, "timeUnixNano: no nanoseconds since 1970")
    return int(text) // 1_000_000, text[-9:].rjust(9, "0")
