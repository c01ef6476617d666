"""Seconds an answer of the embedded store takes, over 5 million events of 90 days, 40 clients, 5,000 users.

    python -m bench.answers answers.db                  # makes the file first (minutes, 1.1 GB), then asks
    python -m bench.answers answers.db --only stats     # the questions whose name contains a word

`stats` over 90 days is to take 2 s at most, `activity` 100 ms. The first asking reads the disk where the system has not
cached the file; the best of three is shown beside it.
"""

import argparse
import sqlite3
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bench.generate import DAY_MS, START_MS
from bench.store import batches, open_store, write
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Filters, Period
from ingestor.stores.embedded.answers import SqliteAnswers

MILLISECOND = 1_000_000
LIMITS = {"stats, all": 2.0, "activity, all": 0.1}
"""Seconds, from the requirements."""


def make(path: Path, events: int, days: int) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    connection = open_store(unfinished)
    table = SeriesTable()
    begun = time.perf_counter()
    # The last clients are beyond the budget, so that `_other` is asked for, too.
    write(connection, table, batches(events, days, table, budget=36))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    unfinished.rename(path)
    print(f"made {events:,} events, {path.stat().st_size / 1e9:.2f} GB, in {time.perf_counter() - begun:.0f} s\n")


def questions(connection: sqlite3.Connection, days: int) -> dict[str, Callable[[SqliteAnswers], object]]:
    start = START_MS * MILLISECOND
    odd = Period(start + 12_345_678_901, start + (days * DAY_MS - 1_234_567) * MILLISECOND)
    clients = (
        "SELECT client_id FROM token_events_1h JOIN series ON series = number WHERE client_id <> '_other' GROUP BY 1"
    )
    (busy,), *_, (rare,) = connection.execute(f"{clients} ORDER BY sum(events) DESC").fetchall()
    (beyond,) = connection.execute("SELECT client FROM token_events WHERE client IS NOT NULL LIMIT 1").fetchone()
    users = "SELECT user_id FROM token_users_1d GROUP BY 1 ORDER BY sum(events)"
    (quiet,), *_, (lively,) = connection.execute(users).fetchall()
    (ip,) = connection.execute("SELECT ip FROM token_events WHERE user_id = ? LIMIT 1", (quiet,)).fetchone()
    filters = {
        "all": Filters(),
        "a busy client": Filters(client=busy),
        "a rare client": Filters(client=rare),
        "a client of _other": Filters(client=beyond),
        "failures": Filters(outcome="failure"),
        "a busy client's successes": Filters(client=busy, outcome="success"),
        "a quiet user": Filters(user=quiet),
        "a lively user": Filters(user=lively),
        "an address": Filters(ip=ip),
        "no such client": Filters(client="nobody"),
        "no such user": Filters(user="nobody"),
    }
    asked: dict[str, Callable[[SqliteAnswers], object]] = {}
    for name, chosen in filters.items():
        asked[f"stats, {name}"] = lambda answers, f=chosen: answers.stats(odd, f)  # type: ignore[misc]
        asked[f"activity, {name}"] = lambda answers, f=chosen: answers.activity(odd, f, 50)  # type: ignore[misc]
        asked[f"top users, {name}"] = lambda answers, f=chosen: answers.top_users(odd, f, 10)  # type: ignore[misc]
    for name in ("all", "a busy client", "a lively user"):
        chosen = filters[name]
        asked[f"top clients, {name}"] = lambda answers, f=chosen: answers.top_clients(odd, f, 10)  # type: ignore[misc]
        for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata"):
            asked[f"peak, {name}, {zone}"] = lambda answers, f=chosen, z=zone: answers.peak(odd, f, z)  # type: ignore[misc]
            asked[f"analytics, {name}, {zone}"] = lambda answers, f=chosen, z=zone: answers.analytics(odd, f, z)  # type: ignore[misc]
    asked["events, the first 200,000"] = lambda answers: sum(1 for _ in islice(answers.events(odd, Filters()), 200_000))
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    if not arguments.path.exists():
        make(arguments.path, arguments.events, arguments.days)
    connection = sqlite3.connect(f"{arguments.path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    answers = SqliteAnswers(connection)
    print(f"{'seconds':>44} {'first':>8} {'best':>8}")
    for name, ask in questions(connection, arguments.days).items():
        if arguments.only in name:
            seconds = []
            for _ in range(3):
                begun = time.perf_counter()
                ask(answers)
                seconds.append(time.perf_counter() - begun)
            limit = LIMITS.get(name)
            verdict = "" if limit is None else f"  (limit {limit}: {'kept' if min(seconds) <= limit else 'MISSED'})"
            print(f"{name:>44} {seconds[0]:>8.3f} {min(seconds):>8.3f}{verdict}", flush=True)
    connection.close()


if __name__ == "__main__":
    main()
