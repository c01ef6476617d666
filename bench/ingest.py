"""The main job as a user runs it: ``tokentail run --once`` into a fresh embedded store.

    python -m bench.ingest                    # 500,000 generated lines, median of 3 runs
    python -m bench.ingest audit.log --runs 5

Prints events a second of wall time and of processor time, and the process's peak resident memory. A bare loop (orjson and
one ``executemany`` a batch into one table, nothing checked, counted or made safe against a crash) runs in between, since
the machine's mood moves both alike.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import orjson


class Run(NamedTuple):
    """One measurement of a child process."""

    wall: float
    processor: float
    """User and system time, seconds."""
    memory: int
    """Peak resident memory, MiB."""


def tokentail(log: Path, directory: Path) -> None:
    """Replace this process by the command."""
    arguments = ["run", "--once", "--log", str(log), "--state-dir", str(directory / "state")]
    os.execv(sys.executable, [sys.executable, "-m", "ingestor", *arguments])  # noqa: S606 - our own command


def bare(log: Path, directory: Path) -> None:
    """Decode lines and insert six columns, in transactions of 20,000 rows."""
    connection = sqlite3.connect(directory / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE events(id TEXT, time TEXT, action TEXT, user TEXT, client TEXT, details TEXT)")
    rows: list[tuple[object, ...]] = []

    def write() -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events VALUES(?,?,?,?,?,?)", rows)
        connection.execute("COMMIT")
        rows.clear()

    with log.open("rb") as lines:
        for line in lines:
            record = orjson.loads(line)
            details = record["details"]
            row = (record["id"], record["created_at"], record["action"], record["user_id"], details["client_id"])
            rows.append((*row, details["user_agent"]))
            if len(rows) == 20_000:
                write()
    write()


def measure(loop: Callable[[Path, Path], None], log: Path) -> Run:
    """Run a loop in a child process with a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        child = os.fork()
        if child == 0:
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a descriptor is wanted
                os.dup2(nowhere.fileno(), 2)
            loop(log, Path(directory))
            os._exit(0)
        _, status, used = os.wait4(child, 0)
        wall = time.perf_counter() - began
        if status:
            raise SystemExit(f"{loop.__name__} ended with {os.waitstatus_to_exitcode(status)}")
        return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, nargs="?")
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        log = chosen.log or Path(directory) / "audit.log"
        if chosen.log is None:
            command = [sys.executable, "-m", "bench.generate", str(log), "--lines", str(chosen.lines)]
            subprocess.run(command, check=True)  # in a child: a fork of a large parent would count its memory
        with log.open("rb") as data:
            events = sum(block.count(b"\n") for block in iter(lambda: data.read(1 << 20), b""))
        print(f"{events:,} lines of {log.stat().st_size / events:.0f} bytes, median of {chosen.runs} runs")
        runs: dict[str, list[Run]] = {}
        for _ in range(chosen.runs):
            for loop in (tokentail, bare):
                runs.setdefault(loop.__name__, []).append(measure(loop, log))
    print(f"{'':<12}{'events/s wall':>16}{'events/s processor':>22}{'peak MiB':>12}")
    for name, measured in runs.items():
        wall, processor = (
            events / median(times) for times in ([r.wall for r in measured], [r.processor for r in measured])
        )
        print(f"{name:<12}{wall:>16,.0f}{processor:>22,.0f}{max(r.memory for r in measured):>12}")
    print(f"(this script itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB)")


if __name__ == "__main__":
    main()
