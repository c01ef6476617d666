"""Half lines: the beginning of a line at the end of a file, which may have been taken for a line before its rest came."""

from ingestor.model.log_file import LogFile
from ingestor.model.unended import may_become_object


def half_line_at(file: LogFile, offset: int, max_line_bytes: int) -> bytes:
    """Return what is left of a file, if it is the beginning of a line that may go on elsewhere; else nothing. Raises OSError."""
    rest = file.read_at(offset, max_line_bytes + 1)
    is_half = b"\n" not in rest and len(rest) <= max_line_bytes
    return rest if is_half and may_become_object(rest) else b""


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
