"""Point identity: equal lines of one file never merge, equal bytes always make equal points (design section 4)."""

from fractions import Fraction
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.identity import (
    EVENT_STRIDE,
    HEAD_BYTES,
    MILLISECOND_SLOTS,
    SECOND_SLOTS,
    generation_hash,
    point_time,
    telling_head,
)

HASHES = st.integers(0, 2**64 - 1)
NOON = 1_761_998_400_000  # a whole second, in milliseconds


@pytest.mark.parametrize("fraction", ["", None, "123456"], ids=["whole seconds", "milliseconds", "microseconds"])
@pytest.mark.parametrize("h", [0, 2**64 - 1, 999_999_999, 123_456_789_123])
def test_a_hundred_thousand_equal_lines_are_a_hundred_thousand_points(fraction: str | None, h: int) -> None:
    times = {point_time(NOON, fraction, h, ordinal) for ordinal in range(100_000)}
    assert len(times) == 100_000


@given(h=HASHES, first=st.integers(0, 2**40), distance=st.integers(1, SECOND_SLOTS - 1), whole=st.booleans())
def test_two_lines_of_one_generation_and_precision_never_meet(h: int, first: int, distance: int, whole: bool) -> None:
    fraction, slots = ("", SECOND_SLOTS) if whole else (None, MILLISECOND_SLOTS)
    distance = distance % (slots - 1) + 1
    assert point_time(NOON, fraction, h, first) != point_time(NOON, fraction, h, first + distance)


@pytest.mark.parametrize(("events", "lines"), [(50, 13_000), (100, 5_600), (1000, 600)])
def test_events_of_lines_that_stand_near_each_other_never_meet(events: int, lines: int) -> None:
    """What ``EVENT_STRIDE`` says of itself: no event of a line has the slot of one of the next so many lines."""
    slots = [event * EVENT_STRIDE % MILLISECOND_SLOTS for event in range(events)]
    assert len(set(slots)) == events
    between = {(one - other) % MILLISECOND_SLOTS for one in slots for other in slots} - {0}
    assert min(between) > lines


@given(h=HASHES, ordinal=st.integers(0, 2**40), event=st.integers(0, 10_000), whole=st.booleans())
def test_an_event_of_a_line_keeps_the_written_time(h: int, ordinal: int, event: int, whole: bool) -> None:
    time = point_time(NOON, "" if whole else None, h, ordinal, event)
    assert time // (SECOND_SLOTS if whole else MILLISECOND_SLOTS) == (NOON // 1000 if whole else NOON)
    assert point_time(NOON, "" if whole else None, h, ordinal) == point_time(NOON, "" if whole else None, h, ordinal, 0)


@given(h=HASHES, ordinal=st.integers(0, 2**40), ms=st.integers(0, 999), whole=st.booleans())
def test_the_written_second_and_millisecond_can_be_read_back(h: int, ordinal: int, ms: int, whole: bool) -> None:
    written = NOON if whole else NOON + ms
    time = point_time(written, "" if whole else None, h, ordinal)
    assert time // 1_000_000_000 == written // 1000
    if not whole:
        assert time // 1_000_000 == written


LINE = b'{"created_at":"2026-11-01T09:30:00.123Z"}'


def h_of(content: bytes) -> int:
    """H of a file that holds this."""
    told = telling_head(content[:HEAD_BYTES], closed=True)
    assert told is not None
    return generation_hash(told)


def test_h_is_what_the_contract_says() -> None:
    assert h_of(LINE + b"\nmore\n") == int.from_bytes(blake2b(LINE, digest_size=8).digest(), "big")
    assert h_of(b"1 2026-11-01\r\n") != h_of(b"1 2026-11-01\n"), "only the line feed is no part of the line"


def test_two_generations_meet_only_when_their_h_meet_modulo_the_slots() -> None:
    """H is of the bytes through the first line that holds a date. Equal ones are equal content, or it begins so.

    Of two such generations, two lines of one tick and series meet when their slots are equal. The beginnings are
    different bytes, so the H are independent, for headers, too. Milliseconds against milliseconds: 1 of 10^6 slots.
    Whole seconds against whole seconds: 1 of 10^9. Mixed: the millisecond's slots are 10^6 of the second's 10^9, so
    1 in 10^9 for a given line. All within the promised 10^-6. Where equal beginnings go on differently, the shell takes
    H from the first line on that differs (``sources.file.reader``).
    """
    chances = {
        "ms, ms": Fraction(1, MILLISECOND_SLOTS),
        "s, s": Fraction(1, SECOND_SLOTS),
        "s, ms": Fraction(1, 1000) * Fraction(1, MILLISECOND_SLOTS),
    }
    assert max(chances.values()) <= Fraction(1, 1_000_000)
    # And the arithmetic is really uniform: over every H modulo the slots exactly one meets a given other line.
    other = point_time(NOON, None, 77, 5)
    meeting = sum(point_time(NOON, None, h, 9) == other for h in range(MILLISECOND_SLOTS))
    assert meeting == 1


@pytest.mark.parametrize("header", [b"", b"# audit log of node 1\n", b"\n", b"service starts\n\n" * 40])
def test_generations_that_share_a_header_are_spread_over_the_slots(header: bytes) -> None:
    """A thousand generations have half a million pairs: among a million slots half a pair is expected to meet."""
    slots = {h_of(header + LINE.replace(b"123", b"%03d" % n) + b"\n") % MILLISECOND_SLOTS for n in range(1000)}
    assert len(slots) >= 995


# The bytes that tell a generation apart

DATES = [
    b"2026-11-01T09:30:00Z",
    b"2026-11-01",
    b"2026/11/01",
    b"2026.11.01 09:30",
    b"01.11.2026 09:30",
    b"11/01/2026",
    b"20261101T093000Z",
    b"20261101T0930Z",
    b"20261101093000",
    b"01/Nov/2026:09:30:00 +0000",
    b"Nov  1 09:30:00",
    b"1793525400",
    b"1793525400.123",
    b"1793525400123",
    b"1793525400123456",
    b"1793525400123456789",
]
NO_DATES = [
    b"",
    b"# created_at action user_id",
    b"service 10.11.2 starts, pid 4242",
    b"listening on 192.0.2.10:8080, then 192.0.2.11",
    b"build 20261101",
    b"port 1234567890123456789012",
    b"id 0.1793525400",
    b"179352540",
    b"9793525400",
    b"12345678901",
    b'{"id":"3f2a-1101"}',
]


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("around", [b"%s", b'{"at":"%s"}', b'{"at":%s,"id":7}', b"[%s] x"])
def test_the_first_line_with_a_date_tells(date: bytes, around: bytes) -> None:
    line = around % date
    assert telling_head(b"a header\n\n" + line + b"\nmore\n") == b"a header\n\n" + line


@pytest.mark.parametrize("line", NO_DATES)
def test_a_line_without_a_date_does_not(line: bytes) -> None:
    assert telling_head(line + b"\n") is None
    assert telling_head(line + b"\n" + LINE + b"\n") == line + b"\n" + LINE
    assert telling_head(line + b"\n", closed=True) == line


def test_the_line_must_have_an_end_unless_nothing_follows() -> None:
    assert telling_head(LINE) is None
    assert telling_head(LINE, closed=True) == LINE
    assert telling_head(b"", closed=True) is None


def test_the_nulls_of_a_hole_do_not_count() -> None:
    assert telling_head(b"\0" * 1000 + LINE + b"\n") == LINE
    assert telling_head(b"\0" * 1000 + LINE, closed=True) == LINE


@pytest.mark.parametrize("length", [1, HEAD_BYTES])
@pytest.mark.parametrize("closed", [False, True])
def test_nothing_but_nulls_tells_nothing(length: int, *, closed: bool) -> None:
    """All holes are alike: what tells comes after it."""
    assert telling_head(b"\0" * length, closed=closed) is None


def test_without_a_date_within_the_first_bytes_they_all_count() -> None:
    first = (b"no date here\n" * HEAD_BYTES)[:HEAD_BYTES]
    assert telling_head(first[:-1]) is None
    assert telling_head(first) == first
    assert telling_head(first + LINE + b"\n") == first, "whatever follows, and however much is shown"
    ended = first[:-1] + b"\n"
    assert telling_head(ended) == first[:-1]
    long_line = (LINE + b"x" * HEAD_BYTES)[:HEAD_BYTES]
    assert telling_head(long_line) == long_line, "its end is too far away"


PIECES = st.sampled_from(
    [b"\0", b"\n", b"x", b"header\n", b"12:00:0", b"0", b"2026-11-0", b"1", b"17935254", b"." * 400]
)


@given(st.lists(PIECES, max_size=60), st.integers(0, 30_000))
def test_what_tells_never_changes_when_more_is_written(pieces: list[bytes], seen: int) -> None:
    content = b"".join(pieces) * 3
    early, late = telling_head(content[:seen]), telling_head(content)
    assert early is None or early == late


@given(st.lists(PIECES, max_size=60), st.integers(1, 100))
def test_a_copy_tells_the_same(pieces: list[bytes], more: int) -> None:
    """A closed copy of a log that had told; one that shows more than is asked for; one behind a hole."""
    content = b"".join(pieces)
    told = telling_head(content)
    if told is None:
        return
    assert telling_head(content, closed=True) == told
    assert telling_head(content[:HEAD_BYTES]) == told
    if len(told) < HEAD_BYTES - 200:
        assert telling_head(b"\0" * more + content) == told
