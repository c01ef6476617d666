"""What a source hands out: lines in a row of one stream, and where they stand in it."""

from typing import Final, NamedTuple

from ingestor.model.generation import Generation

SHOWN_BYTES: Final = 4096
"""How much of an over-long line is kept for the rejected file (which redacts and cuts it further)."""


class TooLong(NamedTuple):
    """A line beyond ``max_line_bytes``; the block's data holds its first bytes alone."""

    length: int
    sha256: str


class Block(NamedTuple):
    """Consecutive lines of one generation."""

    generation: Generation
    offset: int
    """In the file."""
    ordinal: int
    data: bytes
    r"""Whole lines, each with its ``\n``; or one last line without (of a closed generation)."""
    repeat: bool
    """These lines were counted before: their points are written again, and change nothing."""
    too_long: TooLong | None = None
    finishes: tuple[int, int] | None = None
    """The first line was taken before it was whole: whose it was then (by number), and where it begins."""
