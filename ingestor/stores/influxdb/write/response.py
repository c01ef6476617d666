"""What the answer to a write means (design section 6). Pure: status, headers and body in, one of five verdicts out.

What InfluxDB 1.6.7 and 2.7.12 answer was read off both (tests/stores/influxdb); what is not known to mean that a point is
refused for what it is, means: keep everything and try again.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple, TypeAlias

from ingestor.model.points import POINT_COLUMNS, Series
from ingestor.model.schema import MEASUREMENTS
from ingestor.stores.influxdb.client.error_body import error_message
from parsers.redaction.redact import redact_text
from parsers.text import cap, clean

MOST_RETRY_AFTER_SECONDS: Final = 600.0
"""A server that asks for more does not mean it, or forgets it before we come back."""
SHOWN_BYTES: Final = 200

_BEFORE: Final = r"(?:[a-z ]+: )*"
"""What the layers of a server put before the reason. A point's text stands behind it, so it cannot pass for the reason."""
_PARTIAL: Final = re.compile(rf"{_BEFORE}partial write")
_EXPIRED: Final = (
    re.compile(rf"{_BEFORE}points beyond retention policy dropped=(\d{{1,9}})"),  # 1.x
    re.compile(  # 2.x; other bounds than the lower one are no matter of age
        rf"{_BEFORE}dropped (\d{{1,9}}) points? outside retention policy of duration \S+"
        r" - oldest point .* violates a Retention Policy Lower Bound at \S+,"
        r" newest point .* violates a Retention Policy Lower Bound at \S+",
        re.DOTALL,
    ),
)
_OF_THE_SERVER: Final = re.compile(
    r"cache.{0,20}maximum memory size|cache-max-memory-size|timeout|engine is closed|read.?only|database is required"
    r"|retention policy (?:not found|required)|no space left|too many open files|pending deletion",
    re.IGNORECASE,
)
"""Faults of the server that some versions report as if the points were to blame."""
_NAMES: Final = ("events", *Series._fields, *POINT_COLUMNS, *(measurement.name for measurement in MEASUREMENTS))
_OWN_NAMES: Final = re.compile(rf'"({"|".join(_NAMES)})"')
_OF_A_POINT: Final = re.compile(r"""['"](?:.*['"]|.*)|(?:oldest|newest) point .*""", re.DOTALL)
"""From the first quote to the last: what stands between may hold quotes of its own."""


class Stored(NamedTuple):
    """All points are stored."""


class TooLarge(NamedTuple):
    """The request is too large; half of it may not be."""


class Expired(NamedTuple):
    """The oldest points are beyond the store's retention. Of the others nobody knows: 1.x hides other faults behind this one."""

    dropped: int


class Refused(NamedTuple):
    """A point is refused for what it is; of the others nobody knows. ``reason`` is the server's, safe to show."""

    reason: str


class Retry(NamedTuple):
    """Nothing is known of any point: keep all, and try again. ``problem`` is for people, and safe to show."""

    problem: str
    after_seconds: float | None = None
    """How long the server asks to be left alone."""
    smaller: bool = False
    """Whether fewer points may get through where these did not."""


WriteResponse: TypeAlias = Stored | TooLarge | Expired | Refused | Retry


def failure(verdict: WriteResponse) -> str:
    """Say, for people, why points are not stored; nothing when they are."""
    match verdict:
        case Stored():
            return ""
        case TooLarge():
            return "larger than the server takes"
        case Expired():
            return "older than the store keeps them"
        case Refused(reason):
            return reason
        case Retry(problem):
            return problem


def classify(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> WriteResponse:
    """Say what an answer means. ``headers``: names in lower case; ``now``: seconds since the Unix epoch, for dates."""
    if status == 204:
        return Stored()
    if status == 413:
        return TooLarge()
    message = error_message(body)
    if message is not None and (status in {400, 422} or (status == 500 and _PARTIAL.match(message))):
        for expression in _EXPIRED:
            if found := expression.match(message):
                return Expired(int(found[1]))
        if not _OF_THE_SERVER.search(_without_points(message)):
            return Refused(_shown(message))
    return Retry(_problem(status, message), _retry_after(headers.get("retry-after"), now))


def _without_points(message: str) -> str:
    """Return a message without what it quotes of points, which is strangers' text; names of ours stay."""
    return _OF_A_POINT.sub("...", _OWN_NAMES.sub(r"\1", message))


def _shown(message: str) -> str:
    return cap(clean(redact_text(_without_points(message))), SHOWN_BYTES)


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
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if 0 <= seconds <= MOST_RETRY_AFTER_SECONDS else None
