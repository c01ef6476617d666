"""Ory Hydra: its log, and its audit events as an OpenTelemetry Collector writes them. README.md says how to get either."""

from typing import Any, Final

from parsers.builder import EventBuilder
from parsers.contract import IGNORED, Outcome
from parsers.hydra import audit, log
from parsers.hydra.spans import decode_spans
from parsers.hydra.usual import decode_usual
from parsers.records import decode, each_line
from parsers.redaction.lines import AllowedKeys, redact_line

_SHOWN: Final = AllowedKeys(
    (
        *("time", "msg", "level", "path", "method", "status", "message", "reason", "remote", "x-forwarded-for"),
        *("name", "key", "timeUnixNano", "service_name", "service_version"),
    )
)
"""The keys whose values may be shown of a rejected line."""
_SPANS: Final = b'{"resourceSpans"'
_MARKS: Final = (b'"http_request":', b'"service_name":"Ory Hydra"', b"handling request")


class HydraParser:
    """Parses Hydra's lines, of either kind."""

    name = "hydra"
    version = "1"
    options = EventBuilder.OPTIONS

    def __init__(self, **options: Any) -> None:
        """Raise ValueError for a bad option."""
        self.counts: dict[str, int] = {}
        self._of_log = EventBuilder(**options, names=log.NAMES, clients_unknown=True)
        self._of_audit = EventBuilder(**options, names=audit.NAMES)
        self._of_log.counts = self._of_audit.counts = self.counts

    def parse(self, data: bytes, now_ms: int) -> list[Outcome]:
        """Parse whole lines, one outcome a line; a line of audit events may be many events."""
        return each_line(data, lambda line: self._read(line, now_ms))

    def redact(self, line: bytes) -> str:
        """Return text of a line that is safe to show and keep."""
        return redact_line(line, _SHOWN)

    def recognises(self, line: bytes) -> bool:
        """Whether a line is Hydra's."""
        return line.startswith(_SPANS) or (line.startswith(b"{") and any(mark in line for mark in _MARKS))

    def _read(self, line: bytes, now_ms: int) -> Outcome:
        if not line.startswith(b"{"):
            return IGNORED  # what else a process prints
        if line.startswith(_SPANS):
            found = decode_spans(line)
            if found is not None:
                return audit.read_usual(found, self._of_audit, now_ms)
        else:
            usual = decode_usual(line)
            if usual is not None and not log.is_failure(usual.msg):
                return log.read_usual(usual, self._of_log, now_ms)
        return self._read_with_care(line, now_ms)

    def _read_with_care(self, line: bytes, now_ms: int) -> Outcome:
        record = decode(line)
        if not isinstance(record, dict):
            return IGNORED
        if "resourceSpans" in record:
            return audit.read(record, self._of_audit, now_ms)
        return log.read(record, self._of_log, now_ms)


PARSER = HydraParser
