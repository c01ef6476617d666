"""tokentail beside Telegraf and Fluent Bit at the same job: an audit log into InfluxDB 2.

    python -m bench.rivals --only speed       # a bit more than two minutes a run
    python -m bench.rivals --only faults      # five minutes

Speed: a log that is there, from the start of the agent until everything that it will ever store is found by a query. The
ceiling (bench.influx) is what the server takes of ready-made requests; agents and ceiling take turns, medians count.
Faults: see bench.faults. How each agent is configured, and why: see bench.agents.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

import orjson

from bench import generate
from bench.agents import Maker, agents, series_count, stored_ids, wait_until_quiet
from bench.faults import FAULTS, Outcome, suffer
from bench.influx import ceiling, requests_of
from tests.support.servers import InfluxServer, new_influxdb2, query

BUSY_DAYS = 0.00415
"""The generator begins at midnight, its quietest hours: this makes 500,000 lines in 1,000 s, 500 requests a second."""
NEWEST = 2_000
"""Lines whose arrival is watched: agents read in order, so these come last, and to count them costs the server little."""


class Run(NamedTuple):
    """One agent, once."""

    wall: float
    processor: float
    """Seconds of the agent, not of InfluxDB."""
    memory: int
    """Peak resident memory, MiB."""
    stored: int
    duplicates: int
    series: int


def newest_since(log: Path) -> int:
    """Return when the newest lines begin, milliseconds since the Unix epoch."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - NEWEST * 450))
        file.readline()
        return int(_time_ms(file.readline()))


def alike(log: Path) -> int:
    """Return how many lines have millisecond, action and client of another line: what points without identity lose."""
    with log.open("rb") as file:
        records = (orjson.loads(line) for line in file)
        seen = Counter((record["created_at"], record["action"], record["resource_id"]) for record in records)
    return seen.total() - len(seen)


def _time_ms(line: bytes) -> float:
    return datetime.fromisoformat(orjson.loads(line)["created_at"]).timestamp() * 1000


def follow(make: Maker, log: Path, server: InfluxServer) -> tuple[str, Run]:
    """Have an agent take up a log that is there."""
    with tempfile.TemporaryDirectory() as home:
        agent = make(log, server.make(), Path(home))
        since = newest_since(log)
        text = f'SELECT count(event_id) FROM "{agent.store.database}"."raw"."token_events" WHERE time >= {since}ms'

        def arrived() -> int:
            found = query(agent.store, text)
            return int(found[0]["values"][0][1]) if found else 0

        begun = time.monotonic()
        agent.start()
        try:
            _, changed = wait_until_quiet(arrived, quiet=3, most=60, step=0.2)
            used = agent.usage()
            ids = stored_ids(agent.store)
        finally:
            agent.stop()
        run = Run(
            changed - begun, used.processor, used.peak, len(ids), len(ids) - len(set(ids)), series_count(agent.store)
        )
        return agent.name, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("speed", "faults"))
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--days", type=float, default=BUSY_DAYS, help="which the lines are spread over")
    parser.add_argument("--runs", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if chosen.only != "faults":
            speed(directory / "audit.log", chosen.lines, chosen.days, chosen.runs)
        if chosen.only != "speed":
            with influxdb() as server:
                faults(server, directory)


@contextmanager
def influxdb() -> Iterator[InfluxServer]:
    """Run a fresh server: one that has many series from another agent would be slower."""
    with tempfile.TemporaryDirectory() as name:
        server = new_influxdb2(Path(name))
        try:
            yield server
        finally:
            server.stop()


def speed(log: Path, lines: int, days: float, rounds: int) -> None:
    """Measure, and print a table."""
    generate.write(log, lines, days=days)
    bodies = requests_of(log)
    lost = alike(log)
    print(f"{lines:,} lines; {lost:,} of them have millisecond, action and client of another", flush=True)
    runs: dict[str, list[tuple[Run, float]]] = {}
    for _ in range(rounds):
        with influxdb() as server:
            most = ceiling(bodies, server.make()).wall
        for make in agents():
            with influxdb() as server:
                name, run = follow(make, log, server)
            runs.setdefault(name, []).append((run, most / run.wall))
            print(f"{name:<20} {run}, ceiling {most:.1f} s", flush=True)
    print(
        f"\n{'':<20}{'events/s':>10}{'of ceiling':>12}{'processor s':>13}{'peak MiB':>10}{'stored':>10}{'lost':>9}{'twice':>7}{'series':>10}"
    )
    for name, measured in runs.items():
        wall, processor = median(run.wall for run, _ in measured), median(run.processor for run, _ in measured)
        last = measured[-1][0]
        missing = 1 - (last.stored - last.duplicates) / lines
        print(
            f"{name:<20}{lines / wall:>10,.0f}{median(ratio for _, ratio in measured):>12.2f}{processor:>13.1f}"
            f"{max(run.memory for run, _ in measured):>10}{last.stored:>10,}{missing:>9.2%}{last.duplicates:>7,}{last.series:>10,}"
        )


def faults(server: InfluxServer, directory: Path) -> None:
    """Do all faults, and print a table."""
    table: dict[str, dict[str, Outcome]] = {}
    for number, fault in enumerate(FAULTS):
        table[fault] = suffer(fault, server, agents(), directory / f"fault{number}")
        print(f"{fault}: " + "; ".join(f"{name} {outcome}" for name, outcome in table[fault].items()), flush=True)
    names = list(next(iter(table.values())))
    print(f"\n{'lost / stored twice':<36}{'written':>9}" + "".join(f"{name:>22}" for name in names))
    for fault, outcomes in table.items():
        cells = "".join(f"{f'{found.lost:,} / {found.duplicates:,}':>22}" for found in outcomes.values())
        print(f"{fault:<36}{next(iter(outcomes.values())).written:>9,}{cells}")


if __name__ == "__main__":
    main()
