"""Whether logs can be read, and are understood."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ingestor.checks.pipes import check_pipe
from ingestor.config.schemes import scheme_of
from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ConfigError, ExitCode
from ingestor.format_check.log_sample import Judged, judge_newest
from ingestor.format_check.understanding import Understanding, of_account
from ingestor.model.accounting import Account
from ingestor.model.check_result import CheckResult, Level, wrong
from ingestor.model.log_file import LogFile
from ingestor.model.words import counted
from ingestor.sources.file.discovery import live_paths
from ingestor.sources.file.files import open_log
from ingestor.sources.file.spool import is_pipe


def check_log(entry: LogSettings, settings: Settings, known: Mapping[str, Account]) -> Iterator[CheckResult]:
    """Yield what is wrong with a log, its directories and its newest lines. ``known``: what became of each source's lines."""
    if scheme_of(entry.path):
        yield CheckResult(
            Level.OK, "This is no file, and is not looked at", entry.path, "`tokentail status` says how it is read."
        )
        return
    paths = live_paths(entry.path)
    if not paths:
        yield _nothing_matches(entry.path)
    if entry.source and len(paths) > 1:
        yield wrong(
            f"{len(paths)} logs match, and would share the source {entry.source!r}: only the first is read",
            entry.path,
            "Leave `source` out, so that each is named by its path, or give each a [[logs]] table of its own.",
        )
    for path in paths:
        if is_pipe(path) and path == entry.path:
            yield check_pipe(path)
        else:
            yield from _readable(path, entry, settings, of_account(known.get(entry.source or path, Account())))
    for directory in {str(Path(path).parent) for path in paths} | set(entry.archive_directories):
        if Path(directory).is_dir() and not os.access(directory, os.R_OK | os.X_OK):
            yield wrong(
                "The directory cannot be listed, so rotated generations are not found",
                directory,
                "Give the daemon's user read and search permission for it.",
                ExitCode.NO_PERMISSION,
            )
    for directory in entry.archive_directories:
        if not Path(directory).is_dir():
            yield CheckResult(
                Level.WARNING, "The archive directory does not exist", directory, "It is looked at again later."
            )


def _nothing_matches(pattern: str) -> CheckResult:
    return CheckResult(
        Level.WARNING, "No log matches yet", pattern, "It is followed as soon as it is there. Is the path right?"
    )


def _readable(path: str, entry: LogSettings, settings: Settings, whole: Understanding) -> Iterator[CheckResult]:
    try:
        file = open_log(path)
    except FileNotFoundError:
        parent = Path(path).parent
        if parent.exists():
            yield CheckResult(
                Level.WARNING, "The log does not exist yet", path, "It is followed as soon as it is there."
            )
        else:
            yield CheckResult(
                Level.WARNING, "The log's directory does not exist yet", str(parent), "Is the path right?"
            )
    except PermissionError:
        yield wrong(
            "The log cannot be read by this user",
            path,
            "Add the daemon's user to the log's group (often `adm`), and see that the directory is searchable.",
            ExitCode.NO_PERMISSION,
        )
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        yield wrong(f"The log cannot be read: {what}", path, "Name a regular file.")
    else:
        with contextlib.closing(file):
            yield from _contents(file, entry, settings, whole)


def _contents(file: LogFile, entry: LogSettings, settings: Settings, whole: Understanding) -> Iterator[CheckResult]:
    try:
        judged = judge_newest(file, entry, settings, whole)
    except OSError as error:
        yield wrong(f"The log cannot be read: {error.strerror}", file.path, "Is the disk or the mount in order?")
        return
    except ConfigError:
        judged = Judged("")  # told of its parser
    what = [counted(file.stat().size, "byte"), *filter(None, [judged.written_by])]
    yield CheckResult(Level.OK, f"Log can be read ({', '.join(what)})", file.path)
    yield from judged.odd
