"""Prove that points can be written and read: what counts as a proof."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import RetentionSettings, StoreSettings
from ingestor.errors import ExitCode, TokentailError
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.client.server import Server
from ingestor.stores.influxdb.setup.probe import prove_reading, prove_writing, write_point
from ingestor.stores.influxdb.setup.setup import administration, init
from tests.support.servers import InfluxServer, free_port
from tests.support.webserver import web_server

OLD = Server("1.8.10", 1, None)


@contextlib.contextmanager
def opened(store: StoreSettings) -> Iterator[InfluxHttp]:
    with contextlib.closing(InfluxHttp(store)) as http:
        yield http


def test_a_written_point_is_read_back_and_another_is_not_there(influxdb: InfluxServer) -> None:
    store = influxdb.fresh()
    with administration(store) as admin:
        init(admin, RetentionSettings())
    with opened(store) as http:
        at = write_point(http, store, admin.server)
        prove_reading(http, store, admin.server, "own", at)
        with pytest.raises(TokentailError, match="acknowledged is not there"):
            prove_reading(http, store, admin.server, "own", at - 1)
        with pytest.raises(TokentailError):
            prove_writing(http, store, admin.server, "no-such-policy")


def test_a_page_that_says_200_proves_nothing() -> None:
    with web_server() as (url, _):
        store = StoreSettings(type="influxdb", url=url)
        with opened(store) as http:
            for attempt in (
                write_point,
                lambda http, store, server: prove_writing(http, store, server, "raw"),
                lambda http, store, server: prove_reading(http, store, server, "raw"),
            ):
                with pytest.raises(TokentailError) as caught:
                    attempt(http, store, OLD)
                assert caught.value.exit_code is ExitCode.BAD_ANSWER


def test_an_answer_that_does_not_come_is_out_of_reach(tmp_path: Path) -> None:
    store = StoreSettings(type="influxdb", url=f"http://127.0.0.1:{free_port()}")
    store = dataclasses.replace(store, database=tmp_path.name)
    with opened(store) as http:
        for attempt in (write_point, lambda http, store, server: prove_reading(http, store, server, "raw")):
            with pytest.raises(TokentailError) as caught:
                attempt(http, store, OLD)
            assert caught.value.exit_code is ExitCode.UNAVAILABLE
