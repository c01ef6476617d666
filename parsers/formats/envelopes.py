"""What collectors and container runtimes put around a line: whose it is, and what is in it. Pure, and table-driven."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson


class Envelope(NamedTuple):
    """A wrapper around the lines of a log."""

    name: str
    advice: str
    inner: Callable[[Any], Any]
    """What is within: text or an object; None when the wrapper is not this one. Takes the object, or the line's text."""


_MOST_CHARS: Final = 300
"""Of what stands before a line."""
_INTO_FILE: Final = "Have the endpoint write a file of its own, or take the wrapper off: "


def _member(needed: tuple[str, ...], *within: str) -> Callable[[Any], Any]:
    """Return a test for an object that has these keys: it yields the first of ``within`` that is text or an object."""

    def inner(record: Any) -> Any:
        if not isinstance(record, dict) or not all(key in record for key in needed):
            return None
        found = (record.get(key) for key in within)
        return next((value for value in found if isinstance(value, str | dict)), None)

    return inner


def _behind(expression: str) -> Callable[[Any], Any]:
    """Return a test for a line that begins like this: it yields what follows."""
    compiled = re.compile(expression)

    def inner(text: Any) -> Any:
        match = compiled.match(text) if isinstance(text, str) else None
        return text[match.end() :].lstrip("\ufeff ") if match else None

    return inner


def _in_json(text: Any) -> Any:
    """Yield the text that is one JSON string."""
    if not isinstance(text, str) or not text.startswith('"'):
        return None
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _before_object(text: Any) -> Any:
    """Yield the JSON object that stands behind some words."""
    start = text.find("{", 0, _MOST_CHARS) if isinstance(text, str) else -1
    if start < 1 or not text.rstrip().endswith("}") or not any(map(str.isalnum, text[:start])):
        return None
    try:
        return orjson.loads(text[start:])
    except ValueError:
        return None


OF_OBJECTS: Final = (
    Envelope(
        "Docker's json-file",
        f"{_INTO_FILE}`jq -rj .log LOG > audit.jsonl`, then `tokentail backfill audit.jsonl`.",
        _member(("log", "stream", "time"), "log"),
    ),
    Envelope(
        "journald's JSON",
        f"{_INTO_FILE}`journalctl --unit=NAME --output=cat > audit.jsonl`.",
        _member(("__REALTIME_TIMESTAMP",), "MESSAGE"),
    ),
    Envelope(
        "Fluentd's or Fluent Bit's JSON",
        f"{_INTO_FILE}`jq -r .log LOG > audit.jsonl`.",
        _member(("log", "kubernetes"), "log"),
    ),
    Envelope(
        "Google Cloud Logging's JSON",
        f"{_INTO_FILE}`jq -c '.jsonPayload // (.textPayload | fromjson)' LOG > audit.jsonl`.",
        _member(("logName",), "jsonPayload", "textPayload", "protoPayload"),
    ),
    Envelope(
        "Splunk's JSON", f"{_INTO_FILE}`jq -r '._raw // .result._raw' LOG > audit.jsonl`.", _member(("_raw",), "_raw")
    ),
    Envelope(
        "GELF (Graylog)",
        f"{_INTO_FILE}`jq -r .short_message LOG > audit.jsonl`.",
        _member(("version", "host", "short_message"), "full_message", "short_message"),
    ),
    Envelope(
        "Filebeat's JSON",
        f"{_INTO_FILE}`jq -r .message LOG > audit.jsonl`.",
        _member(("@timestamp", "agent", "message"), "message"),
    ),
    Envelope(
        "Logstash's JSON",
        f"{_INTO_FILE}`jq -r .message LOG > audit.jsonl`.",
        _member(("@timestamp", "@version", "host", "message"), "message"),
    ),
)
OF_TEXT: Final = (
    Envelope(
        "the CRI format of Kubernetes (containerd, CRI-O)",
        f"{_INTO_FILE}`cut -d' ' -f4- LOG > audit.jsonl`, or `kubectl logs POD > audit.jsonl`.",
        _behind(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "),
    ),
    Envelope(
        "syslog (RFC 5424)",
        f"{_INTO_FILE}a template of the syslog daemon with the message alone (rsyslog: `%msg%`).",
        _behind(
            r"(?:\d{1,5} )?<\d{1,3}>1 \S{1,64} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|(?:\[[^\]]{0,300}\])+) ?"
        ),
    ),
    Envelope(
        "syslog (RFC 3164)",
        f"{_INTO_FILE}a template of the syslog daemon with the message alone (rsyslog: `%msg%`).",
        _behind(
            r"(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]{0,10}(?:Z|[+-]\d\d:?\d\d))"
            r" [\w.:-]{1,255} [\w./@-]{1,64}(?:\[\d{1,10}\])?: "
        ),
    ),
    Envelope("a JSON text sequence (RFC 7464)", f"{_INTO_FILE}`tr -d '\\036' < LOG > audit.jsonl`.", _behind(r"\x1e")),
    Envelope("JSON within a JSON string", f"{_INTO_FILE}`jq -r . LOG > audit.jsonl`.", _in_json),
    Envelope(
        "docker compose's or kubectl's prefix",
        f"{_INTO_FILE}`docker compose logs --no-log-prefix`, `kubectl logs` without `--prefix` and `--timestamps`.",
        _behind(
            r"(?:\x1b\[\d{1,3}m)?[\w.-]{1,64} {1,20}\| (?:\x1b\[0m)?(?=\s*\{)|\[pod/[^\]]{1,200}\] |\d{4}-\d\d-\d\dT\S{9,30} (?=\{)"
        ),
    ),
    Envelope(
        "a prefix before each JSON object",
        f"{_INTO_FILE}for example `sed 's/^[^{{]*//' LOG > audit.jsonl`.",
        _before_object,
    ),
)
