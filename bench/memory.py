"""Resident memory: of `run --once` over 500,000 lines, and of a daemon while InfluxDB is away and the log grows by 200 MB.

    python -m bench.memory --version 2

At most 100 MiB, and flat through the outage: the log is the buffer.
"""

import argparse
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from bench import generate
from bench.agents import Agent, tokentail, wait_until_quiet
from bench.influx import stored
from bench.influx import tokentail as run_once
from bench.latency import influxdb
from tests.support.servers import InfluxServer

LIMIT_MIB = 100
OUTAGE_SECONDS = 60.0
GROWTH_BYTES = 200_000_000
STEPS = 600
PATIENCE_SECONDS = 150.0
"""The daemon tries again after at most a minute, and then has much to read."""


def grow(log: Path, data: bytes) -> None:
    """Append data evenly over the outage, in steps that end within lines."""
    begun = time.monotonic()
    with log.open("ab", buffering=0) as file:
        for step in range(STEPS):
            file.write(data[step * len(data) // STEPS : (step + 1) * len(data) // STEPS])
            time.sleep(max(0.0, begun + (step + 1) * OUTAGE_SECONDS / STEPS - time.monotonic()))


def resident(agent: Agent, label: str) -> int:
    used = agent.usage()
    print(
        f"{label:<32}{used.resident:>5} MiB resident, {used.peak} MiB at most, {used.processor:.1f} s of the processor"
    )
    return used.resident


def outage(server: InfluxServer, directory: Path, lines: list[bytes]) -> None:
    """Take InfluxDB away from a daemon that has read something."""
    log = directory / "audit.log"
    log.write_bytes(b"".join(lines[:20_000]))
    data = b"".join(lines[20_000:])
    agent = tokentail(log, server.make(), directory)
    agent.start()
    try:
        wait_until_quiet(lambda: stored_or_none(agent), quiet=3, most=30)
        before = after = resident(agent, "before the outage")
        server.kill()
        writer = threading.Thread(target=grow, args=(log, data))
        writer.start()
        while writer.is_alive():
            writer.join(OUTAGE_SECONDS / 3)
            after = resident(agent, "during the outage")
        server.start()
        begun = time.monotonic()
        while (found := stored_or_none(agent)) < len(lines) and time.monotonic() - begun < PATIENCE_SECONDS:
            time.sleep(1)
        resident(agent, "all caught up")
        print(f"grown by {after - before} MiB while the log grew by {len(data) / 1e6:.0f} MB", end="; ")
        print(f"stored {found:,} of {len(lines):,}, {time.monotonic() - begun:.0f} s after InfluxDB was back")
    finally:
        agent.stop()


def stored_or_none(agent: Agent) -> int:
    with suppress(IndexError):
        return stored(agent.store)
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", type=int, choices=(1, 2), default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        lines = list(generate.lines(500_000))
        log = directory / "whole.log"
        log.write_bytes(b"".join(lines))
        with influxdb(chosen.version, directory) as server:
            peak = run_once(log, server.make()).memory
            verdict = "" if peak <= LIMIT_MIB else f"   more than {LIMIT_MIB} MiB"
            print(
                f"InfluxDB {chosen.version}: run --once over {len(lines):,} lines: {peak} MiB at most{verdict}",
                flush=True,
            )
            share = GROWTH_BYTES / log.stat().st_size
            outage(server, directory, lines[: 20_000 + int(len(lines) * share)])


if __name__ == "__main__":
    main()
