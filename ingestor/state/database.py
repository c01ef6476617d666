"""The SQLite file of the state: made, opened, told apart from a damaged one, set aside when it is."""

import logging
import math
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ingestor.errors import ConfigError, DamagedStateError, PermissionDeniedError, UnavailableError
from ingestor.state.own_files import open_own
from ingestor.state.upgrades import SCHEMA_VERSION, upgrade, version_of

DATABASE = "tokentail.db"
CONDEMNED = f"{DATABASE}.condemned"
"""A marker beside a database that is damaged; it stays until another one is there that knows of it."""
SUSPECTED = f"{DATABASE}.suspected"
"""A marker beside a database in which a reader found damage, and says which: who opens it to write reads it whole."""

PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "cache_size=-16384",  # KiB: holds the pages that a batch touches; more gains nothing, and memory is bounded
    "wal_autocheckpoint=2048",  # pages of 8 KiB: 16 MiB, so that counter pages are copied back once for many batches
    "journal_size_limit=67108864",  # a long reader lets the log grow; give the disk back afterwards
)
"""For the connection that writes, in this order."""
_LOOK_AT_CLOCK = 100_000
"""Steps of SQLite's between two looks: some milliseconds."""
_MOST_FAULT_BYTES = 2000
_UNNAMED_FAULT = "a reader met damage"

log = logging.getLogger("tokentail")


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
        _refuse_link(path)
    except PermissionError as error:
        raise not_permitted(directory) from error
    except OSError as error:
        raise UnavailableError(
            "There is no state here yet",
            where=str(directory),
            advice="Run `tokentail run` first, or name the state directory of the service with --state-dir.",
        ) from error
    return path


def open_database(path: Path) -> sqlite3.Connection:
    """Open for writing: made where none is, brought to this version's schema where an older version made it.

    Raises DamagedStateError, ConfigError (a newer version's), PermissionDeniedError, UnavailableError (disk full).
    """
    _refuse_link(path)
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
        found = version_of(connection)
        if found >= SCHEMA_VERSION:
            check_schema(connection, path)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        upgrade(connection)
        if 0 < found < SCHEMA_VERSION:
            log.info("The state was upgraded from schema %d to %d", found, SCHEMA_VERSION)
        _touch_every_table(connection)
        _clear_suspicion(connection, path)
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


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Close a database whose schema is not this version's. Raises ConfigError (a newer one's), UnavailableError, sqlite3.Error.

    An empty one passes: its missing tables tell why.
    """
    version = version_of(connection)
    if 0 < version < SCHEMA_VERSION:
        connection.close()
        raise UnavailableError(
            f"The state was written by an older tokentail (schema {version}, this one reads {SCHEMA_VERSION})",
            where=str(path),
            advice="`tokentail run` upgrades it when it starts; restart the one that is running.",
        )
    if version > SCHEMA_VERSION:
        connection.close()
        raise ConfigError(
            f"The state was written by a newer tokentail (schema {version}, this one knows {SCHEMA_VERSION})",
            where=str(path),
            advice="Install that version again, or give this one another --state-dir.",
        )


def _refuse_link(path: Path) -> None:
    """Raise PermissionDeniedError where a link is in the place of the database: SQLite would write what it points to."""
    if path.is_symlink():
        raise PermissionDeniedError(
            "A symbolic link is where the state's database should be",
            where=str(path),
            advice=f"Put the file itself there, or name the directory that it is in with --state-dir: {path.resolve().parent}.",
        )


def first_fault(connection: sqlite3.Connection, *, most_seconds: float = math.inf) -> str:
    """Read the whole database, and return the first thing that is wrong in it; empty when nothing is, as far as time allows.

    Raises sqlite3.Error.
    """
    end = time.monotonic() + most_seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _LOOK_AT_CLOCK)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return ""
    finally:
        connection.set_progress_handler(None, 0)
    return "" if found == "ok" else str(found).removeprefix("*** in database main ***").strip()


def suspect(path: Path, fault: str) -> bool:
    """Have the next one who opens a database to write read it whole; return whether that could be written down.

    A reader sets nothing aside by itself: it may be wrong, and nobody expects it of a question.
    """
    try:
        descriptor = open_own(path.with_name(SUSPECTED), os.O_WRONLY | os.O_CREAT)
        with os.fdopen(descriptor, "wb") as file:
            file.truncate()
            file.write(fault.encode())
    except OSError:
        return False
    return True


def suspicion(path: Path) -> str:
    """Return the damage that a reader has found and nobody has looked into yet; empty when there is none."""
    try:
        with os.fdopen(open_own(path.with_name(SUSPECTED), os.O_RDONLY), "rb") as file:
            return file.read(_MOST_FAULT_BYTES).decode(errors="replace") or _UNNAMED_FAULT
    except FileNotFoundError:
        return ""
    except OSError:  # root's, and we are not
        return _UNNAMED_FAULT


def _clear_suspicion(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DamagedStateError when a reader was right; else the database was restored or mended, or the disk is well again."""
    if not suspicion(path):
        return
    log.info("Damage was found in the state's database: reading all of it")
    if fault := first_fault(connection):
        connection.close()
        raise damaged(path, fault)
    path.with_name(SUSPECTED).unlink(missing_ok=True)


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
    """Make the error that says so, and what is wrong where a look at the file tells."""
    return DamagedStateError(
        f"The state database is damaged: {fault_of_file(path) or error}",
        where=str(path),
        advice="`tokentail run` sets it aside when it starts, and reads what files there are again; docs/operate.md says how to restore "
        "a backup.",
    )


def has_journal(path: Path) -> bool:
    """Whether a write-ahead log with something in it lies beside a database."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def fault_of_file(path: Path) -> str:
    """Say what is wrong with a file as a whole; empty when that is in order, or changes just now."""
    try:
        with path.open("rb") as file:
            header, size = file.read(100), os.fstat(file.fileno()).st_size
    except OSError:
        return ""
    if not size:
        return "it is empty"
    if not header.strip(b"\0"):
        return "it begins with zeros, as files do that a crash left without their content"
    if not header.startswith(b"SQLite format 3\0"):
        return "it is no SQLite database"
    # https://www.sqlite.org/fileformat.html: the page size, 1 for 65,536, and the number of pages
    page_size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    whole = (65_536 if page_size == 1 else page_size) * pages
    if size < whole and not has_journal(path):
        return f"it was cut: {size:,} bytes are there of {whole:,}"
    return ""


def not_permitted(directory: Path) -> PermissionDeniedError:
    """Make the error that says so."""
    return PermissionDeniedError(
        "The state directory cannot be read and written by this user",
        where=str(directory),
        advice="Run as the user that owns it, or name another one with --state-dir.",
    )
