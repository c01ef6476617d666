"""What `tokentail store init` and the daemon do to an InfluxDB, by hand and without the code under test."""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence

import orjson

from ingestor.config.settings import StoreSettings
from ingestor.model.points import Series, SeriesTable
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.write.line_protocol import Encoder
from tests.support.generated import SECOND, Sample, points
from tests.support.servers import InfluxServer

HOUR = 3600 * SECOND
QUARTER = HOUR // 4
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
    """Return the hourly counters of these events."""
    return _sums("token_events_1h", HOUR, ((sample.series, sample) for sample in samples))


def total_lines(samples: Iterable[Sample]) -> bytes:
    """Return the counters of all clients together."""
    return _sums("token_totals_15m", QUARTER, ((sample.series._replace(client_id=""), sample) for sample in samples))


def client_lines(samples: Iterable[Sample]) -> bytes:
    """Return the hourly counters of clients."""
    counters: dict[tuple[int, Series], list[int]] = {}
    for sample in samples:
        client = sample.series._replace(action="", endpoint="", error="", grant_type="", outcome="")
        counter = counters.setdefault((sample.time - sample.time % HOUR, client), [0, 0, 0, 0])
        counter[0] += 1
        counter[1] += sample.series.action.startswith("token.issued.")
        counter[2] += sample.series.action == "token.refreshed"
        counter[3] += sample.series.outcome == "failure"
    return _lines("token_clients_1h", ("events", "issued", "refreshed", "failed"), counters)


def _sums(measurement: str, unit: int, counted: Iterable[tuple[Series, Sample]]) -> bytes:
    counters: dict[tuple[int, Series], list[int]] = {}
    for series, sample in counted:
        counter = counters.setdefault((sample.time - sample.time % unit, series), [0, 0, 0])
        lifetime = sample.fields["expires_in"]
        counter[0] += 1
        counter[1] += lifetime or 0
        counter[2] += lifetime is not None
    return _lines(measurement, ("events", "lifetime_sum", "lifetime_count"), counters)


def _lines(measurement: str, fields: Sequence[str], counters: Mapping[tuple[int, Series], Sequence[int]]) -> bytes:
    lines = []
    for (start, series), values in counters.items():
        escaped = {key: re.sub("([,= ])", r"\\\1", value) for key, value in series._asdict().items() if value}
        tags = "".join(f",{key}={value}" for key, value in escaped.items())
        written = ",".join(f"{field}={value}i" for field, value in zip(fields, values, strict=True))
        lines.append(f"{measurement}{tags} {written} {start}\n")
    return "".join(lines).encode()
