"""Times as people write them: a date, a time of day, so long ago. Pure: what now is, and where, is given."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ingestor.model.periods import SECOND
from parsers import rfc3339

ALL: Final = "all"
"""The beginning of time, as a start."""
FORMS: Final = "2026-11-29, 2026-11-29T09:30, 2026-11-29T09:30:00Z, yesterday, or so long ago: 1w, 7d, 24h, 1h30m"

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN: Final = re.compile(r"(?:[0-9]{1,18}[smhdw])+")
_PART: Final = re.compile(r"([0-9]+)([smhdw])")
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,18})?)?)?")
_OFFSET: Final = re.compile(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


def moment(text: str, now: int, zone: str) -> int | None:
    """Return nanoseconds since the Unix epoch, of any size; None for what is no time.

    ``now``: nanoseconds. Dates and times of day are of ``zone`` (an IANA name) unless they say their offset; ``today`` and
    ``yesterday`` begin at midnight there.
    """
    if day := _DAYS.get(text):
        return day(now, zone)
    if _SPAN.fullmatch(text):
        return now - sum(int(part[1]) * _UNITS[part[2]] for part in _PART.finditer(text)) * SECOND
    written = _DATE.match(text)
    if written is None:
        return None
    date, minute, rest = written[1], written[2] or "00:00", written[3] or ":00"
    offset = text[written.end() :]
    if not offset:
        return _local(f"{date}T{minute}", rest, zone)
    exact = rfc3339.parse(f"{date}T{minute}{rest}{offset}") if written[2] and _OFFSET.fullmatch(offset) else None
    return None if exact is None else _nanoseconds(exact)


def written(time: int) -> str:
    """Write a time as RFC 3339 in UTC, exactly, so that it can be asked for again. Raises OverflowError beyond year 9999."""
    seconds, fraction = divmod(time, SECOND)
    digits = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}{digits}Z"


def _nanoseconds(exact: rfc3339.Moment) -> int:
    below_a_millisecond = (exact.fraction or "")[3:9].ljust(6, "0")
    return exact.ms * 1_000_000 + int(below_a_millisecond)


def _local(minute: str, rest: str, zone: str) -> int | None:
    """Return a time of a zone: of an hour that is there twice the first one, of one that is not there the one behind it."""
    utc = rfc3339.parse(f"{minute}{rest}Z")
    if utc is None:
        return None
    try:
        offset = datetime.fromisoformat(minute).replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
    except (ValueError, OverflowError):  # 24:00 and the like
        return None
    return _nanoseconds(utc) - offset // timedelta(seconds=1) * SECOND


def _midnight(days_ago: int) -> Callable[[int, str], int | None]:
    def start(now: int, zone: str) -> int | None:
        today = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now // SECOND)).astimezone(ZoneInfo(zone)).date()
        return _local(f"{today - timedelta(days=days_ago)}T00:00", ":00", zone)

    return start


_DAYS: Final[dict[str, Callable[[int, str], int | None]]] = {
    "now": lambda now, _: now,
    "today": _midnight(0),
    "yesterday": _midnight(1),
    ALL: lambda *_: 0,
}
