"""Replay rejected lines after a fix: the original line is read again, and what is an event now is stored."""

import hashlib
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from ingestor.config.settings import LogSettings
from ingestor.model.generation import Generation, Match
from ingestor.model.log_file import LogFile
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.file.beside import rotated_paths
from ingestor.sources.file.discovery import live_paths
from ingestor.sources.file.files import DamagedFileError, close_quietly, open_log
from ingestor.sources.file.matching import kinship
from ingestor.state.rejected_file import RejectedLine
from parsers.contract import BLANK, Rejection, events_of


class Replayed(NamedTuple):
    """What became of the rejected lines."""

    stored: int
    """They are events now."""
    ignored: int
    """Well formed, and no token operation."""
    rejected: int
    """Still no event."""
    not_found: int
    """Their file is gone, or no longer holds them."""


def replay(pipeline: Pipeline, now_ms: int) -> Replayed:
    """Read every listed line again. Raises sqlite3.Error and OSError when the store cannot be written."""
    counts = dict.fromkeys(Replayed._fields, 0)
    by_number = {generation.number: generation for generation in pipeline.generations}
    files: dict[int, LogFile | None] = {}
    done: set[tuple[int, int]] = set()
    pipeline.commit()  # what an earlier attempt left on its way must not be done again
    for entry in pipeline.listed():
        generation = by_number.get(entry.generation)
        if generation is not None and generation.number not in files:
            files[generation.number] = _find_file(generation, pipeline.settings.logs)
        line = _read_line(entry, files.get(entry.generation))
        if generation is None or line is None:
            counts["not_found"] += 1
            continue
        outcome = pipeline.parser_of(entry.source).parse(line, now_ms)[-1]  # of several lines the last has it
        if isinstance(outcome, Rejection) or outcome is BLANK or len(line) > pipeline.settings.read.max_line_bytes:
            counts["rejected"] += 1
            continue
        pipeline.add_replayed(generation, entry, outcome)
        counts["stored" if events_of(outcome) else "ignored"] += 1
        done.add(entry.place)
    for file in files.values():
        close_quietly(file)
    pipeline.commit()
    refused = sum(1 for entry in pipeline.listed() if entry.place in done)
    counts["stored"] -= refused
    counts["rejected"] += refused
    return Replayed(**counts)


def _find_file(generation: Generation, logs: Sequence[LogSettings]) -> LogFile | None:
    """Return the file that holds a generation now: at its last path or beside it, or among the files of any log, as its content tells."""
    lives = ((live, entry.archive_directories) for entry in logs for live in live_paths(entry.path))
    beside = (path for live, archives in lives for path in (live, *rotated_paths(live, archives)))
    for path in chain((generation.path,), rotated_paths(generation.path, ()), beside):
        try:
            file = open_log(path)
        except (OSError, ValueError):
            continue
        try:
            if kinship(file, generation) is Match.SAME:
                return file
        except (OSError, DamagedFileError):
            pass
        close_quietly(file)
    return None


def _read_line(entry: RejectedLine, file: LogFile | None) -> bytes | None:
    if file is None:
        return None
    try:
        line = file.read_at(entry.offset, entry.length)
    except (OSError, DamagedFileError):
        return None
    return line if hashlib.sha256(line).hexdigest() == entry.sha256 else None
