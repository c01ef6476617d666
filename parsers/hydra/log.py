"""Hydra's own log: who asked, and what went wrong. It names no client, no user and no grant."""

from typing import Any, Final

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome
from parsers.hydra import meaning
from parsers.hydra.meaning import Meaning
from parsers.records import integral, part, required_text, text_or_none

NAMES: Final = {"time": "time", "ip": "http_request.headers.x-forwarded-for", "action": "msg"}
_COMPLETED: Final = "completed handling request"
_FAILED: Final = frozenset({"An error occurred", "An error occurred while handling a request"})


def read(record: dict[str, Any], events: EventBuilder, now_ms: int) -> Outcome:
    """Return the event of a line. Raises RejectedError."""
    message = record.get("msg")
    if message == _COMPLETED:
        meant, detail = _of_request(record), None
    elif isinstance(message, str) and message in _FAILED:
        meant, detail = _of_failure(record)
    else:
        return IGNORED
    if meant is None:
        return IGNORED
    request = part(record, "http_request")
    headers = part(request, "headers")
    return events.event(
        now_ms,
        time=record.get("time"),
        action=meant.action,
        ip=_header(headers, "x-forwarded-for") or request.get("remote"),
        user_agent=_header(headers, "user-agent"),
        error=meant.error,
        error_detail=detail,
        event_id=part(record, "otel").get("trace_id"),
        endpoint=meaning.ENDPOINTS.get(_path(request)),
    )


def _of_request(record: dict[str, Any]) -> Meaning | None:
    request, status = part(record, "http_request"), integral(part(record, "http_response").get("status"))
    method = text_or_none(request.get("method"), "http_request.method") or ""
    return meaning.of_request(_path(request), method, status or 0)


def _of_failure(record: dict[str, Any]) -> tuple[Meaning | None, str | None]:
    """Return what a failure means, and Hydra's words for it; None for one of a path that gives no tokens."""
    if _path(part(record, "http_request")) not in meaning.ENDPOINTS:
        return None, None
    error = part(record, "error")
    word = required_text(error, "message")
    reason, debug = (text_or_none(error.get(name), f"error.{name}") or "" for name in ("reason", "debug"))
    meant = meaning.of_failure(word, reason, debug)
    return meant, reason or debug or None


def _path(request: dict[str, Any]) -> str:
    return text_or_none(request.get("path"), "http_request.path") or ""


def _header(headers: dict[str, Any], name: str) -> Any:
    """Return a header. With ``log.leak_sensitive_values`` each is a list."""
    value = headers.get(name)
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value
