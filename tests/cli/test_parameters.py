import time
from datetime import UTC, datetime, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.cli.parameters import ACTION, Address, Moment

MOMENT = Moment()


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_a_written_moment_is_that_moment(naive: datetime, offset: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    sign, minutes = "+" if offset >= 0 else "-", abs(offset)
    local = (naive + timedelta(minutes=offset)).isoformat(timespec="microseconds")
    written = f"{local}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert MOMENT.convert(written, None, None) == microseconds * 1000


def test_nanoseconds_are_kept() -> None:
    assert MOMENT.convert("1970-01-01T00:00:01.123456789Z", None, None) == 1_123_456_789
    assert MOMENT.convert("1970-01-01T00:00:01.123Z", None, None) == 1_123_000_000
    assert MOMENT.convert("1970-01-01T00:00:01.5Z", None, None) == 1_500_000_000
    assert MOMENT.convert("1970-01-01T00:00:01Z", None, None) == 1_000_000_000


@pytest.mark.parametrize(
    ("written", "seconds"), [("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("2w", 1_209_600), ("now", 0)]
)
def test_a_span_is_so_long_ago(written: str, seconds: int) -> None:
    before = time.time_ns()
    moment = MOMENT.convert(written, None, None)
    assert before - seconds * 10**9 <= moment <= time.time_ns() - seconds * 10**9


@pytest.mark.parametrize(
    "written", ["", "7", "d", "-7d", "7 d", "7y", "2026-11-01", "2026-11-01T00:00:00", "2026-13-01T00:00:00Z"]
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match="RFC 3339"):
        MOMENT.convert(written, None, None)


def test_an_address_is_canonical() -> None:
    assert Address().convert("2001:DB8:0:0::1", None, None) == "2001:db8::1"


def test_an_action_may_be_short() -> None:
    assert ACTION.convert("refreshed", None, None) == ACTION.convert("token.refreshed", None, None) == "token.refreshed"
