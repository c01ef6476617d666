"""From a line's last byte in the log until a query finds its event, at 1,000 events/s for 30 s. At most 1.5 s at p99.

    python -m bench.latency                  # the embedded store, InfluxDB 1 and 2, and the rivals that are here
    python -m bench.latency --only sqlite

A writer appends lines at an even pace and notes when each was written; a poller asks again and again which events are
there. An event counts as found when the answer that has it came, so the figures hold the poller's own delay, too.
"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import generate
from bench.agents import Agent, agents, stored_ids
from bench.agents import tokentail as tokentail_agent
from bench.faults import line
from ingestor.config.settings import StoreSettings
from tests.support.servers import InfluxServer, influxd1, influxd2, new_influxdb1, new_influxdb2

LIMIT_SECONDS = 1.5
Poll = Callable[[int], list[str]]
"""Return the ids of the events from this millisecond on."""


class Writer(threading.Thread):
    """Appends a line each millisecond, in bursts of five, and notes when."""

    def __init__(self, path: Path, rate: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self.written: list[float] = []
        """When the line of this number was written; monotonic seconds."""
        self._file = path.open("ab", buffering=0)
        self._rate, self._seconds = rate, seconds

    def run(self) -> None:
        begun = time.monotonic()
        while (now := time.monotonic()) < begun + self._seconds:
            first, due = len(self.written), int((now - begun) * self._rate)
            self._file.write(b"".join(line(number, generate.START_MS + number) for number in range(first, due)))
            self.written += [time.monotonic()] * (due - first)
            time.sleep(0.005)
        self._file.close()


def watch(writer: Writer, poll: Poll, *, patience: float = 10.0) -> list[float]:
    """Return the latency of every line, in seconds; infinite for what is not found in time."""
    found: dict[int, float] = {}
    lowest = 0
    deadline = float("inf")
    while time.monotonic() < deadline:
        alive = writer.is_alive()
        ids = poll(generate.START_MS + lowest)
        now = time.monotonic()
        for event_id in ids:
            found.setdefault(int(event_id[2:]), now)
        while lowest in found:
            lowest += 1  # what is known need not be asked for again
        if not alive:
            if len(found) == len(writer.written):
                break
            deadline = min(deadline, now + patience)
        time.sleep(0.02)
    return [found.get(number, float("inf")) - at for number, at in enumerate(writer.written)]


def influxdb_poll(store: StoreSettings) -> Poll:
    return lambda since_ms: stored_ids(store, since_ms=since_ms)


def sqlite_poll(path: Path) -> Poll:
    def poll(since_ms: int) -> list[str]:
        with suppress(sqlite3.OperationalError):  # not made yet
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            try:
                text = "SELECT event_id FROM token_events WHERE time >= ?"
                return [row[0] for row in connection.execute(text, (since_ms * 1_000_000,))]
            finally:
                connection.close()
        return []

    return poll


def sqlite_agent(log: Path, home: Path) -> Agent:
    command = [sys.executable, "-m", "ingestor", "run", "--log", str(log), "--state-dir", str(home / "state")]
    return Agent("tokentail, SQLite", log, StoreSettings(), home, command)


def measure(agent: Agent, poll: Poll, rate: int, seconds: float) -> None:
    """Have a writer and an agent run; print what was found."""
    agent.log.touch()
    agent.start()
    try:
        time.sleep(3)  # it follows by now
        writer = Writer(agent.log, rate, seconds)
        writer.start()
        latencies = sorted(watch(writer, poll))
    finally:
        agent.stop()
    p50, p99, most = (latencies[min(len(latencies) - 1, int(len(latencies) * share))] for share in (0.5, 0.99, 1.0))
    missing = latencies.count(float("inf"))
    verdict = "" if p99 <= LIMIT_SECONDS else f"   more than {LIMIT_SECONDS} s"
    print(
        f"{agent.name:<32}{len(latencies):>8,} events   p50 {p50:6.2f} s   p99 {p99:6.2f} s   most {most:6.2f} s"
        f"   not found {missing:,}{verdict}",
        flush=True,
    )


@contextmanager
def influxdb(version: int, directory: Path) -> Iterator[InfluxServer]:
    data = directory / f"influxdb{version}"
    data.mkdir()
    server = new_influxdb1(data) if version == 1 else new_influxdb2(data)
    try:
        yield server
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("sqlite", "influxdb1", "influxdb2"))
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if chosen.only in {None, "sqlite"}:
            home = _home(directory, "sqlite")
            agent = sqlite_agent(home / "audit.log", home)
            measure(agent, sqlite_poll(home / "state" / "tokentail.db"), chosen.rate, chosen.seconds)
        if chosen.only in {None, "influxdb1"} and influxd1():
            with influxdb(1, directory) as server:
                home = _home(directory, "one")
                agent = tokentail_agent(home / "audit.log", server.make(), home)
                agent.name += ", InfluxDB 1"
                measure(agent, influxdb_poll(agent.store), chosen.rate, chosen.seconds)
        if chosen.only in {None, "influxdb2"} and influxd2():
            with influxdb(2, directory) as server:
                for make in agents():
                    home = _home(directory, make.__name__)
                    agent = make(home / "audit.log", server.make(), home)
                    agent.name += ", InfluxDB 2"
                    measure(agent, influxdb_poll(agent.store), chosen.rate, chosen.seconds)


def _home(directory: Path, name: str) -> Path:
    home = directory / name
    home.mkdir()
    return home


if __name__ == "__main__":
    main()
