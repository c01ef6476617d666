"""Into a real InfluxDB: ``tokentail run --once`` against the raw-writer ceiling, in one run on the same machine.

    python -m bench.influx --version 2           # starts an InfluxDB of its own on loopback (see tests/support/servers.py)

The ceiling is the same points as ready-made requests of 5,000 lines, posted by two connections that do nothing else: what
the server takes, whatever a client does. Each run writes into a database of its own; runs alternate, medians count.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.parse import tokentail as points_of
from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.http import InfluxHttp
from tests.support.servers import InfluxServer, new_influxdb1, new_influxdb2, query

CONFIG = """
[[logs]]
path = "{log}"
source = "bench"
[store]
type = "influxdb"
url = "{store.url}"
database = "{store.database}"
token_file = "{token_file}"
"""


class Run(NamedTuple):
    """One measurement."""

    wall: float
    """Seconds."""
    memory: int
    """Peak resident memory of the client, MiB."""


def requests_of(log: Path) -> list[bytes]:
    """Return the points of a log as requests of 5,000 lines."""

    def lines() -> Iterator[bytes]:
        for _, data in points_of(log):
            yield from data.splitlines(keepends=True)

    every = lines()
    return list(iter(lambda: b"".join(islice(every, 5000)), b""))


def ceiling(bodies: list[bytes], store: StoreSettings) -> Run:
    """Post ready-made requests from two threads."""
    waiting = iter(bodies)
    lock = threading.Lock()

    def post() -> None:
        with contextlib.closing(InfluxHttp(store)) as http:
            while True:
                with lock:
                    body = next(waiting, None)
                if body is None:
                    return
                params = {"db": store.database, "rp": "raw", "precision": "ns"}
                answer = http.request("POST", "/write", params=params, body=body)
                if answer.status != 204:
                    raise SystemExit(f"InfluxDB answers {answer.status}: {answer.body[:200]!r}")

    threads = [threading.Thread(target=post) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(time.perf_counter() - began, 0)


def tokentail(log: Path, store: StoreSettings) -> Run:
    """Run the command, from its start to its end: it has then written the counters, too."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "tokentail.toml"
        config.write_text(CONFIG.format(log=log, store=store, token_file=store.token_file or ""))
        command = [sys.executable, "-m", "ingestor", "run", "--once", "--config", str(config)]
        began = time.perf_counter()
        process = subprocess.Popen([*command, "--state-dir", f"{directory}/state"], stderr=subprocess.PIPE)
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.02)
        wall = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"tokentail ended with {process.returncode}: {process.stderr.read()!r}")  # type: ignore[union-attr]
    return Run(wall, peak)


def peak_memory(process: int) -> int:
    """Return a process's peak resident memory, MiB. (What wait4 tells includes this script's, from before the exec.)"""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    return 0


def stored(store: StoreSettings) -> int:
    """Return how many events a database holds."""
    found = query(store, f'SELECT sum(events) FROM "{store.database}"."raw"."token_events"')
    return int(found[0]["values"][0][1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", type=int, choices=(1, 2), default=2)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "audit.log"
        command = [sys.executable, "-m", "bench.generate", str(log), "--lines", str(chosen.lines)]
        subprocess.run(command, check=True)
        data = Path(directory) / "influxdb"
        data.mkdir()
        server: InfluxServer = new_influxdb1(data) if chosen.version == 1 else new_influxdb2(data)
        bodies = requests_of(log)
        ratios = []
        for _ in range(chosen.runs):
            most, ours = server.make(), server.make()
            best, run = ceiling(bodies, most), tokentail(log, ours)
            if stored(most) != chosen.lines or stored(ours) != chosen.lines:
                raise SystemExit("not everything is stored: the comparison means nothing")
            ratios.append(best.wall / run.wall)
            print(
                f"ceiling {chosen.lines / best.wall:>9,.0f} events/s   tokentail {chosen.lines / run.wall:>9,.0f} events/s"
                f"   ratio {ratios[-1]:.2f}   peak {run.memory} MiB"
            )
        server.stop()
    print(f"InfluxDB {chosen.version}.x, {chosen.lines:,} lines: median ratio {median(ratios):.2f}")


if __name__ == "__main__":
    main()
