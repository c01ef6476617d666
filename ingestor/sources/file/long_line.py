"""Lines beyond ``max_line_bytes``: they are measured in bounded memory, and only their first bytes are kept."""

import hashlib

from ingestor.model.log_file import LogFile
from ingestor.sources.block import SHOWN_BYTES, TooLong
from ingestor.sources.file.files import ContentChangedError


class LongLine:
    """An over-long line that is being passed over. It is not kept in the state: a restart passes over it again."""

    def __init__(self, head: bytes) -> None:
        """``head``: its first bytes, which are not measured by that."""
        self.head = head[:SHOWN_BYTES]
        self.length = 0
        """Bytes that were passed over."""
        self._sha256 = hashlib.sha256()

    def add(self, part: bytes) -> None:
        """Pass over the next bytes of the line."""
        self.length += len(part)
        self._sha256.update(part)

    def measure(self) -> TooLong:
        """Return what is told of the line, once all of it was passed over."""
        return TooLong(self.length, self._sha256.hexdigest())


def measure_long_line(file: LogFile, begin: int, limit: int, step: int) -> tuple[int, TooLong]:
    """Return how many bytes a long line takes, with its end, and its measure. It ends at ``limit`` at the latest.

    ``step``: how many bytes are read at a time. Raises ContentChangedError when the file ends before, and as ``read_at`` does.
    """
    line = LongLine(b"")
    while begin + line.length < limit:
        at = begin + line.length
        chunk = file.read_at(at, min(step, limit - at))
        if not chunk:
            raise ContentChangedError
        end = chunk.find(b"\n")
        line.add(chunk if end < 0 else chunk[:end])
        if end >= 0:
            return line.length + 1, line.measure()
    return line.length, line.measure()
