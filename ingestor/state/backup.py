"""A copy of the state that is whole: of one moment, also beside a daemon that goes on writing."""

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError
from ingestor.model.log_file import FileIdentity
from ingestor.state.database import DATABASE, damaged, first_fault
from ingestor.state.own_files import SPOOL
from ingestor.state.rejected_file import REJECTED
from ingestor.state.state import State

_PART_BYTES = 1 << 20
_STEP_PAGES = 2048
"""Copied between two looks at Ctrl-C: 16 MiB."""

_NO_FILES: Final = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a device"),
)


class Backup(NamedTuple):
    """What was written."""

    file: Path
    bytes: int
    rejected_file: Path | None
    """The list of rejected lines, beside it; None when there is none."""
    pipe_lines: int = 0
    """Lines that came through pipes, were not read at that moment, and so are not in the backup."""


def rejected_beside(file: Path) -> Path:
    """Return where the list of rejected lines lies that belongs to a backup."""
    return file.with_name(f"{file.name}.{REJECTED}")


def back_up(state: State, file: Path, progress: Callable[[float], None] = lambda _: None) -> Backup:
    """Copy an open state into ``file``, replacing a former backup there once the new one is whole and on disk.

    ``progress`` gets the part that is done. Raises DamagedStateError (of the state that is copied), PermissionDeniedError,
    UnavailableError (disk full and the like), TokentailError (the file is the state itself, or there is something that is no
    file).
    """
    _refuse_the_state_itself(state.directory, file)
    for place in (file, rejected_beside(file)):
        _refuse_what_is_no_file(place)
    new, new_rejected = (path.with_name(f".{path.name}.new") for path in (file, rejected_beside(file)))
    try:
        for path in (new, new_rejected):
            path.unlink(missing_ok=True)
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        marks = _copy_database(state, new, progress)
        pipe_lines = _lines_beyond(marks, state.directory / SPOOL)
        # After the database: what it counts is in the list then. What is behind that is cut off when it is restored.
        has_rejected = _copy_rejected(state.directory / REJECTED, new_rejected)
        if has_rejected:
            new_rejected.replace(rejected_beside(file))
        else:
            rejected_beside(file).unlink(missing_ok=True)
        new.replace(file)
        _sync(file.absolute().parent)
    except PermissionError as error:
        raise PermissionDeniedError(
            "The backup cannot be written by this user", where=str(file), advice="Name a file that it may write."
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"The backup cannot be written: {error.strerror}", where=str(file), advice="What was there is untouched."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            new_rejected.unlink(missing_ok=True)
    return Backup(file, file.stat().st_size, rejected_beside(file) if has_rejected else None, pipe_lines)


def _refuse_the_state_itself(directory: Path, file: Path) -> None:
    if file.is_dir():
        raise TokentailError("That is a directory", where=str(file), advice=f"Name a file, such as {file / DATABASE}.")
    if file.resolve().parent == directory.resolve():
        raise TokentailError(
            "A backup in the state directory would be lost together with the state",
            where=str(file),
            advice="Name a file elsewhere, best on another disk.",
        )


def _refuse_what_is_no_file(place: Path) -> None:
    """Raise TokentailError where a backup would take the place of a device, a pipe or a link: none of them was a backup."""
    try:
        mode = place.lstat().st_mode
    except OSError:
        return  # nothing is there, or whoever writes there says what is wrong
    if stat.S_ISREG(mode):
        return
    what = next((name for is_it, name in _NO_FILES if is_it(mode)), "something that is no file")
    raise TokentailError(
        f"There is {what}, which a backup would replace",
        where=str(place),
        advice=f"Name the file that it leads to: {place.resolve()}."
        if stat.S_ISLNK(mode) and place.is_file()
        else "Name a file, or a place where nothing is.",
    )


def _copy_database(state: State, new: Path, progress: Callable[[float], None]) -> dict[FileIdentity, int]:
    """Copy it; return how far each file is read by then. Of what comes through a pipe nobody has it otherwise."""
    marks: dict[FileIdentity, int] = {}

    def step(_status: int, remaining: int, total: int) -> None:
        progress(1 - remaining / total if total else 1.0)

    try:
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as copy:
            # A transaction of its own: without one, each change that the daemon makes would have the copy begin anew.
            state.connection.execute("BEGIN")
            try:
                for entry in state.generations():
                    identity = FileIdentity(entry.device, entry.inode)
                    marks[identity] = max(entry.position.offset, marks.get(identity, 0))
                state.connection.backup(copy, pages=_STEP_PAGES, progress=step, sleep=0)
            finally:
                state.connection.execute("COMMIT")
            # One file, without a write-ahead log: so a copy of it is whole, and it can be read where nothing can be written.
            copy.execute("PRAGMA journal_mode=DELETE")
            fault = first_fault(copy)
    except sqlite3.OperationalError as error:
        raise UnavailableError(
            f"The backup cannot be written: {error}", where=str(new.parent), advice="Is the disk full?"
        ) from error
    if fault:
        raise damaged(state.directory / DATABASE, fault)
    return marks


def _lines_beyond(marks: Mapping[FileIdentity, int], spool: Path) -> int:
    """Count the lines of the segments of pipes that were not read. What is read and deleted meanwhile cannot be counted."""
    lines = 0
    for path in sorted(spool.glob("*.log*")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            found = os.fstat(file.fileno())
            file.seek(marks.get(FileIdentity(found.st_dev, found.st_ino), 0))
            while part := file.read(_PART_BYTES):
                lines += part.count(b"\n")
    return lines


def _copy_rejected(listed: Path, new: Path) -> bool:
    try:
        with listed.open("rb") as source, open(new, "xb", opener=_private) as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
    except FileNotFoundError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
