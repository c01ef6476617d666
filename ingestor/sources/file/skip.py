"""Pass over what is in a file already, uncounted (``start = "end"``)."""

from ingestor.model.generation import HEAD_BYTES, TAIL_BYTES, Generation, Position
from ingestor.model.log_file import LogFile
from ingestor.sources.file.matching import key_of


def skip_to_end(generation: Generation, file: LogFile, *, end: int | None = None, step: int = 1 << 20) -> None:
    """Move the position behind the last whole line that is there now, counting what is skipped (``start = "end"``).

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
