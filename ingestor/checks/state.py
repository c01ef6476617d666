"""Whether the state can be written, is whole, and has room."""

import contextlib
import os
import shutil
import socket
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import ExitCode, TokentailError
from ingestor.model.check_result import CheckResult, Level, failed, wrong
from ingestor.model.questions import Filters, Period
from ingestor.state.database import DATABASE, damaged, first_fault, is_damage, suspect
from ingestor.state.lock import is_held
from ingestor.state.own_files import OTHERS_WRITE
from ingestor.state.state import State
from ingestor.stores.registry import store_of

LITTLE_SPACE_BYTES: Final = 256 << 20
NO_SPACE_BYTES: Final = 16 << 20
"""Below this a checkpoint under load may not fit."""

CHECK_SECONDS: Final = 10.0
"""How long the database is looked through for damage; what is larger is looked at in part."""


def check_state(settings: Settings, directory: Path) -> Iterator[CheckResult]:
    """Yield what is wrong with the state's directory, its disk and its database."""
    try:
        place = next(parent for parent in (directory, *directory.parents) if parent.exists())
    except PermissionError:
        yield wrong(
            "The state directory cannot be looked at by this user",
            str(directory),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
        return
    yield _state_directory(directory, place)
    if place == directory:
        yield from _writable_by_others(directory)
    yield from _disk(directory, place)
    yield from _state(settings, directory)


def _state_directory(directory: Path, existing: Path) -> CheckResult:
    """Write and remove a file where the state is, or in ``existing``, where its directory would be made."""
    if not existing.is_dir():
        return wrong("The state directory is no directory", str(existing), "Name another one with --state-dir.")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except PermissionError:
        return wrong(
            "The state directory cannot be written by this user",
            str(existing),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
    except OSError as error:
        return wrong(
            f"The state directory cannot be written: {error.strerror}", str(existing), "Is the disk full or read-only?"
        )
    what = "State directory can be written" if existing == directory else "State directory can be made"
    return CheckResult(Level.OK, what, str(directory))


def _writable_by_others(directory: Path) -> Iterator[CheckResult]:
    """Warn of others that may put files, or links, where the daemon writes its own."""
    try:
        status = directory.stat()
    except OSError:
        return  # told already
    mode = stat.S_IMODE(status.st_mode)
    if mode & OTHERS_WRITE:
        who = "Everybody" if mode & stat.S_IWOTH else "A group"
        yield CheckResult(
            Level.WARNING,
            f"{who} may write the state directory (mode {mode:04o}), hence change or remove what is stored",
            str(directory),
            f"`chmod go-w {directory}`; the state directory is its daemon's alone.",
        )
    elif os.geteuid() not in {0, status.st_uid}:
        yield CheckResult(
            Level.WARNING,
            f"The state directory belongs to another user (number {status.st_uid})",
            str(directory),
            "Run tokentail as that user, or name another directory with --state-dir.",
        )


def _disk(directory: Path, existing: Path) -> Iterator[CheckResult]:
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        yield CheckResult(Level.WARNING, f"Free disk space is not known: {error.strerror}", str(existing))
        return
    what = f"{free / (1 << 30):.1f} GiB are free on the disk of the state"
    if free < NO_SPACE_BYTES:
        yield wrong(f"Only {free >> 20} MiB are free on the disk of the state", str(directory), "Make room first.")
    elif free < LITTLE_SPACE_BYTES:
        yield CheckResult(
            Level.WARNING, f"Only {free >> 20} MiB are free on the disk of the state", str(directory), "Make room."
        )
    else:
        yield CheckResult(Level.OK, what, str(directory))


def _state(settings: Settings, directory: Path) -> Iterator[CheckResult]:
    """Open the state, if there is one; ask the store in it a question, if the events are there."""
    try:
        there = (directory / DATABASE).exists()
    except OSError as error:
        yield wrong(
            f"The state cannot be looked at: {error.strerror}",
            str(directory),
            "Run as the user that owns it, or name another one with --state-dir.",
            ExitCode.NO_PERMISSION,
        )
        return
    if not there:
        yield CheckResult(Level.OK, "There is no state yet: the first `tokentail run` makes it", str(directory))
        return
    store = store_of(settings)
    try:
        with contextlib.closing(State.open_reader(directory)) as state:
            host = state.host
            store.check_usable(state)
            if store.in_state:
                with store.open_answers(state.connection) as answers:
                    answers.activity(Period(0, 1 << 62), Filters(), 1)
            if fault := first_fault(state.connection, most_seconds=CHECK_SECONDS):
                suspect(directory / DATABASE, fault)
                raise damaged(directory / DATABASE, fault)
    except TokentailError as error:
        yield failed(error)
        return
    except sqlite3.Error as error:
        if is_damage(error):
            suspect(directory / DATABASE, str(error))
            yield failed(damaged(directory / DATABASE, error))
        else:
            yield wrong(
                f"The {'embedded store' if store.in_state else 'state'} cannot be read: {error}",
                str(directory / DATABASE),
                "Is the disk in order?",
            )
        return
    who = "a running daemon holds it" if is_held(directory) else "no daemon is running"
    what = "Embedded store answers" if store.in_state else "State can be read"
    yield CheckResult(Level.OK, f"{what}; {who}", str(directory / DATABASE))
    if host:
        yield from _host(settings.host, host, directory)


def _host(configured: str, stored: str, directory: Path) -> Iterator[CheckResult]:
    """Compare the name that points were stored under with the one that they will be, and with this machine's."""
    if configured and configured != stored:
        yield CheckResult(
            Level.WARNING,
            f"Points were stored as host {stored!r} until now and will be as {configured!r} from now on",
            str(directory),
            "Lines that are read again under another name are stored again: change it only with a new state.",
        )
    elif not configured and (name := socket.gethostname()) != stored:
        yield CheckResult(
            Level.WARNING,
            f"Points are stored as host {stored!r}, which the state remembers, and this machine is called {name!r}",
            str(directory),
            f'Write host = "{stored}" into the config: should the state be lost, lines that are read again keep their name.',
        )
