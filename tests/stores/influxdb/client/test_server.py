"""Which server it is, without one."""

import contextlib
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from ingestor.config.settings import StoreSettings
from ingestor.errors import ConfigError, ExitCode, TokentailError
from ingestor.stores.influxdb.client.http import Answer, InfluxHttp
from ingestor.stores.influxdb.client.server import clock_ahead, identify, recognise, unreachable
from tests.support.servers import InfluxServer, free_port
from tests.support.webserver import web_server

URL = "http://influx.example"


def answered(status: int, version: str | None = None, **headers: str) -> Answer:
    return Answer(status, {**headers, **({"x-influxdb-version": version} if version is not None else {})}, b"")


@pytest.mark.parametrize(
    ("version", "major"),
    [("1.6.7~rc0", 1), ("1.11.8-c1.11.8", 1), ("v2.7.12", 2), ("2.0.9", 2)],
)
@pytest.mark.parametrize("status", [200, 204, 401])
def test_both_major_versions_are_known_by_their_header(version: str, major: int, status: int) -> None:
    server = recognise(answered(status, version), URL)
    assert (server.version, server.major) == (version.removeprefix("v"), major)


@pytest.mark.parametrize("version", ["3.1.0", "0.13.0", "cloud", "12.0", "1", "\x1b[31m2.7.12"])
def test_another_influxdb_is_named_and_refused(version: str) -> None:
    with pytest.raises(ConfigError, match="is not supported") as caught:
        recognise(answered(200, version), URL)
    assert "\x1b" not in str(caught.value)
    assert "1.x and 2.x" in caught.value.advice


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(200, **{"content-type": "text/html; charset=utf-8"}), "a web page"),
        (answered(302, location="/sign-in"), "a redirect"),
        (answered(404), "something else"),
        (answered(500), "something else"),
    ],
)
def test_what_is_no_influxdb_is_said(answer: Answer, words: str) -> None:
    with pytest.raises(ConfigError, match="This is no InfluxDB") as caught:
        recognise(answer, URL)
    assert words in caught.value.what
    assert "store.url" in caught.value.advice


@pytest.mark.parametrize("answer", [answered(502), answered(503), answered(503, "2.7.12"), answered(429)])
def test_what_may_be_better_later_is_out_of_reach(answer: Answer) -> None:
    with pytest.raises(TokentailError) as caught:
        recognise(answer, URL)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("date", "sent", "received", "ahead"),
    [
        (1000, 1000.0, 1000.9, 0.0),
        (1000, 1000.9, 1001.0, 0.0),
        (1000, 999.0, 1000.5, 0.0),
        (1000, 1010.0, 1010.1, -9.0),
        (1000, 900.0, 901.0, 99.0),
        (1000, 990.0, 1010.0, 0.0),
    ],
)
def test_a_clock_differs_only_by_what_the_readings_cannot_explain(
    date: int, sent: float, received: float, ahead: float
) -> None:
    text = format_datetime(datetime.fromtimestamp(date, UTC), usegmt=True)
    assert clock_ahead(text, sent, received) == ahead


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Nov 2026 00:12:16 GMT"])
def test_a_date_that_is_none_tells_nothing(date: str) -> None:
    assert clock_ahead(date, 0.0, 1.0) is None


def test_real_servers_are_recognised_with_their_clock(influxdb: InfluxServer) -> None:
    with contextlib.closing(InfluxHttp(influxdb.store)) as http:
        server = identify(http)
    assert server.major == influxdb.version
    assert server.ahead is not None
    assert abs(server.ahead) < 5


def test_no_secret_goes_to_a_server_that_is_not_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", "s3cret")
    with web_server() as (url, seen), contextlib.closing(InfluxHttp(StoreSettings(url=url))) as http:
        with pytest.raises(ConfigError, match="a web page"):
            identify(http)
        assert [set(headers) & {"authorization"} for headers in seen] == [set()]


def test_a_proxy_that_demands_a_secret_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", "s3cret")
    with web_server(401) as (url, seen), contextlib.closing(InfluxHttp(StoreSettings(url=url))) as http:
        with pytest.raises(ConfigError, match="This is no InfluxDB"):
            identify(http)
        assert [headers.get("authorization") for headers in seen] == [None, "Token s3cret"]


def test_nobody_there_is_out_of_reach() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with contextlib.closing(InfluxHttp(StoreSettings(url=url))) as http, pytest.raises(TokentailError) as caught:
        identify(http)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert "Connection refused" in caught.value.what
    assert caught.value.where == url


def test_a_certificate_that_is_not_trusted_points_at_the_setting() -> None:
    assert "store.ca_file" in unreachable(URL, "TLS failed: self-signed certificate").advice
    assert "store.url" in unreachable(URL, "no connection: Connection refused").advice
