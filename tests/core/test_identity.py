"""Point identity: equal lines of one file never merge, equal bytes always make equal points (design section 4)."""

from fractions import Fraction
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.identity import MILLISECOND_SLOTS, SECOND_SLOTS, generation_hash, point_time

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


@given(h=HASHES, ordinal=st.integers(0, 2**40), ms=st.integers(0, 999), whole=st.booleans())
def test_the_written_second_and_millisecond_can_be_read_back(h: int, ordinal: int, ms: int, whole: bool) -> None:
    written = NOON if whole else NOON + ms
    time = point_time(written, "" if whole else None, h, ordinal)
    assert time // 1_000_000_000 == written // 1000
    if not whole:
        assert time // 1_000_000 == written


def test_h_is_what_the_contract_says() -> None:
    line = b'{"created_at":"2026-11-01T09:30:00.123Z"}'
    assert generation_hash(line) == int.from_bytes(blake2b(line, digest_size=8).digest(), "big")
    assert generation_hash(b"a\r") != generation_hash(b"a"), "only the line feed is no part of the line"


def test_lines_across_a_rotation_meet_with_a_chance_of_one_in_a_million() -> None:
    """Two generations have independent H, so two lines of one tick and series meet when their slots are equal.

    Milliseconds against milliseconds: 1 of 10^6 slots. Whole seconds against whole seconds: 1 of 10^9. Mixed: the
    millisecond's slots are 10^6 of the second's 10^9, so 1 in 10^9 for a given line. All within the promised 10^-6.
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
