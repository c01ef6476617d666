r"""Point identity (design section 4): which nanosecond an event is stored at.

InfluxDB merges points of equal measurement, tags and timestamp, and audit logs are full of equal milliseconds. So the
digits below the written millisecond carry the line's place in its file: the same for every replay, rename and
compressed copy, different for every two lines of one generation.
"""

import re
from hashlib import blake2b
from typing import Final

HEAD_BYTES: Final = 16_384
"""Within so many bytes the line is looked for that tells a generation apart."""
MILLISECOND_SLOTS: Final = 1_000_000
SECOND_SLOTS: Final = 1_000_000_000
"""Nanoseconds that are free below a written timestamp: a line with whole seconds leaves a whole second of them."""

EVENT_STRIDE: Final = 618_041
"""So many slots behind each other stand the events of one line.

A prime near a million divided by the golden ratio: the multiples of that spread most evenly over the slots of a millisecond. So an
event meets none of another line unless there are hundreds of lines in one tick: the first 1,000 events of a line are 639
slots apart at least, the first 100 5,649.
"""

_DATE: Final = re.compile(
    rb"\d\d:\d\d:\d\d"  # a time of day: RFC 3339, syslog, what log libraries write
    rb"|\d{4}[-/.]\d\d[-/.]\d\d"
    rb"|(?<!\d)\d\d[-/.]\d\d[-/.][12]\d{3}(?!\d)"  # the day first, or the month
    rb"|(?<!\d)[12]\d{7}(?:T?\d{6}|T\d{4})(?!\d)"  # ISO 8601's basic form
    rb"|(?<![\d.])[12]\d{9}(?:\d{3}|\d{6}|\d{9})?(?!\d)"  # an epoch: seconds, ms, us, ns
)
"""What a line holds that is written once only. Headers, banners and blank lines hold none, and are equal in all files."""


def telling_head(head: bytes, *, closed: bool = False) -> bytes | None:
    r"""Return the bytes that tell a generation apart: from its first byte through the first line that holds a date.

    Without that line's ``\n``, and without the NULs of a hole before the first line. ``head``: its first bytes, at least
    ``HEAD_BYTES`` where there are so many; without a date in these they all count. None: the line is not there yet.
    ``closed``: nothing follows, so a last line without an end is a line, and the whole may be without a date.
    """
    head = head[:HEAD_BYTES]
    begin = len(head) - len(head.lstrip(b"\0"))
    if begin == len(head):
        return None
    found = _DATE.search(head, begin)
    end = head.find(b"\n", found.end()) if found else -1
    if end >= 0:
        return head[begin:end]
    if len(head) == HEAD_BYTES or closed:
        return head[begin:].removesuffix(b"\n")
    return None


def generation_hash(head: bytes) -> int:
    """Return H: BLAKE2b, 8 bytes, big-endian, of what ``telling_head`` returns."""
    return int.from_bytes(blake2b(head, digest_size=8).digest(), "big")


def slots_of(fraction: str | None) -> int:
    """Return how many nanoseconds are free below a written time. ``fraction``: ``Event.fraction``, "" for whole seconds."""
    return SECOND_SLOTS if fraction == "" else MILLISECOND_SLOTS


def point_time(time_ms: int, fraction: str | None, h: int, ordinal: int, event: int = 0) -> int:
    r"""Return the point's time in nanoseconds since the Unix epoch.

    ``ordinal`` is the number of ``\n`` before the line in its generation, ``event`` the event's place among those of its
    line. ``fraction`` is ``Event.fraction``: "" says that the timestamp was written in whole seconds.
    """
    return time_ms * MILLISECOND_SLOTS + (h + ordinal + event * EVENT_STRIDE) % slots_of(fraction)
