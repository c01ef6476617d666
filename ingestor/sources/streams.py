r"""The streams of a source that is no file, as the state keeps them: where each was left, and what it hands out.

The state was made for files. So a position is kept as a file's is: the number of bytes that were read, and, in the place of
a fingerprint, bytes that only the source understands (an offset, a cursor, a token).
"""

import hashlib
import time
from typing import Final

from ingestor.model.generation import Generation, Position, Status
from ingestor.model.identity import generation_hash
from ingestor.model.log_file import FileIdentity
from ingestor.sources.block import SHOWN_BYTES, Block, TooLong
from ingestor.state.checkpoint import Gap
from ingestor.state.generations import Generations

NO_FILE: Final = FileIdentity(0, 0)


class Streams:
    """All streams of a source."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    def open(self, source: str, name: str) -> Generation:
        """Return a stream where it was left; one that is not known begins. ``source``: the tag of its points.

        ``name`` tells it apart from every other stream, for ever: two that begin anew under one name (a topic that was
        deleted and made again) need two names. Its H is the name's hash. Under another source or host it goes on, too, as
        another stream.
        """
        h = generation_hash(name.encode())
        former = next((stream for stream in self._generations if self._is_open(stream, h)), None)
        if former is not None and (former.source, former.host) == (source, self._generations.host):
            return former
        stream = self._generations.begin(source, name, NO_FILE)
        stream.h = h
        stream.first_event = 0  # streams are not compared with files, which this is for
        if former is not None:
            stream.position, stream.ordinal = former.position, former.ordinal
            former.status = Status.CLOSED
            self._generations.changed(former)
        self._generations.changed(stream)
        return stream

    @staticmethod
    def _is_open(stream: Generation, h: int) -> bool:
        return stream.h == h and stream.status is Status.OPEN and (stream.device, stream.inode) == NO_FILE

    def position(self, stream: Generation) -> bytes:
        """Return what ``block`` was told last, as far as it became durable; b"" when nothing was read yet."""
        return stream.position.tail_digest

    def block(self, stream: Generation, data: bytes, position: bytes) -> Block:
        r"""Return the next lines as a block, and move the stream behind them.

        ``data``: whole lines, each with its ``\n``, and whole records (``parsers.envelopes.records.whole``). ``position``: where to
        go on, for the source itself.
        """
        return self._next(stream, data, len(data), position)

    def long_line(self, stream: Generation, line: bytes, position: bytes) -> Block:
        """Return a line beyond ``max_line_bytes``, without its end, as a block: it is rejected, with its measure."""
        too_long = TooLong(len(line), hashlib.sha256(line).hexdigest())
        return self._next(stream, line[:SHOWN_BYTES], len(line) + 1, position, too_long)

    def report_gap(self, stream: Generation, why: str, position: bytes) -> None:
        """Report that lines were gone before they were read, and go on at ``position``."""
        at = stream.position.offset
        self._generations.report_gap(Gap(stream.source, stream.path, stream.number, at, None, time.time(), why))
        stream.position = stream.position._replace(tail_digest=position)
        self._generations.changed(stream)

    def _next(
        self, stream: Generation, data: bytes, length: int, position: bytes, too_long: TooLong | None = None
    ) -> Block:
        block = Block(stream, stream.position.offset, stream.ordinal, data, repeat=False, too_long=too_long)
        stream.position = Position(block.offset + length, tail_digest=position)
        stream.size_seen = stream.position.offset
        stream.ordinal += 1 if too_long else data.count(b"\n")
        self._generations.changed(stream)
        return block
