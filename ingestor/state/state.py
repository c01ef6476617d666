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
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ingestor.errors import DamagedStateError
from ingestor.model.accounting import Account
from ingestor.model.generation import Comparison, Generation, Position, Status, Stretch
from ingestor.model.points import Admitted
from ingestor.model.trail import Trail
from ingestor.state.checkpoint import Checkpoint, Gap
from ingestor.state.counters import Revisions
from ingestor.state.database import (
    CONDEMNED,
    DATABASE,
    find_database,
    is_damage,
    load_meta,
    make_directory,
    open_database,
    replace_damaged,
    save_meta,
)
from ingestor.state.findings import save_findings, save_memory
from ingestor.state.lock import StateLock
from ingestor.state.reading import open_to_read
from parsers.contract import Reason

log = logging.getLogger("tokentail")


class State:
    """The open state. A writer holds the directory's lock; a reader sees what was committed, also while a writer runs."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: StateLock | None, host: str) -> None:
        self.directory = directory
        self.connection = connection
        self.host = host
        self.raised: Counter[str] = Counter()
        """Findings that came to each severity since this was opened, as far as they are durable."""
        self._raising: Counter[str] = Counter()
        """Those of the transaction that is open."""
        self._lock = lock

    @cached_property
    def marks(self) -> Revisions:
        """Marks of changes to the counters."""
        return Revisions(self.connection)

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

    def raise_if_damaged(self, error: Exception) -> None:
        """Raise DamagedStateError when an error says that the database is damaged; it is set aside at the next opening."""
        if isinstance(error, sqlite3.Error) and is_damage(error):
            (self.directory / CONDEMNED).touch()
            raise DamagedStateError(f"The state database is damaged: {error}", where=str(self.directory)) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside durable together. Raises sqlite3.Error after undoing it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
            self.raised += self._raising
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        finally:
            self._raising.clear()

    def save(self, checkpoint: Checkpoint, mark: int | None = None) -> None:
        """Write a checkpoint; inside a transaction. ``mark``: of findings that a store elsewhere has to be sent."""
        execute, many = self.connection.execute, self.connection.executemany
        many(
            f"REPLACE INTO generations({_COLUMNS}) VALUES({','.join('?' * (_COLUMNS.count(',') + 1))})",
            [_generation_row(generation) for generation in checkpoint.generations.values()],
        )
        many("REPLACE INTO trails VALUES(?,?,?)", [(*key, digests) for key, digests in checkpoint.trails.items()])
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
            [
                (g.source, _path_value(g.path), g.generation, g.first, g.last, g.found_at, g.why)
                for g in checkpoint.gaps
            ],
        )
        many("INSERT OR IGNORE INTO replayed VALUES(?,?)", checkpoint.replayed)
        self._raising += save_findings(self.connection, checkpoint.findings.values(), mark)
        save_memory(self.connection, checkpoint.remembered)
        meta = dict(checkpoint.meta)
        if checkpoint.rejected_mark is not None:
            meta["rejected_mark"] = checkpoint.rejected_mark
        save_meta(self.connection, meta)

    def meta(self) -> dict[str, str]:
        """Return the small facts: host, rejected_mark, heartbeat and the like."""
        return load_meta(self.connection)

    def generations(self) -> list[Generation]:
        """Return every generation known, in order of first reading."""
        rows = self.connection.execute(f"SELECT {_COLUMNS} FROM generations ORDER BY number")
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
        return [Gap(source, os.fsdecode(path), *rest) for source, path, *rest in rows]

    def replayed(self) -> set[tuple[int, int]]:
        """Return ``RejectedLine.place`` of what a replay has stored."""
        return set(self.connection.execute("SELECT generation, offset FROM replayed"))

    def close(self) -> None:
        """Close the database and let the next process in."""
        self.connection.close()
        if self._lock is not None:
            self._lock.release()


_COLUMNS = (
    "number,source,path,device,inode,h,offset,head_length,head_digest,tail_length,tail_digest,ordinal,size_seen,status,"
    "segments,skipped_from,skipped_to,rules,host,file_key,lines,stretches,compared,first_event,sealed_ns,most_events"
)


def _path_value(path: str) -> str | bytes:
    """Return what SQLite keeps of a path: names on Unix are bytes, and those that are no UTF-8 are kept as such."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _unsigned(value: int | None) -> bytes | None:
    return None if value is None else value.to_bytes(8, "big")  # SQLite's integers are signed


def _from_unsigned(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "big")


def _generation_row(generation: Generation) -> tuple[object, ...]:
    return (
        *(generation.number, generation.source, _path_value(generation.path), generation.device, generation.inode),
        _unsigned(generation.h),
        *generation.position,
        *(generation.ordinal, generation.size_seen, generation.status.value, json.dumps(generation.segments)),
        *(*generation.skipped, generation.rules, generation.host, _unsigned(generation.file_key)),
        *(generation.trail.lines, json.dumps(generation.stretches)),
        *(json.dumps(generation.compared) if generation.compared else "", generation.first_event, generation.sealed_ns),
        generation.most_events,
    )


def _generation(row: Sequence[Any]) -> Generation:
    number, source, path, device, inode, h, *mark, ordinal, size_seen, status, segments = row[:15]
    skipped_from, skipped_to, rules, host, file_key, lines, stretches, compared, first_event, sealed_ns, most = row[15:]
    return Generation(
        number,
        source,
        os.fsdecode(path),
        device,
        inode,
        _from_unsigned(h),
        Position(*mark),
        ordinal,
        size_seen,
        Status(status),
        [(first, sequence) for first, sequence in json.loads(segments)],
        rules,
        (skipped_from, skipped_to),
        host,
        _from_unsigned(file_key),
        [Stretch(*stretch) for stretch in json.loads(stretches)],
        Comparison(*json.loads(compared)) if compared else None,
        Trail(lines),
        first_event,
        sealed_ns,
        most,
    )
