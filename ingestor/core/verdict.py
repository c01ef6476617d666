"""What the answer to a write means (design section 6). Pure: status, headers and body in, one of five verdicts out.

What InfluxDB 1.6.7 and 2.7.12 answer was read off both (tests/stores/influxdb); what is not known to mean that a point is
refused for what it is, means: keep everything and try again.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple, TypeAlias

import orjson

from parsers.redact import redact_text
from parsers.text import cap, clean

MOST_RETRY_AFTER_SECONDS: Final = 600.0
"""A server that asks for more does not mean it, or forgets it before we come back."""
SHOWN_BYTES: Final = 200

_EXPIRED: Final = (
    re.compile(r"points beyond retention policy dropped=(\d+)"),  # 1.x
    re.compile(r"dropped (\d+) points? outside retention policy .*violates a Retention Policy Lower Bound", re.DOTALL),
)
_OF_THE_SERVER: Final = re.compile(
    r"cache.{0,20}maximum memory size|cache-max-memory-size|timeout|engine is closed|read.?only|database is required"
    r"|retention policy (?:not found|required)|no space left|too many open files",
    re.IGNORECASE,
)
"""Faults of the server that some versions report as if the points were to blame."""
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|oldest point .*", re.DOTALL)


class Stored(NamedTuple):
    """All points are stored."""


class TooLarge(NamedTuple):
    """The request is too large; half of it may not be."""


class Expired(NamedTuple):
    """The oldest points are beyond the store's retention; the others are stored."""

    dropped: int


class Refused(NamedTuple):
    """A point is refused for what it is; of the others nobody knows. ``reason`` is the server's, safe to show."""

    reason: str


class Retry(NamedTuple):
    """Nothing is known of any point: keep all, and try again. ``problem`` is for people, and safe to show."""

    problem: str
    after_seconds: float | None = None
    """How long the server asks to be left alone."""


Verdict: TypeAlias = Stored | TooLarge | Expired | Refused | Retry


def judge(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Verdict:
    """Say what an answer means. ``headers``: names in lower case; ``now``: seconds since the Unix epoch, for dates."""
    if status == 204:
        return Stored()
    if status == 413:
        return TooLarge()
    message = _message(body)
    if message is not None and (status in {400, 422} or (status == 500 and "partial write" in message)):
        for expression in _EXPIRED:
            if found := expression.search(message):
                return Expired(int(found[1]))
        if not _OF_THE_SERVER.search(_QUOTED.sub("", message)):
            return Refused(_shown(message))
    return Retry(_problem(status, message), _retry_after(headers.get("retry-after"), now))


def _message(body: bytes) -> str | None:
    """Return the message of InfluxDB's own JSON error: ``{"error": ...}`` (1.x), ``{"code": ..., "message": ...}`` (2.x)."""
    try:
        told = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    message = told.get("message") if "code" in told else told.get("error")
    return message if isinstance(message, str) and message else None


def _shown(message: str) -> str:
    """Return a message without what it quotes of a point, which is a stranger's text."""
    return cap(clean(redact_text(_QUOTED.sub("...", message))), SHOWN_BYTES)


def _problem(status: int, message: str | None) -> str:
    meaning = {
        200: "a page, where InfluxDB answers 204: is a proxy or a sign-in page in between?",
        401: "not authorised: is the token or password right?",
        403: "forbidden: may this token or user write there?",
        404: "no such database, policy or bucket: has `tokentail store init` been run?",
        429: "too many requests",
        503: "not available now",
    }.get(status, "an answer that is not InfluxDB's" if message is None else "an error of the server")
    said = f" ({_shown(message)})" if message else ""
    return f"it answers {status}: {meaning}{said}"


def _retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3); None for one that is none or not sane."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,9}", value):
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if 0 <= seconds <= MOST_RETRY_AFTER_SECONDS else None
