"""What is no answer is an error with the right exit code, and never an empty answer."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import orjson
import pytest

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.answers import InfluxAnswers
from ingestor.stores.influxdb.read.results import Table, tables
from tests.support.generated import random_samples
from tests.support.influx import make_database, write_samples
from tests.support.servers import InfluxServer, free_port

ALWAYS = Period(0, 1 << 62)
SECRET = "canary-secret-of-loopback"


def ask(store: StoreSettings) -> int:
    """Ask for events, and count them."""
    with contextlib.closing(InfluxHttp(store)) as http:
        answers = InfluxAnswers(http, store, RetentionSettings(), lambda: 0)
        return sum(1 for _ in answers.events(ALWAYS, Filters()))


def ask_for_figures(store: StoreSettings) -> None:
    with contextlib.closing(InfluxHttp(store)) as http:
        InfluxAnswers(http, store, RetentionSettings(), lambda: 0).stats(ALWAYS, Filters())


def test_a_missing_database_or_policy_is_made_by_store_init(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    with pytest.raises(UnavailableError, match=r"database not found[\s\S]*store init"):
        ask(store)
    make_database(influxdb, store)
    write_samples(store, random_samples(seed=2, count=50))
    assert ask(store) == 50


def test_a_wrong_token_is_a_matter_of_permission(influxdb: InfluxServer, tmp_path: Path) -> None:
    if influxdb.version == 1:
        pytest.skip("it wants no token")
    token = tmp_path / "token"
    token.write_text(SECRET)
    token.chmod(0o600)
    with pytest.raises(PermissionDeniedError, match=r"401[\s\S]*store\.token_file") as raised:
        ask(influxdb.fresh(token_file=token))
    assert SECRET not in str(raised.value)


def test_no_server_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match=r"Connection refused[\s\S]*store\.url"):
        ask(StoreSettings(url=f"http://127.0.0.1:{free_port()}"))


GOOD = b'{"results":[{"statement_id":0}]}\n'
ROWS = b'{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time"],"values":[],"partial":true}],"partial":true}]}\n'


@pytest.fixture
def canned() -> Iterator[tuple[StoreSettings, list[tuple[int, bytes, int]]]]:
    """A server that answers everything with a status, a body, and how many bytes it promises beyond that."""
    says: list[tuple[int, bytes, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body, missing = says[-1]
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield StoreSettings(url=f"http://127.0.0.1:{server.server_port}", timeout_seconds=5), says
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "missing", "kind", "words"),
    [
        (
            401,
            b'{"error":"authorization failed"}',
            0,
            PermissionDeniedError,
            r"authorization failed[\s\S]*1\.x wants[\s\S]*password_file[\s\S]*2\.x wants[\s\S]*token_file",
        ),
        (403, b"<html>no</html>", 0, PermissionDeniedError, r"\(403\)[\s\S]*token_file"),
        (500, b'{"error":"engine is closed"}', 0, UnavailableError, "engine is closed"),
        (503, b"<html>busy</html>", 0, UnavailableError, r"\(503\)\s"),
        (429, b"", 0, UnavailableError, "429"),
        (400, b'{"error":"error parsing query"}', 0, UnavailableError, "error parsing query"),
        (404, b"not here", 0, UnavailableError, "Something else than InfluxDB answers"),
        (302, b"", 0, UnavailableError, "Something else"),
        (204, b"", 0, UnavailableError, "Something else"),
        (200, b"<!doctype html><title>Sign in</title>", 0, UnavailableError, "not JSON"),
        (200, b'{"status":"ok"}', 0, UnavailableError, "another kind"),
        (200, b'{"results":["x"]}', 0, UnavailableError, "another kind"),
        (200, b"", 0, UnavailableError, "breaks off"),
        (200, ROWS, 0, UnavailableError, "breaks off"),
        (200, ROWS, 999, UnavailableError, "the connection broke"),
        (200, b'{"results":[{"statement_id":0,"error":"timeout"}]}', 0, UnavailableError, "could not answer: timeout"),
        (
            200,
            ROWS + b'{"results":[{"statement_id":0,"error":"query interrupted"}]}',
            0,
            UnavailableError,
            "interrupted",
        ),
        (200, ROWS + b'{"error":"shard is gone"}', 0, UnavailableError, "shard is gone"),
        (200, b'{"results":[{"error":"user not authorized to execute"}]}', 0, PermissionDeniedError, "not authorized"),
        (200, b'{"results":[{"error":"\\u001b[31mred"}]}', 0, UnavailableError, "\N{REPLACEMENT CHARACTER}\\[31mred"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    canned: tuple[StoreSettings, list[tuple[int, bytes, int]]],
    status: int,
    body: bytes,
    missing: int,
    kind: type[TokentailError],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", SECRET)
    store, says = canned
    says.append((status, body, missing))
    for question in (ask, ask_for_figures):
        with pytest.raises(kind, match=words) as raised:
            question(store)
        assert SECRET not in str(raised.value)


def test_a_user_of_influxdb1_is_told_of_the_settings_of_users(
    canned: tuple[StoreSettings, list[tuple[int, bytes, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENTAIL_STORE_PASSWORD", SECRET)
    store, says = canned
    says.append((403, b'{"error":"not authorized"}', 0))
    with pytest.raises(PermissionDeniedError, match=r"store\.password_file"):
        ask(dataclasses.replace(store, username="reader"))


def test_the_tables_of_a_whole_answer() -> None:
    lines = [ROWS.strip(), b"", GOOD.strip(), b'{"results":[{"statement_id":1,"series":[{"tags":{"a":""}}]}]}']
    found = list(tables(StoreSettings(), iter(lines), 2))
    assert found == [Table(0, {}, []), Table(1, {"a": ""}, [])]
    assert all("results" in orjson.loads(line) for line in lines if line)
