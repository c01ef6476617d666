"""Which lines of a file are whose: stretches, against a list with one entry for each line."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.generation import Generation, Match, Position, Stretch

OWN = 7
"""The number of the generation that the file is read as."""


class Line(NamedTuple):
    """The truth about one line of the file."""

    offset: int
    generation: int
    ordinal: int


class Lines(NamedTuple):
    """Lines in a row."""

    of: int
    lines: int
    first: int
    """Ordinal of the first, of another generation's lines; own ones go on where they were."""


PIECES = st.lists(
    st.builds(Lines, st.sampled_from((OWN, 1, 2)), st.integers(1, 4), st.integers(0, 30)), min_size=1, max_size=8
)


def made(pieces: list[Lines], lengths: st.DataObject | None = None) -> tuple[Generation, list[Line]]:
    """Return a generation that was read in these pieces, and what is true of its file."""
    generation, truth, own, offset = Generation(OWN, "s", "p", 1, 2), list[Line](), 0, 0
    for piece in pieces:
        ordinal = own if piece.of == OWN else piece.first
        generation.extend(Stretch(offset, len(truth), piece.of, ordinal))
        for line in range(piece.lines):
            truth.append(Line(offset, piece.of, ordinal + line))
            offset += lengths.draw(st.integers(1, 9), "length") if lengths else 10
        own += piece.lines if piece.of == OWN else 0
    return generation, truth


@given(PIECES, st.data())
def test_each_line_and_each_byte_has_the_owner_that_was_noted(pieces: list[Lines], data: st.DataObject) -> None:
    generation, truth = made(pieces, data)
    for number, line in enumerate(truth):
        owner = generation.owner_of_line(number)
        assert (owner.line, owner.generation, owner.ordinal) == (number, line.generation, line.ordinal)
        stretch, end = generation.stretch_at(line.offset)
        assert (stretch.generation, stretch.ordinal + number - stretch.line) == (line.generation, line.ordinal)
        assert stretch.offset <= line.offset
        assert end is None or end > line.offset
    assert generation.begins_at == next((line.offset for line in truth if line.generation == OWN), None)


@given(PIECES)
def test_a_stretch_ends_only_where_the_next_line_does_not_go_on(pieces: list[Lines]) -> None:
    generation, truth = made(pieces)
    turns = [
        Stretch(line.offset, number, line.generation, line.ordinal)
        for number, line in enumerate(truth)
        if not number
        or (line.generation, line.ordinal) != (truth[number - 1].generation, truth[number - 1].ordinal + 1)
    ]
    assert generation.stretches == ([] if turns == [Stretch(0, 0, OWN, 0)] else turns)


def test_of_a_file_of_its_own_all_lines_are_its_own() -> None:
    generation = Generation(OWN, "s", "p", 1, 2)
    generation.extend(Stretch(0, 0, OWN, 0))
    generation.extend(Stretch(50, 5, OWN, 5))
    assert generation.stretches == []
    assert generation.begins_at == 0
    assert generation.owner_of_line(5) == Stretch(0, 5, OWN, 5)
    assert generation.stretch_at(50) == (Stretch(0, 0, OWN, 0), None)


def test_a_file_that_begins_as_another_one() -> None:
    generation = Generation(OWN, "s", "p", 1, 2)
    generation.extend(Stretch(0, 0, 1, 0))
    begins = [generation.begins_at]
    generation.extend(Stretch(30, 3, OWN, 0))
    generation.extend(Stretch(40, 4, OWN, 1))
    assert generation.stretches == [Stretch(0, 0, 1, 0), Stretch(30, 3, OWN, 0)]
    assert [*begins, generation.begins_at] == [None, 30]
    assert generation.owner_of_line(2) == Stretch(0, 2, 1, 2)
    assert generation.owner_of_line(6) == Stretch(30, 6, OWN, 3)
    assert generation.stretch_at(29) == (Stretch(0, 0, 1, 0), 30)
    assert generation.stretch_at(30) == (Stretch(30, 3, OWN, 0), None)


def test_a_file_that_becomes_another_one_after_lines_of_its_own() -> None:
    generation = Generation(OWN, "s", "p", 1, 2)
    generation.extend(Stretch(20, 2, 1, 8))
    assert generation.stretches == [Stretch(0, 0, OWN, 0), Stretch(20, 2, 1, 8)]
    assert generation.begins_at == 0
    assert generation.owner_of_line(1) == Stretch(0, 1, OWN, 1)


def test_removed_lines_end_a_stretch() -> None:
    generation = Generation(OWN, "s", "p", 1, 2)
    generation.extend(Stretch(0, 0, 1, 0))
    generation.extend(Stretch(30, 3, 1, 3))
    generation.extend(Stretch(60, 6, 1, 9))
    assert generation.stretches == [Stretch(0, 0, 1, 0), Stretch(60, 6, 1, 9)]


def test_a_stretch_that_is_noted_again_after_a_failed_read_changes_nothing() -> None:
    generation = Generation(OWN, "s", "p", 1, 2)
    for _ in range(2):
        generation.extend(Stretch(0, 0, 1, 0))
    for _ in range(2):
        generation.extend(Stretch(30, 3, OWN, 0))
    assert len(generation.stretches) == 2


@pytest.mark.parametrize(
    ("content", "kinship"),
    [
        (b"abcdefgh", Match.SAME),
        (b"abcdefghi", Match.SAME),
        (b"abcdefg", Match.PREFIX),
        (b"abXdefgh", Match.OTHER),
        (b"abcdefgX", Match.OTHER),
        (b"", Match.OTHER),
    ],
)
def test_kinship_is_told_by_content(content: bytes, kinship: Match) -> None:
    mark = Position.at(8, b"abcd", b"efgh")
    assert mark.kinship(len(content), content[:4], content[4:8]) is kinship
    assert Position().kinship(len(content), b"", b"") is Match.SAME, "of which nothing was read, anything may be"
