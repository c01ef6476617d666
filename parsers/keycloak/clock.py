"""The times of Keycloak's records: RFC 3339 in JSON, the local time of a zone in plain text, milliseconds in its REST interface."""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from parsers import rfc3339
from parsers.contract import Reason
from parsers.records import RejectedError
from parsers.rfc3339 import SECOND_CHARS

Written: TypeAlias = tuple[int, str | None]
"""A ``parsers.rfc3339.Moment`` as a plain tuple."""

_MINUTE_CHARS: Final = 17
"""Length of ``YYYY-MM-DDTHH:MM:``."""
_SECONDS: Final = {f"{second:02}": second * 1000 for second in range(61)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Reads times. Neighbours in a log are of the same minute, so the last one is remembered."""

    def __init__(self, zone: str) -> None:
        """``zone``: an IANA name, of times without a zone. Raises ValueError for one that is not known."""
        try:
            self._zone = UTC if zone == "UTC" else ZoneInfo(zone)
        except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"log_time_zone: {zone!r} is no IANA time zone") from None
        self._minute, self._minute_ms = "", 0
        self._local, self._local_ms = "", 0

    def rfc3339(self, text: str) -> Written:
        """Return the time of a record in JSON. Raises RejectedError."""
        minute, rest = text[:_MINUTE_CHARS], text[SECOND_CHARS:]
        if minute != self._minute:
            self._minute_ms, self._minute = _minute(minute), minute
        second_ms = self._minute_ms + _seconds(text)
        digits = rest[1:-1]
        if 3 < len(digits) <= 9 and rest[0] == "." and rest[-1] == "Z" and digits.isdigit() and digits.isascii():
            return second_ms + int(digits[:3]), digits  # as nearly all are written
        end = rfc3339.parse_rest(rest)
        if end is None:
            raise _bad_timestamp()
        return second_ms + end.ms, end.fraction

    def local(self, text: str) -> Written:
        """Return the time of a line, ``2026-11-29 10:00:00,123``. Of an hour that comes twice the first is meant.

        Raises RejectedError.
        """
        minute, digits = text[:_MINUTE_CHARS], text[SECOND_CHARS + 1 :]
        if text[SECOND_CHARS : SECOND_CHARS + 1] not in {",", "."} or not (digits.isdigit() and digits.isascii()):
            raise _bad_timestamp()
        if minute != self._local:
            written_ms = _minute(minute)
            offset = (_EPOCH + timedelta(milliseconds=written_ms)).replace(tzinfo=self._zone).utcoffset() or timedelta()
            self._local_ms, self._local = written_ms - round(offset.total_seconds()) * 1000, minute
        time_ms = self._local_ms + _seconds(text) + int(digits[:3].ljust(3, "0"))
        return time_ms, None if len(digits) == 3 else digits


def milliseconds(number: int) -> Written:
    """Return the time of an event of the REST interface."""
    return number, None


def _minute(text: str) -> int:
    start = rfc3339.parse_second(f"{text}00")
    if start is None:
        raise _bad_timestamp()
    return start


def _seconds(text: str) -> int:
    try:
        return _SECONDS[text[_MINUTE_CHARS:SECOND_CHARS]]
    except KeyError:
        raise _bad_timestamp() from None


def _bad_timestamp() -> RejectedError:
    return RejectedError(Reason.BAD_TIMESTAMP, "timestamp: not a time")
