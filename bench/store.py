"""Events a second into the embedded store, counters and commits included, reading and parsing left out.

    python -m bench.store                  # 300,000 events of a week
    python -m bench.store --budget 10      # most clients beyond their budget: the index of `_other` is written, too

Prints a bare loop to compare with (one table, the same rows in the same transactions, nothing counted or looked up), the
first writing, a repeat of the whole (what a second backfill costs), and the size of the file. Where others use the
machine, trust the processor time and the ratio.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from bench.generate import CLIENTS, DAY_MS, START_MS, lines
from ingestor.model.identity import generation_hash
from ingestor.model.points import Point, SeriesTable
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.points import to_points
from ingestor.state.database import PRAGMAS
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.delivery import BATCH_POINTS
from ingestor.stores.embedded.events import SqliteStore
from parsers import find

ROWS = 80


def open_store(path: Path) -> sqlite3.Connection:
    """Open a store as the daemon does."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute("PRAGMA page_size=8192")
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    upgrade(connection)
    return connection


def batches(
    events: int, days: int, table: SeriesTable, *, budget: int = 1000, client_count: int = CLIENTS
) -> Iterator[list[Point]]:
    """Yield the points of a generated log, a transaction's worth at a time, as the daemon makes them."""
    parser = find("native")
    admission = Admission("audit.log", "bench", table, clients=budget, failing_clients=budget)
    log = lines(events, days=days, client_count=client_count)
    ordinal, h = 0, 0
    while block := list(islice(log, BATCH_POINTS)):
        h = h or generation_hash(block[0].removesuffix(b"\n"))
        outcomes = parser.parse(
            b"".join(block), START_MS + days * DAY_MS
        )  # as if it were the day after: times in the future are rejected
        placed = to_points(outcomes, h=h, ordinal=ordinal, admission=admission)
        if len(placed.points) != len(block):
            raise SystemExit(f"the parser rejected lines of the generator: {placed.rejections[:3]}")
        ordinal += len(block)
        yield placed.points


class Stopwatch:
    """Adds up the time spent inside it."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0

    def __enter__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._begun[0]
        self.processor += time.process_time() - self._begun[1]

    def report(self, name: str, events: int) -> None:
        print(
            f"{name:<7} {events / self.wall:>9,.0f} events/s"
            f"   {self.wall / events * 1e6:5.2f} us an event, {self.processor / events * 1e6:5.2f} us of the processor"
        )


def write(
    connection: sqlite3.Connection, table: SeriesTable, parts: Iterable[list[Point]], watch: Stopwatch | None = None
) -> None:
    """Write and commit each part, in the time of the watch; making the parts is not."""
    store = SqliteStore(connection, table)
    watch = watch or Stopwatch()
    for part in parts:
        with watch:
            connection.execute("BEGIN IMMEDIATE")
            store.write(part)
            connection.execute("COMMIT")
        table.new.clear()


def write_bare(connection: sqlite3.Connection, parts: Iterable[list[Point]], watch: Stopwatch) -> None:
    """Insert into a table of its own and commit: what SQLite costs, whatever we do."""
    connection.execute("CREATE TABLE bare AS SELECT * FROM token_events LIMIT 0")
    statement = "INSERT INTO bare VALUES " + ",".join(["(?,?,?,?,?,?,?,?,?,?,?)"] * ROWS)
    for part in parts:
        with watch:
            connection.execute("BEGIN IMMEDIATE")
            for start in range(0, len(part) - ROWS + 1, ROWS):
                connection.execute(statement, list(chain.from_iterable(part[start : start + ROWS])))
            connection.execute("COMMIT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--budget", type=int, default=1000, help="clients admitted before the rest is `_other`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.db"
        connection = open_store(path)
        table = SeriesTable()
        for name in ("bare", "first", "repeat"):
            made = batches(arguments.events, arguments.days, table, budget=arguments.budget)
            watch = Stopwatch()
            if name == "bare":
                write_bare(connection, made, watch)
                connection.execute("DROP TABLE bare")
            else:
                write(connection, table, made, watch)
            watch.report(name, arguments.events)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((stored, counted),) = connection.execute(
            "SELECT (SELECT count(*) FROM token_events), (SELECT sum(events) FROM token_events_1h)"
        )
        connection.close()
        print(f"stored  {stored:>9,} events, counted {counted:,}; {path.stat().st_size / stored:.0f} bytes an event")


if __name__ == "__main__":
    main()
