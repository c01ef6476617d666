"""How a log writes times, and what becomes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import rfc3339
from parsers.mapping.times import EPOCHS, RFC3339, reader

MS = 1_793_525_400_000  # 2026-11-01T09:30:00Z


@pytest.mark.parametrize(
    ("written", "zone", "value", "ms", "fraction"),
    [
        (RFC3339, "", "2026-11-01T09:30:00Z", MS, ""),
        (RFC3339, "", "2026-11-01T10:30:00.1+01:00", MS + 100, "1"),
        (RFC3339, "", "2026-11-01T09:30:00.123Z", MS + 123, None),
        (RFC3339, "", "2026-11-01 09:30:00.123456789z", MS + 123, "123456789"),
        (RFC3339, "", "2026-11-01T09:29:60Z", MS, ""),
        (RFC3339, "UTC", "2026-11-01T09:30:00", MS, ""),
        (RFC3339, "UTC", "2026-11-01 09:30:00.123000000", MS + 123, "123000000"),
        (RFC3339, "UTC", "2026-11-01 09:30:00,5", MS + 500, "5"),
        (RFC3339, "Europe/Berlin", "2026-11-01 10:30:00.123", MS + 123, None),
        (RFC3339, "Europe/Berlin", "2026-11-01T09:30:00Z", MS, ""),
        ("epoch_s", "", 1_793_525_400, MS, ""),
        ("epoch_s", "", "1793525400", MS, ""),
        ("epoch_s", "", 1_793_525_400.123, MS + 123, None),
        ("epoch_s", "", "1793525400.123456", MS + 123, "123456"),
        ("epoch_s", "", 1.7935254e9, MS, ""),
        ("epoch_ms", "", MS + 7, MS + 7, None),
        ("epoch_ms", "", str(MS), MS, None),
        ("epoch_ms", "", "1793525400123.4567", MS + 123, "1234567"),
        ("epoch_us", "", MS * 1000 + 123_456, MS + 123, "123456"),
        ("epoch_ns", "", MS * 1_000_000 + 123_456_789, MS + 123, "123456789"),
        ("epoch_ns", "", 5, 0, "000000005"),
        ("%d/%b/%Y:%H:%M:%S %z", "", "01/Nov/2026:10:30:00 +0100", MS, ""),
        ("%Y-%m-%d %H:%M:%S,%f", "UTC", "2026-11-01 09:30:00,123", MS + 123, None),
        ("%Y-%m-%d %H:%M:%S,%f", "UTC", "2026-11-01 09:30:00,123456", MS + 123, "123456"),
        ("%Y-%m-%d %H:%M:%S", "Europe/Berlin", "2026-11-01 10:30:00", MS, ""),
        ("%Y-%m-%d %H:%M:%S", "+01:00", "2026-11-01 10:30:00", MS, ""),
        ("%Y-%m-%d %H:%M:%S", "-00:30", "2026-11-01 09:00:00", MS, ""),
    ],
)
def test_a_time_is_read(written: str, zone: str, value: Any, ms: int, fraction: str | None) -> None:
    assert reader(written, zone)(value) == rfc3339.Moment(ms, fraction)


@pytest.mark.parametrize(
    ("written", "zone", "value"),
    [
        (RFC3339, "", "2026-11-01T09:30:00"),
        (RFC3339, "", 1_793_525_400),
        (RFC3339, "UTC", "2026-11-01"),
        (RFC3339, "UTC", "2026-11-01T09:30:00.1234567890"),
        (RFC3339, "UTC", "2026-13-01T09:30:00"),
        (RFC3339, "", "2026-11-01T09:30:00Z" + " " * 100),
        ("epoch_s", "", "soon"),
        ("epoch_s", "", True),
        ("epoch_s", "", -1),
        ("epoch_s", "", float("inf")),
        ("epoch_s", "", 1e300),
        ("epoch_s", "", "1" * 30),
        ("epoch_ms", "", None),
        ("epoch_ms", "", [1]),
        ("%Y-%m-%d %H:%M:%S", "UTC", "2026-11-01T09:30:00"),
        ("%Y-%m-%d %H:%M:%S", "UTC", 5),
        ("%Y-%m-%d %H:%M:%S", "+14:00", "0001-01-01 00:00:00" * 9),
    ],
)
def test_what_is_no_time_is_none(written: str, zone: str, value: Any) -> None:
    assert reader(written, zone)(value) is None


@pytest.mark.parametrize(
    ("written", "zone", "told"),
    [
        ("iso", "", "must be rfc3339, epoch_s"),
        ("epoch_s", "UTC", "has no zone"),
        ("%Y-%m-%d %H:%M:%S", "", "needs a zone"),
        ("%Y-%m-%d %H:%M:%S %z", "UTC", "needs no zone"),
        ("%Y-%m-%d %H:%M:%S %Q", "UTC", "is no layout of strptime"),
        ("%Y-%m-%d %H:%M", "UTC", "leaves out"),
        ("%H:%M:%S", "UTC", "leaves out"),
        (RFC3339, "Mars/Olympus", "must be a time zone"),
        (RFC3339, "+25:00", "must be a time zone"),
        (RFC3339, "../etc", "must be a time zone"),
    ],
)
def test_a_format_that_cannot_be_read_is_told(written: str, zone: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        reader(written, zone)


LAYOUTS = (
    *((name, "") for name in (RFC3339, *EPOCHS)),
    (RFC3339, "Europe/Berlin"),
    ("%Y-%m-%d %H:%M:%S.%f", "Asia/Tokyo"),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers()),
    st.from_regex(r"[0-9]{1,25}(\.[0-9]{0,12})?", fullmatch=True),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{0,10})?(Z|[+-][0-9:]{0,5})?",
        fullmatch=True,
    ),
)


@given(st.sampled_from(LAYOUTS), VALUES)
def test_no_value_raises_and_the_digits_agree(layout: tuple[str, str], value: Any) -> None:
    ms, fraction = reader(*layout)(value) or (0, None)
    if fraction is not None:
        assert len(fraction) <= 18
        assert ms % 1000 == int(fraction[:3].ljust(3, "0"))


USUAL = [f"%Y-%m-%d{middle}%H:%M:%S{end}" for middle in " T" for end in ("", ",%f", ".%f")]
AS_LOGS_HAVE_THEM = st.builds(
    "{}{}{}:{}{}".format,
    st.sampled_from(["2026-11-01", "2026-10-25", "2026-03-29", "2026-02-29", "0001-01-01", "9999-12-31", "2026-1-1"]),
    st.sampled_from([" ", "T", "t", "  "]),
    st.sampled_from(["00:30", "02:30", "23:59", "24:00", "2:30"]),
    st.sampled_from(["00", "59", "60", "61", "7"]),
    st.sampled_from(["", ",123", ".123", ",000", ",123456", ".123000", ",1", ",", ",12x", ",\u0661\u0661\u0661"]),
)


@given(
    st.sampled_from(USUAL), st.sampled_from(["UTC", "Europe/Berlin", "+14:00"]), st.lists(AS_LOGS_HAVE_THEM, max_size=5)
)
def test_what_is_read_at_once_is_read_as_by_its_layout(layout: str, zone: str, texts: list[str]) -> None:
    read = reader(layout, zone)
    slow = reader(f"{layout}%%", zone)  # no usual layout
    assert [read(text) for text in texts] == [slow(f"{text}%") for text in texts]
