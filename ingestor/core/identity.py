"""Point identity (design section 4): which nanosecond an event is stored at.

InfluxDB merges points of equal measurement, tags and timestamp, and audit logs are full of equal milliseconds. So the
digits below the written millisecond carry the line's place in its file: the same for every replay, rename and
compressed copy, different for every two lines of one generation.
"""

from hashlib import blake2b

HEAD_LINE_BYTES = 1024
"""How much of the first line takes part in H."""
MILLISECOND_SLOTS = 1_000_000
SECOND_SLOTS = 1_000_000_000
"""Nanoseconds that are free below a written timestamp: a line with whole seconds leaves a whole second of them."""


def generation_hash(first_line: bytes) -> int:
    r"""Return H: BLAKE2b, 8 bytes, big-endian, of the first line without its ``\n``, at most its first 1 KiB."""
    return int.from_bytes(blake2b(first_line[:HEAD_LINE_BYTES], digest_size=8).digest(), "big")


def point_time(time_ms: int, fraction: str | None, h: int, ordinal: int) -> int:
    r"""Return the point's time in nanoseconds since the Unix epoch.

    ``ordinal`` is the number of ``\n`` before the line in its generation. ``fraction`` is ``Event.fraction``: "" says
    that the timestamp was written in whole seconds.
    """
    slots = SECOND_SLOTS if fraction == "" else MILLISECOND_SLOTS
    return time_ms * MILLISECOND_SLOTS + (h + ordinal) % slots
