"""Seconds that the panels of a dashboard take through Grafana's query API, at 90 days and at 24 hours.

    python -m bench.panels http://127.0.0.1:3000 overview --user admin --password admin
    python -m bench.panels http://127.0.0.1:3000 trends --password-file FILE --datasource tokentail

A panel's queries go in one request, as a browser sends them. The best of ``--rounds`` is shown beside the first asking, and
rows are those of all its queries. Fill the database first, for instance with ``bench.influx_answers``.
"""

import argparse
import time
from pathlib import Path
from typing import Any, Final

import orjson
import urllib3

from tests.grafana.panels import Choice, dashboards, interpolated, panels

DAY_MS: Final = 86_400_000
SPANS: Final = {"90 days": (90 * DAY_MS, "1d"), "24 hours": (DAY_MS, "30m")}
LIMITS: Final = {"90 days": 2.0, "24 hours": 0.3}
DISTINCT_LIMIT: Final = 5.0


def ask(
    http: urllib3.PoolManager, url: str, headers: dict[str, str], queries: list[dict[str, Any]]
) -> tuple[float, int]:
    """Send a panel's queries and return seconds and rows."""
    body = orjson.dumps({"queries": queries, "from": "now-1h", "to": "now"})
    begun = time.perf_counter()
    answer = http.request("POST", f"{url}/api/ds/query", body=body, headers=headers)
    seconds = time.perf_counter() - begun
    results = orjson.loads(answer.data).get("results", {})
    if answer.status != 200:
        raise SystemExit(f"Grafana answered {answer.status}: {answer.data[:500]!r}")
    frames = [frame for result in results.values() for frame in result.get("frames", ())]
    return seconds, sum(len(frame["data"]["values"][0]) for frame in frames if frame["data"]["values"])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("url")
    p.add_argument("dashboard")
    p.add_argument("--user", default="admin")
    p.add_argument("--password-file", type=Path)
    p.add_argument("--password", default="admin")
    p.add_argument("--datasource", default="tokentail", help="its uid")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--until", type=int, help="milliseconds; now by default")
    a = p.parse_args()
    password = a.password_file.read_text().strip() if a.password_file else a.password
    headers = urllib3.make_headers(basic_auth=f"{a.user}:{password}") | {"Content-Type": "application/json"}
    http = urllib3.PoolManager(timeout=120, retries=False)
    until = a.until or int(time.time() * 1000)
    print("| panel | " + " | ".join(f"{span}: best, first, rows" for span in SPANS) + " |\n|---|" + "---|" * len(SPANS))
    for panel in panels(dashboards()[a.dashboard]):
        cells = []
        for span, (length, interval) in SPANS.items():
            choice = Choice(until - length, until, interval=interval)
            queries = [
                {
                    **target,
                    "datasource": {"type": "influxdb", "uid": a.datasource},
                    "query": interpolated(target["query"], choice),
                }
                for target in panel.get("targets", ())
                if "query" in target
            ]
            if queries:
                asked = [ask(http, a.url, headers, queries) for _ in range(a.rounds)]
                best = min(seconds for seconds, _ in asked)
                limit = max(LIMITS[span], DISTINCT_LIMIT * ("distinct" in str(queries) and span == "90 days"))
                late = " **over**" if best > limit else ""
                cells.append(f"{best:.2f} s{late}, {asked[0][0]:.2f} s, {asked[0][1]:,}")
        if cells:
            print(f"| {panel['id']} {panel['title']} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
