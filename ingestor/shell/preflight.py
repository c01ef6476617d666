"""What `tokentail validate` finds on this machine: whether logs can be read, the state be written, and there is room.

Everything is tried for real, nothing is changed for good, and no finding hides another.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from ingestor.core.questions import Filters, Period
from ingestor.errors import ExitCode, TokentailError
from ingestor.settings import LogSettings, Settings
from ingestor.shell.database import DATABASE
from ingestor.shell.files import open_log
from ingestor.shell.follower import live_paths
from ingestor.shell.lock import is_held
from ingestor.shell.state import State
from ingestor.stores.sqlite_answers import SqliteAnswers

LITTLE_SPACE_BYTES: Final = 256 << 20
NO_SPACE_BYTES: Final = 16 << 20
"""Below this a checkpoint under load may not fit."""


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: Level
    what: str
    where: str = ""
    advice: str = ""
    exit_code: ExitCode = ExitCode.DONE
    """What the process should end with because of it; DONE for all but errors."""


def worst(findings: list[Finding]) -> ExitCode:
    """Return the exit code of a run: configuration before permission before anything else that is bad."""
    codes = {finding.exit_code for finding in findings if finding.level is Level.ERROR}
    for code in (ExitCode.BAD_CONFIG, ExitCode.NO_PERMISSION):
        if code in codes:
            return code
    return ExitCode.BAD_ANSWER if codes else ExitCode.DONE


def preflight(settings: Settings, state_directory: Path) -> Iterator[Finding]:
    """Yield a finding for everything on this machine that `tokentail run` will need."""
    if not settings.logs:
        yield Finding(
            Level.WARNING,
            "No log is configured",
            str(settings.config_file or ""),
            "Add a [[logs]] table, or name logs with `tokentail run --log PATH`.",
        )
    for entry in settings.logs:
        yield from _log(entry)
    try:
        place = next(parent for parent in (state_directory, *state_directory.parents) if parent.exists())
    except PermissionError:
        yield _error(
            "The state directory cannot be looked at by this user",
            str(state_directory),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
        return
    yield _state_directory(state_directory, place)
    yield from _disk(state_directory, place)
    yield _store(settings, state_directory)


def _log(entry: LogSettings) -> Iterator[Finding]:
    paths = live_paths(entry.path)
    if not paths:
        yield _nothing_matches(entry.path)
    if entry.source and len(paths) > 1:
        yield _error(
            f"{len(paths)} logs match, and would share the source {entry.source!r}: only the first is read",
            entry.path,
            "Leave `source` out, so that each is named by its path, or give each a [[logs]] table of its own.",
        )
    for path in paths:
        yield _readable(path)
    for directory in {str(Path(path).parent) for path in paths} | set(entry.archive_directories):
        if Path(directory).is_dir() and not os.access(directory, os.R_OK | os.X_OK):
            yield _error(
                "The directory cannot be listed, so rotated generations are not found",
                directory,
                "Give the daemon's user read and search permission for it.",
                ExitCode.NO_PERMISSION,
            )
    for directory in entry.archive_directories:
        if not Path(directory).is_dir():
            yield Finding(
                Level.WARNING, "The archive directory does not exist", directory, "It is looked at again later."
            )


def _nothing_matches(pattern: str) -> Finding:
    return Finding(
        Level.WARNING, "No log matches yet", pattern, "It is followed as soon as it is there. Is the path right?"
    )


def _readable(path: str) -> Finding:
    try:
        file = open_log(path)
    except FileNotFoundError:
        parent = Path(path).parent
        if not parent.exists():
            return Finding(Level.WARNING, "The log's directory does not exist yet", str(parent), "Is the path right?")
        return Finding(Level.WARNING, "The log does not exist yet", path, "It is followed as soon as it is there.")
    except PermissionError:
        return _error(
            "The log cannot be read by this user",
            path,
            "Add the daemon's user to the log's group (often `adm`), and see that the directory is searchable.",
            ExitCode.NO_PERMISSION,
        )
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        return _error(f"The log cannot be read: {what}", path, "Name a regular file.")
    try:
        size = file.look().size
    finally:
        file.close()
    return Finding(Level.OK, f"Log can be read ({size:,} bytes)", path)


def _state_directory(directory: Path, existing: Path) -> Finding:
    """Write and remove a file where the state is, or in ``existing``, where its directory would be made."""
    if not existing.is_dir():
        return _error("The state directory is no directory", str(existing), "Name another one with --state-dir.")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except PermissionError:
        return _error(
            "The state directory cannot be written by this user",
            str(existing),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
    except OSError as error:
        return _error(
            f"The state directory cannot be written: {error.strerror}", str(existing), "Is the disk full or read-only?"
        )
    what = "State directory can be written" if existing == directory else "State directory can be made"
    return Finding(Level.OK, what, str(directory))


def _disk(directory: Path, existing: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        yield Finding(Level.WARNING, f"Free disk space is not known: {error.strerror}", str(existing))
        return
    what = f"{free / (1 << 30):.1f} GiB are free on the disk of the state"
    if free < NO_SPACE_BYTES:
        yield _error(f"Only {free >> 20} MiB are free on the disk of the state", str(directory), "Make room first.")
    elif free < LITTLE_SPACE_BYTES:
        yield Finding(
            Level.WARNING, f"Only {free >> 20} MiB are free on the disk of the state", str(directory), "Make room."
        )
    else:
        yield Finding(Level.OK, what, str(directory))


def _store(settings: Settings, directory: Path) -> Finding:
    """Ask the store a question, if there is a store."""
    try:
        there = (directory / DATABASE).exists()
    except OSError as error:
        return _error(
            f"The state cannot be looked at: {error.strerror}",
            str(directory),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
    if not there:
        return Finding(Level.OK, "There is no state yet: the first `tokentail run` makes it", str(directory))
    try:
        state = State.open_reader(directory)
        try:
            SqliteAnswers(state.connection).activity(Period(0, 1 << 62), Filters(), 1)
            host = state.host
        finally:
            state.close()
    except TokentailError as error:
        return _error(error.what, error.where, error.advice, error.exit_code)
    except sqlite3.Error as error:
        return _error(
            f"The embedded store cannot be read: {error}", str(directory / DATABASE), "See `tokentail status`."
        )
    if settings.host and host and settings.host != host:
        return Finding(
            Level.WARNING,
            f"Points were stored as host {host!r} until now and will be as {settings.host!r} from now on",
            str(directory),
            "Lines that are read again under another name are stored again: change it only with a new state.",
        )
    who = "a running daemon holds it" if is_held(directory) else "no daemon is running"
    return Finding(Level.OK, f"Embedded store answers; {who}", str(directory / DATABASE))


def _error(what: str, where: str, advice: str, code: ExitCode = ExitCode.BAD_ANSWER) -> Finding:
    return Finding(Level.ERROR, what, where, advice, code)
