"""What goes wrong in the field, done to all agents at once: they follow the same log, and the same is done to each of them.

Each line has a millisecond of its own, except where that is the fault, so that what is lost is lost by the fault.
"""

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from bench import generate
from bench.agents import Agent, Maker, stored_ids, wait_until_quiet
from tests.support.servers import InfluxServer

RATE = 1_000
"""Lines a second, as a busy endpoint writes them."""
LATE_SECONDS = 0.1
"""How long a writer goes on with a file that was renamed, until it is told to open the new one."""


class Outcome(NamedTuple):
    """What became of the lines."""

    written: int
    lost: int
    duplicates: int
    """Points too many."""


class Writer(threading.Thread):
    """Appends lines at an even pace until it is stopped."""

    def __init__(self, path: Path, *, rate: int, equal: int) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.ids: list[str] = []
        self.lock = threading.Lock()
        """Who holds it has the writer pause."""
        self._rate = rate
        self._equal = equal
        """How many lines share a millisecond."""
        self._stopped = threading.Event()
        self._reopen = threading.Event()
        self._file = path.open("ab", buffering=0)

    def run(self) -> None:
        begun = time.monotonic()
        while not self._stopped.wait(0.005):
            with self.lock:
                if self._reopen.is_set():
                    self._reopen.clear()
                    self._file.close()
                    self._file = self.path.open("ab", buffering=0)
                due = int((time.monotonic() - begun) * self._rate) - len(self.ids)
                self._file.write(b"".join(self._line() for _ in range(due)))

    def stop(self) -> None:
        self._stopped.set()
        self.join()
        self._file.close()

    def rename(self) -> None:
        """Rotate as logrotate does without copytruncate: rename, make anew, tell the writer a moment later."""
        _shift(self.path)
        self.path.rename(f"{self.path}.1")
        self.path.touch()
        time.sleep(LATE_SECONDS)
        self._reopen.set()

    def copy_truncate(self) -> None:
        """Rotate as logrotate does with copytruncate. The writer pauses: what it writes in between is in no file."""
        _shift(self.path)
        with self.lock:
            shutil.copyfile(self.path, f"{self.path}.1")
            os.truncate(self.path, 0)

    def _line(self) -> bytes:
        number = len(self.ids)
        self.ids.append(f"e-{number}")
        return line(number, generate.START_MS + number // self._equal)


def line(number: int, time_ms: int) -> bytes:
    """Return a line of the length that real ones have."""
    written = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    client = f"client-{number % 40:02}"
    actions = ("token.refreshed", "token.issued.authorization_code", "token.validation_failed", "token.introspected")
    record = {
        "id": f"e-{number}",
        "created_at": written,
        "action": actions[number % 4],
        "user_id": f"user-{number % 1000}",
        "resource_type": "oauth_token",
        "resource_id": client,
        "details": {
            "client_id": client,
            "grant_type": None,
            "scopes": ["openid", "profile"],
            "ip_address": "203.0.113.9",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0",
            "error": None,
            "expires_in": 3600,
        },
    }
    return orjson.dumps(record) + b"\n"


def _shift(path: Path) -> None:
    numbers = sorted((int(old.suffix[1:]) for old in path.parent.glob(f"{path.name}.*")), reverse=True)
    for number in numbers:
        Path(f"{path}.{number}").rename(f"{path}.{number + 1}")


class Stage(NamedTuple):
    """Where a fault is done."""

    writer: Writer
    agents: list[Agent]
    server: InfluxServer
    chance: random.Random


def rename_rotation(stage: Stage) -> None:
    for _ in range(10):
        time.sleep(1.5)
        stage.writer.rename()


def copy_truncate(stage: Stage) -> None:
    for _ in range(10):
        time.sleep(1.5)
        stage.writer.copy_truncate()


def kills(stage: Stage, *, rotate_every: int = 0) -> None:
    """Kill each agent 20 times with SIGKILL and start it again."""
    for number in range(20):
        time.sleep(stage.chance.uniform(0.6, 1.6))
        for agent in stage.agents:
            agent.kill()
        if rotate_every and number % rotate_every == 0:
            stage.writer.rename()
        time.sleep(0.2)
        for agent in stage.agents:
            agent.start()


def kills_with_rotations(stage: Stage) -> None:
    """As above, and each fourth time the log is rotated before the restart."""
    kills(stage, rotate_every=4)


def kills_with_equal_times(stage: Stage) -> None:
    """As `kills`, with lines that share their milliseconds: what is sent again must become the same points."""
    kills(stage)


def outage(stage: Stage) -> None:
    """InfluxDB is away for 20 s."""
    time.sleep(3)
    stage.server.kill()
    time.sleep(20)
    stage.server.start()
    time.sleep(2)


def same_millisecond(stage: Stage) -> None:
    """5,000 lines at once, all of one millisecond, of 40 series."""
    writer = stage.writer
    time.sleep(1)
    with writer.lock:
        first = len(writer.ids)
        numbers = range(first, first + 5_000)
        writer.ids += [f"e-{number}" for number in numbers]
        with writer.path.open("ab") as file:
            file.writelines(line(number, generate.START_MS + first) for number in numbers)


FAULTS: dict[str, Callable[[Stage], None]] = {
    "10 rotations by rename": rename_rotation,
    "10 rotations by copy-truncate": copy_truncate,
    "20 kill -9": kills,
    "20 kill -9, 10 lines a millisecond": kills_with_equal_times,
    "20 kill -9, 5 rotations": kills_with_rotations,
    "InfluxDB away for 20 s": outage,
    "5,000 lines in one millisecond": same_millisecond,
}


def suffer(name: str, server: InfluxServer, makers: list[Maker], directory: Path) -> dict[str, Outcome]:
    """Do a fault to all agents while a writer writes; return what became of the lines, by agent."""
    logs = directory / "logs"
    logs.mkdir(parents=True)
    fault = FAULTS[name]
    equal = 10 if fault is kills_with_equal_times else 1
    writer = Writer(logs / "audit.log", rate=1 if fault is same_millisecond else RATE, equal=equal)
    agents = []
    for make in makers:
        home = directory / make.__name__
        home.mkdir()
        agents.append(make(writer.path, server.make(), home))
    try:
        for agent in agents:
            agent.start()
        time.sleep(1.5)  # all of them follow by now
        writer.start()
        fault(Stage(writer, agents, server, random.Random(20261126)))
        writer.stop()
        # Longer than any agent waits before it tries again: what comes late is not lost.
        quiet = 40 if fault is outage else 10
        wait_until_quiet(lambda: sum(len(stored_ids(agent.store)) for agent in agents), quiet=quiet, most=60, step=0.5)
        return {agent.name: _outcome(writer.ids, agent) for agent in agents}
    finally:
        for agent in agents:
            agent.stop()


def _outcome(written: list[str], agent: Agent) -> Outcome:
    stored = Counter(stored_ids(agent.store))
    if invented := set(stored) - set(written):
        raise SystemExit(f"{agent.name} stored what nobody wrote: {sorted(invented)[:3]}")
    return Outcome(len(written), len(set(written) - set(stored)), stored.total() - len(stored))
