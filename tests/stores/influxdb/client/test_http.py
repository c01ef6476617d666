"""Requests to a real server."""

import contextlib

import orjson
import pytest

from ingestor.config.settings import StoreSettings
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from tests.support.servers import InfluxServer, free_port, query


def test_a_server_answers_whole_and_line_by_line(influxdb: InfluxServer) -> None:
    with contextlib.closing(InfluxHttp(influxdb.store)) as http:
        answer = http.request("GET", "/ping")
        assert answer.status == 204
        assert answer.headers["x-influxdb-version"].lstrip("v").startswith(str(influxdb.version))
        form = {"q": "SHOW DATABASES", "chunked": "true"}
        with http.lines("/query", form=form) as (head, lines):
            assert head.status == 200
            assert all("results" in orjson.loads(line) for line in lines if line)
    assert query(influxdb.store, "SHOW DATABASES")[0]["name"] == "databases"


def test_no_server_is_no_answer() -> None:
    store = StoreSettings(url=f"http://127.0.0.1:{free_port()}")
    with contextlib.closing(InfluxHttp(store)) as http, pytest.raises(NoAnswerError, match="Connection refused"):
        http.request("GET", "/ping")
