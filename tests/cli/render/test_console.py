from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ingestor.cli.render import charts
from ingestor.cli.render.console import duration, local_time, percent, period_text
from ingestor.cli.render.wrap import fold
from ingestor.model.questions import PeakCell, Period

HOUR = 3600 * 10**9


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0 s"),
        (59.6, "1 min"),
        (3600, "1 h"),
        (5400.2, "1 h 30 min"),
        (90_061, "1 d 1 h"),
        (30, "30 s"),
    ],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "-"), (0, "0.0%"), (0.0186, "1.9%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.5, "50%"), (1, "100%")],
)
def test_percent(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_a_period_is_shown_in_its_zone() -> None:
    since = int(datetime(2026, 11, 1, 23, 30, tzinfo=UTC).timestamp()) * 10**9
    assert period_text(Period(since, since + HOUR), "UTC") == "2026-11-01 23:30 to 2026-11-02 00:30, UTC"
    assert "2026-11-02 05:00 to 2026-11-02 06:00, Asia/Kolkata" in period_text(
        Period(since, since + HOUR), "Asia/Kolkata"
    )
    assert "23:30:00 to 2026-11-01 23:30:05" in period_text(Period(since, since + 5 * 10**9), "UTC")


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_any_time_can_be_shown(nanoseconds: int) -> None:
    assert local_time(nanoseconds, "Asia/Kolkata").tzinfo is not None


@given(st.text(st.sampled_from("ab/-:.漢 ")), st.integers(2, 40))
def test_folding_keeps_every_character_and_the_width(text: str, width: int) -> None:
    pieces = fold(text, width)
    assert "".join(pieces) == text
    assert all(cell_len(piece) <= width for piece in pieces)


@pytest.mark.parametrize(
    ("text", "width", "pieces"),
    [
        ("issued.authorization_code", 18, ["issued.", "authorization_code"]),
        ("2001:db8:58:11a::4", 15, ["2001:db8:58:", "11a::4"]),
        ("/var/log/endpoint/token-audit.log", 20, ["/var/log/endpoint/", "token-audit.log"]),
        ("a-" + "b" * 20, 10, ["a-bbbbbbbb", "bbbbbbbbbb", "bb"]),
        ("web-app", 7, ["web-app"]),
        ('{"time":"2026-11-30T09:00:28.028Z","a":1}', 38, ['{"time":"2026-11-30T09:00:28.028Z",', '"a":1}']),
        ('{"action": "token.refreshed"}', 20, ['{"action": ', '"token.refreshed"}']),
        ("read 2,002 of them", 8, ["read ", "2,002 ", "of them"]),
    ],
)
def test_a_value_folds_where_a_reader_would(text: str, width: int, pieces: list[str]) -> None:
    assert fold(text, width) == pieces


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 60))
def test_a_bar_is_proportional_and_never_nothing_for_something(part: int, whole: int, width: int) -> None:
    share = min(part, whole) / whole
    for ascii_only in (False, True):
        drawn = charts.bar(share, width, ascii_only=ascii_only)
        assert len(drawn) <= width
        assert bool(drawn) == bool(part)
        assert drawn.isascii() or not ascii_only
        assert abs(len(drawn) - share * width) <= 1


@pytest.mark.parametrize("width", [40, 60, 76, 200])
@settings(max_examples=25)  # of 168 hours each; to draw them takes rich a while
@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 23)), st.integers(0, 10**9)))
def test_the_week_fits_and_every_hour_is_told_from_none(width: int, events: dict[tuple[int, int], int]) -> None:
    tables, legend = charts.heat_map(
        (PeakCell(day, hour, count) for (day, hour), count in events.items()), width=width, ascii_only=True
    )
    console = Console(width=width, color_system=None)
    hours: list[str] = []
    week: list[list[str]] = [[] for _ in charts.WEEKDAYS]
    for table in tables:
        with console.capture() as capture:
            console.print(table)
        heading, *days = capture.get().splitlines()
        hours += heading.split()
        assert len(days) == 7
        for day, text in enumerate(days):
            name, *cells = text.split()
            assert name == charts.WEEKDAYS[day]
            week[day] += cells
    assert hours == [f"{hour:02d}" for hour in range(24)]
    for day, cells in enumerate(week):
        assert [cell == "." for cell in cells] == [not events.get((day, hour)) for hour in range(24)]
    assert "events" in legend


def test_the_unit_of_the_week_is_said() -> None:
    cells = [PeakCell(0, 9, 17_442), PeakCell(4, 13, 499)]
    (table,), legend = charts.heat_map(cells, width=76, ascii_only=False)
    console = Console(width=76, color_system=None)
    with console.capture() as capture:
        console.print(table)
    assert " 17 " in capture.get()
    assert " <1 " in capture.get()
    assert "in units of 1,000" in legend
    assert charts.busiest(cells) == PeakCell(0, 9, 17_442)
    assert charts.busiest([PeakCell(1, 1, 5), PeakCell(0, 9, 5)]) == PeakCell(0, 9, 5)
