"""The SQLite file of the state: made, opened, told apart from a damaged one, set aside when it is."""

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from ingestor.errors import ConfigError, DamagedStateError, PermissionDeniedError, TokentailError, UnavailableError
from ingestor.shell import acknowledged
from ingestor.shell.lock import is_held
from ingestor.stores import sqlite as embedded

DATABASE = "tokentail.db"
SCHEMA_VERSION = 1
CONDEMNED = f"{DATABASE}.condemned"
"""A marker beside a database that is damaged; it stays until another one is there that knows of it."""
_MAKING_SECONDS = 5.0
"""How long the first tables may take."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations(
  number INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  h BLOB, offset INTEGER NOT NULL, head_length INTEGER NOT NULL, head_digest BLOB NOT NULL, tail_length INTEGER NOT NULL,
  tail_digest BLOB NOT NULL, ordinal INTEGER NOT NULL, size_seen INTEGER NOT NULL, status TEXT NOT NULL,
  segments TEXT NOT NULL, skipped_from INTEGER NOT NULL, skipped_to INTEGER NOT NULL, rules TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts(
  source TEXT PRIMARY KEY, read INTEGER NOT NULL, stored INTEGER NOT NULL, ignored INTEGER NOT NULL,
  expired INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected_by_reason(
  source TEXT NOT NULL, reason TEXT NOT NULL, lines INTEGER NOT NULL, PRIMARY KEY(source, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS admitted(
  source TEXT NOT NULL, realm TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
  by_success INTEGER NOT NULL, PRIMARY KEY(source, realm, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, generation INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER, found_at REAL NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replayed(
  generation INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY(generation, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves(
  number INTEGER PRIMARY KEY, outdated TEXT NOT NULL, body BLOB NOT NULL, times TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, created REAL NOT NULL,
  started REAL, finished REAL, answer TEXT);
"""


def make_directory(directory: Path) -> None:
    """Make the state directory, for its owner alone. Raises PermissionDeniedError, ConfigError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except PermissionError as error:
        raise not_permitted(directory) from error
    except OSError as error:
        raise ConfigError(
            f"The state directory cannot be made: {error.strerror}",
            where=str(directory),
            advice="Name another one with --state-dir, or `state_directory` in the config.",
        ) from error


def find_database(directory: Path) -> Path:
    """Return the database of a state that exists. Raises UnavailableError when none does, PermissionDeniedError."""
    path = directory / DATABASE
    try:
        path.stat()
    except PermissionError as error:
        raise not_permitted(directory) from error
    except OSError as error:
        raise UnavailableError(
            "There is no state here yet",
            where=str(directory),
            advice="Run `tokentail run` first, or name the state directory of the service with --state-dir.",
        ) from error
    return path


def unreadable(path: Path, error: sqlite3.OperationalError) -> TokentailError:
    """Make the error that says why a reader cannot open a database that exists."""
    if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return not_permitted(path.parent)
    if "no such table" not in str(error):
        return UnavailableError(f"The state database cannot be read: {error}", where=str(path), advice="Try again.")
    if is_held(path.parent) or time.time() - path.stat().st_mtime < _MAKING_SECONDS:
        return UnavailableError(
            "The state is being made at this moment", where=str(path.parent), advice="Try again in a second."
        )
    return damaged(path, "it is empty" if path.stat().st_size == 0 else "it has no tables of tokentail's")


def open_database(path: Path) -> sqlite3.Connection:
    """Open for writing, creating what is missing.

    Raises DamagedStateError, ConfigError (a newer version's), PermissionDeniedError, UnavailableError (disk full).
    """
    if path.with_name(CONDEMNED).exists():
        raise damaged(path, "it was found damaged while it was in use")
    existed = path.exists()
    if existed and path.stat().st_size == 0:
        raise damaged(path, "it is empty")
    try:
        # The events are personal data: the owner's alone. SQLite gives its journals the mode of the database.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=30, cached_statements=256)
        if not existed:
            connection.execute("PRAGMA page_size=8192")
        for pragma in embedded.PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        refuse_newer(connection, path)
        connection.executescript(SCHEMA + acknowledged.SCHEMA + embedded.SCHEMA)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        _touch_every_table(connection)
    except PermissionError as error:
        raise not_permitted(path.parent) from error
    except (sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise damaged(path, error) from error
        raise UnavailableError(
            f"The state database cannot be opened: {error}",
            where=str(path),
            advice="Is the disk full, or the directory not writable for this user?",
        ) from error
    return connection


def refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Close a database of a schema that this version does not know. Raises ConfigError, sqlite3.Error."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        connection.close()
        raise ConfigError(
            f"The state was written by a newer tokentail (schema {version}, this one knows {SCHEMA_VERSION})",
            where=str(path),
            advice="Install that version again, or give this one another --state-dir.",
        )


def is_damage(error: sqlite3.Error) -> bool:
    """Tell a damaged database from a full disk, a lock or a missing permission, which waiting or an administrator mends."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    return primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _touch_every_table(connection: sqlite3.Connection) -> None:
    """Read the state's own tables whole (they are small), so that damage shows now and not at the first checkpoint."""
    for table in ("meta", "generations", "accounts", "rejected_by_reason", "admitted", "gaps", "replayed", "requests"):
        for _ in connection.execute(f"SELECT * FROM {table}"):
            pass


def replace_damaged(path: Path) -> tuple[sqlite3.Connection, Path]:
    """Set a damaged database aside and open a new one that knows it must be rebuilt. Returns it and where the old one is.

    A crash in between is no harm: while the marker is there, it is done again.
    """
    marker = path.with_name(CONDEMNED)
    marker.touch()
    aside = _set_aside(path)
    marker.unlink()
    try:
        connection = open_database(path)
        save_meta(connection, {"rebuilding": "1", "set_aside": str(aside)})
    except BaseException:
        marker.touch()
        raise
    return connection, aside


def load_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the table ``meta``: host, rejected_mark, heartbeat and the like."""
    return dict(connection.execute("SELECT key, value FROM meta"))


def save_meta(connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
    """Set keys of the table ``meta``."""
    connection.executemany("REPLACE INTO meta VALUES(?,?)", list(meta.items()))


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    for suffix in ("", "-wal", "-shm"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            journal.rename(aside.with_name(aside.name + suffix))
    return aside


def damaged(path: Path, error: object) -> DamagedStateError:
    """Make the error that says so."""
    return DamagedStateError(
        f"The state database is damaged: {error}",
        where=str(path),
        advice="`tokentail run` sets it aside by itself and reads what files there are again.",
    )


def not_permitted(directory: Path) -> PermissionDeniedError:
    """Make the error that says so."""
    return PermissionDeniedError(
        "The state directory cannot be read and written by this user",
        where=str(directory),
        advice="Run as the user that owns it, or name another one with --state-dir.",
    )
