"""Ingest old files, plain or compressed, in time order. Safe to repeat: lines that were counted make the same points."""

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ingestor.core.generation import NOTHING_READ, Generation, Kinship, Status
from ingestor.core.rotation import live_name, rotation_age
from ingestor.errors import PermissionDeniedError, TokentailError
from ingestor.settings import Settings
from ingestor.shell.book import Book
from ingestor.shell.files import DamagedFileError, LogFile, open_log
from ingestor.shell.follower import live_paths
from ingestor.shell.ingest import Ingest
from ingestor.shell.outcome_count import OutcomeCount
from ingestor.shell.recognition import best_match
from ingestor.shell.tail import ContentChangedError, Tail

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


def generation_of(book: Book, file: LogFile, source: str | None) -> tuple[Generation, Kinship] | None:
    """Return the known generation that a file holds, of this source or of any."""
    sources = [source] if source else book.sources
    return best_match(file, [generation for name in sources for generation in book.of(name)])


def source_of(path: str, settings: Settings) -> str:
    """Return the source of a file that no fingerprint tells: that of the log whose past its name says it is, else its path."""
    absolute = Path(path).absolute()
    for entry in settings.logs:
        for live in map(Path, live_paths(entry.path)):
            places = {str(live.absolute().parent), *entry.archive_directories}
            if absolute == live.absolute() or (
                str(absolute.parent) in places and rotation_age(live.name, absolute.name) is not None
            ):
                return entry.source or str(live)
    base = live_name(absolute.name)
    return str(absolute.with_name(base)) if base else str(absolute)


def backfill(
    ingest: Ingest, paths: Sequence[str], *, source: str | None = None, progress: Progress = lambda *_: None
) -> list[Backfilled]:
    """Read whole files into the store, the one with the earliest event first.

    Raises TokentailError before anything is read when a file cannot be opened; sqlite3.Error and OSError when the store
    cannot be written (repeat it then).
    """
    for path in paths:
        open_for_reading(path).close()
    ingest.commit()  # what an earlier attempt left on its way must not be done again
    followed = {str(Path(live).resolve()) for entry in ingest.settings.logs for live in live_paths(entry.path)}
    return [
        _backfill_file(ingest, path, source, progress, final=str(Path(path).resolve()) not in followed)
        for path in sorted(paths, key=lambda path: _first_time(ingest, path))
    ]


def expand(paths: Sequence[str]) -> list[str]:
    """Expand globs, for shells and requests that do not."""
    return [found for path in paths for found in (sorted(glob.glob(path)) if glob.has_magic(path) else [path])]  # noqa: PTH207


def _backfill_file(ingest: Ingest, path: str, source: str | None, progress: Progress, *, final: bool) -> Backfilled:
    file = open_for_reading(path)
    try:
        generation = _generation_to_read(ingest, path, file, source)
    except DamagedFileError as error:
        file.close()
        return Backfilled(path, source or source_of(path, ingest.settings), 0, 0, 0, str(error))
    # Of what is read for the first time nothing is listed: the rejected file, which may be large, is left alone then.
    known = ingest.listed() if generation.mark.offset else ()
    listed = {entry.ordinal: entry for entry in known if entry.generation == generation.number}
    other_rules = generation.rules not in {"", ingest.rules_of(generation.source)}
    lines = new = again = 0
    became = OutcomeCount(ingest, generation.source)
    problem = ""
    try:
        tail = Tail(generation, file, max_line_bytes=ingest.settings.read.max_line_bytes, from_start=True)
        while True:
            block = tail.read(final=False)
            if block is None and file.damaged:
                raise DamagedFileError(f"{path} is truncated or damaged")  # noqa: TRY301 - told below
            if block is None and final:
                block = tail.read(final=True)
            if block is None:
                break
            if block.repeat:
                ingest.take_again(block, listed)
            else:
                ingest.take(block)
            count = sum(1 for line in block.data.split(b"\n") if line.strip())
            lines += count
            new += 0 if block.repeat else count
            again += count if block.repeat and other_rules else 0
            if ingest.full:
                ingest.commit()
            progress(path, file.progress(tail.offset), lines)
        if tail.offset >= generation.mark.offset and not file.damaged:
            ingest.book.judged(generation, ingest.rules_of(generation.source))
    except (DamagedFileError, ContentChangedError) as error:
        told = (
            error if isinstance(error, DamagedFileError) else f"{path} changes, or is a piece of a file that is known"
        )
        problem = f"{told}; what came before is stored"
    finally:
        file.close()
    ingest.commit()
    progress(path, 1.0, lines)
    return Backfilled(path, generation.source, lines, new, again, problem, *became.outcomes())


def _generation_to_read(ingest: Ingest, path: str, file: LogFile, source: str | None) -> Generation:
    match = generation_of(ingest.book, file, source)
    if match is None:
        name = source or source_of(path, ingest.settings)
        generation = ingest.book.begin(name, str(Path(path).absolute()), file.identity)
        generation.status = Status.CLOSED
        return generation
    generation, _ = match
    if generation.status is Status.SKIPPED:
        generation.mark, generation.ordinal, generation.status = NOTHING_READ, 0, Status.CLOSED
        generation.segments.clear()
    return generation


def _first_time(ingest: Ingest, path: str) -> tuple[int, str]:
    """Sort key: the time of the first event near the start of a file (files without any come last)."""
    file = open_for_reading(path)
    try:
        data = file.read_at(0, FIRST_LOOK_BYTES)
    except (OSError, DamagedFileError):
        data = b""
    finally:
        file.close()
    whole = data[: data.rfind(b"\n") + 1] or data
    for outcome in ingest.parser("auto").parse(whole, 1 << 62):
        if isinstance(outcome, tuple) and isinstance(outcome[0], int):
            return outcome[0], path
    return 1 << 62, path
