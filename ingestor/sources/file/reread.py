"""Read again what was read before, for a backfill: lines that were counted, and lines that were skipped until now."""

from ingestor.model.generation import Generation
from ingestor.model.log_file import LogFile
from ingestor.sources.block import SHOWN_BYTES, Block
from ingestor.sources.file.files import after_whole_hole
from ingestor.sources.file.long_line import measure_long_line
from ingestor.sources.file.record_ends import RecordEnds
from ingestor.state.generations import Generations


class Reread:
    """The lines before the position of a generation, which is the start of a line."""

    def __init__(self, generation: Generation, file: LogFile, generations: Generations, max_line_bytes: int) -> None:
        self._generation = generation
        self._file = file
        self._generations = generations
        self._max_line_bytes = max_line_bytes
        self._record_ends = RecordEnds(file, max_line_bytes)
        self._ordinal = 0
        """That of the next line, in the generation that owns it."""

    def next_block(self, offset: int) -> tuple[Block | None, int]:
        """Return the next block from an offset on, and where it ends.

        Without a block that is the position when nothing but a hole was left, or before it when the file is a shorter copy.
        Raises ContentChangedError, files.DamagedFileError, OSError.
        """
        position = self._generation.position.offset
        while True:
            stretch, end = self._generation.stretch_at(offset)
            if offset == stretch.offset:
                self._ordinal = stretch.ordinal
            limit = position if end is None else min(end, position)
            skipped_from, skipped_to = self._generation.skipped
            repeat = not skipped_from <= offset < skipped_to
            if offset < skipped_to:
                limit = min(limit, skipped_from if repeat else skipped_to)
            first = offset
            if self._file.read_at(first, 1) == b"\0":
                first = min(limit, after_whole_hole(self._file, first))
            if first < limit:
                break
            offset = limit
            if limit == position:
                return None, offset
        owner = self._generations.get(stretch.generation) or self._generation
        block, end = self._read(owner, first, limit, repeat=repeat)
        if block is None:
            return None, offset
        self._ordinal += 1 if block.too_long else block.data.count(b"\n")
        if not repeat:
            self._skipped_less(owner, skipped_from, end)
        return block, end

    def _read(self, owner: Generation, first: int, limit: int, *, repeat: bool) -> tuple[Block | None, int]:
        length = min(self._max_line_bytes + 1, limit - first)
        chunk = self._file.read_at(first, length)
        cut = self._record_ends.cut(chunk, first)
        end, too_long = cut.length, None
        if not end:
            if first + len(chunk) >= limit:
                end = len(chunk)  # the half line, or the record without its end, that closed the generation
            elif len(chunk) < length:
                return None, first  # a shorter copy of the generation
            else:
                end, too_long = measure_long_line(self._file, first, limit, self._max_line_bytes)
        data = chunk[:SHOWN_BYTES] if too_long else chunk[:end]
        block = Block(owner, first, self._ordinal, data, repeat=repeat, too_long=too_long, is_rest=cut.is_rest)
        return block, first + end

    def _skipped_less(self, owner: Generation, skipped_from: int, offset: int) -> None:
        """Note that lines up to here were skipped once and are read now; of who goes on with a generation, in both."""
        for generation in (self._generation, owner):
            if generation.skipped[0] == skipped_from:
                generation.skipped = (offset, generation.skipped[1])
                self._generations.changed(generation)
