"""The endpoint for Prometheus, over a real socket."""

import contextlib
import socket
import time
import urllib.request
from collections import Counter
from urllib.error import HTTPError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingestor.daemon import prometheus
from ingestor.daemon.prometheus import ALIVE_SECONDS, endpoint
from ingestor.errors import UnavailableError
from ingestor.model.accounting import Account
from ingestor.model.snapshot import Snapshot, SourceSnapshot
from parsers.contract import Reason
from tests.support.servers import free_port


def get(listen: str, path: str, method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://{listen}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def snapshot(**changes: object) -> Snapshot:
    account = Account(10, 5, Counter({Reason.INVALID_JSON: 3}), 2)
    figures = {"time": time.time(), "started_at": 1.0, "sources": {'a"b\n': SourceSnapshot(account, 3)}, **changes}
    return Snapshot(**figures)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_metrics_are_those_of_the_snapshot(host: str) -> None:
    listen = f"{host}:{free_port()}"
    with endpoint(listen) as watch:
        watch(snapshot(lag_since=time.time() - 5, counts={"redacted_jwt": 2}, store_requests=7, findings={"high": 3}))
        status, text = get(listen, "/metrics")
    assert status == 200
    values = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["tokentail_lines_total", 'a"b\n', "stored"] == 5
    assert values["tokentail_rejected_lines_total", 'a"b\n', "invalid_json"] == 3
    assert values["tokentail_left_out_total", "redacted_jwt"] == 2
    assert values["tokentail_store_requests_total",] == 7
    assert [values["tokentail_findings_total", severity] for severity in ("low", "high")] == [0, 3]
    assert 5 <= values["tokentail_lag_seconds",] < 60
    assert values["tokentail_store_up",] == 1


def test_it_lives_while_it_moves_and_is_ready_while_the_store_takes() -> None:
    listen = f"127.0.0.1:{free_port()}"
    with endpoint(listen) as watch:
        assert (get(listen, "/livez")[0], get(listen, "/readyz")[0]) == (503, 503), "nothing has been heard of it"
        watch(snapshot())
        assert (get(listen, "/livez")[0], get(listen, "/readyz")[0]) == (200, 200)
        watch(snapshot(store_problem="it is away, says a secret", store_failing_since=time.time() - 5))
        assert get(listen, "/readyz")[1] == "no: the store has refused for 5 s; `tokentail status` says why\n"
        assert (get(listen, "/livez")[0], get(listen, "/readyz")[0]) == (200, 503), (
            "an outage is no reason for a restart"
        )
        watch(snapshot(time=time.time() - ALIVE_SECONDS - 1))
        assert (get(listen, "/livez")[0], get(listen, "/readyz")[0]) == (503, 503)
        assert get(listen, "/readyz")[1].startswith("no: it has not moved for 61 s")
        assert get(listen, "/")[0] == 404
        assert get(listen, "/metrics", "POST")[0] == 405


def test_a_client_that_says_nothing_or_takes_nothing_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prometheus._Quiet, "timeout", 0.1)
    port = free_port()
    with endpoint(f"127.0.0.1:{port}") as watch:
        watch(snapshot(sources={f"source-{number:05}": SourceSnapshot(Account()) for number in range(20_000)}))
        with socket.create_connection(("127.0.0.1", port)) as silent, socket.socket() as deaf:
            silent.sendall(b"GET /metr")
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            silent.settimeout(10)
            assert silent.recv(1) == b""
            time.sleep(1)
        assert get(f"127.0.0.1:{port}", "/livez")[0] == 200
    assert capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_said() -> None:
    listen = f"127.0.0.1:{free_port()}"
    with endpoint(listen), pytest.raises(UnavailableError, match="cannot listen"), contextlib.ExitStack() as stack:
        stack.enter_context(endpoint(listen))
