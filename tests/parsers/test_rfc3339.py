"""RFC 3339, strictly, against ``datetime`` for what both understand."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.rfc3339 import Moment, Reader, parse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS))  # noqa: DTZ001  # bounds are naive, values are not
def test_a_written_time_is_that_time(time: datetime) -> None:
    moment = parse(time.isoformat(timespec="microseconds"))
    assert moment == Moment((time - EPOCH) // timedelta(milliseconds=1), f"{time.microsecond:06}")


@given(st.integers(0, 10**18 - 1), st.integers(1, 18))
def test_digits_are_cut_to_milliseconds_and_kept_when_there_are_not_three(number: int, digits: int) -> None:
    fraction = f"{number:018}"[:digits]
    moment = parse(f"2026-11-01T09:30:00.{fraction}Z")
    assert moment == Moment(1_793_525_400_000 + int(f"{fraction}00"[:3]), None if digits == 3 else fraction)


@pytest.mark.parametrize(
    ("text", "ms", "fraction"),
    [
        ("2026-11-01T09:30:00Z", 1_793_525_400_000, ""),
        ("2026-11-01t09:30:00z", 1_793_525_400_000, ""),
        ("2026-11-01 09:30:00+00:00", 1_793_525_400_000, ""),
        ("2026-11-01T09:30:00-00:00", 1_793_525_400_000, ""),
        ("2026-11-01T15:00:00.5+05:30", 1_793_525_400_500, "5"),
        ("2026-11-01T00:00:00.123-09:30", 1_793_525_400_123, None),
        ("2026-11-01T09:30:00.123456+00:00", 1_793_525_400_123, "123456"),
        ("1969-12-31T23:59:59.999Z", -1, None),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000, ""),
        ("2016-12-31T23:59:60.250Z", 1_483_228_800_250, None),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000, ""),
    ],
)
def test_accepted(text: str, ms: int, fraction: str | None) -> None:
    assert parse(text) == Moment(ms, fraction)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-11-01", "2026-11-01T09:30Z", "2026-11-01T09:30:00", "20261101T093000Z", "2026-W44-7T09:30:00Z"),
        *(
            "2026-13-01T09:30:00Z",
            "2026-02-29T09:30:00Z",
            "2026-11-31T09:30:00Z",
            "0000-01-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
        ),
        *("2026-11-01T24:00:00Z", "2026-11-01T09:60:00Z", "2026-11-01T09:30:61Z"),
        *("2026-11-01T09:30:00.Z", "2026-11-01T09:30:00,5Z", "2026-11-01T09:30:00." + "1" * 19 + "Z"),
        *(
            "2026-11-01T09:30:00+0530",
            "2026-11-01T09:30:00+05",
            "2026-11-01T09:30:00+24:00",
            "2026-11-01T09:30:00+05:60",
        ),
        *(
            "2026-11-01T09:30:00 Z",
            " 2026-11-01T09:30:00Z",
            "2026-11-01T09:30:00Z ",
            "2026-11-01T09:30:00Z\n",
            "2026-11-01_09:30:00Z",
        ),
        *(
            "2026-11-01T09:30:0 Z",
            "2026-11-01T+9:30:00Z",
            "\uff12\uff10\uff12\uff16-11-01T09:30:00Z",
            "2026-11-01T09:30:00.\u0661Z",
            "1793525400",
            "now",
        ),
    ],
)
def test_refused(text: str) -> None:
    assert parse(text) is None


@given(st.text(st.sampled_from("0123456789-:.TtZz+ ,W\n"), max_size=40))
def test_what_datetime_cannot_read_is_refused(text: str) -> None:
    if parse(text) is not None and ":60" not in text[17:19]:
        datetime.fromisoformat(text.upper()[:19])


WRITTEN = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["2026-11-01T09:30:", "2026-11-01 09:31:", "2026-11-31T09:30:", "2026-11-01T09:3"]),
    st.sampled_from(["00", "59", "60", "61", "5", ""]),
    st.sampled_from(["", "."]) | st.integers(0, 10**19).map(".{}".format) | st.text(".,12\u0661", max_size=6),
    st.sampled_from(["Z", "z", "+00:00", "Z+00:00", "+01:00", "-00:30", "+24:00", "", " Z", "1"]),
)


@given(st.lists(WRITTEN | st.text(max_size=30), max_size=6))
def test_one_reader_reads_as_it_does_without_a_memory(texts: list[str]) -> None:
    reader = Reader()
    assert [reader.read(text) for text in texts] == [parse(text) for text in texts]
