"""oidc-provider (node): its events as JSON lines, as ``pino`` or another logger writes them. README.md says how."""

import re
from typing import Any, Final

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome, Reason
from parsers.oidc_provider import meaning
from parsers.oidc_provider.meaning import Meaning
from parsers.records import RejectedError, decode, each_line, integral, part, required, text_or_none
from parsers.redaction.lines import AllowedKeys, redact_line

_SHOWN: Final = AllowedKeys(
    (
        *(
            "level",
            "time",
            "event",
            "msg",
            "route",
            "method",
            "statusCode",
            "clientId",
            "attemptedClientId",
            "grantType",
        ),
        *("scope", "sub", "expiresIn", "remoteAddress", "userAgent", "error", "error_description", "error_detail"),
    )
)
"""The keys whose values may be shown of a rejected line. The URL is none of them: it holds codes."""
_NAMES: Final = {
    "client_id": "oidc.clientId",
    "user_id": "oidc.sub",
    "grant_type": "oidc.grantType",
    "scopes": "oidc.scope",
    "expires_in": "oidc.expiresIn",
    "ip": "req.remoteAddress",
    "user_agent": "req.userAgent",
    "event_id": "req.id",
    "error_detail": "err.error_detail",
    "action": "event",
}


_OF_PINO: Final = re.compile(rb'\{"level":\d\d,"time":\d{13},|oidc-provider (?:NOTICE|WARNING): ')


class OidcProviderParser:
    """Parses lines of oidc-provider 7 to 9."""

    name = "oidc_provider"
    version = "1"
    options = EventBuilder.OPTIONS

    def __init__(self, **options: Any) -> None:
        """Raise ValueError for a bad option."""
        self._events = EventBuilder(**options, names=_NAMES)
        self.counts = self._events.counts

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line."""
        return each_line(data, lambda line: self._read(line, now_ms))

    def redact(self, line: bytes) -> str:
        """Return text of a line that is safe to show and keep."""
        return redact_line(line, _SHOWN)

    def recognises(self, line: bytes) -> bool:
        """Whether a line is one of oidc-provider's, or another one of its process: pino's, or a notice of the library."""
        return _OF_PINO.match(line) is not None or (line.startswith(b"{") and b'"oidc":' in line)

    def _read(self, line: bytes, now_ms: int) -> Outcome:
        if not line.startswith(b"{"):
            return IGNORED  # the library's notices, and what else a process prints
        record = decode(line)
        event = record.get("event") if isinstance(record, dict) else None
        if not isinstance(event, str) or "oidc" not in record:
            return IGNORED
        if not meaning.known(event):
            raise RejectedError(Reason.UNKNOWN_ACTION, "event: no event of oidc-provider")
        oidc, request, error = part(record, "oidc"), part(record, "req"), part(record, "err")
        grant_type = text_or_none(oidc.get("grantType"), _NAMES["grant_type"])
        detail = _detail(error)
        meant, endpoint = _meaning(event, record, request, grant_type, error, detail)
        if meant is None:
            return IGNORED
        return self._events.event(
            now_ms,
            time=record.get("time"),
            action=meant.action,
            client_id=oidc.get("clientId") or oidc.get("attemptedClientId"),
            user_id=oidc.get("sub"),
            grant_type=grant_type,
            scopes=oidc.get("scope"),
            ip=request.get("remoteAddress"),
            user_agent=request.get("userAgent"),
            error=meant.error,
            error_detail=detail,
            expires_in=oidc.get("expiresIn"),
            event_id=request.get("id"),
            endpoint=endpoint,
        )


def _meaning(
    event: str,
    record: dict[str, Any],
    request: dict[str, Any],
    grant_type: str | None,
    error: dict[str, Any],
    detail: str | None,
) -> tuple[Meaning | None, str | None]:
    """Return what happened, None for no token operation, and where."""
    if event == "grant.success":
        return meaning.of_success(required(grant_type, _NAMES["grant_type"])), "token"
    if event == "request":
        status = integral(part(record, "res").get("statusCode"))
        route = request.get("route")
        return (meaning.of_request(route, status), None) if isinstance(route, str) and status else (None, None)
    endpoint = meaning.endpoint_of_error(event)
    if endpoint is None:
        return None, None
    word = required(text_or_none(error.get("error"), "err.error"), "err.error")
    return meaning.of_error(word, detail or ""), endpoint


def _detail(error: dict[str, Any]) -> str | None:
    """Return what the library says of a failure: to the operator, else to the client."""
    if not error:
        return None
    for name in ("error_detail", "error_description"):
        text = text_or_none(error.get(name), f"err.{name}")
        if text:
            return text
    return None


PARSER = OidcProviderParser
