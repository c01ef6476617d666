"""What `tokentail store init` and the daemon do to an InfluxDB, by hand and without the code under test."""

import contextlib
import re
from collections.abc import Iterable

import orjson

from ingestor.core.lineprotocol import Encoder
from ingestor.core.points import Series, SeriesTable
from ingestor.settings import StoreSettings
from ingestor.stores.influxdb.http import InfluxHttp
from tests.generated import SECOND, Sample, points
from tests.servers import InfluxServer

HOUR = 3600 * SECOND
POLICIES = ("raw", "rollup")


def make_database(server: InfluxServer, store: StoreSettings) -> None:
    """Make the database and its policies, without an end of retention: generated times must not be refused."""
    with contextlib.closing(InfluxHttp(store)) as http:
        if server.version == 1:
            statements = [f'CREATE DATABASE "{store.database}"']
            statements += [
                f'CREATE RETENTION POLICY "{policy}" ON "{store.database}" DURATION INF REPLICATION 1'
                for policy in POLICIES
            ]
            answer = http.request("POST", "/query", params={"q": "; ".join(statements)})
            assert answer.status == 200, answer.body
            assert b"error" not in answer.body, answer.body
            return
        organizations = orjson.loads(http.request("GET", "/api/v2/orgs").body)["orgs"]
        for policy in POLICIES:
            bucket = {"orgID": organizations[0]["id"], "name": f"{store.database}/{policy}", "retentionRules": []}
            answer = http.request("POST", "/api/v2/buckets", body=orjson.dumps(bucket))
            assert answer.status == 201, answer.body


def write_lines(store: StoreSettings, policy: str, lines: bytes) -> None:
    with contextlib.closing(InfluxHttp(store)) as http:
        params = {"db": store.database, "rp": policy, "precision": "ns"}
        answer = http.request("POST", "/write", params=params, body=lines)
        assert answer.status == 204, answer.body


def write_samples(store: StoreSettings, samples: Iterable[Sample]) -> None:
    """Store generated events as the daemon does."""
    table = SeriesTable()
    write_lines(store, "raw", Encoder(table).encode(points(samples, table)))


def hourly_lines(samples: Iterable[Sample]) -> bytes:
    """Return the counters of these events."""
    counters: dict[tuple[int, Series], list[int]] = {}
    for sample in samples:
        counter = counters.setdefault((sample.time - sample.time % HOUR, sample.series), [0, 0, 0])
        lifetime = sample.fields["expires_in"]
        counter[0] += 1
        counter[1] += lifetime or 0
        counter[2] += lifetime is not None
    lines = []
    for (hour, series), (events, lifetime_sum, lifetime_count) in counters.items():
        escaped = {key: re.sub("([,= ])", r"\\\1", value) for key, value in series._asdict().items() if value}
        tags = "".join(f",{key}={value}" for key, value in escaped.items())
        fields = f"events={events}i,lifetime_sum={lifetime_sum}i,lifetime_count={lifetime_count}i"
        lines.append(f"token_events_1h{tags} {fields} {hour}\n")
    return "".join(lines).encode()
