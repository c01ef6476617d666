"""Hydra's own log: who asked, and what went wrong. It names no client, no user and no grant."""

from typing import Any, Final

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome
from parsers.hydra import meaning
from parsers.hydra.meaning import Meaning
from parsers.hydra.usual import Headers, Line, Request
from parsers.records import integral, part, required_text, text_or_none

NAMES: Final = {"time": "time", "ip": "http_request.headers.x-forwarded-for", "action": "msg"}
_COMPLETED: Final = "completed handling request"
_FAILED: Final = frozenset({"An error occurred", "An error occurred while handling a request"})

_NO_REQUEST: Final = Request()
_NO_HEADERS: Final = Headers()


def is_failure(message: str | None) -> bool:
    """Whether a message tells of a failure."""
    return message in _FAILED


def read_usual(line: Line, events: EventBuilder, now_ms: int) -> Outcome:
    """Return the event of a line that tells of no failure, as ``read`` does. Raises RejectedError."""
    if line.msg != _COMPLETED:
        return IGNORED
    request = line.http_request or _NO_REQUEST
    path, status = request.path or "", line.http_response.status if line.http_response else None
    meant = meaning.of_request(path, request.method or "", status or 0)
    if meant is None:
        return IGNORED
    headers = request.headers or _NO_HEADERS
    return events.event(
        now_ms,
        time=line.time,
        action=meant.action,
        ip=_text(headers.forwarded_for) or request.remote,
        user_agent=_text(headers.user_agent),
        error=meant.error,
        event_id=line.otel.trace_id if line.otel else None,
        endpoint=meaning.ENDPOINTS.get(path),
    )


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
    return _text(headers.get(name))


def _text(header: Any) -> Any:
    """Return a header. With ``log.leak_sensitive_values`` each is a list."""
    return ", ".join(str(each) for each in header) if isinstance(header, list) else header
