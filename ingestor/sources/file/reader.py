r"""Read one generation from the file that holds it, a block of whole lines at a time.

A line ends at ``\n``; what has no end yet waits. Nothing is accepted before the bytes in front of it are still the ones
that were read: a truncated and regrown file is found out by content, not by size. While a file is compared with a former
content, the lines that stood there are passed over: they were counted.
"""

import hashlib
from collections.abc import Container
from dataclasses import dataclass

from ingestor.model.generation import HEAD_BYTES, TAIL_BYTES, Comparison, Generation, Position, Stretch
from ingestor.model.log_file import FileStat, LogFile
from ingestor.model.trail import DIGEST_BYTES, Alignment, Run, line_digests, long_line_digest
from ingestor.model.unended import may_become_object
from ingestor.sources.block import Block, TooLong
from ingestor.sources.file.matching import follows, former_of, key_of, trimmed
from ingestor.state.generations import Generations

SHOWN_BYTES = 4096
"""How much of an over-long line is kept for the rejected file (which redacts and cuts it further)."""


READ_BYTES = 1 << 17
"""Bytes read at a time; more does not fit the processor's cache, less costs system calls and digests."""
BUSY_BYTES = 1 << 24
"""What is passed over in one turn: the other logs, the watchdog and SIGTERM are not kept waiting."""


class ContentChangedError(Exception):
    """The file no longer holds what was read from it: truncated, rewritten, or another one in its place."""


@dataclass(slots=True)
class _Skip:
    """An over-long line being skipped, in bounded memory. It is not kept in the state: a restart skips it again."""

    length: int
    sha256: "hashlib._Hash"
    head: bytes


class GenerationReader:
    """A position within the file of a generation, and the file to read on from."""

    def __init__(
        self,
        generation: Generation,
        file: LogFile,
        book: Generations,
        *,
        max_line_bytes: int,
        from_start: bool = False,
        sources: Container[str] | None = None,
        joined_at: int = 0,
    ) -> None:
        """``from_start`` returns what was counted before, too (backfill); otherwise reading goes on at the mark.

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
        self._final = False
        self._book = book
        self._from_start = from_start
        self._sources = sources
        self._max_line_bytes = max_line_bytes
        self._skip: _Skip | None = None
        self._tail = b""
        """The last bytes before the mark, as they were read last."""
        self._hole = 0
        """NULs at the offset that are no part of the next line."""
        self._first_line: int | None = None
        """Where the first line of the file begins, once it is needed."""
        self._alignment: Alignment | None = None
        self._joined_at = joined_at
        self._ended = generation.skipped[1] == generation.position.offset > 0
        """Whether what the file held until here has ended: what follows may be another content that is known."""
        self._again = 0
        """The ordinal of the next line that is read again."""
        book.resume_trail(generation)
        if generation.compared is not None:
            self._compare_with(generation.compared)

    def close(self) -> None:
        """Let go of the file."""
        self._book.closed(self)
        self.file.close()

    def is_cut(self, sighting: FileStat) -> bool:
        """Tell whether the file has lost what was read of it, or seen: it was truncated or rewritten. Raises OSError.

        Its bytes tell, as far as they are known; of a file of which not even the beginning is known, its size does.
        """
        if sighting in (self.read_to_end_at, self.seen):
            return False
        if self.generation.position.offset:
            return not self.holds_what_was_read()
        return (self.seen is not None and sighting.size < self.seen.size) or not self._begins_as_seen()

    def _begins_as_seen(self) -> bool:
        """Tell whether a file of which nothing was read begins as it did when it was seen. Raises OSError."""
        key = self.generation.file_key
        return key is None or key_of(self.file) == key

    def holds_what_was_read(self) -> bool:
        """Tell whether the bytes before the mark are still those that were read. Raises OSError."""
        mark = self.generation.position
        self._tail = self.file.read_at(mark.offset - mark.tail_length, mark.tail_length)
        return not mark.offset or Position.at(mark.offset, b"", self._tail)[3:] == mark[3:]

    def read(self, *, final: bool) -> Block | None:
        """Return the next block, or None when there is no whole line, or nothing but lines that were counted before (``busy``).

        ``final``: the generation is closed, so a last line without an end is a line. Raises ContentChangedError,
        files.DamagedFileError, OSError and sqlite3.Error; the position is then as before.
        """
        mark = self.generation.position
        self.busy = self.waits = False
        self._final = final
        if self._skip is None and self.offset < mark.offset:
            if self._from_start:
                return self._read_again(mark)
            self.offset, self._hole = mark.offset, 0  # a backfill was here
        passed = 0
        while passed < BUSY_BYTES:
            if not self._may_compare():
                self.waits = True
                return None
            before = self._progress()
            block = self._read_on(final=final)
            if block is not None or self._progress() == before:
                return block
            passed += max(READ_BYTES, self.offset - before[0])
        self.busy = True
        return None

    def _progress(self) -> tuple[int, int, int]:
        return self.offset, self._hole, -1 if self._skip is None else self._skip.length

    def _read_on(self, *, final: bool) -> Block | None:
        """Return a block; or None after some bytes of a hole, of a long line or of counted lines; or None at the end."""
        chunk = self._verified_chunk(self.generation.position)
        if self._skip is not None:
            return self._skip_on(chunk, self._skip, final=final)
        if chunk.startswith(b"\0"):
            # What a writer leaves that goes on at its old place after a truncation. The line behind it is a line.
            self._hole = self.file.after_hole(self.offset + self._hole) - self.offset
            return None
        chunk = self._until_another(chunk)
        if chunk.startswith(b"\n") and self._is_unended():
            self.generation.ordinal += 1
            self._move(b"\n", 1, whole=True)  # it ends the line before
            return None
        if half := self._half_before(chunk):
            return self._finish(half, chunk, final=final)
        return self._read_lines(chunk, final=final)

    def _read_lines(self, chunk: bytes, *, final: bool) -> Block | None:
        end = chunk.rfind(b"\n") + 1
        if end:
            return self._accept(chunk[:end], end)
        if len(chunk) > self._max_line_bytes:
            self._skip = _Skip(0, hashlib.sha256(), chunk[:SHOWN_BYTES])
        elif final and chunk:
            return self._accept(chunk, len(chunk))
        elif final and self._hole:
            self._move(b"", 0, whole=False)
        return None

    def _until_another(self, chunk: bytes) -> bytes:
        """Return what belongs together of the bytes that come; compare them with the content that begins here, if one does."""
        if self.offset < self._joined_at:
            return chunk[: max(0, self._joined_at - self.offset - self._hole)]
        if 0 < self.offset == self._joined_at or (not chunk and (self.is_past or self.generation.stretches)):
            self._ended, self._joined_at = True, 0
        if self._ended and b"\n" in chunk:
            self._look_what_follows()
        return chunk

    # A line that was taken before it was whole

    def half_line(self) -> bytes:
        """Return what is left of the file, if it is the beginning of a line that may go on elsewhere; else nothing. Raises OSError."""
        rest = self.file.read_at(self.offset + self._hole, self._max_line_bytes + 1)
        is_half = self._skip is None and b"\n" not in rest and len(rest) <= self._max_line_bytes
        return rest if is_half and may_become_object(rest) else b""

    def _half_before(self, chunk: bytes) -> bytes:
        """Return the line before the mark if it was taken without its end, as all that there was, and goes on here."""
        if not self._is_unended() or self._alignment is not None:
            return b""
        most = self._max_line_bytes + 1
        before = self.file.read_at(max(0, self.offset - most), min(most, self.offset))
        half = before[before.rfind(b"\n") + 1 :].lstrip(b"\0")
        whole = len(half) + len(chunk.partition(b"\n")[0])
        goes_on = len(half) < whole <= self._max_line_bytes
        return half if goes_on and may_become_object(half) else b""

    def _is_unended(self) -> bool:
        """Tell whether the line before the mark was taken without its end."""
        return bool(self._tail) and not self._hole and not self._tail.endswith((b"\n", b"\0"))

    def _finish(self, half: bytes, chunk: bytes, *, final: bool) -> Block | None:
        """Read a line as one of which the first part was taken for a line, once its rest is there."""
        rest = chunk[: chunk.rfind(b"\n") + 1] or (chunk if final else b"")
        if not rest:
            return None
        generation = self.generation
        begin = self.offset - len(half)
        owner, _ = generation.stretch_at(begin)
        self._tail = self._tail[: -len(half)] if len(half) < len(self._tail) else b""
        self.offset = begin
        self._book.forget_last_line(generation)
        if not generation.trail.lines:
            generation.file_key = key_of(self.file, begin) or generation.file_key
        block = self._accept(half + rest, len(half) + len(rest))
        return None if block is None else block._replace(finishes=(owner.generation, begin))

    # Reading what was counted before

    def _read_again(self, mark: Position) -> Block | None:
        """Read lines before the mark, which is the start of a line: counted ones, or such as were skipped."""
        stretch, end = self.generation.stretch_at(self.offset)
        if self.offset == stretch.offset:
            self._again = stretch.ordinal
        limit = mark.offset if end is None else min(end, mark.offset)
        skipped_from, skipped_to = self.generation.skipped
        repeat = not skipped_from <= self.offset < skipped_to
        if self.offset < skipped_to:
            limit = min(limit, skipped_from if repeat else skipped_to)
        owner = self._book.get(stretch.generation) or self.generation
        first = self.offset
        if self.file.read_at(first, 1) == b"\0":
            first = min(limit, self._after_whole_hole(first))
            if first == limit:
                self.offset = limit
                return self.read(final=False) if limit == mark.offset else self._read_again(mark)
        length = min(self._max_line_bytes + 1, limit - first)
        chunk = self.file.read_at(first, length)
        end_of_line = chunk.rfind(b"\n") + 1
        too_long = None
        if not end_of_line:
            if first + len(chunk) >= limit:
                end_of_line = len(chunk)  # the half line that closed the generation
            elif len(chunk) < length:
                return None  # a shorter copy of the generation
            else:
                end_of_line, too_long = self._measure_long_line(first, limit)
        block = Block(owner, first, self._again, chunk[: min(end_of_line, len(chunk))], repeat=repeat)
        if too_long:
            block = block._replace(data=chunk[:SHOWN_BYTES], too_long=too_long)
        self.offset = first + end_of_line
        self.repeats = repeat
        self._again += 1 if too_long else block.data.count(b"\n")
        if not repeat:
            self._skipped_less(owner, skipped_from)
        return block

    def _skipped_less(self, owner: Generation, skipped_from: int) -> None:
        """Note that lines up to here were skipped once and are read now; of who goes on with a generation, in both."""
        for generation in (self.generation, owner):
            if generation.skipped[0] == skipped_from:
                generation.skipped = (self.offset, generation.skipped[1])
                self._book.changed(generation)

    def _after_whole_hole(self, offset: int) -> int:
        while (end := self.file.after_hole(offset)) != offset:
            offset = end
        return offset

    def _measure_long_line(self, position: int, limit: int) -> tuple[int, TooLong]:
        """Return how many bytes to move on (with the line's end), and the line's measure."""
        sha256, begin = hashlib.sha256(), position
        while position < limit:
            chunk = self.file.read_at(position, min(self._max_line_bytes, limit - position))
            if not chunk:
                raise ContentChangedError
            end = chunk.find(b"\n")
            part = chunk if end < 0 else chunk[:end]
            sha256.update(part)
            position += len(part)
            if end >= 0:
                return position + 1 - begin, TooLong(position - begin, sha256.hexdigest())
        return position - begin, TooLong(position - begin, sha256.hexdigest())

    # Reading for the first time

    def _verified_chunk(self, mark: Position) -> bytes:
        position = self.offset + self._hole + (self._skip.length if self._skip else 0)
        chunk = self._chunk_at(position)
        # After the read: what was there when the bytes came is what counts.
        if not self.holds_what_was_read():
            raise ContentChangedError
        if not self.file.compressed and not mark.offset:
            # Nothing was read, so nothing can be compared: size tells.
            sighting = self.file.stat()
            if sighting.size < position or self.is_cut(sighting):
                raise ContentChangedError
        return chunk

    def _chunk_at(self, position: int) -> bytes:
        longest = self._max_line_bytes + 1
        chunk = self.file.read_at(position, min(READ_BYTES, longest))
        if len(chunk) == READ_BYTES < longest and b"\n" not in chunk and chunk.strip(b"\0"):
            chunk = self.file.read_at(position, longest)
        return chunk

    def _skip_on(self, chunk: bytes, skip: _Skip, *, final: bool) -> Block | None:
        end = chunk.find(b"\n")
        part = chunk if end < 0 else chunk[:end]
        skip.length += len(part)
        skip.sha256.update(part)
        if end < 0 and not (final and not chunk):
            return None
        self._skip = None
        too_long = TooLong(skip.length, skip.sha256.hexdigest())
        return self._accept(skip.head, skip.length + (end >= 0), too_long, ends=end >= 0)

    def _accept(self, data: bytes, length: int, too_long: TooLong | None = None, *, ends: bool = True) -> Block | None:
        """Move on behind lines; return those that are new. Of lines that were counted before nothing is returned."""
        generation = self.generation
        digests = long_line_digest(too_long.sha256) if too_long else line_digests(data)
        self._learn_beginning()
        former = owner = None
        if self._alignment is not None:
            agreed = self._alignment.position and not self._alignment.unmatched
            run = self._run(digests, more=length >= READ_BYTES // 2)
            if agreed and run.former is None and self._look_what_follows():
                run = self._run(digests, more=length >= READ_BYTES // 2)
            if not run.lines:
                return None
            former = run.former
            if DIGEST_BYTES * run.lines < len(digests):
                data = _first_lines(data, run.lines)
                digests, length = digests[: DIGEST_BYTES * run.lines], len(data)
        start, line, own = self.offset + self._hole, generation.trail.lines, generation.ordinal
        if former is not None:
            owner = self._book[generation.compared.former].owner_of_line(former)  # type: ignore[union-attr]
            generation.extend(Stretch(self.offset, line, owner.generation, owner.ordinal))
        else:
            self._learn_h()
            if self._alignment is not None or generation.stretches:
                generation.extend(Stretch(self.offset, line, generation.number, own))
            generation.ordinal += int(ends) if too_long else data.count(b"\n")
        self._move(data, length, whole=too_long is None)
        generation.trail.add(digests)
        self.repeats = owner is not None
        self._note_comparison()
        if owner is None:
            return Block(generation, start, own, data, repeat=False, too_long=too_long)
        if not self._from_start:
            return None
        return Block(self._book[owner.generation], start, owner.ordinal, data, repeat=True, too_long=too_long)

    def _compare_with(self, former: Comparison) -> None:
        generation = self._book[former.former]
        breaks = [stretch.line for stretch in generation.stretches]
        self._alignment = Alignment(self._book.trail_of(generation), former.position, former.unmatched, breaks)
        self.generation.compared = former

    def _run(self, digests: bytes, *, more: bool) -> Run:
        """Return the next lines that are all new or all former ones; none while that cannot be told yet.

        Lines that agree with a former content before its first event are but a header, which other logs have too: they are
        new unless an event follows that agrees. ``more``: nothing is to be waited for.
        """
        alignment, generation = self._alignment, self.generation
        assert alignment is not None  # noqa: S101 - for mypy: asked by the only caller
        assert generation.compared is not None  # noqa: S101 - as above
        position, unmatched = alignment.position, alignment.unmatched
        run = alignment.first_run(digests)
        if run.former is None or generation.first_event is not None:
            return run
        first_event = self._book[generation.compared.former].first_event
        if first_event is not None and first_event < run.former + run.lines:
            generation.first_event = generation.trail.lines + max(0, first_event - run.former)
            return run
        if DIGEST_BYTES * run.lines < len(digests) or self._final:
            self._alignment = generation.compared = None
            return Run(run.lines, None)
        if not more:
            alignment.position, alignment.unmatched = position, unmatched
            return Run(0, None)
        return run

    def _may_compare(self) -> bool:
        """Tell whether the next lines can be judged: what a former content still gains must be known first."""
        alignment, former = self._alignment, self.generation.compared
        if alignment is None or former is None or (alignment.ended and not alignment.all_met):
            return True
        generation, reader = self._book[former.former], self._book.readers.get(former.former)
        if reader is not None and reader.read_to_end_at is None:
            return False  # its trail is loaded once, when it is whole
        if generation.trail.lines > alignment.lines:
            self._compare_with(former)
        if self._alignment is not None and self._alignment.all_met and self.file.read_at(self.offset + self._hole, 1):
            self.generation.compared = self._alignment = None
            self._ended = True
        return True

    def _look_what_follows(self) -> bool:
        """Compare with the content that begins here, if one that is known does; return whether one does."""
        self._ended = False
        found = follows(self.file, self._book, self.offset + self._hole, self.generation, sources=self._sources)
        if found is not None:
            self._compare_with(found)
        return found is not None

    def _note_comparison(self) -> None:
        alignment, former = self._alignment, self.generation.compared
        if alignment is None or former is None:
            return
        if alignment.ended and not alignment.all_met:  # what was met to its end may have grown when the file has
            self.generation.compared = self._alignment = None
        else:
            self.generation.compared = Comparison(former.former, alignment.position, alignment.unmatched)

    def _learn_beginning(self) -> None:
        """Find out how the file begins once a line with a date is whole. It may be that of a content that is known."""
        generation = self.generation
        if generation.file_key is not None and generation.position.offset:
            return
        if not generation.position.offset and not self._begins_as_seen():
            raise ContentChangedError
        if generation.file_key is None:
            generation.file_key = key_of(self.file, self._find_first_line(), closed=self._final)
        if generation.file_key is None or generation.stretches or self._alignment is not None:
            return
        found = former_of(self.file, self._book, generation.file_key, besides=generation, sources=self._sources)
        if found is not None:
            found = found._replace(position=generation.trail.lines)
        else:
            found = trimmed(self.file, self._book, [g for g in self.near if g is not generation])
        if found is not None:
            if not generation.trail.lines:
                generation.h = None  # what it goes on with is told apart from the other one, where they part
            self._compare_with(found)

    def _learn_h(self) -> None:
        """Find out H when the first line of its own with a date is there, from the bytes of the file from its first line on.

        Where another generation begins alike, from the first line on that differs: equal H would give them equal points.
        """
        generation = self.generation
        if generation.h is not None:
            return
        here, begin = self.offset + self._hole, generation.begins_at
        first = here if begin is None else begin or self._find_first_line()
        h = key_of(self.file, first)
        place = (generation.source, generation.host)
        if h is not None and any(g.h == h and (g.source, g.host) == place for g in self._book.by_key(h)):
            h = key_of(self.file, here) if here > first else None
        generation.h = h

    def _find_first_line(self) -> int:
        """Return where the first line of the file begins: behind a hole that may be longer than ``key_of`` looks over."""
        if self._first_line is None:
            read = self.generation.position.offset
            self._first_line = self._after_whole_hole(0) if read else self.offset + self._hole
        return self._first_line

    def _move(self, data: bytes, length: int, *, whole: bool) -> None:
        """Move the offset and the mark behind bytes that were read."""
        mark, hole = self.generation.position, self._hole
        self.offset += hole + length
        self._hole = 0
        if whole and not hole:
            tail = self._tail + data[-TAIL_BYTES:]
        else:
            start = max(0, self.offset - TAIL_BYTES)
            tail = self.file.read_at(start, self.offset - start)
        head = self.file.read_at(0, HEAD_BYTES) if mark.head_length < HEAD_BYTES else b""
        grown = Position.at(self.offset, head, tail)
        if mark.head_length >= HEAD_BYTES:
            grown = grown._replace(head_length=mark.head_length, head_digest=mark.head_digest)
        self.generation.position = grown
        self.generation.size_seen = max(self.generation.size_seen, self.offset)
        self._book.changed(self.generation)


def _first_lines(data: bytes, count: int) -> bytes:
    end = 0
    for _ in range(count):
        end = data.index(b"\n", end) + 1
    return data[:end]


def skip_to_end(generation: Generation, file: LogFile, *, end: int | None = None, step: int = 1 << 20) -> None:
    """Move the mark behind the last whole line that is there now, counting what is skipped (``start = "end"``).

    ``end``: or that was there when the file had so many bytes.
    """
    position = last_line = ordinal = 0
    while chunk := file.read_at(position, step if end is None else min(step, end - position)):
        if (newline := chunk.rfind(b"\n")) >= 0:
            last_line = position + newline + 1
            ordinal += chunk.count(b"\n")
        position += len(chunk)
    tail_start = max(0, last_line - TAIL_BYTES)
    tail = file.read_at(tail_start, last_line - tail_start)
    generation.position = Position.at(last_line, file.read_at(0, HEAD_BYTES), tail)
    generation.ordinal = generation.trail.lines = ordinal
    generation.h = generation.file_key = key_of(file)
    generation.size_seen = position
    generation.skipped = (0, last_line)
