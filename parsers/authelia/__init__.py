"""Authelia's log, in JSON and in plain text. Its sentences say what happened; README.md says which."""

from typing import Any, Final, TypedDict

import msgspec

from parsers.authelia import logfmt, meaning
from parsers.authelia.meaning import Meaning
from parsers.authelia.messages import Messages
from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome, Reason
from parsers.records import RejectedError, decode, each_line, optional_text
from parsers.redaction.lines import AllowedKeys, redact_line

_SHOWN: Final = AllowedKeys(("time", "level", "msg", "method", "path", "remote_ip"))
"""The keys whose values may be shown of a rejected line."""
_TEXT: Final = b'time="'
_RATE_LIMITED: Final = "Rate Limit Exceeded"
_API: Final = "/api/oidc/"


class Line(TypedDict, total=False):
    """What says what happened. Much of the log is stack traces, which are left as they are."""

    time: str
    level: str
    msg: str
    path: str
    remote_ip: str
    error: str


_ASKED: Final = Line.__optional_keys__
_decode_usual: Final = msgspec.json.Decoder(Line).decode


class AutheliaParser:
    """Parses Authelia's lines, in either format."""

    name = "authelia"
    version = "1"
    options = EventBuilder.OPTIONS

    def __init__(self, **options: Any) -> None:
        """Raise ValueError for a bad option."""
        self._events = EventBuilder(**options, names={"ip": "remote_ip", "action": "msg"}, clients_unknown=True)
        self.counts = self._events.counts
        self._lines = logfmt.Lines(_ASKED)
        self._messages = Messages()

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line."""
        return each_line(data, lambda line: self._read(line, now_ms))

    def redact(self, line: bytes) -> str:
        """Return text of a line that is safe to show and keep."""
        return redact_line(line, _SHOWN)

    def recognises(self, line: bytes) -> bool:
        """Whether a line is Authelia's, or one of another program that writes as it does when it starts.

        Only lines of requests name anything of Authelia's own.
        """
        if line.startswith(_TEXT):
            return b'" level=' in line and b" msg=" in line
        if not line.startswith(b'{"') or b'"msg":"' not in line or b'"created_at"' in line:
            return False
        return b'"remote_ip":"' in line or (line.startswith((b'{"level":"', b'{"error":"')) and b',"time":"' in line)

    def _read(self, line: bytes, now_ms: int) -> Outcome:
        if line.startswith(b"{"):
            record = _decoded(line)
        elif line.startswith(_TEXT):
            record = self._lines.read(line)
        else:
            return IGNORED  # what else a process prints
        if not isinstance(record, dict):
            return IGNORED
        meant = self._meaning(record)
        if meant is None:
            return IGNORED
        return self._events.event(
            now_ms,
            time=record.get("time"),
            action=meant.action,
            client_id=meant.client_id,
            ip=record.get("remote_ip"),
            error=meant.error,
            error_detail=meant.detail,
            endpoint=meant.endpoint,
        )

    def _meaning(self, record: dict[str, Any]) -> Meaning | None:
        message = record.get("msg")
        if not isinstance(message, str):
            return None
        if message == _RATE_LIMITED:
            endpoint = meaning.PATHS.get((optional_text(record, "path") or "").partition(_API)[2])
            return Meaning("token.rate_limited", endpoint, error="slow_down") if endpoint else None
        meant = self._messages.meaning(message, optional_text(record, "error"))
        if meant is None and record.get("level") == "error" and meaning.looks_like_one(message):
            raise RejectedError(Reason.UNKNOWN_ACTION, "msg: an error of a token request in words that are not known")
        return meant


def _decoded(line: bytes) -> Any:
    """Return what a line of JSON holds, and no more than is asked for where all of that is text. Raises RejectedError."""
    if line.isascii():  # the decoder does not look at the bytes that it skips
        try:
            return _decode_usual(line)
        except (ValueError, RecursionError):
            pass
    return decode(line)


PARSER = AutheliaParser
