"""A log on a real disk, a daemon that reads it, and the book-keeping to compare the two."""

import glob
import gzip
import itertools
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TypeVar

import zstandard

from ingestor.config.settings import (
    BudgetSettings,
    LogSettings,
    ReadSettings,
    RetentionSettings,
    Settings,
    StoreSettings,
)
from ingestor.daemon.daemon import Daemon
from ingestor.jobs.store_status import store_status
from ingestor.sources.file.log_files import LogFiles
from ingestor.sources.file.source import FileSource
from tests.support.running import Running
from tests.support.servers import query

T = TypeVar("T")

FAST = ReadSettings(rotated_quiet_seconds=0.0, missing_grace_seconds=0.0, max_line_bytes=65_536)


class Log:
    """One log file and its writer. ``written`` are the event ids that were written whole, in order."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.written: list[str] = []
        self._name = name
        self._count = itertools.count()

    def line(self, **changes: object) -> bytes:
        """Make a line and count it as written.

        Five lines share a millisecond. Not all of them do: lines of different generations in one millisecond meet with
        the promised chance of one in a million a pair, and some ten thousand lines are fifty million pairs.
        """
        number = next(self._count)
        event_id = f"{self._name}-{number}"
        self.written.append(event_id)
        record = {
            "id": event_id,
            "created_at": f"2026-11-01T{number // 18_000_000:02}:{number // 300_000 % 60:02}:{number // 5000 % 60:02}.{number // 5 % 1000:03}Z",
            "action": "token.refreshed",
            "user_id": "u-1",
            "resource_id": "web",
            "details": {"client_id": f"client-{number % 7 % 5}", "ip_address": "203.0.113.9"},
        }
        return json.dumps(record | changes).encode() + b"\n"

    def lines(self, count: int) -> bytes:
        return b"".join(self.line() for _ in range(count))

    def write(self, data: bytes | int, *, to: Path | None = None) -> None:
        """Append bytes, or this many lines."""
        with (to or self.path).open("ab") as file:
            file.write(self.lines(data) if isinstance(data, int) else data)

    def sibling(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def shift(self) -> None:
        """Make room for ``.1``: every numbered sibling becomes one older, compressed or not."""
        numbered = sorted(
            (int(path.name.removeprefix(self.path.name + ".").split(".")[0]), path)
            for path in self.path.parent.glob(glob.escape(self.path.name) + ".[0-9]*")
        )
        for number, path in reversed(numbered):
            rest = path.name.removeprefix(f"{self.path.name}.{number}")
            path.rename(self.sibling(f".{number + 1}{rest}"))

    def rename(self, *, create: bool = True) -> Path:
        """Rotate by rename-and-create."""
        self.shift()
        self.path.rename(self.sibling(".1"))
        if create:
            self.path.touch()
        return self.sibling(".1")

    def copy_truncate(self) -> Path:
        """Rotate by copy-and-truncate; the writer pauses meanwhile."""
        self.shift()
        shutil.copyfile(self.path, self.sibling(".1"))
        os.truncate(self.path, 0)
        return self.sibling(".1")


def head(path: Path, lines: int) -> bytes:
    """Return the first lines of a file."""
    return b"".join(path.read_bytes().splitlines(keepends=True)[:lines])


def gz(path: Path) -> Path:
    """Compress as gzip does: beside the file, which is deleted at the end."""
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    path.unlink()
    return path.with_name(path.name + ".gz")


def zst(path: Path) -> Path:
    compressed = path.with_name(path.name + ".zst")
    compressed.write_bytes(zstandard.ZstdCompressor().compress(path.read_bytes()))
    path.unlink()
    return compressed


def files_of(daemon: Daemon) -> FileSource:
    """Return the logs that a daemon reads."""
    assert isinstance(daemon.source, LogFiles)
    return daemon.source.files


class World(Running):
    """A directory of logs, and a daemon with its state beside it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "state")
        self.directory = directory
        self.logs_directory = directory / "logs"
        self.logs_directory.mkdir()
        self.log = self.new_log("audit.log")
        self.log_settings: tuple[LogSettings, ...] = (LogSettings(str(self.log.path)),)
        self.read = FAST
        self.budgets = BudgetSettings()
        self.store = StoreSettings()
        self.retention = RetentionSettings(
            raw_days=36_500, rollup_days=36_500, findings_days=36_500
        )  # whenever the tests run

    def new_log(self, name: str) -> Log:
        return Log(self.logs_directory / name, name.partition(".")[0])

    @property
    def settings(self) -> Settings:
        return Settings(
            logs=self.log_settings,
            state_directory=self.state_directory,
            read=self.read,
            budgets=self.budgets,
            store=self.store,
            retention=self.retention,
        )

    @property
    def file_source(self) -> FileSource:
        """What the running daemon reads."""
        return files_of(self.daemon)

    def stored(self) -> list[str]:
        """Return the event ids in the store, sorted."""
        if self.store.type == "influxdb":
            found = query(self.store, f'SELECT event_id, events FROM "{self.store.database}"."raw"."token_events"')
            return sorted(row[1] for series in found for row in series["values"])
        return self.ask(
            lambda state: sorted(row[0] for row in state.connection.execute("SELECT event_id FROM token_events"))
        )

    def arrived(self) -> int:
        """Return how many events the store holds, while it may be writing: InfluxDB shows a point before all of its fields."""
        if self.store.type != "influxdb":
            return len(self.stored())
        found = query(self.store, f'SELECT count(event_id) FROM "{self.store.database}"."raw"."token_events"')
        return int(found[0]["values"][0][1]) if found else 0

    def check(self, *logs: Log) -> None:
        """Every event that was written is stored, once; the accounting adds up, and agrees with the store."""
        expected = sorted(event_id for log in (logs or (self.log,)) for event_id in log.written)
        stored = self.stored()
        lost, twice = Counter(expected) - Counter(stored), Counter(stored) - Counter(expected)
        assert not lost, f"{lost.total()} of {len(expected)} are not stored, such as {sorted(lost)[:3]}"
        assert not twice, f"{twice.total()} more than {len(expected)} are stored, such as {sorted(twice)[:3]}"
        self.check_accounts(len(expected))

    def check_content(self, *logs: Log) -> None:
        """Every event that was written, to however many logs, is stored once; the accounting adds up."""
        expected = sorted({event_id for log in logs for event_id in log.written})
        assert self.stored() == expected
        self.check_accounts(len(expected))

    def check_accounts(self, events: int) -> None:
        accounts = self.ask(lambda state: state.accounts())
        assert sum(account.stored for account in accounts.values()) == events
        assert all(account.pending == 0 for account in accounts.values())
        self.check_agreement()

    def check_agreement(self) -> None:
        """``stored`` is the store's ``sum("events")``, where there is a real one."""
        status = self.ask(lambda state: store_status(self.settings, state))
        if self.store.type == "sqlite":
            assert status.agreement is not None, status.problem
        assert status.agreement is None or status.agreement.agrees, status.agreement
