import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.periods import (
    DAY_NS,
    HOUR_NS,
    SECOND,
    clip,
    local_pieces,
    merge,
    newest_first,
    offsets,
    split,
    start_of,
)
from ingestor.model.questions import Period

# Transitions in these years: by an hour, by half an hour (Lord Howe), a whole day that never was (Apia, 30 December
# 2011), offsets of seconds (Monrovia until 1972) and a change that is on no full hour of UTC (St. John's at 00:01).
PLACES = [
    ("UTC", "2026-10-25T00:00"),
    ("Europe/Berlin", "2026-10-25T00:00"),
    ("Europe/Berlin", "2026-03-28T22:00"),
    ("Asia/Kolkata", "2026-10-25T00:00"),
    ("Asia/Kathmandu", "2026-10-25T00:00"),
    ("America/St_Johns", "2010-11-07T00:00"),
    ("Australia/Lord_Howe", "2026-04-04T12:00"),
    ("Australia/Lord_Howe", "2026-10-03T12:00"),
    ("Pacific/Apia", "2011-12-30T06:00"),
    ("Africa/Monrovia", "1972-01-06T22:00"),
]


def nanoseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(("zone", "begin"), PLACES)
@pytest.mark.parametrize("unit", [HOUR_NS, DAY_NS])
def test_every_instant_of_a_piece_is_in_its_local_hour_or_date(zone: str, begin: str, unit: int) -> None:
    period = Period(nanoseconds(begin) + 7, nanoseconds(begin) + 30 * HOUR_NS + 123)
    zone_info = ZoneInfo(zone)
    pieces = list(local_pieces(period, unit, zone_info))

    def local(time: int) -> tuple[int, ...]:
        at = datetime.fromtimestamp(time // SECOND, zone_info)
        return (at.year, at.month, at.day, at.hour) if unit == HOUR_NS else (at.year, at.month, at.day)

    assert pieces[0][1].since == period.since
    assert pieces[-1][1].until == period.until
    for (_, before), (_, after) in itertools.pairwise(pieces):
        assert before.until == after.since
    for start, piece in pieces:
        named = (start.year, start.month, start.day, start.hour)[: len(local(0))]
        instants = [*range(piece.since, piece.until, 60 * SECOND), piece.until - 1]
        assert {local(time) for time in instants} == {named}


@pytest.mark.parametrize(("zone", "begin"), PLACES)
def test_the_clocks_of_a_piece_are_ahead_of_utc_by_its_offset(zone: str, begin: str) -> None:
    period = Period(nanoseconds(begin) - 40 * DAY_NS + 7, nanoseconds(begin) + 40 * DAY_NS + 123)
    pieces = list(offsets(period, ZoneInfo(zone)))
    assert (pieces[0][1].since, pieces[-1][1].until) == (period.since, period.until)
    for (_, before), (_, after) in itertools.pairwise(pieces):
        assert before.until == after.since
    for offset, piece in pieces:
        for time in (*range(piece.since, piece.until, 7 * HOUR_NS), piece.until - 1):
            local = datetime.fromtimestamp(time // SECOND, ZoneInfo(zone)).replace(tzinfo=UTC)
            assert int(local.timestamp()) == time // SECOND + offset // SECOND
    assert len(pieces) == (1 if zone in {"UTC", "Asia/Kolkata", "Asia/Kathmandu"} else 2)


@given(st.tuples(st.integers(-9, 9), st.integers(-9, 900)), st.integers(-20, 950))
def test_newest_first_loses_and_repeats_nothing(edges: tuple[int, int], now: int) -> None:
    period = Period(edges[0] * DAY_NS + 1, edges[1] * DAY_NS)
    pieces = list(newest_first(period, now * DAY_NS))
    assert list(merge(reversed(pieces))) == ([period] if period.since < period.until else [])
    assert all(piece.since < piece.until for piece in pieces)
    assert len(pieces) <= 7


def test_no_clocks_in_no_time() -> None:
    assert list(offsets(Period(7, 7), ZoneInfo("Europe/Berlin"))) == []
    assert list(offsets(Period(7, 8), ZoneInfo("UTC"))) == [(0, Period(7, 8))]


def test_a_zone_of_whole_hours_is_cut_at_the_hours_of_utc_so_that_counters_can_answer() -> None:
    begin = nanoseconds("2026-10-24T00:00")
    pieces = [piece for _, piece in local_pieces(Period(begin, begin + 2 * DAY_NS), HOUR_NS, ZoneInfo("Europe/Berlin"))]
    assert pieces == [Period(begin + n * HOUR_NS, begin + (n + 1) * HOUR_NS) for n in range(48)]


def test_the_hour_that_comes_twice_is_the_same_hour_of_the_clock() -> None:
    begin = nanoseconds("2026-10-25T00:00")
    starts = [
        start for start, _ in local_pieces(Period(begin, begin + 3 * HOUR_NS), HOUR_NS, ZoneInfo("Europe/Berlin"))
    ]
    assert [start.hour for start in starts] == [2, 2, 3]


def test_no_time_has_no_pieces() -> None:
    assert list(local_pieces(Period(HOUR_NS, HOUR_NS), HOUR_NS, ZoneInfo("UTC"))) == []
    assert list(local_pieces(Period(DAY_NS, HOUR_NS), DAY_NS, ZoneInfo("UTC"))) == []


@given(st.integers(0, 5 * DAY_NS), st.integers(0, 5 * DAY_NS), st.sampled_from([HOUR_NS, DAY_NS]), st.integers(0, 3))
def test_split_loses_and_repeats_nothing(since: int, until: int, unit: int, snap: int) -> None:
    if snap & 1:
        since = start_of(since, unit)
    if snap & 2:
        until = start_of(until, unit)
    whole, edges = split(Period(since, until), unit)
    parts = sorted((part for part in [whole, *edges] if part.since < part.until), key=lambda part: part.since)
    assert whole.since % unit == whole.until % unit == 0
    assert all(edge.until - edge.since < 2 * unit for edge in edges)
    if since < until:
        assert (parts[0].since, parts[-1].until) == (since, until)
        assert all(before.until == after.since for before, after in itertools.pairwise(parts))
        hours = (until // unit) - -(-since // unit)
        assert whole.until - whole.since == max(hours, 0) * unit
    else:
        assert parts == []


def test_neighbours_are_merged_and_gaps_kept() -> None:
    periods = [Period(0, 1), Period(1, 3), Period(4, 5), Period(5, 6), Period(9, 10)]
    assert list(merge(periods)) == [Period(0, 3), Period(4, 6), Period(9, 10)]
    assert list(merge([])) == []


def test_clip_keeps_what_lies_within() -> None:
    assert clip(Period(0, 10), Period(3, 7)) == Period(3, 7)
    assert clip(Period(4, 5), Period(3, 7)) == Period(4, 5)


def test_hours_and_days_begin_at_midnight_utc() -> None:
    noon = datetime(2026, 11, 1, 12, 34, 56, tzinfo=UTC)
    time = int(noon.timestamp()) * SECOND + 789
    day = datetime.fromtimestamp(start_of(time, DAY_NS) // SECOND, UTC)
    assert day == noon.replace(hour=0, minute=0, second=0)
    assert datetime.fromtimestamp(start_of(time, HOUR_NS) // SECOND, UTC) == day + timedelta(hours=12)
