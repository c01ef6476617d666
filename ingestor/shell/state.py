"""The state: one SQLite database that moves in one transaction, the checkpoint (design section 5).

With the embedded store the events are in the same file, hence in the same transaction: an event and the position after
it become durable together or not at all.
"""

import contextlib
import json
import logging
import os
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ingestor.core.accounting import Account
from ingestor.core.admission import Admitted
from ingestor.core.generation import Fingerprint, Generation, Status
from ingestor.errors import ConfigError, DamagedStateError, PermissionDeniedError, UnavailableError
from ingestor.shell.lock import StateLock
from ingestor.stores import sqlite as embedded
from parsers.event import Reason

log = logging.getLogger("tokentail")

DATABASE = "tokentail.db"
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generations(
  number INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  h BLOB, offset INTEGER NOT NULL, head_length INTEGER NOT NULL, head_digest BLOB NOT NULL, tail_length INTEGER NOT NULL,
  tail_digest BLOB NOT NULL, ordinal INTEGER NOT NULL, size_seen INTEGER NOT NULL, status TEXT NOT NULL,
  segments TEXT NOT NULL);
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
CREATE TABLE IF NOT EXISTS requests(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, created REAL NOT NULL,
  started REAL, finished REAL, answer TEXT);
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of a generation that are in no file any more. ``last`` is exclusive; None: nobody can tell."""

    source: str
    path: str
    generation: int
    first: int
    last: int | None
    found_at: float
    why: str

    def __str__(self) -> str:
        end = f"to {self.last}" if self.last is not None else "on"
        return f"bytes {self.first} {end} of {self.path} (source {self.source}): {self.why}"


@dataclass(slots=True)
class Checkpoint:
    """Everything but the points that one transaction makes durable."""

    generations: dict[int, Generation] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    """Increments, by source."""
    admitted: list[tuple[str, Admitted]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    rejected_length: int | None = None
    meta: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.generations or self.accounts or self.admitted or self.gaps or self.replayed or self.meta) or (
            self.rejected_length is not None
        )


class State:
    """The open state. A writer holds the directory's lock; a reader sees what was committed, also while a writer runs."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: StateLock | None, host: str) -> None:
        self.directory = directory
        self.connection = connection
        self.host = host
        self._lock = lock

    @classmethod
    def open(cls, directory: Path, host: str = "") -> Self:
        """Open for writing, creating what is missing.

        A database that cannot be read is set aside (``tokentail.db.damaged-<seconds>``) and begun anew: everything that
        is still in files is read again, and equal points are stored once. Raises StateLockedError, PermissionDeniedError,
        ConfigError (a state of a newer version), UnavailableError (disk full and the like).
        """
        _make_directory(directory)
        lock = StateLock(directory)
        try:
            try:
                connection = _open_database(directory / DATABASE)
            except DamagedStateError as error:
                aside = _set_aside(directory / DATABASE)
                log.critical(
                    "The state could not be read (%s). It was set aside as %s; reading all files there are from the start. "
                    "Events of files that no longer exist are only in that copy.",
                    error.what,
                    aside,
                )
                connection = _open_database(directory / DATABASE)
                _save_meta(connection, {"rebuilding": "1", "set_aside": str(aside)})
            stored = load_meta(connection).get("host")
            name = host or stored or socket.gethostname()
            if name != stored:
                _save_meta(connection, {"host": name})
        except BaseException:
            lock.release()
            raise
        return cls(directory, connection, lock, name)

    @classmethod
    def open_reader(cls, directory: Path) -> Self:
        """Open for reading only. Raises UnavailableError when there is no state yet, DamagedStateError."""
        path = directory / DATABASE
        try:
            path.stat()
        except PermissionError as error:
            raise _not_permitted(directory) from error
        except OSError as error:
            raise UnavailableError(
                "There is no state here yet",
                where=str(directory),
                advice="Run `tokentail run` first, or name the state directory of the service with --state-dir.",
            ) from error
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10
            )
            meta = load_meta(connection)
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise UnavailableError(
                    "The state is being made at this moment", where=str(directory), advice="Try again in a second."
                ) from error
            raise _not_permitted(directory) from error
        except sqlite3.DatabaseError as error:
            raise _damaged(path, error) from error
        return cls(directory, connection, None, meta.get("host", ""))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside durable together. Raises sqlite3.Error after undoing it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; inside a transaction."""
        execute, many = self.connection.execute, self.connection.executemany
        many(
            "REPLACE INTO generations VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [_generation_row(generation) for generation in checkpoint.generations.values()],
        )
        for source, account in checkpoint.accounts.items():
            execute(
                "INSERT INTO accounts VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE SET read=read+excluded.read,"
                "stored=stored+excluded.stored,ignored=ignored+excluded.ignored,expired=expired+excluded.expired",
                (source, account.read, account.stored, account.ignored, account.expired),
            )
            many(
                "INSERT INTO rejected_by_reason VALUES(?,?,?) ON CONFLICT DO UPDATE SET lines=lines+excluded.lines",
                [(source, reason.value, lines) for reason, lines in account.rejected.items()],
            )
        many(
            "INSERT OR IGNORE INTO admitted VALUES(?,?,?,?,?)",
            [(source, entry.realm, entry.name, entry.since, entry.by_success) for source, entry in checkpoint.admitted],
        )
        many(
            "INSERT INTO gaps(source,path,generation,first,last,found_at,why) VALUES(?,?,?,?,?,?,?)",
            [(g.source, g.path, g.generation, g.first, g.last, g.found_at, g.why) for g in checkpoint.gaps],
        )
        many("INSERT OR IGNORE INTO replayed VALUES(?,?)", checkpoint.replayed)
        meta = dict(checkpoint.meta)
        if checkpoint.rejected_length is not None:
            meta["rejected_length"] = str(checkpoint.rejected_length)
        _save_meta(self.connection, meta)

    def meta(self) -> dict[str, str]:
        """Return the small facts: host, rejected_length, heartbeat and the like."""
        return load_meta(self.connection)

    def generations(self) -> list[Generation]:
        """Return every generation known, in order of first reading."""
        rows = self.connection.execute("SELECT * FROM generations ORDER BY number")
        return [_generation(row) for row in rows]

    def accounts(self) -> dict[str, Account]:
        """Return the accounting by source."""
        accounts = {
            source: Account(read, stored, ignored=ignored, expired=expired)
            for source, read, stored, ignored, expired in self.connection.execute("SELECT * FROM accounts")
        }
        for source, reason, lines in self.connection.execute("SELECT * FROM rejected_by_reason"):
            accounts.setdefault(source, Account()).rejected[Reason(reason)] = lines
        return accounts

    def admitted(self, source: str) -> tuple[Admitted, ...]:
        """Return the clients and realms that a source has admitted."""
        rows = self.connection.execute(
            "SELECT realm, name, since, by_success FROM admitted WHERE source = ?", (source,)
        )
        return tuple(Admitted(realm, name, since, bool(by_success)) for realm, name, since, by_success in rows)

    def gaps(self) -> list[Gap]:
        """Return the gaps that were found, oldest first."""
        rows = self.connection.execute("SELECT source,path,generation,first,last,found_at,why FROM gaps ORDER BY id")
        return [Gap(*row) for row in rows]

    def replayed(self) -> set[tuple[int, int]]:
        """Return (generation, offset) of the rejected lines that a replay has stored."""
        return set(self.connection.execute("SELECT generation, offset FROM replayed"))

    def close(self) -> None:
        """Close the database and let the next process in."""
        self.connection.close()
        if self._lock is not None:
            self._lock.release()


def load_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the table ``meta``."""
    return dict(connection.execute("SELECT key, value FROM meta"))


def _save_meta(connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
    connection.executemany("REPLACE INTO meta VALUES(?,?)", list(meta.items()))


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except PermissionError as error:
        raise _not_permitted(directory) from error
    except OSError as error:
        raise ConfigError(
            f"The state directory cannot be made: {error.strerror}",
            where=str(directory),
            advice="Name another one with --state-dir, or `state_directory` in the config.",
        ) from error


def _open_database(path: Path) -> sqlite3.Connection:
    existed = path.exists()
    if existed and path.stat().st_size == 0:
        raise _damaged(path, "it is empty")
    try:
        # The events are personal data: the owner's alone. SQLite gives its journals the mode of the database.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=30, cached_statements=256)
        if not existed:
            connection.execute("PRAGMA page_size=8192")
        for pragma in embedded.PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            connection.close()
            raise ConfigError(
                f"The state was written by a newer tokentail (schema {version}, this one knows {SCHEMA_VERSION})",
                where=str(path),
                advice="Install that version again, or give this one another --state-dir.",
            )
        connection.executescript(_SCHEMA + embedded.SCHEMA)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        _touch_every_table(connection)
    except PermissionError as error:
        raise _not_permitted(path.parent) from error
    except (sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, sqlite3.Error) and is_damage(error):
            raise _damaged(path, error) from error
        raise UnavailableError(
            f"The state database cannot be opened: {error}",
            where=str(path),
            advice="Is the disk full, or the directory not writable for this user?",
        ) from error
    return connection


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


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            journal.rename(aside.with_name(aside.name + suffix))
    return aside


def _damaged(path: Path, error: object) -> DamagedStateError:
    return DamagedStateError(
        f"The state database is damaged: {error}",
        where=str(path),
        advice="`tokentail run` sets it aside by itself and reads what files there are again.",
    )


def _not_permitted(directory: Path) -> PermissionDeniedError:
    return PermissionDeniedError(
        "The state directory cannot be read and written by this user",
        where=str(directory),
        advice="Run as the user that owns it, or name another one with --state-dir.",
    )


def _generation_row(generation: Generation) -> tuple[object, ...]:
    h = None if generation.h is None else generation.h.to_bytes(8, "big")  # SQLite's integers are signed
    return (
        *(generation.number, generation.source, generation.path, generation.device, generation.inode, h),
        *generation.mark,
        *(generation.ordinal, generation.size_seen, generation.status.value, json.dumps(generation.segments)),
    )


def _generation(row: Iterable[object]) -> Generation:
    number, source, path, device, inode, h, *mark, ordinal, size_seen, status, segments = row
    return Generation(  # the columns' types are the schema's
        number,  # type: ignore[arg-type]
        source,  # type: ignore[arg-type]
        path,  # type: ignore[arg-type]
        device,  # type: ignore[arg-type]
        inode,  # type: ignore[arg-type]
        None if h is None else int.from_bytes(h, "big"),  # type: ignore[arg-type]
        Fingerprint(*mark),  # type: ignore[arg-type]
        ordinal,  # type: ignore[arg-type]
        size_seen,  # type: ignore[arg-type]
        Status(status),
        [(first, sequence) for first, sequence in json.loads(segments)],  # type: ignore[arg-type]
    )
