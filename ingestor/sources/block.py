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
    """Consecutive lines of one generation. The parts of a record that was split over several are in one block."""

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
    is_rest: bool = False
    """These lines are the rest of a record that was given up, since it was too long or had no end: nothing is made of them."""

    @property
    def lines(self) -> int:
        """How many there are, blank ones too."""
        return 1 if self.too_long else self.data.count(b"\n") + (not self.data.endswith(b"\n"))
