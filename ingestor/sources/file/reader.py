r"""Read one generation from the file that holds it, a block of whole lines at a time.

A line ends at ``\n``; what has no end yet waits, and so does a record of several lines. Nothing is accepted before the bytes in front of it are still the ones
that were read: a truncated and regrown file is found out by content, not by size. While a file is compared with a former
content, the lines that stood there are passed over: they were counted.
"""

from collections.abc import Container

from ingestor.model.generation import HEAD_BYTES, TAIL_BYTES, Generation, Position, Stretch
from ingestor.model.log_file import FileStat, LogFile
from ingestor.model.trail import DIGEST_BYTES, line_digests, long_line_digest
from ingestor.sources.block import Block, TooLong
from ingestor.sources.file.beginning import Beginning
from ingestor.sources.file.files import ContentChangedError
from ingestor.sources.file.former_content import FormerContent
from ingestor.sources.file.half_line import half_line_at, half_line_before
from ingestor.sources.file.long_line import LongLine
from ingestor.sources.file.matching import key_of
from ingestor.sources.file.record_ends import RecordEnds
from ingestor.sources.file.reread import Reread
from ingestor.state.generations import Generations
from parsers.envelopes.records import begins_unfinished, whole

READ_BYTES = 1 << 17
"""Bytes read at a time; more does not fit the processor's cache, less costs system calls and digests."""
BUSY_BYTES = 1 << 24
"""What is passed over in one turn: the other logs, the watchdog and SIGTERM are not kept waiting."""


class GenerationReader:
    """A position within the file of a generation, and the file to read on from."""

    def __init__(
        self,
        generation: Generation,
        file: LogFile,
        generations: Generations,
        *,
        max_line_bytes: int,
        from_start: bool = False,
        sources: Container[str] | None = None,
        joined_at: int = 0,
    ) -> None:
        """``from_start`` returns what was counted before, too (backfill); otherwise reading goes on at the position.

        ``sources``: what was counted under others is counted again, because somebody wants it so. ``joined_at``: a line begins
        there that may be another content's. Raises sqlite3.Error when the state cannot tell what the file is compared with.
        """
        self.generation = generation
        self.file = file
        self.offset = 0 if from_start else generation.position.offset
        self.read_to_end_at: FileStat | None = None
        """How the file looked when nothing more could be read from it."""
        self.seen: FileStat | None = None
        """How it looked at the last poll, and when that was (monotonic seconds, as the poll was told)."""
        self.seen_at = float("-inf")
        self.moved_at = 0.0
        """When it last grew, or was found rotated; monotonic seconds."""
        self.busy = False
        """Whether the last ``read`` returned nothing because it had done enough for one turn."""
        self.waits = False
        """Whether it returned nothing because another file that holds the same is still being read."""
        self.near: tuple[Generation, ...] = ()
        """What was at its place before: the file may go on with one of these, without its beginning."""
        self.repeats = False
        """Whether the last line that was read was counted before."""
        self.is_past = False
        """Whether it is what was a log: what is appended to it then may be another one's content, as in an archive."""
        self._generations = generations
        self._max_line_bytes = max_line_bytes
        self._long: LongLine | None = None
        self._tail = b""
        """The last bytes before the position, as they were read last."""
        self._hole = 0
        """NULs at the offset that are no part of the next line."""
        self._record_ends = RecordEnds(file, max_line_bytes)
        self._beginning = Beginning(generation, file, generations)
        self._reread = Reread(generation, file, generations, max_line_bytes) if from_start else None
        generations.resume_trail(generation)
        self._former = FormerContent(generation, file, generations, sources=sources, joined_at=joined_at)

    def close(self) -> None:
        """Let go of the file."""
        self._generations.closed(self)
        self.file.close()

    def is_cut(self, sighting: FileStat) -> bool:
        """Tell whether the file has lost what was read of it, or seen: it was truncated or rewritten. Raises OSError.

        Its bytes tell, as far as they are known; of a file of which not even the beginning is known, its size does.
        """
        if sighting in (self.read_to_end_at, self.seen):
            return False
        if self.generation.position.offset:
            return not self.holds_what_was_read()
        return (self.seen is not None and sighting.size < self.seen.size) or not self._beginning.is_as_seen()

    def holds_what_was_read(self) -> bool:
        """Tell whether the bytes before the position are still those that were read. Raises OSError."""
        position = self.generation.position
        self._tail = self.file.read_at(position.offset - position.tail_length, position.tail_length)
        return not position.offset or Position.at(position.offset, b"", self._tail)[3:] == position[3:]

    def half_line(self) -> bytes:
        """Return what is left of the file, if it is the beginning of a line, or of a record, that may go on elsewhere; else nothing.

        Raises OSError.
        """
        return b"" if self._long else half_line_at(self.file, self._here, self._max_line_bytes)

    def read(self, *, final: bool) -> Block | None:
        """Return the next block, or None when there is no whole record, or nothing but lines that were counted before (``busy``).

        ``final``: the generation is closed, so a last line without an end is a line, and a record without one is over. Raises ContentChangedError,
        files.DamagedFileError, OSError and sqlite3.Error; the position is then as before.
        """
        position = self.generation.position.offset
        self.busy = self.waits = False
        if self._long is None and self.offset < position:
            if self._reread is None:
                self.offset, self._hole = position, 0  # a backfill was here
            else:
                block, self.offset = self._reread.next_block(self.offset)
                if block is not None:
                    self.repeats = block.repeat
                if block is not None or self.offset < position:
                    return block
                final = False
        passed = 0
        while passed < BUSY_BYTES:
            if not self._former.may_go_on(self._here):
                self.waits = True
                return None
            before = self._progress()
            block = self._read_on(final=final)
            if block is not None or self._progress() == before:
                return block
            passed += max(READ_BYTES, self.offset - before[0])
        self.busy = True
        return None

    @property
    def _here(self) -> int:
        """Where the next line begins, behind a hole."""
        return self.offset + self._hole

    def _progress(self) -> tuple[int, int, int]:
        return self.offset, self._hole, -1 if self._long is None else self._long.length

    def _read_on(self, *, final: bool) -> Block | None:
        """Return a block; or None after some bytes of a hole, of a long line or of counted lines; or None at the end."""
        longest = self._max_line_bytes + 1
        chunk = self._verified_chunk(longest if self._long else min(READ_BYTES, longest))
        if self._long is not None:
            return self._pass_over(self._long, chunk, final=final)
        if chunk.startswith(b"\0"):
            # What a writer leaves that goes on at its old place after a truncation. The line behind it is a line.
            self._hole = self.file.after_hole(self._here) - self.offset
            return None
        if len(chunk) == READ_BYTES < longest and begins_unfinished(chunk):
            chunk = self._verified_chunk(longest)
        read = len(chunk)
        chunk = self._former.until_another(chunk, self.offset, self._here, ends_in_rest=self.is_past)
        is_unended = bool(self._tail) and not self._hole and not self._tail.endswith((b"\n", b"\0"))
        if chunk.startswith(b"\n") and is_unended:
            self.generation.ordinal += 1
            self._move(b"\n", 1, whole=True)  # it ends the line before
            return None
        if is_unended and not self._former.is_compared:
            half = half_line_before(self.file, self.offset, chunk, self._max_line_bytes)
            if half:
                return self._finish(half, chunk, final=final)
        return self._read_lines(chunk, closed=final or len(chunk) < read, final=final)

    def _read_lines(self, chunk: bytes, *, closed: bool, final: bool) -> Block | None:
        """Accept what is whole of some bytes. ``closed``: nothing that belongs to them comes behind them."""
        cut = self._record_ends.cut(chunk, self._here)
        if cut:
            return self._accept(chunk[: cut.length], cut.length, is_rest=cut.is_rest, final=final)
        if len(chunk) > self._max_line_bytes:
            self._long = LongLine(chunk)
        elif closed and chunk:
            return self._accept(chunk, len(chunk), final=final)
        elif final and self._hole:
            self._move(b"", 0, whole=False)
        return None

    def _pass_over(self, line: LongLine, chunk: bytes, *, final: bool) -> Block | None:
        end = chunk.find(b"\n")
        line.add(chunk if end < 0 else chunk[:end])
        if end < 0 and not (final and not chunk):
            return None
        self._long = None
        return self._accept(line.head, line.length + (end >= 0), line.measure(), ends=end >= 0, final=final)

    def _finish(self, half: bytes, chunk: bytes, *, final: bool) -> Block | None:
        """Read a line as one of which the first part was taken for a line, once its rest is there."""
        length = whole(half + chunk) or (len(half) + len(chunk) if final else 0)
        rest = chunk[: max(0, length - len(half))]
        if not rest:
            return None
        generation = self.generation
        begin = self.offset - len(half)
        owner, _ = generation.stretch_at(begin)
        self._tail = self._tail[: -len(half)] if len(half) < len(self._tail) else b""
        self.offset = begin
        self._generations.forget_last_line(generation)
        if not generation.trail.lines:
            generation.file_key = key_of(self.file, begin) or generation.file_key
        block = self._accept(half + rest, len(half) + len(rest), final=final)
        return None if block is None else block._replace(finishes=(owner.generation, begin))

    def _verified_chunk(self, length: int) -> bytes:
        at = self._here + (self._long.length if self._long else 0)
        chunk = self.file.read_at(at, length)
        # After the read: what was there when the bytes came is what counts.
        if not self.holds_what_was_read():
            raise ContentChangedError
        if not self.file.compressed and not self.generation.position.offset:
            # Nothing was read, so nothing can be compared: size tells.
            sighting = self.file.stat()
            if sighting.size < at or self.is_cut(sighting):
                raise ContentChangedError
        return chunk

    def _accept(
        self,
        data: bytes,
        length: int,
        too_long: TooLong | None = None,
        *,
        ends: bool = True,
        is_rest: bool = False,
        final: bool,
    ) -> Block | None:
        """Move on behind lines; return those that are new. Of lines that were counted before nothing is returned."""
        generation, former = self.generation, self._former
        digests = long_line_digest(too_long.sha256) if too_long else line_digests(data)
        if self._beginning.learn_key(self._here, closed=final):
            former.find(self.near)
        owner = None
        if former.is_compared:
            run = former.next_run(digests, self._here, more=length >= READ_BYTES // 2, final=final)
            if not run.lines:
                return None
            if run.former is not None:
                owner = former.owner_of(run.former)
            if DIGEST_BYTES * run.lines < len(digests):
                data = _first_lines(data, run.lines)
                digests, length = digests[: DIGEST_BYTES * run.lines], len(data)
        start, line, own = self._here, generation.trail.lines, generation.ordinal
        if owner is not None:
            generation.extend(Stretch(self.offset, line, owner.generation, owner.ordinal))
        else:
            self._beginning.learn_h(start)
            if former.is_compared or generation.stretches:
                generation.extend(Stretch(self.offset, line, generation.number, own))
            generation.ordinal += int(ends) if too_long else data.count(b"\n")
        self._move(data, length, whole=too_long is None)
        generation.trail.add(digests)
        self.repeats = owner is not None
        former.note()
        if owner is None:
            return Block(generation, start, own, data, repeat=False, too_long=too_long, is_rest=is_rest)
        if self._reread is None:
            return None
        generation = self._generations[owner.generation]
        return Block(generation, start, owner.ordinal, data, repeat=True, too_long=too_long, is_rest=is_rest)

    def _move(self, data: bytes, length: int, *, whole: bool) -> None:
        """Move the offset and the position behind bytes that were read."""
        position, hole = self.generation.position, self._hole
        self.offset += hole + length
        self._hole = 0
        if whole and not hole:
            tail = self._tail + data[-TAIL_BYTES:]
        else:
            start = max(0, self.offset - TAIL_BYTES)
            tail = self.file.read_at(start, self.offset - start)
        head = self.file.read_at(0, HEAD_BYTES) if position.head_length < HEAD_BYTES else b""
        grown = Position.at(self.offset, head, tail)
        if position.head_length >= HEAD_BYTES:
            grown = grown._replace(head_length=position.head_length, head_digest=position.head_digest)
        self.generation.position = grown
        self.generation.size_seen = max(self.generation.size_seen, self.offset)
        self._generations.changed(self.generation)


def _first_lines(data: bytes, count: int) -> bytes:
    end = 0
    for _ in range(count):
        end = data.index(b"\n", end) + 1
    return data[:end]
