"""Half lines: the beginning of a line at the end of a file, which may have been taken for a line before its rest came.

What is said of them holds for a record of several lines as well that has no end yet.
"""

from ingestor.model.log_file import LogFile
from ingestor.model.unended import may_become_object
from parsers.envelopes.records import whole


def half_line_at(file: LogFile, offset: int, max_line_bytes: int) -> bytes:
    """Return what is left of a file, if it is the beginning of a line, or of a record, that may go on elsewhere; else nothing.

    Raises OSError.
    """
    rest = file.read_at(offset, max_line_bytes + 1)
    if len(rest) > max_line_bytes or whole(rest):
        return b""
    return rest if b"\n" in rest or may_become_object(rest) else b""


def half_line_before(file: LogFile, offset: int, chunk: bytes, max_line_bytes: int) -> bytes:
    """Return the half line that ends at an offset, if it goes on with the bytes that follow it there (``chunk``); else nothing.

    Raises OSError.
    """
    most = max_line_bytes + 1
    before = file.read_at(max(0, offset - most), min(most, offset))
    half = before[before.rfind(b"\n") + 1 :].lstrip(b"\0")
    whole = len(half) + len(chunk.partition(b"\n")[0])
    goes_on = len(half) < whole <= max_line_bytes
    return half if goes_on and may_become_object(half) else b""
