"""Seconds an answer of InfluxDB takes, over 5 million events of 90 days, 40 clients, 5,000 users.

    python -m bench.influx_answers http://127.0.0.1:8086 bench            # loads the database first when it is not there
    python -m bench.influx_answers http://127.0.0.1:8086 bench --only stats
    python -m bench.influx_answers http://127.0.0.1:8086 bench --token-file token    # InfluxDB 2

The events are the generator's, the policies have no end. The best of two is shown beside the first asking.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import orjson

from bench.generate import DAY_MS, START_MS
from bench.store import batches
from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import UnavailableError
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.answers import InfluxAnswers
from ingestor.stores.influxdb.setup.plan import places, shard_seconds
from ingestor.stores.influxdb.write.line_protocol import Encoder

MILLISECOND = 1_000_000
POINTS = 5_000
POLICIES = ("raw", "rollup")


def make_policies(http: InfluxHttp, store: StoreSettings, policies: Sequence[str]) -> None:
    """Make the buckets of InfluxDB 2, or the database and policies, without an end of retention.

    Shards span what they do after `tokentail store init`.
    """
    kept = {place.name.rpartition("/")[2]: place.seconds for place in places("", store.database, RetentionSettings())}
    spans = {policy: shard_seconds(kept[policy]) for policy in policies}
    if store.token_file:
        organization = orjson.loads(http.request("GET", "/api/v2/orgs").body)["orgs"][0]["id"]
        for policy, span in spans.items():
            rules = [{"type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": span}]
            bucket = {"orgID": organization, "name": f"{store.database}/{policy}", "retentionRules": rules}
            answer = http.request("POST", "/api/v2/buckets", body=orjson.dumps(bucket))
            if answer.status != 201:
                raise SystemExit(f"InfluxDB refused a bucket: {answer}")
        return
    made = "; ".join(
        f'CREATE RETENTION POLICY "{policy}" ON "{store.database}" DURATION INF REPLICATION 1 SHARD DURATION {span}s'
        for policy, span in spans.items()
    )
    http.request("POST", "/query", params={"q": f'CREATE DATABASE "{store.database}"; {made}'})


def write(http: InfluxHttp, store: StoreSettings, policy: str, body: bytes) -> None:
    params = {"db": store.database, "rp": policy, "precision": "ns"}
    answer = http.request("POST", "/write", params=params, body=body)
    if answer.status != 204:
        raise SystemExit(f"InfluxDB refused points: {answer}")


def make(http: InfluxHttp, store: StoreSettings, events: int, days: int) -> None:
    begun = time.perf_counter()
    make_policies(http, store, POLICIES)
    table = SeriesTable()
    encoder = Encoder(table)
    # The last clients are beyond the budget, so that `_other` is asked for, too.
    for points in batches(events, days, table, budget=36):
        for start in range(0, len(points), POINTS):
            write(http, store, "raw", encoder.encode(points[start : start + POINTS]))
    print(f"made {events:,} events in {time.perf_counter() - begun:.0f} s\n")


def questions(answers: InfluxAnswers, period: Period) -> Iterator[tuple[str, Callable[[], object]]]:
    newest = next(record for record in answers.activity(period, Filters(), 100) if record.user_id)
    filters = {
        "all": Filters(),
        "a client": Filters(client="web-app-00"),
        "a client of _other": Filters(client="web-app-36"),
        "failures": Filters(outcome="failure"),
        "a user": Filters(user=newest.user_id),
        "an address": Filters(ip=newest.ip),
    }
    for name, f in filters.items():
        yield f"stats, {name}", lambda f=f: answers.stats(period, f)  # type: ignore[misc]
        yield f"activity, {name}", lambda f=f: answers.activity(period, f, 50)  # type: ignore[misc]
    for name in ("all", "a client"):
        f = filters[name]
        yield f"top clients, {name}", lambda f=f: answers.top_clients(period, f, 10)  # type: ignore[misc]
        yield f"top users, {name}", lambda f=f: answers.top_users(period, f, 10)  # type: ignore[misc]
        for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):
            yield f"peak, {name}, {zone}", lambda f=f, z=zone: answers.peak(period, f, z)  # type: ignore[misc]
            yield f"analytics, {name}, {zone}", lambda f=f, z=zone: answers.analytics(period, f, z)  # type: ignore[misc]
    yield "events, the first 100,000", lambda: sum(1 for _ in islice(answers.events(period, Filters()), 100_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    store = StoreSettings(
        type="influxdb",
        url=arguments.url,
        database=arguments.database,
        token_file=arguments.token_file,
        timeout_seconds=120,
    )
    http = InfluxHttp(store)
    end = (START_MS + arguments.days * DAY_MS) * MILLISECOND
    answers = InfluxAnswers(http, store, RetentionSettings(raw_days=arguments.days + 1), lambda: end)
    periods = {days: Period(end - days * DAY_MS * MILLISECOND + 12_345_678_901, end) for days in (arguments.days, 1)}
    try:
        there = bool(answers.activity(periods[1], Filters(), 1))
    except UnavailableError:
        there = False
    if not there:
        make(http, store, arguments.events, arguments.days)
    for days, period in periods.items():
        print(f"{f'seconds, {days} d':>44} {'first':>8} {'best':>8}")
        for name, ask in questions(answers, period):
            if arguments.only in name:
                seconds = []
                for _ in range(2):
                    begun = time.perf_counter()
                    ask()
                    seconds.append(time.perf_counter() - begun)
                print(f"{name:>44} {seconds[0]:>8.3f} {min(seconds):>8.3f}", flush=True)
    http.close()


if __name__ == "__main__":
    main()
