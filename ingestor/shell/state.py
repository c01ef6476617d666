"""The state: one SQLite database that moves in one transaction, the checkpoint (design section 5).

With the embedded store the events are in the same file, hence in the same transaction: an event and the position after
it become durable together or not at all.
"""

import contextlib
import json
import logging
import socket
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from ingestor.core.accounting import Account
from ingestor.core.admission import Admitted
from ingestor.core.generation import Fingerprint, Generation, Status
from ingestor.errors import DamagedStateError
from ingestor.shell.database import (
    CONDEMNED,
    DATABASE,
    find_database,
    load_meta,
    make_directory,
    open_database,
    replace_damaged,
    save_meta,
)
from ingestor.shell.lock import StateLock
from ingestor.shell.reading import open_to_read
from ingestor.stores.counters import Marks
from parsers.event import Reason

log = logging.getLogger("tokentail")


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
    rejected_mark: str | None = None
    """What ``RejectedFile`` must find at its end after a crash."""
    meta: dict[str, str] = field(default_factory=dict)

    def add(self, later: "Checkpoint") -> None:
        """Add what a later one says; of equal things the later wins."""
        self.generations.update(later.generations)
        for source, account in later.accounts.items():
            self.accounts.setdefault(source, Account()).add(account)
        self.admitted += later.admitted
        self.gaps += later.gaps
        self.replayed += later.replayed
        self.meta.update(later.meta)

    def __bool__(self) -> bool:
        return bool(self.generations or self.accounts or self.admitted or self.gaps or self.replayed or self.meta) or (
            self.rejected_mark is not None
        )


class State:
    """The open state. A writer holds the directory's lock; a reader sees what was committed, also while a writer runs."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: StateLock | None, host: str) -> None:
        self.directory = directory
        self.connection = connection
        self.host = host
        self._lock = lock

    @cached_property
    def marks(self) -> Marks:
        """Marks of changes to the counters."""
        return Marks(self.connection)

    @classmethod
    def open(cls, directory: Path, host: str = "") -> Self:
        """Open for writing, creating what is missing.

        A database that cannot be read is set aside (``tokentail.db.damaged-<seconds>``) and begun anew: everything that
        is still in files is read again, and equal points are stored once. Raises StateLockedError, PermissionDeniedError,
        ConfigError (a state of a newer version), UnavailableError (disk full and the like).
        """
        make_directory(directory)
        lock = StateLock(directory)
        try:
            try:
                connection = open_database(directory / DATABASE)
            except DamagedStateError as error:
                connection, aside = replace_damaged(directory / DATABASE)
                log.critical(
                    "The state could not be read (%s). It was set aside as %s; reading all files there are from the start. "
                    "Events of files that no longer exist are only in that copy.",
                    error.what,
                    aside,
                )
            stored = load_meta(connection).get("host")
            name = host or stored or socket.gethostname()
            if name != stored:
                save_meta(connection, {"host": name})
        except BaseException:
            lock.release()
            raise
        return cls(directory, connection, lock, name)

    @classmethod
    def open_reader(cls, directory: Path) -> Self:
        """Open for reading only.

        Raises UnavailableError when there is no state yet or an older version's, DamagedStateError, PermissionDeniedError,
        ConfigError (a state of a newer version).
        """
        connection = open_to_read(find_database(directory))
        return cls(directory, connection, None, load_meta(connection).get("host", ""))

    def condemn(self) -> None:
        """Have the database set aside at the next opening: it turned out to be damaged while it was in use."""
        (self.directory / CONDEMNED).touch()

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
            "REPLACE INTO generations VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
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
        if checkpoint.rejected_mark is not None:
            meta["rejected_mark"] = checkpoint.rejected_mark
        save_meta(self.connection, meta)

    def meta(self) -> dict[str, str]:
        """Return the small facts: host, rejected_mark, heartbeat and the like."""
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


def _generation_row(generation: Generation) -> tuple[object, ...]:
    h = None if generation.h is None else generation.h.to_bytes(8, "big")  # SQLite's integers are signed
    return (
        *(generation.number, generation.source, generation.path, generation.device, generation.inode, h),
        *generation.mark,
        *(generation.ordinal, generation.size_seen, generation.status.value, json.dumps(generation.segments)),
        *(*generation.skipped, generation.rules),
    )


def _generation(row: Iterable[object]) -> Generation:
    number, source, path, device, inode, h, *mark, ordinal, size_seen, status, segments, skip, skip_to, rules = row
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
        rules,  # type: ignore[arg-type]
        (skip, skip_to),  # type: ignore[arg-type]
    )
