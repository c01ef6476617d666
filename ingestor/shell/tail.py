r"""Read one generation from the file that holds it, a block of whole lines at a time.

A line ends at ``\n``; what has no end yet waits. Nothing is accepted before the bytes in front of it are still the ones
that were read: a truncated and regrown file is found out by content, not by size.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from ingestor.core.generation import HEAD_BYTES, TAIL_BYTES, Fingerprint, Generation
from ingestor.core.identity import HEAD_LINE_BYTES, generation_hash
from ingestor.shell.files import LogFile, Sighting

SHOWN_BYTES = 4096
"""How much of an over-long line is kept for the rejected file (which redacts and cuts it further)."""


READ_BYTES = 1 << 17
"""Bytes read at a time; more does not fit the processor's cache, less costs system calls and digests."""


class ContentChangedError(Exception):
    """The file no longer holds what was read from it: truncated, rewritten, or another one in its place."""


class TooLong(NamedTuple):
    """A line beyond ``max_line_bytes``; the block's data holds its first bytes alone."""

    length: int
    sha256: str


class Block(NamedTuple):
    """Consecutive lines of one generation."""

    generation: Generation
    offset: int
    ordinal: int
    data: bytes
    r"""Whole lines, each with its ``\n``; or one last line without (of a closed generation)."""
    repeat: bool
    """These lines were counted before: their points are written again, and change nothing."""
    too_long: TooLong | None = None


@dataclass(slots=True)
class _Skip:
    """An over-long line being skipped, in bounded memory. It is not kept in the state: a restart skips it again."""

    length: int
    sha256: "hashlib._Hash"
    head: bytes


class Tail:
    """A position within a generation, and the file to read on from."""

    def __init__(self, generation: Generation, file: LogFile, *, max_line_bytes: int, from_start: bool = False) -> None:
        """``from_start`` re-reads what was counted before (backfill); otherwise reading goes on at the mark."""
        self.generation = generation
        self.file = file
        self.offset, self.ordinal = (0, 0) if from_start else (generation.mark.offset, generation.ordinal)
        self.exhausted_at: Sighting | None = None
        """How the file looked when nothing more could be read from it."""
        self.seen: Sighting | None = None
        """How it looked at the last poll, and when that was (monotonic seconds, as the poll was told)."""
        self.seen_at = float("-inf")
        self.moved_at = 0.0
        """When it last grew, or was found rotated; monotonic seconds."""
        self._from_start = from_start
        self._max_line_bytes = max_line_bytes
        self._skip: _Skip | None = None

    def is_cut(self, sighting: Sighting) -> bool:
        """Tell whether a file of which nothing was read has lost bytes that were seen: with no content to compare, size tells."""
        return not self.generation.mark.offset and self.seen is not None and sighting.size < self.seen.size

    def read(self, *, final: bool) -> Block | None:
        """Return the next block, or None when there is no whole line.

        ``final``: the generation is closed, so a last line without an end is a line. Raises ContentChangedError,
        files.DamagedFileError and OSError; the position is then as before.
        """
        mark = self.generation.mark
        if self._skip is None and self.offset < mark.offset:
            if self._from_start:
                return self._read_again(mark)
            self.offset, self.ordinal = mark.offset, self.generation.ordinal  # a backfill was here
        chunk = self._verified_chunk(mark)
        while self._skip is not None:
            block = self._skip_on(chunk, self._skip, final=final)
            if block or not chunk:
                return block
            chunk = self._verified_chunk(mark)
        end = chunk.rfind(b"\n") + 1
        if not end:
            if len(chunk) > self._max_line_bytes:
                self._skip = _Skip(0, hashlib.sha256(), chunk[:SHOWN_BYTES])
                return self.read(final=final)
            if not (final and chunk):
                return None
            end = len(chunk)
        return self._accept(chunk[:end], end)

    def _read_again(self, mark: Fingerprint) -> Block | None:
        """Read lines before the mark, which is the start of a line: counted ones, or such as were skipped."""
        skipped_from, skipped_to = self.generation.skipped
        repeat = not skipped_from <= self.offset < skipped_to
        limit = mark.offset if repeat and self.offset >= skipped_to else skipped_from if repeat else skipped_to
        length = min(self._max_line_bytes + 1, limit - self.offset)
        chunk = self.file.read_at(self.offset, length)
        end = chunk.rfind(b"\n") + 1
        too_long = None
        if not end:
            if self.offset + len(chunk) >= limit:
                end = len(chunk)  # the half line that closed the generation
            elif len(chunk) < length:
                return None  # a shorter copy of the generation
            else:
                end, too_long = self._measure_long_line(limit)
        block = Block(self.generation, self.offset, self.ordinal, chunk[: min(end, len(chunk))], repeat=repeat)
        if too_long:
            block = block._replace(data=chunk[:SHOWN_BYTES], too_long=too_long)
        self.offset += end
        self.ordinal += 1 if too_long else block.data.count(b"\n")
        if not repeat:
            self.generation.skipped = (self.offset, skipped_to)
        return block

    def _measure_long_line(self, limit: int) -> tuple[int, TooLong]:
        """Return how many bytes to move on (with the line's end), and the line's measure."""
        sha256, position = hashlib.sha256(), self.offset
        while position < limit:
            chunk = self.file.read_at(position, min(self._max_line_bytes, limit - position))
            if not chunk:
                raise ContentChangedError
            end = chunk.find(b"\n")
            part = chunk if end < 0 else chunk[:end]
            sha256.update(part)
            position += len(part)
            if end >= 0:
                return position + 1 - self.offset, TooLong(position - self.offset, sha256.hexdigest())
        return position - self.offset, TooLong(position - self.offset, sha256.hexdigest())

    def _verified_chunk(self, mark: Fingerprint) -> bytes:
        position = self.offset + (self._skip.length if self._skip else 0)
        longest = self._max_line_bytes + 1
        chunk = self.file.read_at(position, min(READ_BYTES, longest))
        if len(chunk) == READ_BYTES < longest and b"\n" not in chunk:
            chunk = self.file.read_at(position, longest)
        # After the read: what was there when the bytes came is what counts.
        self._tail = self.file.read_at(mark.offset - mark.tail_length, mark.tail_length)
        if mark.offset and Fingerprint.at(mark.offset, b"", self._tail)[3:] != mark[3:]:
            raise ContentChangedError
        if not self.file.compressed and (not chunk or not mark.offset):
            sighting = self.file.look()
            if sighting.size < position or self.is_cut(sighting):
                raise ContentChangedError
        return chunk

    def _skip_on(self, chunk: bytes, skip: _Skip, *, final: bool) -> Block | None:
        end = chunk.find(b"\n")
        part = chunk if end < 0 else chunk[:end]
        skip.length += len(part)
        skip.sha256.update(part)
        if end < 0 and not (final and not chunk):
            return None
        self._skip = None
        self._tail = self.file.read_at(max(0, self.offset + skip.length - TAIL_BYTES), min(skip.length, TAIL_BYTES))
        too_long = TooLong(skip.length, skip.sha256.hexdigest())
        return self._accept(skip.head, skip.length + (end >= 0), too_long, ends=end >= 0)

    def _accept(self, data: bytes, length: int, too_long: TooLong | None = None, *, ends: bool = True) -> Block:
        generation, mark = self.generation, self.generation.mark
        if generation.h is None:
            first_line = data.partition(b"\n")[0]
            generation.h = generation_hash(first_line[:HEAD_LINE_BYTES])
        block = Block(generation, self.offset, self.ordinal, data, repeat=False, too_long=too_long)
        self.offset += length
        self.ordinal += int(ends) if too_long else data.count(b"\n")
        tail = self._tail + (b"\n" if ends else b"") if too_long else self._tail + data[-TAIL_BYTES:]
        head = self.file.read_at(0, HEAD_BYTES) if mark.head_length < HEAD_BYTES else b""
        grown = Fingerprint.at(self.offset, head, tail)
        if mark.head_length >= HEAD_BYTES:
            grown = grown._replace(head_length=mark.head_length, head_digest=mark.head_digest)
        generation.mark, generation.ordinal = grown, self.ordinal
        generation.size_seen = max(generation.size_seen, self.offset)
        return block


def skip_to_end(generation: Generation, file: LogFile, *, step: int = 1 << 20) -> None:
    """Move the mark behind the last whole line that is there now, counting what is skipped (``start = "end"``)."""
    position = last_line = ordinal = 0
    while chunk := file.read_at(position, step):
        if generation.h is None and (b"\n" in chunk or len(chunk) >= HEAD_LINE_BYTES):
            generation.h = generation_hash(chunk.partition(b"\n")[0])
        if (end := chunk.rfind(b"\n")) >= 0:
            last_line = position + end + 1
            ordinal += chunk.count(b"\n")
        position += len(chunk)
    tail_start = max(0, last_line - TAIL_BYTES)
    tail = file.read_at(tail_start, last_line - tail_start)
    generation.mark = Fingerprint.at(last_line, file.read_at(0, HEAD_BYTES), tail)
    generation.ordinal = ordinal
    generation.size_seen = position
    generation.skipped = (0, last_line)
