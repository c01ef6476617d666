"""Open the state's database for reading: beside a daemon that writes it, and where nothing can be written."""

import os
import sqlite3
import time
from pathlib import Path

from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError
from ingestor.state.database import check_schema, damaged, fault_of_file, has_journal, not_permitted
from ingestor.state.lock import is_held

_MAKING_SECONDS = 5.0
"""How long the first tables may take."""


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that exists for reading only, beside a running daemon as well as on a file system that is read-only.

    Raises DamagedStateError, PermissionDeniedError, ConfigError (a newer version's), UnavailableError.
    """
    try:
        connection = _connect_somehow(path)
    except sqlite3.OperationalError as error:
        raise _unreadable(path, error) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error
    if _is_at_rest(path) and (fault := fault_of_file(path)):  # of a part of a database SQLite answers what it can
        connection.close()
        raise damaged(path, fault)
    return connection


def _connect_somehow(path: Path) -> sqlite3.Connection:
    """Connect as a reader. Even a reader of a database with a write-ahead log writes beside it, unless told that nobody does."""
    try:
        return _connect(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if not _is_barred(error) or not _is_at_rest(path):
            raise
    return _connect(path, "immutable=1")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=10)
    try:
        check_schema(connection, path)
        connection.execute("SELECT 1 FROM meta")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_barred(error: sqlite3.OperationalError) -> bool:
    """Tell that files could not be opened or made."""
    barring = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
    return error.sqlite_errorcode & 0xFF in barring


def _is_at_rest(path: Path) -> bool:
    """Whether everything is in the one file and nobody writes it."""
    return not has_journal(path) and not is_held(path.parent)


def _unreadable(path: Path, error: sqlite3.OperationalError) -> TokentailError:
    """Make the error that says why a reader cannot open a database that exists."""
    if _is_barred(error):
        if os.access(path, os.R_OK) and has_journal(path):
            return PermissionDeniedError(
                "The state has a write-ahead log, which cannot be read where nothing can be written beside it",
                where=str(path),
                advice="Copy the whole directory to a place where this user may write, and name that with --state-dir.",
            )
        return not_permitted(path.parent)
    if "no such table" not in str(error):
        return UnavailableError(f"The state database cannot be read: {error}", where=str(path), advice="Try again.")
    if is_held(path.parent) or time.time() - path.stat().st_mtime < _MAKING_SECONDS:
        return UnavailableError(
            "The state is being made at this moment", where=str(path.parent), advice="Try again in a second."
        )
    return damaged(path, "it is empty" if path.stat().st_size == 0 else "it has no tables of tokentail's")
