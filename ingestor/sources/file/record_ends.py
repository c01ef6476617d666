"""Where the blocks of a file end: behind whole records, some of which are split over several lines (``parsers.envelopes``)."""

from typing import Final

from ingestor.model.generation import TAIL_BYTES
from ingestor.model.log_file import LogFile
from parsers.envelopes.cutting import Cut, Cutter

_LOOK_BACK_BYTES: Final = 1 << 17
"""More than a part of a record takes."""


class RecordEnds:
    """Those of one file, which is read forwards. Where it is not, what stands before a byte is looked at once."""

    def __init__(self, file: LogFile, max_line_bytes: int) -> None:
        self._file = file
        self._max_line_bytes = max_line_bytes
        self._cutter = Cutter()
        self._at = 0

    def cut(self, chunk: bytes, at: int) -> Cut:
        """Return what of the bytes from a place in the file on is a block. Raises OSError, files.DamagedFileError.

        A record of more than ``max_line_bytes`` is given up.
        """
        if at != self._at:
            self._cutter = Cutter(self._line_before(at))
        cut = self._cutter.next(chunk, full=len(chunk) > self._max_line_bytes)
        self._at = at + cut.length
        return cut

    def _line_before(self, at: int) -> bytes:
        r"""Return the line that ends at a byte, without its ``\n``; nothing where none does, or it is too long to be a part."""
        for length in (TAIL_BYTES, _LOOK_BACK_BYTES):  # of a compressed file the last few KiB can be read again
            start = max(0, at - length)
            before = self._file.read_at(start, at - start)
            if not before.endswith(b"\n"):
                return b""
            line, found = before[:-1].rpartition(b"\n")[2], before.count(b"\n") > 1
            if found or not start:
                return line
        return b""
