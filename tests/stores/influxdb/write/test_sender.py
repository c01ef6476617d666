"""The sender and a server that misbehaves: nothing lost, nothing drained, said once, healed by itself (T30 to T38)."""

import contextlib
import dataclasses
import json
import shutil
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.settings import StoreSettings
from ingestor.stores import backoff as trouble_module
from ingestor.stores.influxdb.client import http as http_module
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.write import sender as sender_module
from ingestor.stores.influxdb.write.partial_write import PartialWrite
from ingestor.stores.influxdb.write.sender import Sender, Stopped
from tests.support.scripted import OK, Reply, Request, ScriptedServer, expired_certificate, scripted
from tests.support.servers import free_port

OLD_TOKEN, NEW_TOKEN = "old-token-7Qz", "new-token-8Rx"
PAGE = b"<html>Please sign in</html>"


def v1(message: str) -> bytes:
    return json.dumps({"error": message}).encode()


def v2(message: str) -> bytes:
    return json.dumps({"code": "invalid", "message": message}).encode()


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble_module, "FIRST_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(trouble_module, "LONGEST_BACKOFF_SECONDS", 0.02)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted() as running:
        yield running


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(OLD_TOKEN)
    path.chmod(0o600)
    return path


@contextlib.contextmanager
def sending(store: StoreSettings) -> Iterator[Sender]:
    http = InfluxHttp(store)
    sender = Sender(http, store)
    yield sender
    sender.stop()
    http.close()


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(b"point-%d\n" % number for number in range(first, first + count))


def send(sender: Sender, count: int = 8, *, policy: str = "raw", first: int = 0) -> PartialWrite:
    return sender.send(policy, lines(count, first), range(count))


def check_healed(
    sender: Sender, shipment: PartialWrite, caplog: pytest.LogCaptureFixture, *, messages: int = 1
) -> None:
    assert (shipment.next, shipment.refused, shipment.expired) == (None, [], [])
    assert sender.trouble is None
    levels = [record.levelname for record in caplog.records if record.name == "tokentail"]
    assert levels == ["ERROR", "WARNING"] * messages, "said once when it began, and once when it was over"
    for secret in (OLD_TOKEN, NEW_TOKEN, "point-"):
        assert secret not in caplog.text


ANSWERS: list[Reply] = [
    Reply(401, v1("authorization failed")),
    Reply(403, v2("forbidden")),
    Reply(404, v1('database not found: "x"')),
    Reply(404, v2("no dbrp mapping found")),
    Reply(400, PAGE),
    Reply(400, b"Bad Request"),
    Reply(422, PAGE),
    Reply(429),
    Reply(500, v1("timeout")),
    Reply(500, v1("retention policy not found: raw")),
    Reply(502, PAGE),
    Reply(503),
    Reply(504),
    Reply(200, PAGE),
    Reply(200),
    Reply(302, PAGE, {"Location": "http://127.0.0.1:9/"}),
    Reply(400, v1("partial write: engine: cache-max-memory-size exceeded: (2/1) dropped=3")),
    Reply(400, b"x" * (36 << 20)),
    Reply(500, v1("engine: " + "'\\" * (1 << 20))),
]


@pytest.mark.parametrize("reply", ANSWERS, ids=lambda reply: f"{reply.status}-{reply.body[:30]!r}-{len(reply.body)}")
def test_an_answer_that_blames_no_point_is_waited_out(
    server: ScriptedServer, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    with sending(server.store) as sender:
        send(sender, 1, first=100)
        server.queue += [reply, reply, reply]
        shipment = send(sender)
        check_healed(sender, shipment, caplog)
    assert server.stored == lines(1, 100).splitlines() + lines(8).splitlines()
    assert len(server.requests) == 5


BROKEN: list[Reply] = [
    Reply(204, stored=True, sent=0),
    Reply(204, stored=False, sent=0),
    Reply(204, stored=True, sent=0.45),
    Reply(400, v1("partial write: a long story"), sent=0.8),
    Reply(400, v1("partial write: a long story"), {"Transfer-Encoding": "chunked"}, sent=0.99),
    Reply(200, drip=True),
    Reply(hang=True, stored=True),
    Reply(hang=True, stored=False),
]


@pytest.mark.parametrize("reply", BROKEN, ids=repr)
def test_t38_an_answer_that_does_not_come_whole_is_none_and_the_points_go_again(
    server: ScriptedServer, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    server.queue += [reply, reply]
    with sending(dataclasses.replace(server.store, timeout_seconds=0.1)) as sender:
        check_healed(sender, send(sender), caplog)
    assert set(server.stored) == set(lines(8).splitlines())
    assert [request.body for request in server.requests] == [lines(8)] * 3, (
        "the same points: writing them again is harmless"
    )


def test_an_answer_without_end_is_given_up_at_a_bound(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http_module, "MOST_ANSWER_BYTES", 1 << 20)
    server.queue += [Reply(400, b"x" * (2 << 20))]
    with sending(server.store) as sender:
        check_healed(sender, send(sender), caplog)
    assert "the answer has no end" in caplog.text


def test_t30_a_server_that_is_not_there_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    store = StoreSettings(type="influxdb", url=f"http://127.0.0.1:{free_port()}")
    with sending(store) as sender:
        thread, done = in_background(sender)
        wait_until_stuck(sender, retries=5)
        assert sender.trouble is not None
        assert "Connection refused" in sender.trouble.what
        sender.stop()
        thread.join(10)
        assert not thread.is_alive()
        assert isinstance(done[0], Stopped)
    assert caplog.text.count("cannot be written") == 1


def in_background(sender: Sender, count: int = 8) -> tuple[threading.Thread, list[Any]]:
    """Send in a thread; its list gets the shipment or the exception."""
    done: list[Any] = []

    def work() -> None:
        try:
            done.append(send(sender, count))
        except Stopped as error:
            done.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, done


def wait_until_stuck(sender: Sender, retries: int = 1) -> None:
    deadline = time.monotonic() + 30
    while sender.retries < retries:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_stop_ends_a_wait_of_minutes_at_once(server: ScriptedServer) -> None:
    server.otherwise = Reply(503, headers={"Retry-After": "600"})
    with sending(server.store) as sender:
        thread, done = in_background(sender)
        wait_until_stuck(sender)
        sender.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert isinstance(done[0], Stopped)
    assert len(server.requests) == 1


def test_t31_a_refused_token_is_read_again_when_somebody_has_replaced_it(
    server: ScriptedServer, token: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: Request) -> Reply:
        return (
            OK if request.headers["authorization"] == f"Token {NEW_TOKEN}" else Reply(401, v2(f"bad {OLD_TOKEN}"[:3]))
        )

    server.otherwise = answer
    with sending(dataclasses.replace(server.store, token_file=token)) as sender:
        thread, done = in_background(sender)
        server.wait_for(4)
        assert sender.trouble is not None
        assert "is the token or password right" in sender.trouble.what
        assert OLD_TOKEN not in sender.trouble.what
        token.unlink()  # while it is replaced there may be none, or one that others may read
        before = sender.retries
        wait_until_stuck(sender, before + 3)
        assert str(token) in sender.trouble.what
        assert "\n" not in sender.trouble.what
        token.write_text(NEW_TOKEN)
        token.chmod(0o600)
        thread.join(30)
        check_healed(sender, done[0], caplog)
    assert server.stored == lines(8).splitlines()


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("5", 5.0),
        ("0", None),
        ("soon", None),
        ("1000000000", None),
        ("-1", None),
        ("date", 30.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_t33_retry_after_is_honoured_within_bounds(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: str,
    asked: float | None,
) -> None:
    waited: list[float] = []
    server.queue += [
        Reply(429, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True) if value == "date" else value})
    ]
    with sending(server.store) as sender:

        def wait(seconds: float) -> bool:
            waited.append(seconds)
            return False

        monkeypatch.setattr(sender._stop, "wait", wait)
        check_healed(sender, send(sender), caplog)
    (seconds,) = waited
    if asked is None:
        assert 0.005 <= seconds <= 0.01
    else:
        assert asked - 10 <= seconds <= asked


def test_backoff_grows_to_its_bound_with_jitter(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble_module, "FIRST_BACKOFF_SECONDS", 0.5)
    monkeypatch.setattr(trouble_module, "LONGEST_BACKOFF_SECONDS", 60.0)
    waited: list[float] = []
    server.queue += [Reply(503)] * 20
    with sending(server.store) as sender:
        monkeypatch.setattr(sender._stop, "wait", waited.append)
        send(sender)
    bounds = [min(60.0, 0.5 * 2**number) for number in range(20)]
    assert all(bound / 2 <= seconds <= bound for seconds, bound in zip(waited, bounds, strict=True))
    assert len({seconds / bound for seconds, bound in zip(waited, bounds, strict=True)}) > 10


def at_most(count: int) -> Any:
    return lambda request: OK if len(request.lines) <= count else Reply(413, PAGE)


def test_t34_413_is_halved_until_it_fits(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    server.otherwise = at_most(3)
    with sending(server.store) as sender:
        shipment = send(sender, 16)
        assert (shipment.refused, sender.trouble) == ([], None)
    assert sorted(server.stored) == sorted(lines(16).splitlines())
    assert caplog.records == []


def test_t34_a_single_point_that_is_too_large_is_refused_and_its_neighbours_are_stored(server: ScriptedServer) -> None:
    server.otherwise = lambda request: Reply(413) if b"point-5" in request.lines else OK
    with sending(server.store) as sender:
        shipment = send(sender, 16)
    assert shipment.refused == [(5, "larger than the server takes")]
    assert sorted(server.stored) == sorted(set(lines(16).splitlines()) - {b"point-5"})


def test_requests_are_bounded_in_points_and_bytes(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "MOST_POINTS", 10)
    monkeypatch.setattr(sender_module, "MOST_BYTES", 50)
    with sending(server.store) as sender:
        send(sender, 100)
    assert server.stored == lines(100).splitlines(), "in order"
    assert all(len(request.lines) <= 10 and len(request.body) <= 50 for request in server.requests)


@pytest.mark.parametrize(
    "cut", [Reply(hang=True, stored=False), Reply(sent=0, stored=False)], ids=["no answer in time", "it broke"]
)
def test_a_link_that_is_too_slow_for_a_request_gets_smaller_ones(
    server: ScriptedServer, cut: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    server.otherwise = lambda request: OK if len(request.lines) <= 120 else cut
    with sending(dataclasses.replace(server.store, timeout_seconds=0.2)) as sender:
        check_healed(sender, send(sender, 400), caplog)
    assert server.stored == lines(400).splitlines(), "in order"
    assert [len(request.lines) for request in server.requests] == [400, 200, 100, 100, 100, 100]


def refusing(*bad: int, status: int, body: bytes, stores_the_rest: bool) -> Any:
    """Refuse what holds a bad point, as InfluxDB does: in part or whole, and without naming it."""
    blamed = {b"point-%d" % number for number in bad}

    def answer(request: Request) -> Reply:
        if not blamed & set(request.lines):
            return OK
        if stores_the_rest:
            answer.stored |= set(request.lines) - blamed  # type: ignore[attr-defined]
        return Reply(status, body)

    answer.stored = set()  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize(
    ("status", "body", "stores_the_rest"),
    [
        (400, v1('partial write: field type conflict: input field "ip" on measurement "t" is x dropped=1'), True),
        (422, v2("failure writing points to database: partial write: field type conflict dropped=1"), True),
        (400, v2("unable to parse 'point-3': invalid boolean"), False),
        (500, v1("partial write: field type conflict dropped=1"), True),
    ],
)
@pytest.mark.parametrize("bad", [(0,), (3, 4, 15)])
def test_t35_t36_t37_bad_points_are_refused_and_good_ones_stored(
    server: ScriptedServer, status: int, body: bytes, stores_the_rest: bool, bad: tuple[int, ...]
) -> None:
    answer = server.otherwise = refusing(*bad, status=status, body=body, stores_the_rest=stores_the_rest)
    with sending(server.store) as sender:
        shipment = send(sender, 16)
        assert sender.trouble is None
    assert tuple(sorted(point.point for point in shipment.refused)) == bad
    assert all("point-" not in point.reason for point in shipment.refused)
    good = {b"point-%d" % number for number in range(16) if number not in bad}
    assert set(server.stored) | answer.stored == good
    assert len(server.requests) <= 2 * 4 * len(bad) + 2 * len(bad)


def test_a_server_that_refuses_everything_drains_nothing_until_it_has_taken_a_point(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.otherwise = Reply(400, v1("partial write: field type conflict dropped=8"))
    with sending(server.store) as sender:
        thread, done = in_background(sender)
        server.wait_for(60)
        assert done == []
        assert sender.trouble is not None
        assert "it has taken no point yet" in sender.trouble.what
        server.otherwise = OK
        thread.join(30)
        check_healed(sender, done[0], caplog)
    assert sorted(server.stored) == sorted(lines(8).splitlines())


def test_what_one_policy_takes_says_nothing_of_another(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def answer(request: Request) -> Reply:
        return Reply(404, v2("no dbrp mapping found")) if broken and "rp=rollup" in request.path else OK

    server.otherwise = answer
    with sending(server.store) as sender:
        done: list[PartialWrite] = []
        thread = threading.Thread(target=lambda: done.append(send(sender, policy="rollup")), daemon=True)
        thread.start()
        for number in range(1, 5):
            wait_until_stuck(sender, number)
            send(sender)
            assert sender.trouble is not None
        broken = False
        thread.join(30)
        check_healed(sender, done[0], caplog)


def test_halving_what_is_too_large_by_our_own_bounds_is_no_sign_that_the_server_works(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sender_module, "MOST_POINTS", 4)
    server.otherwise = Reply(503)
    with sending(server.store) as sender:
        first, _ = in_background(sender, 4)
        wait_until_stuck(sender)
        second, done = in_background(sender, 32)
        wait_until_stuck(sender, 6)
        assert sender.trouble is not None
        server.otherwise = OK
        first.join(30)
        second.join(30)
        check_healed(sender, done[0], caplog)


def test_t30_an_expired_certificate_is_waited_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate")
    certificate = expired_certificate(tmp_path)
    with scripted(certificate) as server, sending(dataclasses.replace(server.store, ca_file=certificate)) as sender:
        thread, done = in_background(sender)
        wait_until_stuck(sender, 5)
        assert sender.trouble is not None
        assert "certificate has expired" in sender.trouble.what
        assert server.requests == [], "no token was sent to it"
        sender.stop()
        thread.join(30)
        assert isinstance(done[0], Stopped)
    assert caplog.text.count("cannot be written") == 1


def test_what_is_older_than_the_retention_is_expired_and_the_rest_is_sent_until_it_is_acknowledged(
    server: ScriptedServer,
) -> None:
    """InfluxDB 1.x says nothing of a line that it cannot read when another one is too old."""
    server.queue += [
        Reply(400, v1("partial write: points beyond retention policy dropped=2")),
        Reply(400, v1("partial write: unable to parse 'point-0': bad")),
    ]
    server.otherwise = lambda request: Reply(400, v1("unable to parse 'x': bad")) if b"point-0" in request.lines else OK
    with sending(server.store) as sender:
        shipment = sender.send("raw", lines(6), [9, 9, 1, 9, 2, 9])
    assert shipment.expired == [2, 4]
    assert [point.point for point in shipment.refused] == [0]
    assert set(server.stored) == {b"point-1", b"point-3", b"point-5"}


@pytest.mark.parametrize("secret", [f"{OLD_TOKEN}\nX-Injected: 1", f"{OLD_TOKEN}\N{EURO SIGN}"])
def test_a_secret_that_cannot_be_sent_is_a_problem_that_does_not_show_it(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", secret)
    with sending(server.store) as sender:
        thread, done = in_background(sender)
        wait_until_stuck(sender, 3)
        assert sender.trouble is not None
        assert "the token" in sender.trouble.what
        assert server.requests == []
        monkeypatch.setenv("TOKENTAIL_STORE_TOKEN", NEW_TOKEN)
        thread.join(30)
        check_healed(sender, done[0], caplog)
