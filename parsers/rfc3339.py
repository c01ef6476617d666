"""RFC 3339 timestamps, strictly (section 5.6), with the written precision kept.

A timestamp is read in two halves that do not depend on each other, because a log repeats them: the second
(``2026-11-01T09:30:00``) for every event within it, the rest (``.123Z``) every thousand events or so. Callers on the hot
path remember halves; ``parse`` is both.
"""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

SECOND_CHARS: Final = 19
"""Length of the first half, ``YYYY-MM-DDTHH:MM:SS``."""
FRACTION_DIGITS: Final = 18
"""More digits than an attosecond needs are no timestamp."""

_SECOND: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})")
_REST: Final = re.compile(rf"(?:\.([0-9]{{1,{FRACTION_DIGITS}}}))?(?:[Zz]|([+-])([0-9]{{2}}):([0-9]{{2}}))")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
