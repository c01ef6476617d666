"""Where the blocks of a log end: behind whole records. For whoever reads a log in order."""

from typing import NamedTuple

from parsers.envelopes.records import beginning, is_part, rest, whole


class Cut(NamedTuple):
    """The next lines of a log that belong into one block."""

    length: int
    """In bytes; 0 when more must be read first."""
    is_rest: bool = False
    """Whether they are the rest of a record that was given up: nothing is to be made of them."""

    def __bool__(self) -> bool:
        return self.length > 0


class Cutter:
    """Remembers of the lines that were read whether their last one was a part, whose record was given up."""

    def __init__(self, before: bytes = b"") -> None:
        r"""``before``: the line in front of the first, without its ``\n``."""
        self._part = before if is_part(before) else b""

    def next(self, data: bytes, *, full: bool) -> Cut:
        """Return how much of the bytes that come next is a block, and remember that it was taken.

        ``full``: no more can be held back. A record that has no end in so many bytes is given up: what is there of it is a block.
        """
        if self._part and b"\n" in data:
            if length := rest(self._part, data):
                self._take(data, length)
                return Cut(length, is_rest=True)
            self._part = b""
        length = whole(data)
        if not length and full and b"\n" in data:
            length = beginning(data)
            self._take(data, length)
        return Cut(length)

    def _take(self, data: bytes, length: int) -> None:
        last = data[data.rfind(b"\n", 0, length - 1) + 1 : length - 1]
        self._part = last if is_part(last) else b""
