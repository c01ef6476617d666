"""The view fits its terminal, degrades, and shows hostile text as text."""

from collections import Counter
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from ingestor.demo import chart, view
from ingestor.demo.chart import Glyphs
from ingestor.demo.endpoint import Happening
from ingestor.demo.frame import BUCKETS, Bucket, Frame
from ingestor.demo.personas import DAY_MS, HOUR_MS
from ingestor.demo.providers import NATIVE, PROVIDERS, Provider
from ingestor.demo.screen import LineScreen
from ingestor.model.accounting import Account
from ingestor.model.questions import Ranked, Record, Stats
from parsers.contract import OUTCOMES, Reason

START_MS = 1_793_525_400_123
UTC = ZoneInfo("UTC")
HOSTILE = "\x1b[2J[bold red]root[/]\n\x9b31m\u202etxt"


def frame(text: str = "web-app") -> Frame:
    record = Record(
        time="2026-11-01T09:30:00.123Z",
        action="token.validation_failed",
        outcome="failure",
        client_id=text,
        user_id=text,
        grant_type="other",
        scopes=text,
        ip="203.0.113.9",
        user_agent=text,
        error=text,
        error_detail=text,
        expires_in=60,
        event_id="id",
        realm=None,
        endpoint="token",
        source="s",
        host="h",
    )
    return Frame(
        START_MS,
        START_MS + DAY_MS - 1,
        22_881,
        Account(22_880, 22_343, Counter({Reason.INVALID_JSON: 18}), 519),
        Stats(
            *(7_474, 2_077, 1_300, 119, 529, 25, 1_854, 3_519, 598, 17, 0),
            *(0.123, 0.7, 2_215.0, 1.0),
            by_action=dict.fromkeys(OUTCOMES, 10_876),
        ),
        [Bucket(10 * number, number % 7) for number in range(BUCKETS)],
        [Ranked(text, None, 10_169, 1, 1, 1_600)] * 12,
        [record] * 12,
        [
            Happening(
                START_MS + 8 * HOUR_MS, "renamed", "The log is renamed and made anew; 5 late lines go to the old file"
            ),
            Happening(START_MS + 12 * HOUR_MS, "attack", "Three addresses begin to guess", alarming=True),
            Happening(START_MS + 16 * HOUR_MS, "truncated", "The log is copied, then cut to nothing"),
        ],
    )


def drawn(
    width: int,
    height: int,
    *,
    title: str = NATIVE.name,
    coloured: bool = False,
    unicode: bool = True,
    text: str = "web-app",
) -> list[str]:
    console = Console(
        file=StringIO(),
        width=width,
        height=height,
        force_terminal=coloured,
        color_system="truecolor" if coloured else None,
    )
    picture = view.render(
        frame(text),
        title=title,
        width=width,
        height=height,
        zone=UTC,
        glyphs=Glyphs(coloured=coloured, unicode=unicode),
    )
    with console.capture() as capture:
        console.print(picture)
    return capture.get().splitlines()


@pytest.mark.parametrize(
    ("width", "height"), [(80, 20), (80, 24), (100, 30), (111, 36), (112, 24), (112, 36), (120, 40), (200, 60)]
)
def test_the_view_fills_the_terminal_and_no_more(width: int, height: int) -> None:
    lines = drawn(width, height)
    assert len(lines) == height - 1
    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("width", [80, 120])
def test_the_heading_is_whole_and_says_whose_log_it_is(provider: Provider, width: int) -> None:
    heading = drawn(width, 24, title=provider.name)[0]
    assert heading.startswith(f" tokentail demo: {provider.name}   events and failures in 20")
    assert heading.endswith(" 09:30 UTC")


def test_the_accounting_is_whole_at_80_columns() -> None:
    assert drawn(80, 24)[-1].rstrip() == "written 22,881  read 22,880 = stored 22,343 + rejected 18 + ignored 519"


def test_what_happened_stands_under_its_time() -> None:
    lines = drawn(80, 24)
    marks = next(line for line in lines if "▲" in line)
    # 8 of 24 hours are a third of the bars, which begin at column 6.
    assert [marks.index(f"▲ {label}") for label in ("renamed", "attack", "truncated")] == [30, 42, 54]


@pytest.mark.parametrize("width", [80, 120])
def test_hostile_text_is_only_text(width: int) -> None:
    output = "\n".join(drawn(width, 24, text=HOSTILE))
    assert not {"\x1b", "\x9b", "\u202e"} & set(output)
    assert "\ufffd[2J[bold" in output


def test_without_unicode_everything_is_ascii_and_failures_differ_without_colour() -> None:
    output = "\n".join(drawn(80, 24, unicode=False))
    assert output.replace("…", "").isascii()  # rich's own mark of a cut; run_demo lets such a terminal write "?" for it
    assert "####" in output
    bars = chart.bars([Bucket(8, 8), Bucket(8, 0)], 2, Glyphs(coloured=False, unicode=True))
    assert [bar.plain[-2:] for bar in bars] == ["x█", "x█"]


def test_bars_are_as_high_as_their_events_and_failures() -> None:
    glyphs = Glyphs(coloured=True, unicode=True)
    high, low = chart.bars([Bucket(16, 0), Bucket(12, 4), Bucket(1, 0), Bucket(0, 0), Bucket(16, 16)], 2, glyphs)
    assert high.plain[6:] == "█▄  █"
    assert low.plain[6:] == "█▄▁ █"
    assert [str(span.style) for span in low.spans] == ["dim", "green", "red on green", "green", "green", "red"]


def test_axis_labels_stand_at_full_hours_and_are_never_cut() -> None:
    for minutes in range(0, 24 * 60, 10):
        line = chart.axis(START_MS + minutes * 60_000, ZoneInfo("Asia/Kolkata")).plain
        assert all(len(label) == 5 and label.endswith(":00") for label in line.split())
        assert len(line) <= chart.WIDTH


def test_lines_are_printed_once_each() -> None:
    console = Console(file=StringIO(), width=80)
    with LineScreen(console, UTC) as screen, console.capture() as capture:
        screen.show(frame())
        screen.show(frame())
    assert len(capture.get().splitlines()) == 4
    assert "22,881 lines written" in capture.get()
