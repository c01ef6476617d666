"""Seconds each panel takes through Grafana, over 5 million events of 90 days in an InfluxDB.

    python -m bench.panels --grafana http://127.0.0.1:3000 --grafana-token-file g --influxdb http://127.0.0.1:8086 \\
        --token-file i --database panels40 --clients 40       # loads the database first when it is not there

What a browser sends for a panel is sent to Grafana's query API (`/api/ds/query`), all queries of it at once, in turn for the
last 90 days and the last 24 hours of the data; the median of three is shown, the longest first. The data source is made for
the run and removed. Counters are written beside the events, as the daemon does.
"""

import argparse
import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import urllib3

from bench.generate import CLIENTS, DAY_MS, START_MS
from bench.influx_answers import POINTS, make_policies, write
from bench.store import batches
from ingestor.config.settings import StoreSettings
from ingestor.model.points import Point, Series, SeriesTable
from ingestor.model.statistics import FAILURE, REFRESHED, is_issued
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.write.line_protocol import Encoder, tag_set
from tests.grafana.panels import Choice, dashboards, interpolated, panels

HOUR_NS = 3_600_000_000_000
QUARTER_NS = HOUR_NS // 4
DAY_NS = 24 * HOUR_NS
POLICIES = ("raw", "rollup", "findings", "own")
SOURCE = "tokentail-bench"
DASHBOARDS = ("overview", "security", "client", "trends")
TURNS = 3
DAYS = 'SELECT count("users") FROM "rollup"."token_active_1d"'
"""The counters are written last: where they are, all is."""
Counts = dict[tuple[int, Any], list[int]]
"""By the start of the interval in nanoseconds, and whatever is counted in it."""


class Counters:
    """The counters of design section 3, as absolute values."""

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self.quarters: Counts = defaultdict(lambda: [0, 0, 0])
        self.users: Counts = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, points: Sequence[Point]) -> None:
        for point in points:
            moment, number, user, lifetime = point[0], point[1], point[2], point[7]
            quarter = self.quarters[moment - moment % QUARTER_NS, number]
            quarter[0] += 1
            quarter[1] += lifetime or 0
            quarter[2] += lifetime is not None
            if user is not None:
                count(self.users[moment - moment % DAY_NS, user], self._table.by_number[number], 1)

    def rollup(self) -> Iterator[str]:
        """Yield what dashboards ask over long periods: by series, without clients, by client; last the active users."""
        hours: Counts = defaultdict(lambda: [0, 0, 0])
        totals: Counts = defaultdict(lambda: [0, 0, 0])
        clients: Counts = defaultdict(lambda: [0, 0, 0, 0])
        for (quarter, number), counted in self.quarters.items():
            hour, series = quarter - quarter % HOUR_NS, self._table.by_number[number]
            for counter in (hours[hour, series], totals[quarter, series._replace(client_id="")]):
                counter[:] = map(sum, zip(counter, counted, strict=True))
            client = series._replace(action="", endpoint="", error="", grant_type="", outcome="")
            count(clients[hour, client], series, counted[0])
        for name, counters in (("token_events_1h", hours), ("token_totals_15m", totals)):
            for (start, series), (events, total, known) in counters.items():
                fields = f"events={events}i,lifetime_sum={total}i,lifetime_count={known}i"
                yield f"{name}{tag_set(series._asdict())} {fields} {start}"
        for (start, series), counted in clients.items():
            yield f"token_clients_1h{tag_set(series._asdict())} {by_kind(counted)} {start}"
        active: dict[int, int] = defaultdict(int)
        for day, _ in self.users:
            active[day] += 1
        for day, users in active.items():
            yield f"token_active_1d,host=bench,source=audit.log users={users}i {day}"

    def daily(self) -> Iterator[str]:
        for (day, user), counted in self.users.items():
            yield f"token_users_1d,host=bench,source=audit.log,user_id={user} {by_kind(counted)} {day}"


def count(counter: list[int], series: Series, events: int) -> None:
    """Count events of a series, and by what they are."""
    counter[0] += events
    counter[1] += events * is_issued(series.action)
    counter[2] += events * (series.action == REFRESHED)
    counter[3] += events * (series.outcome == FAILURE)


def by_kind(counted: Sequence[int]) -> str:
    events, issued, refreshed, failed = counted
    return f"events={events}i,issued={issued}i,refreshed={refreshed}i,failed={failed}i"


def make(store: StoreSettings, arguments: argparse.Namespace) -> None:
    """Make the buckets or policies, and write the events with their counters."""
    begun = time.perf_counter()
    with contextlib.closing(InfluxHttp(store)) as http:
        make_policies(http, store, POLICIES)
        table = SeriesTable()
        encoder, counters = Encoder(table), Counters(table)
        for points in batches(arguments.events, arguments.days, table, client_count=arguments.clients):
            counters.add(points)
            for start in range(0, len(points), POINTS):
                write(http, store, "raw", encoder.encode(points[start : start + POINTS]))
        for policy, lines in (("raw", list(counters.daily())), ("rollup", list(counters.rollup()))):
            for start in range(0, len(lines), POINTS):
                write(http, store, policy, "\n".join(lines[start : start + POINTS]).encode())
    print(f"made {arguments.events:,} events in {time.perf_counter() - begun:.0f} s", flush=True)


class Grafana:
    """The parts of its API that a browser uses."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._http = urllib3.PoolManager(retries=False)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        answer = self._http.request(method, self._url + path, body=data, headers=self._headers, timeout=120)
        if answer.status >= 300:
            raise SystemExit(f"Grafana: {method} {path}: {answer.status} {answer.data[:300]!r}")
        return orjson.loads(answer.data)

    @contextlib.contextmanager
    def data_source(self, store: StoreSettings) -> Iterator[None]:
        options = {"version": "InfluxQL", "dbName": store.database, "httpMode": "POST"}
        secure = {}
        if store.token_file:
            options["httpHeaderName1"] = "Authorization"
            secure["httpHeaderValue1"] = f"Token {store.token_file.read_text().strip()}"
        source = {"uid": SOURCE, "name": SOURCE, "type": "influxdb", "access": "proxy", "url": store.url}
        self.ask("POST", "/api/datasources", source | {"jsonData": options, "secureJsonData": secure})
        try:
            yield
        finally:
            self.ask("DELETE", f"/api/datasources/uid/{SOURCE}")


def request(panel: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """Return what a browser 1,500 pixels wide sends for a panel. Grafana writes the interval into the query itself."""
    points = panel.get("maxDataPoints") or 1500 * panel["gridPos"]["w"] // 24
    interval = max((choice.until - choice.since) // points, 1000)
    choice = replace(choice, interval="$__interval")
    queries = []
    for target in panel["targets"]:
        query = {**target, "intervalMs": interval, "maxDataPoints": points}
        if "query" in target:
            query["query"] = interpolated(target["query"], choice)
            query["datasource"] = {"type": "influxdb", "uid": SOURCE}
        queries.append(query)
    return {"queries": queries, "from": str(choice.since), "to": str(choice.until)}


def seconds(grafana: Grafana, body: dict[str, Any]) -> float:
    begun = time.perf_counter()
    answer = grafana.ask("POST", "/api/ds/query", body)
    taken = time.perf_counter() - begun
    failed = [result["error"] for result in answer["results"].values() if result.get("error")]
    if failed:
        raise SystemExit(f"a query failed: {failed[0]}")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grafana", required=True)
    parser.add_argument("--grafana-token-file", type=Path, required=True)
    parser.add_argument("--influxdb", required=True)
    parser.add_argument("--token-file", type=Path, help="of InfluxDB 2")
    parser.add_argument("--database", default="panels")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--only", default="", help="a dashboard")
    arguments = parser.parse_args()
    store = StoreSettings(
        type="influxdb",
        url=arguments.influxdb,
        database=arguments.database,
        token_file=arguments.token_file,
        timeout_seconds=120,
    )
    with contextlib.closing(InfluxHttp(store)) as http:
        there = http.request("POST", "/query", params={"db": store.database, "q": DAYS}, body=b"")
    if b'"values"' not in there.body:
        make(store, arguments)
    grafana = Grafana(arguments.grafana, arguments.grafana_token_file.read_text().strip())
    until = START_MS + arguments.days * DAY_MS
    found = dashboards()
    with grafana.data_source(store):
        for name in DASHBOARDS:
            if name not in found or arguments.only not in name:
                continue
            chosen = ("web-app-00",) if name == "client" else ()
            choices = [Choice(until - days * DAY_MS, until, client=chosen) for days in (arguments.days, 1)]
            measured = []
            for panel in panels(found[name]):
                if panel.get("targets"):
                    bodies = [request(panel, choice) for choice in choices]
                    times = [statistics.median(seconds(grafana, body) for _ in range(TURNS)) for body in bodies]
                    measured.append((times, panel["title"]))
            print(f"{f'seconds, {name}':>50} {f'{arguments.days} d':>8} {'24 h':>8}")
            for times, title in sorted(measured, reverse=True):
                print(f"{title[:50]:>50} {times[0]:>8.3f} {times[1]:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
