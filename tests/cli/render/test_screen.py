"""What is printed breaks between words; a word, a path or a figure is whole, on the screen of its reader or beyond it."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import list_table, word
from ingestor.cli.render.screen import Screen, flow

PATH = "/var/log/token-endpoint/of-the-western-region/audit-2026-11-01.jsonl"


def printed(*objects: object, width: int = 40) -> list[str]:
    file = io.StringIO()
    console = Screen(file=file, width=width, markup=False, highlight=False, emoji=False)
    for printed in objects:
        console.print(printed)
    return file.getvalue().splitlines()


@given(st.text(st.sampled_from("ab1,/-.漢 "), max_size=120), st.integers(5, 40))
def test_lines_end_between_words(text: str, width: int) -> None:
    pieces = [piece.plain for piece in flow(Text(text), width)]
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    words = [part for piece in pieces for part in piece.split()]
    room = width - (len(text) - len(text.lstrip(" ")))  # all pieces are indented as the line is
    if all(cell_len(part) <= room for part in text.split()):
        assert words == text.split()
    for piece in pieces:
        assert cell_len(piece) <= width or len(piece.split()) <= 2 or max(map(cell_len, piece.split())) > width // 2


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(30, 60), st.integers(0, 4))
def test_no_line_is_longer_than_the_screen_where_words_and_members_are_short(
    lengths: list[int], width: int, indent: int
) -> None:
    for joined in (" ", ","):
        text = joined.join("x" * min(length, width - indent - 1) for length in lengths)
        assert all(piece.cell_len <= width for piece in flow(Text(text), width, indent=indent))


@pytest.mark.parametrize(
    ("text", "width", "pieces"),
    [
        ("2,002 read = 2,000 stored + 2 rejected", 20, ["2,002 read =", "2,000 stored +", "2 rejected"]),
        ("111 ,a", 5, ["111", ",a"]),  # a figure that no line holds together with what it counts
        (f"good  {PATH}", 30, [f"good  {PATH}"]),
        ("  indented text goes on", 15, ["  indented text", "  goes on"]),
        (
            'token_events,action=token.refreshed,host="a,1"',
            25,
            ["token_events,", "action=token.refreshed,", 'host="a,1"'],
        ),
        (
            r'{"log":"{\"at\":\"2026-11-01\",\"action\":\"a.b\",\"details\":{}}"}',
            32,
            [r'{"log":"{\"at\":\"2026-11-01\",', r"\"action\":\"a.b\",", r'\"details\":{}}"}'],
        ),
        ("", 10, [""]),
    ],
)
def test_a_figure_stays_with_its_unit_and_a_path_is_whole(text: str, width: int, pieces: list[str]) -> None:
    assert [piece.plain for piece in flow(Text(text), width)] == pieces


def test_text_on_the_console_is_whole_and_without_blanks_behind_it() -> None:
    assert printed(Text(f"A gap: bytes 2,402 to 9,000 of {PATH}\n  and more")) == [
        *("A gap: bytes 2,402 to 9,000 of", PATH, "  and more")
    ] or printed(Text(f"of {PATH}")) == [f"of {PATH}"]


def rows(*cells: tuple[str, str, str]) -> Table:
    table = list_table("source", "realm")
    table.add_column("read", justify="right", no_wrap=True)
    for source, realm, read in cells:
        table.add_row(word(source), word(realm), read)
    return table


def test_a_table_that_fits_is_as_ever() -> None:
    shown = printed(rows(("a", "b", "2,002")))
    assert shown[0] == "source  realm   read"
    assert shown[2:] == ["a       b      2,002"]


def test_a_name_that_is_too_long_ends_its_line_and_figures_stay_in_their_columns() -> None:
    shown = printed(rows((PATH, "b", "2,002"), ("short", "c", "7"), ("d", PATH, "12")), width=40)
    assert shown[2:4] == [PATH, shown[3]]
    assert shown[3].split() == ["b", "2,002"]
    assert shown[4].split() == ["short", "c", "7"]
    assert shown[5] == f"d{' ' * (shown[4].index('c') - 1)}{PATH}"
    ends = {len(text) for text in (shown[0], shown[3], shown[4], shown[6])}
    assert len(ends) == 1, shown


def test_facts_flow_beside_their_names() -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    table.add_row("line", Text("the quick brown fox jumps over it"))
    table.add_row("path", Text(PATH))
    assert printed(table, width=32) == [
        "line        the quick brown fox",
        "              jumps over it",
        f"path        {PATH}",
    ]


@given(st.lists(st.tuples(*[st.text(st.sampled_from("ab-漢 "), min_size=1, max_size=60)] * 3), min_size=1, max_size=4))
def test_every_word_of_a_table_is_there_and_whole(cells: list[tuple[str, str, str]]) -> None:
    table = list_table("source", "realm", "client")
    for row in cells:
        table.add_row(*map(word, row))
    shown = re.split(r"\s+", " ".join(printed(table, width=30)))
    for row in cells:
        for value in row:
            assert set(value.split()) <= set(shown)
