"""Feed a file or a pipe to the explainer, line by line, in bounded memory."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from ingestor.format_check.misfit import Sample
from ingestor.jobs.backfill import open_for_reading
from ingestor.jobs.explain import Explainer, Explanation
from ingestor.model.identity import generation_hash, telling_head
from ingestor.model.log_file import LogFile
from ingestor.sources.block import SHOWN_BYTES
from parsers.envelopes.cutting import Cutter
from parsers.envelopes.records import is_part
from parsers.formats.encodings import LOOK_BYTES

_STEP = 1 << 16
_KEPT_BYTES = 1 << 18


class _Contents(io.RawIOBase):
    """A log file, plain or compressed, as a stream."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io.BufferedReader passes a memoryview
        data = self._file.read_at(self._offset, len(buffer))
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class KeptHead:
    """A stream whose first lines are kept, to look at them once all are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept: list[bytes] = []
        self._left = _KEPT_BYTES

    def readline(self, limit: int) -> bytes:
        """Return the next line, or its next ``limit`` bytes."""
        line = self._stream.readline(limit)
        if self._left > 0:
            self._kept.append(line[: self._left])
            self._left -= len(line)
        return line

    def sample(self) -> Sample:
        """Return what was kept."""
        data = b"".join(self._kept)
        return Sample(data, data[:LOOK_BYTES])


def open_stream(path: Path) -> BinaryIO:
    """Open a log, plain or compressed. Raises TokentailError; reading may raise DamagedFileError."""
    return io.BufferedReader(_Contents(open_for_reading(str(path))), _STEP)


def explain_stream(
    stream: IO[bytes] | KeptHead, explainer: Explainer, *, max_line_bytes: int, now_ms: int
) -> Iterator[Explanation]:
    """Explain every line but blank ones, as if the stream were a generation read from its start."""
    h, ordinal, head = None, 0, b""
    held, cutter = b"", Cutter()
    while line := stream.readline(max_line_bytes + 2):
        if h is None:
            head += line
            told = telling_head(head, closed=not line.endswith(b"\n"))
            h = None if told is None else generation_hash(told)
        is_too_long = len(line.removesuffix(b"\n")) > max_line_bytes
        if not is_too_long:
            held += line
            if is_part(line) and len(held) <= max_line_bytes:
                continue
        while cut := cutter.next(held, full=is_too_long or len(held) > max_line_bytes):
            data, held = held[: cut.length], held[cut.length :]
            yield from explainer.explain(data, h=h or 0, ordinal=ordinal, now_ms=now_ms, is_rest=cut.is_rest)
            ordinal += data.count(b"\n")
        if is_too_long:
            yield explainer.too_long(line[:SHOWN_BYTES], ordinal=ordinal, limit=max_line_bytes, now_ms=now_ms)
            ordinal += 1
            while line and not line.endswith(b"\n"):
                line = stream.readline(_STEP)
    if held:
        yield from explainer.explain(held, h=h or 0, ordinal=ordinal, now_ms=now_ms)
