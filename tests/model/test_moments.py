"""Times as people write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.moments import moment, written

SECOND = 10**9
NOW = 1_795_945_530 * SECOND + 123
"""2026-11-29T09:45:30.000000123Z."""


def at(text: str) -> int:
    """Return nanoseconds of ISO 8601 with an offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * SECOND


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_a_time_with_an_offset_is_that_time_in_every_zone(naive: datetime, offset: int) -> None:
    sign, minutes = "+" if offset >= 0 else "-", abs(offset)
    local = (naive + timedelta(minutes=offset)).isoformat(timespec="microseconds")
    text = f"{local}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    microseconds = (naive.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert moment(text, NOW, "UTC") == moment(text, NOW, "Asia/Kolkata") == microseconds * 1000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01.123456789Z", 1_123_456_789),
        ("1970-01-01T00:00:01.123Z", 1_123_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.123456789", 1_123_456_789),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:01Z", 60 * SECOND),
        ("1970-01-01 01:01+01:00", 60 * SECOND),
    ],
)
def test_nanoseconds_are_kept_and_seconds_may_be_left_out(text: str, nanoseconds: int) -> None:
    assert moment(text, NOW, "UTC") == nanoseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600), ("now", 0)),
        *(("1h30m", 5400), ("1w2d3h4m5s", 788_645), ("90s", 90), ("0d", 0)),
    ],
)
def test_a_span_is_so_long_ago(text: str, seconds: int) -> None:
    assert moment(text, NOW, "UTC") == NOW - seconds * SECOND


@pytest.mark.parametrize(
    ("text", "zone", "begins"),
    [
        ("2026-11-29", "UTC", "2026-11-29T00:00+00:00"),
        ("2026-11-29", "Europe/Berlin", "2026-11-29T00:00+01:00"),
        ("2026-07-01", "Europe/Berlin", "2026-07-01T00:00+02:00"),
        ("2026-11-29T00:00", "Asia/Kolkata", "2026-11-29T00:00+05:30"),
        ("2026-11-29 09:30:15", "America/New_York", "2026-11-29T09:30:15-05:00"),
        ("today", "UTC", "2026-11-29T00:00+00:00"),
        ("yesterday", "UTC", "2026-11-28T00:00+00:00"),
        ("today", "Pacific/Kiritimati", "2026-11-29T00:00+14:00"),
        ("yesterday", "Pacific/Midway", "2026-11-27T00:00-11:00"),
        ("all", "Europe/Berlin", "1970-01-01T00:00+00:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T02:30+02:00"),  # twice there: the first
    ],
)
def test_dates_and_hours_are_of_the_zone(text: str, zone: str, begins: str) -> None:
    assert moment(text, NOW, zone) == at(begins)


def test_yesterday_after_a_change_of_the_clock_is_a_day_of_the_calendar() -> None:
    after = at("2026-10-25T12:00+01:00")
    today, yesterday = moment("today", after, "Europe/Berlin"), moment("yesterday", after, "Europe/Berlin")
    assert today is not None
    assert yesterday is not None
    assert today - yesterday == 24 * 3600 * SECOND
    tomorrow = moment("2026-10-26", after, "Europe/Berlin")
    assert tomorrow is not None
    assert tomorrow - today == 25 * 3600 * SECOND


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "7",
            "d",
            "-7d",
            "7 d",
            "7y",
            "h30",
            "1h 30m",
            "2026-13-01",
            "2026-02-30",
            "2026-11-29T",
            "2026-11-29T24:00",
        ),
        *(
            "2026-11-29T00",
            "2026-11-29Z",
            "2026-11-29T00:00X",
            "2026-11-29T00:00:00+1",
            "29.11.2026",
            "lately",
            "\u0667d",
        ),
        *("2026-11-29T00:00:00Z ", "2026-13-01T00:00:00Z"),
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert moment(text, NOW, "UTC") is None


@given(
    st.dates(min_value=date(1971, 1, 1), max_value=date(2200, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
def test_a_date_begins_at_midnight_there(day: date, zone: str) -> None:
    begins = moment(day.isoformat(), NOW, zone)
    assert begins is not None
    there = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=begins // SECOND)
    assert there.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime.combine(day, datetime.min.time())


@given(st.integers(0, 9_214_646_400_000_000_000))
def test_a_written_time_can_be_asked_for_again(time: int) -> None:
    assert moment(written(time), NOW, "Asia/Kolkata") == time
