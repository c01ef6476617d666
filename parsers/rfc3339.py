"""RFC 3339 timestamps, strictly (section 5.6), with the written precision kept.

A timestamp is read in two halves that do not depend on each other, because a log repeats them: the second
(``2026-11-01T09:30:00``) for every event within it, the rest (``.123Z``) every thousand events or so. Callers on the hot
path remember halves; ``parse`` is both.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple, TypeAlias

SECOND_CHARS: Final = 19
"""Length of the first half, ``YYYY-MM-DDTHH:MM:SS``."""
FRACTION_DIGITS: Final = 18
"""More digits than an attosecond needs are no timestamp."""

_SECOND: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})")
_REST: Final = re.compile(rf"(?:\.([0-9]{{1,{FRACTION_DIGITS}}}))?(?:[Zz]|([+-])([0-9]{{2}}):([0-9]{{2}}))")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_CHARS: Final = 17
"""Length of ``YYYY-MM-DDTHH:MM:``."""
_SECONDS: Final = {f"{second:02}": second * 1000 for second in range(61)}


class Rest(NamedTuple):
    """What follows the seconds."""

    ms: int
    """Milliseconds of the fraction (cut, not rounded) minus the offset from UTC."""
    fraction: str | None
    """The written digits when there are not exactly three ("" for none), else None."""


class Moment(NamedTuple):
    """A written time: Unix epoch in milliseconds, and the digits as ``Rest.fraction``."""

    ms: int
    fraction: str | None


Written: TypeAlias = tuple[int, str | None]
"""A ``Moment``, or a plain tuple of its values, which is sooner made."""


class Reader:
    """Reads times as ``parse`` does. Neighbours in a log are of one minute, so the last one is remembered."""

    def __init__(self) -> None:
        self._minute, self._minute_ms = "", 0

    def read(self, text: str) -> Written | None:
        """Return the time, or None when the text is not an RFC 3339 timestamp."""
        minute, second = text[:_MINUTE_CHARS], _SECONDS.get(text[_MINUTE_CHARS:SECOND_CHARS])
        if second is None:
            return None
        if minute != self._minute:
            start = parse_second(f"{minute}00")
            if start is None:
                return None
            self._minute, self._minute_ms = minute, start
        end = text[SECOND_CHARS:]
        if end[-6:] == "+00:00":
            end = f"{end[:-6]}Z"
        if end == "Z":
            return self._minute_ms + second, ""
        digits = end[1:-1]
        if 3 <= len(digits) <= 9 and end[0] == "." and end[-1] == "Z" and digits.isdigit() and digits.isascii():
            return self._minute_ms + second + int(digits[:3]), None if len(digits) == 3 else digits
        rest = parse_rest(end)
        return None if rest is None else (self._minute_ms + second + rest.ms, rest.fraction)


class LocalReader:
    """Reads times without an offset, of a zone: ``2026-11-29 10:00:00,123``. Of an hour that comes twice the first is meant."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._minute, self._minute_ms = "", 0

    def read(self, text: str) -> Written | None:
        """Return the time, or None when the text is none. There may be 1 to 9 digits behind a comma or a point."""
        minute, second = text[:_MINUTE_CHARS], _SECONDS.get(text[_MINUTE_CHARS:SECOND_CHARS])
        mark, digits = text[SECOND_CHARS : SECOND_CHARS + 1], text[SECOND_CHARS + 1 :]
        if second is None or (
            mark and not (mark in ",." and len(digits) <= 9 and digits.isdigit() and digits.isascii())
        ):
            return None
        if minute != self._minute:
            start = parse_second(f"{minute}00")
            if start is None:
                return None
            offset = (_EPOCH + timedelta(milliseconds=start)).replace(tzinfo=self._zone).utcoffset() or timedelta()
            self._minute, self._minute_ms = minute, start - round(offset.total_seconds()) * 1000
        return self._minute_ms + second + int(digits[:3].ljust(3, "0")), None if len(digits) == 3 else digits


def parse(text: str) -> Moment | None:
    """Return the time, or None when the text is not an RFC 3339 timestamp.

    Accepted are ``T``, ``t`` or a space, ``Z``, ``z`` or a numeric offset, 1 to 18 fractional digits. A leap second
    (``:60``) is the first second of the next minute, since the Unix epoch has no name for it.
    """
    second = parse_second(text[:SECOND_CHARS])
    rest = parse_rest(text[SECOND_CHARS:])
    if second is None or rest is None:
        return None
    return Moment(second + rest.ms, rest.fraction)


def parse_second(text: str) -> int | None:
    """Return milliseconds since the epoch of ``YYYY-MM-DDTHH:MM:SS`` taken as UTC, or None."""
    match = _SECOND.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    if second > 60:
        return None
    try:
        start = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    return (int((start - _EPOCH).total_seconds()) + second) * 1000


def parse_rest(text: str) -> Rest | None:
    """Return what the fraction and the offset say, or None."""
    match = _REST.fullmatch(text)
    if match is None:
        return None
    digits, sign, hours, minutes = match.groups()
    ms = int(digits[:3].ljust(3, "0")) if digits else 0
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = (int(hours) * 60 + int(minutes)) * 60_000
        ms -= offset if sign == "+" else -offset
    return Rest(ms, None if digits and len(digits) == 3 else digits or "")
