"""One installation of tokentail as its administrator sees it: logs on a disk, a configuration, commands, and a check after each story.

Commands run in this process through the command line, so what is promised of them is what is tested. A daemon is the loop's
own ``step`` with a clock of the test.
"""

import contextlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ingestor.cli import cli
from ingestor.config import load as config
from ingestor.config.settings import LogSettings, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.errors import TokentailError
from ingestor.state.state import State
from tests.support.servers import query
from tests.support.world import Log, World

Name = str | Path | LogSettings

READ = ("poll_interval_seconds", "rotated_quiet_seconds", "missing_grace_seconds", "max_line_bytes")
COUNTERS = {
    "token_events_1h": "rollup",
    "token_totals_15m": "rollup",
    "token_clients_1h": "rollup",
    "token_users_1d": "raw",
}
"""Measurements of counters, with their retention policy: the sum of ``events`` of each is the number of events."""


class Scene(World):
    """A world with a configuration file, which every command reads anew."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.host = "host-1"
        self.more = ""
        """More of the configuration, TOML; what is in no table stands before all tables."""
        self.said = ""
        """What the last command printed."""

    def follow(self, *names: Name) -> None:
        """Have these be the ``[[logs]]`` of the configuration."""
        self.log_settings = tuple(
            name if isinstance(name, LogSettings) else LogSettings(os.fspath(name)) for name in names
        )

    @property
    def config(self) -> Path:
        """The configuration file, as it is to be now."""
        lines = [f"host = {_toml(self.host)}", "[read]"]
        lines += [f"{key} = {getattr(self.read, key)}" for key in READ]
        lines += [
            "[retention]",
            "raw_days = 36500",
            "rollup_days = 36500",
        ]
        for log in self.log_settings:
            lines += [
                "[[logs]]",
                f"path = {_toml(log.path)}",
                f"parser = {_toml(log.parser)}",
                f"start = {_toml(log.start)}",
            ]
            lines += [f"archive_directories = {json.dumps(list(log.archive_directories))}"]
            lines += [f"source = {_toml(log.source)}"] if log.source else []
        if self.store.type == "influxdb":
            lines += ["[store]", 'type = "influxdb"', f"url = {_toml(self.store.url)}"]
            lines += [f"database = {_toml(self.store.database)}"]
            lines += [f"token_file = {_toml(str(self.store.token_file))}"] if self.store.token_file else []
            lines += [f"organization = {_toml(self.store.organization)}"] if self.store.organization else []
        path = self.directory / "tokentail.toml"
        more = ["", self.more] if self.more.startswith("[") else [self.more, ""]
        path.write_text("\n".join([more[0], *lines, more[1], ""]))
        return path

    @property
    def settings(self) -> Settings:
        return config.load(self.config, state_directory=self.state_directory).settings

    @property
    def daemon(self) -> Daemon:
        if self._running is None:
            settings = self.settings
            state = State.open(self.state_directory, settings.host)
            self._running = (state, Daemon(settings, state))
        return self._running[1]

    def turn(self, times: int = 1, *, seconds: float = 1.0) -> None:
        """Let the daemon take turns until nothing is left to do, also in a store that answers later."""
        for _ in range(times):
            super().turn(seconds=seconds)
            deadline = time.monotonic() + 30
            while self.store.type == "influxdb" and not self.daemon.delivery.idle:
                assert time.monotonic() < deadline, self.daemon.delivery.trouble
                self.daemon.delivery.wait(0.02)
                super().turn(seconds=0.2)

    def end(self) -> None:
        """End the daemon as SIGTERM does."""
        if self._running is not None:
            self._running[1].drain()
            self.stop()

    def reload(self) -> None:
        """Have the daemon read the configuration anew, as SIGHUP does."""
        if not self.daemon.reload(self.settings):
            self.end()

    def wait_for(self, log: Log, seconds: float = 20.0) -> None:
        """Wait until a daemon that is another process has stored what was written; fail when it does not come to it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(sqlite3.Error, TokentailError):  # the state is being made
                if set(log.written) <= set(self.stored()):
                    return
            time.sleep(0.05)
        raise AssertionError(f"{log.path} waits")

    # Commands

    def tokentail(self, *arguments: str | Path, code: int | None = 0, configured: bool = True) -> Result:
        """Run a command on this state; ``code`` is the exit code that it must have (None: any)."""
        place = [*(["--config", self.config] if configured else []), "--state-dir", self.state_directory]
        result = CliRunner().invoke(cli, [str(part) for part in (*arguments, *place)], prog_name="tokentail")
        logging.getLogger("tokentail").handlers.clear()  # they write to what the runner has closed
        self.said = result.output
        assert not isinstance(result.exception, Exception), result.output
        if code is not None:
            assert result.exit_code == code, result.output
        return result

    def once(self, *options: str, code: int | None = 0) -> None:
        """Run ``tokentail run --once``. A daemon that runs is killed before."""
        self.stop()
        self.tokentail("run", "--once", *options, code=code)

    def backfill(self, *paths: str | Path, source: str | None = None, code: int | None = 0) -> list[dict[str, Any]]:
        """Run ``tokentail backfill``, beside the daemon when one runs; return what it says of each file."""
        named = ("--source", source) if source else ()
        command = ("backfill", "--json", *named, *map(str, paths))
        result = self._beside(*command) if self._running else self.tokentail(*command, code=None)
        assert code is None or result.exit_code == code, result.output
        answer: list[dict[str, Any]] = json.loads(result.stdout)
        return answer

    def _beside(self, *arguments: str | Path) -> Result:
        """Run a command in a thread, and have the daemon take its next turn when the command waits for it."""
        found: list[Result] = []
        command = threading.Thread(target=lambda: found.append(self.tokentail(*arguments, code=None)))
        command.start()
        while command.is_alive() and not self._is_asked():
            command.join(0.02)
        while command.is_alive():
            self.turn(seconds=0.2)
            command.join(0.02)
        return found[0]

    def _is_asked(self) -> bool:
        """Whether a request waits for the daemon."""
        with contextlib.closing(sqlite3.connect(self.state_directory / "tokentail.db")) as connection:
            (waiting,) = connection.execute("SELECT count(*) FROM requests WHERE finished IS NULL").fetchone()
        return bool(waiting)

    def verify(self, *paths: str | Path) -> list[dict[str, Any]]:
        """Run ``tokentail verify``; return what it says of each file."""
        answer: list[dict[str, Any]] = json.loads(self.tokentail("verify", "--json", *paths, code=None).stdout)
        return answer

    def status(self) -> dict[str, Any]:
        """Run ``tokentail status``. What its exit code says is not told here."""
        answer: dict[str, Any] = json.loads(self.tokentail("status", "--json", code=None).stdout)
        return answer

    # The check after each story

    def check(
        self,
        *logs: Log,
        lost_at_most: Iterable[str] = (),
        twice_at_most: Iterable[str] = (),
        gaps: int | None = 0,
        rejected: int = 0,
        ignored: int = 0,
        files: Iterable[str | Path] | None = None,
    ) -> None:
        """Every event that was written is in the store, once, and all that tells of it tells the same.

        ``lost_at_most``: events that may be in no file any more; when one is missing, a gap must say so. ``twice_at_most``:
        events of which the contract does not say whether they count again. ``gaps``: how many are reported (None: any number;
        so it is when something may be lost). ``files``: what ``verify`` must find good, else all that lie beside the logs.
        """
        self.end()
        lost_at_most, twice_at_most = set(lost_at_most), set(twice_at_most)
        written = [event_id for log in (logs or (self.log,)) for event_id in log.written]
        assert len(written) == len(set(written)), "the test's own ids"
        stored = Counter(self.stored())
        said = self.status()
        self._check_ids(set(written), stored, lost_at_most, twice_at_most, said["gaps"])
        if gaps is not None and not (lost_at_most and not gaps):
            assert len(said["gaps"]) == gaps, said["gaps"]
        self._check_figures(said, stored.total(), rejected=rejected, ignored=ignored)
        if lost_at_most - set(stored):
            return
        beside = [path for path in sorted(self.logs_directory.rglob("*")) if path.is_file()] if files is None else files
        if paths := list(beside):
            assert [entry for entry in self.verify(*paths) if not entry["good"]] == []

    def _check_ids(
        self, written: set[str], stored: Counter[str], lost_at_most: set[str], twice_at_most: set[str], gaps: list[Any]
    ) -> None:
        assert not set(stored) - written, f"nobody wrote {sorted(set(stored) - written)[:3]}"
        lost = written - set(stored)
        assert not lost - lost_at_most, (
            f"{len(lost - lost_at_most)} are lost, such as {sorted(lost - lost_at_most)[:3]}"
        )
        assert gaps or not lost, f"{len(lost)} are lost, and no gap says so"
        twice = {event_id for event_id, times in stored.items() if times > 1} - twice_at_most
        assert not twice, f"{len(twice)} are stored more than once, such as {sorted(twice)[:3]}"

    def _check_figures(self, said: dict[str, Any], stored: int, *, rejected: int, ignored: int) -> None:
        kinds = ("stored", "rejected", "ignored", "expired", "pending")
        assert said["read"] == sum(said[kind] for kind in kinds), said
        assert {kind: said[kind] for kind in kinds} == {
            "stored": stored,
            "rejected": rejected,
            "ignored": ignored,
            "expired": 0,
            "pending": 0,
        }
        assert said["lag_seconds"] == 0
        listed = self.state_directory / "rejected.jsonl"
        assert (listed.read_bytes().count(b"\n") if listed.exists() else 0) == rejected
        assert self.counted() == dict.fromkeys(self.counted(), stored)

    def counted(self) -> dict[str, int]:
        """Return how many events each of the counters tells of; of users' counters, those of events that name one."""
        tables = ("token_events_1h", "token_totals_15m", "token_users_1d")
        with contextlib.closing(State.open_reader(self.state_directory)) as state:
            found = {
                table: int(state.connection.execute(f"SELECT coalesce(sum(events), 0) FROM {table}").fetchone()[0])
                for table in tables
            }
        if self.store.type == "influxdb":
            for measurement, policy in COUNTERS.items():
                rows = query(self.store, f'SELECT sum(events) FROM "{self.store.database}"."{policy}"."{measurement}"')
                found[f"{policy}.{measurement}"] = int(rows[0]["values"][0][1]) if rows else 0
        return found


def _toml(text: str) -> str:
    return json.dumps(text)
