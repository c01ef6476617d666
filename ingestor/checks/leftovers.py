"""What `tokentail validate` says of files that are left to a backfill: they lay rotated beside a log at the first look."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import TokentailError
from ingestor.model.check_result import CheckResult, Level
from ingestor.model.generation import Status
from ingestor.model.log_file import shown
from ingestor.model.rotation_names import is_compressed
from ingestor.model.words import counted, some_of
from ingestor.sources.file.beside import rotated_paths
from ingestor.sources.file.discovery import live_paths, matched_files
from ingestor.state.database import DATABASE
from ingestor.state.state import State

ADVICE = "`tokentail backfill FILE` reads one. What is written to it from now on is read by itself."


def leftovers(settings: Settings, state_directory: Path) -> Iterator[CheckResult]:
    """Yield a finding for files that are not read, or will not be at the first start. A state that cannot be read is told elsewhere."""
    try:
        left = _left_by(state_directory) if (state_directory / DATABASE).exists() else None
    except (OSError, TokentailError):
        return
    for entry in settings.logs:
        past = _past_of(entry)
        files = past if left is None else [path for path in past if shown(path) in left]
        matched = set(matched_files(entry.path)).intersection(files)
        doubtful = [shown(path) for path in files if path in matched and not is_compressed(path)]
        certain = [shown(path) for path in files if path not in matched or is_compressed(path)]
        if doubtful:
            yield CheckResult(
                Level.WARNING,
                f"Left to backfill: {counted(len(doubtful), 'file')} that the pattern matches, and that the names say are rotated",
                some_of(doubtful),
                f"{ADVICE} One that is a live log is followed as such as soon as it grows.",
            )
        if certain:
            what = f"Left to backfill: {counted(len(certain), 'rotated file')} from before the first start"
            yield CheckResult(Level.OK, what, some_of(certain), ADVICE)


def _past_of(entry: LogSettings) -> list[str]:
    lives = live_paths(entry.path)
    found = dict.fromkeys(path for live in lives for path in rotated_paths(live, entry.archive_directories))
    return [path for path in found if path not in lives]


def _left_by(directory: Path) -> set[str]:
    with contextlib.closing(State.open_reader(directory)) as state:
        return {shown(entry.path) for entry in state.generations() if entry.status is Status.SKIPPED}
