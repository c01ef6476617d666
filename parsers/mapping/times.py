"""How a log writes its times: RFC 3339, a number since the Unix epoch, or a layout of ``strptime``."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from parsers.records import integral
from parsers.rfc3339 import LocalReader, Reader, Written

Read: TypeAlias = Callable[[Any], Written | None]
"""Returns the time that a value of a line is, or None."""

RFC3339: Final = "rfc3339"
EPOCHS: Final = {"epoch_s": 0, "epoch_ms": 3, "epoch_us": 6, "epoch_ns": 9}
"""The units of numbers, and how many digits of them are less than a second."""

_MOST_CHARS: Final = 64
"""No time is longer. Some expressions of ``strptime`` take the square of a text's length."""
_REMEMBERED: Final = 1024
_NUMBER: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,9}))?")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_USUAL_LAYOUTS: Final = {f"%Y-%m-%d{middle}%H:%M:%S{end}" for middle in " T" for end in ("", ",%f", ".%f")}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE: Final = datetime(2001, 2, 3, 14, 5, 6, tzinfo=UTC)


def reader(written: str, zone: str = "") -> Read:
    """Return the function that reads times of this format: a word of ``EPOCHS``, ``rfc3339`` or a layout.

    ``zone``: where a time without an offset was written: an IANA name, or an offset such as ``+01:00``. Raises ValueError.
    """
    if written in EPOCHS:
        if zone:
            raise ValueError("a time since the epoch has no zone")
        return _epoch(EPOCHS[written])
    where = _zone(zone) if zone else None
    if written == RFC3339:
        return _rfc3339(where)
    if "%" not in written:
        raise ValueError(f"must be {RFC3339}, {', '.join(EPOCHS)} or a layout such as %Y-%m-%d %H:%M:%S %z")
    return _layout(written, where)


def _epoch(digits: int) -> Read:
    """Read numbers, and texts of digits. A number with decimals is what the shortest text of its double says."""

    def read(value: Any) -> Written | None:
        number = integral(value)
        if number is None and not isinstance(value, float | str):
            return None
        match = _NUMBER.fullmatch(str(value if number is None else number))
        if match is None:
            return None
        whole, decimals = match[1].rjust(digits + 1, "0"), match[2] or ""
        seconds, fraction = whole[: len(whole) - digits], whole[len(whole) - digits :] + decimals
        return (int(seconds) * 1000 + _milliseconds(fraction), None if len(fraction) == 3 else fraction)

    return read


def _milliseconds(fraction: str) -> int:
    return int(fraction[:3].ljust(3, "0"))


def _rfc3339(zone: tzinfo | None) -> Read:
    read_written = Reader().read
    read_local = LocalReader(zone).read if zone else None

    def read(value: Any) -> Written | None:
        if value.__class__ is not str or len(value) > _MOST_CHARS:
            return None
        written = read_written(value)
        return read_local(value) if written is None and read_local else written

    return read


def _layout(layout: str, zone: tzinfo | None) -> Read:
    """Read by a layout. Digits of a second are three or six: ``strptime`` does not tell how many were written."""
    has_offset = "%z" in layout
    if not has_offset and zone is None:
        raise ValueError("a layout without %z needs a zone, such as UTC or Europe/Berlin")
    if has_offset and zone is not None:
        raise ValueError("a layout with %z needs no zone")
    try:
        again = datetime.strptime(_EXAMPLE.strftime(layout), layout)  # noqa: DTZ007 - the zone is looked at below
    except ValueError as error:
        raise ValueError(f"is no layout of strptime: {error}") from None
    if again.replace(tzinfo=UTC) != _EXAMPLE:
        raise ValueError("the layout leaves out the year, the month, the day, the hour, the minute or the second")
    has_fraction = "%f" in layout

    @lru_cache(_REMEMBERED)
    def read_text(text: str) -> Written | None:
        try:
            time = datetime.strptime(text, layout)  # noqa: DTZ007 - as above
            ms = _since_epoch(time, zone)
        except (ValueError, OverflowError):
            return None
        if not has_fraction:
            return (ms, "")
        millisecond, rest = divmod(time.microsecond, 1000)
        return (ms + millisecond, f"{time.microsecond:06}" if rest else None)

    def read(value: Any) -> Written | None:
        return read_text(value) if value.__class__ is str and len(value) <= _MOST_CHARS else None

    return _in_usual_form(layout, zone, read) if zone and layout in _USUAL_LAYOUTS else read


def _in_usual_form(layout: str, zone: tzinfo, read: Read) -> Read:
    """Read what is written just so at once, with three digits of a second or none, and anything else as ``read`` does."""
    read_local = LocalReader(zone).read
    chars, middle, mark = 23 if layout.endswith("%f") else 19, layout[8], layout[17:18]

    def read_usual(value: Any) -> Written | None:
        is_usual = value.__class__ is str and len(value) == chars and value[10] == middle and value[19:20] == mark
        return (read_local(value) if is_usual and value[17:19] != "60" else None) or read(value)

    return read_usual


def _since_epoch(time: datetime, zone: tzinfo | None) -> int:
    """Return the whole seconds of a time in milliseconds since the epoch. ``zone``: of a time that has none."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone)
    return (time.replace(microsecond=0) - _EPOCH) // timedelta(seconds=1) * 1000


def _zone(name: str) -> tzinfo:
    if match := _OFFSET.fullmatch(name):
        hours, minutes = int(match[2]), int(match[3])
        if hours < 24 and minutes < 60:
            offset = timedelta(hours=hours, minutes=minutes)
            return timezone(offset if match[1] == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the database; a folder of it
        raise ValueError(
            "must be a time zone of the IANA database, such as Europe/Berlin, or an offset such as +01:00"
        ) from None
