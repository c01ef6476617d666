"""What `tokentail validate` finds: whether logs can be read, the state be written, there is room, store and Grafana work.

Everything is tried for real, nothing is changed for good, and no finding hides another.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import parsers
from ingestor.checks.grafana import check_grafana
from ingestor.checks.leftovers import leftovers
from ingestor.checks.pipes import check_pipe
from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ConfigError, ExitCode, TokentailError
from ingestor.format_check.log_sample import judge_newest
from ingestor.format_check.understanding import Understanding, of_account
from ingestor.model.accounting import Account
from ingestor.model.check_result import CheckResult, Level, failed, wrong
from ingestor.model.log_file import LogFile
from ingestor.model.questions import Filters, Period
from ingestor.model.words import counted
from ingestor.pipeline.classifier import new_parser
from ingestor.sources.file.discovery import live_paths
from ingestor.sources.file.files import open_log
from ingestor.sources.file.spool import is_pipe
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


def preflight(settings: Settings, state_directory: Path) -> Iterator[CheckResult]:
    """Yield a finding for everything that `tokentail run` will need: logs, state, store; and of Grafana."""
    if not settings.logs:
        yield CheckResult(
            Level.WARNING,
            "No log is configured",
            str(settings.config_file or ""),
            "Add a [[logs]] table, or name logs with `tokentail run PATH`.",
        )
    yield from _parsers(settings)
    known = _accounts(state_directory)
    for entry in settings.logs:
        yield from _log(entry, settings, known)
    yield from leftovers(settings, state_directory)
    yield from _state_findings(settings, state_directory)
    yield from store_of(settings).check()
    if settings.grafana.url:
        yield from check_grafana(settings)


def _parsers(settings: Settings) -> Iterator[CheckResult]:
    """Yield what is wrong with the parsers that logs are configured with, then with others that are installed."""
    told = set()
    for name in sorted({entry.parser for entry in settings.logs}):
        try:
            new_parser(name, settings)
        except ConfigError as error:
            told.add(error.what)
            yield failed(error)
    for fault in parsers.problems(**settings.parser_options):
        if fault not in told:
            yield CheckResult(
                Level.WARNING, fault, "", "Mend or uninstall that package. No log is read by this parser."
            )


def _state_findings(settings: Settings, directory: Path) -> Iterator[CheckResult]:
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


def _accounts(directory: Path) -> dict[str, Account]:
    """Return what became of the lines of each source, as far as there is a state that can be read."""
    try:
        with contextlib.closing(State.open_reader(directory)) as state:
            return state.accounts()
    except (TokentailError, sqlite3.Error, OSError):
        return {}  # told below


def _log(entry: LogSettings, settings: Settings, known: Mapping[str, Account]) -> Iterator[CheckResult]:
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
        odd = list(judge_newest(file, entry, settings, whole))
    except OSError as error:
        yield wrong(f"The log cannot be read: {error.strerror}", file.path, "Is the disk or the mount in order?")
        return
    except ConfigError:
        odd = []  # told of its parser
    yield CheckResult(Level.OK, f"Log can be read ({counted(file.stat().size, 'byte')})", file.path)
    yield from odd


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
                f"The embedded store cannot be read: {error}", str(directory / DATABASE), "Is the disk in order?"
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
