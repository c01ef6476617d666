"""Ingest old files, plain or compressed, in time order. Safe to repeat: lines that were counted make the same points."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestor.config.settings import Settings
from ingestor.errors import PermissionDeniedError, TokentailError
from ingestor.jobs.outcome_count import OutcomeCount
from ingestor.model.generation import NOTHING_READ, Generation, Match, Status
from ingestor.model.log_file import LogFile
from ingestor.model.rotation_names import live_name, may_be_rotated
from ingestor.pipeline.classifier import parser_of
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.block import Block
from ingestor.sources.file.discovery import live_paths
from ingestor.sources.file.files import ContentChangedError, DamagedFileError, open_log
from ingestor.sources.file.matching import kinship
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.recognition import Content, follows, recognise
from ingestor.state.generations import Generations
from ingestor.state.rejected_file import RejectedLine
from parsers.contract import events_of

FIRST_LOOK_BYTES = 65_536
"""Where a file's first event is looked for, to sort files by time."""

Progress = Callable[[str, float, int], None]
"""Called with the file, the part of it that is done (0 to 1), and the lines read of it."""


class Backfilled(NamedTuple):
    """What became of one file."""

    path: str
    source: str
    lines: int
    """Not counting blank ones."""
    new: int
    """Of these, lines that had not been counted before."""
    again: int
    """Of the others, lines of a file that had been read by other rules: they are stored as the present ones say."""
    problem: str
    """Empty when the file was read to its end."""
    stored: int = 0
    """Of all lines, those that are events, and so on: whether they had been counted before or not."""
    rejected: int = 0
    ignored: int = 0
    expired: int = 0
    """Events that are older than the store keeps, as far as they are new."""
    left: int = 0
    """Bytes at its end that were not read: a line without its end, of which a log that is followed may have all."""


def open_for_reading(path: str) -> LogFile:
    """Open a file that a person named. Raises TokentailError saying what is wrong with it."""
    try:
        return open_log(path)
    except PermissionError as error:
        raise PermissionDeniedError(
            "This file may not be read", where=path, advice="Run as a user or group that may read it."
        ) from error
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise TokentailError(f"This file cannot be read: {what}", where=path, advice="Check the path.") from error


def content_of(generations: Generations, file: LogFile, source: str | None) -> Content:
    """Return what a file holds of what is known, in this source or in any. Raises OSError, DamagedFileError, sqlite3.Error."""
    return recognise(file, generations, sources=None if source is None else {source})


def source_of(path: str, settings: Settings) -> str:
    """Return the source of a file that no fingerprint tells: that of the log whose past its name says it is, else its path."""
    absolute = Path(path).absolute()
    for entry in settings.logs:
        for live in map(Path, live_paths(entry.path)):
            places = {str(live.absolute().parent), *entry.archive_directories}
            if absolute == live.absolute() or (
                str(absolute.parent) in places and may_be_rotated(live.name, absolute.name)
            ):
                return entry.source or str(live)
    base = live_name(absolute.name)
    return str(absolute.with_name(base)) if base else str(absolute)


def backfill(
    pipeline: Pipeline, paths: Sequence[str], *, source: str | None = None, progress: Progress = lambda *_: None
) -> list[Backfilled]:
    """Read whole files into the store, the one with the earliest event first.

    Raises TokentailError before anything is read when a file cannot be opened; sqlite3.Error and OSError when the store
    cannot be written (repeat it then).
    """
    for path in paths:
        open_for_reading(path).close()
    pipeline.commit()  # what an earlier attempt left on its way must not be done again
    logs = sorted({str(Path(live).resolve()) for entry in pipeline.settings.logs for live in live_paths(entry.path)})
    return [
        _backfill_file(pipeline, path, source, progress, logs)
        for path in sorted(paths, key=lambda path: _first_time(pipeline, path))
    ]


def _backfill_file(
    pipeline: Pipeline, path: str, source: str | None, progress: Progress, logs: Sequence[str]
) -> Backfilled:
    """Read one file. ``logs``: those that are followed."""
    final = str(Path(path).resolve()) not in logs
    file = open_for_reading(path)
    try:
        generation, joined_at = _generation_to_read(pipeline, path, file, source)
    except DamagedFileError as error:
        file.close()
        return Backfilled(path, source or source_of(path, pipeline.settings), 0, 0, 0, str(error))
    owners = _owners(pipeline.generations, generation)
    # Of what is read for the first time nothing is listed: the rejected file, which may be large, is left alone then.
    listed = _listed(pipeline, owners) if generation.position.offset or generation.compared else {}
    other_rules = _other_rules(pipeline, owners)
    own = (
        file.identity == (generation.device, generation.inode) and generation.number not in pipeline.generations.readers
    )
    lines = new = again = left = 0
    became = OutcomeCount(pipeline, generation.source)
    problem = ""
    try:
        tail = GenerationReader(
            generation,
            file,
            pipeline.generations,
            max_line_bytes=pipeline.settings.read.max_line_bytes,
            from_start=True,
            sources=None if source is None else {source},
            joined_at=joined_at,
        )
        for block in _blocks(tail, is_left=lambda: not final or _is_left(tail, own=own, logs=logs)):
            if block is None:
                progress(path, file.progress(tail.offset), lines)
                continue
            if block.repeat:
                pipeline.reprocess(block, listed)
            else:
                pipeline.process(block)
            count = sum(1 for line in block.data.split(b"\n") if line.strip())
            lines += count
            new += 0 if block.repeat else count
            again += count if block.repeat and block.generation.number in other_rules else 0
            if pipeline.full:
                pipeline.commit()
            progress(path, file.progress(tail.offset), lines)
        if tail.waits:
            problem = f"{path} goes on like a log that is not read to its end yet; what came before is stored: repeat it later"
        left = len(tail.half_line()) if not file.damaged else 0
        if left and generation.status is Status.CLOSED:
            generation.size_seen = max(generation.size_seen, tail.offset + left)
            pipeline.generations.changed(generation)
        if tail.offset >= generation.position.offset and not file.damaged and not tail.waits:
            pipeline.generations.mark_classified(generation, pipeline.rules_of(generation.source))
    except (DamagedFileError, ContentChangedError) as error:
        told = (
            error if isinstance(error, DamagedFileError) else f"{path} changes, or is a piece of a file that is known"
        )
        problem = f"{told}; what came before is stored"
    finally:
        file.close()
    pipeline.commit()
    progress(path, 1.0, lines)
    return Backfilled(path, generation.source, lines, new, again, problem, *became.outcomes(), left)


def _blocks(tail: GenerationReader, *, is_left: Callable[[], bool]) -> Iterator[Block | None]:
    """Yield the blocks of a file, and None now and then where there is much to pass over.

    ``is_left``: asked at the end, whether a last line without an end is to be left. Raises DamagedFileError, ContentChangedError, OSError.
    """
    while True:
        block = tail.read(final=False)
        if block is None and tail.file.damaged:
            raise DamagedFileError(f"{tail.file.path} is truncated or damaged")
        if block is None and not tail.busy and not is_left():
            block = tail.read(final=True)
        if block is None and not tail.busy:
            return
        yield block


def _is_left(tail: GenerationReader, *, own: bool, logs: Sequence[str]) -> bool:
    """Tell whether a last line without an end is to be left: the file is a copy up to there, so its original may have all of it.

    ``own``: it is the file itself that what was counted of it was read from. ``logs``: those that are followed.
    """
    half = tail.half_line()
    if not half or (tail.repeats and not own):
        return bool(half)
    return any(_goes_on_in(path, tail, half) for path in logs)


def _goes_on_in(path: str, tail: GenerationReader, half: bytes) -> bool:
    """Tell whether a log holds all that was read of a file, and the half line behind it."""
    mark = tail.generation.position
    try:
        with contextlib.closing(open_log(path)) as file:
            is_same = tail.offset == mark.offset and kinship(file, tail.generation) is Match.SAME
            return is_same and file.identity != tail.file.identity and file.read_at(mark.offset, len(half)) == half
    except (OSError, ValueError, DamagedFileError):
        return False


def _listed(pipeline: Pipeline, owners: set[int]) -> dict[tuple[int, int], list[RejectedLine]]:
    """Return what is in the rejected file of some generations, by generation and ordinal."""
    listed: dict[tuple[int, int], list[RejectedLine]] = {}
    for entry in pipeline.listed():
        if entry.generation in owners:
            listed.setdefault((entry.generation, entry.ordinal), []).append(entry)
    return listed


def _owners(generations: Generations, generation: Generation) -> set[int]:
    """Return the numbers of the generations whose lines a file may hold that holds this one."""
    former = generations.get(generation.compared.former) if generation.compared else None
    files = (generation, former) if former else (generation,)
    return {number for file in files for number in (file.number, *(stretch.generation for stretch in file.stretches))}


def _other_rules(pipeline: Pipeline, numbers: set[int]) -> set[int]:
    """Return those of the generations whose lines were counted by other rules than the present ones."""
    found = [generation for number in numbers if (generation := pipeline.generations.get(number)) is not None]
    return {g.number for g in found if g.rules not in {"", pipeline.rules_of(g.source)}}


def _generation_to_read(pipeline: Pipeline, path: str, file: LogFile, source: str | None) -> tuple[Generation, int]:
    """Return what to read from a file, and where in it another content begins that was joined to one that was left until now."""
    joined_at = 0
    content = content_of(pipeline.generations, file, source)
    generation = content.same
    if generation is None:
        owner = content.owner(pipeline.generations)
        name = source or (owner.source if owner else source_of(path, pipeline.settings))
        generation = content.begin(pipeline.generations, name, str(Path(path).absolute()), file)
        generation.status = Status.CLOSED
        return generation, joined_at
    if generation.status is Status.SKIPPED:
        end = generation.position.offset
        if end and file.read_at(end - 1, 1) == b"\n" and follows(file, pipeline.generations, end, generation):
            joined_at = end
        generation.position, generation.ordinal, generation.status = NOTHING_READ, 0, Status.CLOSED
        generation.segments.clear()
    return generation, joined_at


def _first_time(pipeline: Pipeline, path: str) -> tuple[int, str]:
    """Sort key: the time of the first event near the start of a file (files without any come last)."""
    file = open_for_reading(path)
    try:
        data = file.read_at(0, FIRST_LOOK_BYTES)
    except (OSError, DamagedFileError):
        data = b""
    finally:
        file.close()
    whole = data[: data.rfind(b"\n") + 1] or data
    parser = parser_of(
        source_of(path, pipeline.settings), pipeline.settings
    )  # its own: what it counts is counted again
    for outcome in parser.parse(whole, 1 << 62):
        if events := events_of(outcome):
            return events[0][0], path
    return 1 << 62, path
