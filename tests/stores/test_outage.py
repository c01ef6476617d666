"""The daemon through outages of a real InfluxDB, of its own disk, and crashes between any two steps (T22 to T43)."""

import contextlib
import dataclasses
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from ingestor.daemon import patience
from ingestor.daemon.daemon import Daemon
from ingestor.errors import ExitCode, UnavailableError
from ingestor.jobs.replay import replay
from ingestor.model.points import POINT_COLUMNS, Series
from ingestor.sources.file.rotated import MOST_OPEN
from ingestor.state.rejected_file import RejectedFile
from ingestor.state.state import State
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.ownership import claiming, rebuilding
from ingestor.stores.influxdb.write import checkpointer, counters, in_flight
from ingestor.stores.influxdb.write import delivery as remote_module
from ingestor.stores.influxdb.write.counter_publisher import CounterPublisher
from ingestor.stores.influxdb.write.delivery import InfluxDelivery
from parsers.contract import Reason
from parsers.redaction.identifiers import one_form
from parsers.text import FIELD_BYTES, TAG_BYTES, normal_field, normal_tag
from tests.support.scripted import OK, Reply, Request, ScriptedServer, scripted
from tests.support.servers import InfluxServer, query
from tests.support.turns import caught_up, counted, settled, until
from tests.support.world import World, gz, zst

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("hasty")]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_t30_a_day_without_influxdb_costs_neither_lines_nor_memory_nor_descriptors(
    world: World, mortal: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.store = mortal.make()
    world.log.write(300)
    world.turn()
    caught_up(world)
    mortal.stop()
    delivery = world.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)
    world.log.write(300)
    until(lambda: delivery.trouble is not None, world)
    logs = world.daemon.pipeline.generations.open_files
    before = 0
    for hour in range(24):
        world.log.write(2000)
        if hour % 2:
            world.log.copy_truncate()
        else:
            world.log.rename()
        world.log.write(100)
        old = world.log.sibling(".3")
        if old.exists():
            (gz if hour % 4 else zst)(old)
        world.turn(3, seconds=1200.0)
        assert len(delivery._in_flight) <= in_flight.IN_FLIGHT
        assert world.daemon.pipeline._batch.size <= 2 * delivery.batch_points
        if hour == 3:
            before = open_files() - len(logs)
    assert open_files() - len(logs) <= before + 2
    assert len(logs) <= MOST_OPEN, "what is rotated is held open, lest it is deleted before it is read"
    assert threading.active_count() < 20
    mortal.start()
    caught_up(world)
    world.turn(3, seconds=1200.0)
    assert len(logs) <= 2, "the live file and the newest rotated one"
    world.check()
    assert delivery.trouble is None
    found = counted(world)
    assert {found["hours"], found["totals"], found["clients"]} == {len(world.log.written)}
    assert world.gaps() == []
    said = [record for record in caplog.records if "InfluxDB" in record.getMessage()]
    assert [record.levelname for record in said if record.levelno >= logging.WARNING] == ["ERROR", "WARNING"]


def test_influxdb_is_killed_in_the_middle_of_writing_again_and_again(world: World, mortal: InfluxServer) -> None:
    world.store = mortal.make()
    for round_ in range(4):
        world.log.write(8000)
        until(lambda: world.daemon.behind or world.daemon.delivery.trouble is not None, world)
        mortal.kill()
        world.log.write(b"{broken\n")
        if round_ % 2:
            world.log.rename()
        world.turn(2)
        mortal.start()
        world.turn()
    caught_up(world)
    world.stop()
    caught_up(world)  # at the latest, the next start reads back
    world.check()
    assert world.rejected() == [Reason.INVALID_JSON] * 4
    assert counted(world) == {
        "hours": len(world.log.written),
        "totals": len(world.log.written),
        "clients": len(world.log.written),
        "users": {"u-1": len(world.log.written)},
        "active": [len({1})],
    }


@contextlib.contextmanager
def full_disk(world: World) -> Iterator[None]:
    """Have SQLite say that the disk is full."""
    connection = world.daemon.pipeline.state.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def remote(world: World, influxdb: InfluxServer) -> World:
    world.store = influxdb.make()
    return world


def test_t25_a_full_disk_under_the_state_stops_reading_and_heals(
    remote: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remote_module, "BATCH_POINTS", 50)
    monkeypatch.setattr(InfluxDelivery, "batch_points", 50)
    monkeypatch.setattr(checkpointer, "MOST_UNSAVED", 5)
    users = [f"user-{number}-{'x' * 200}" for number in range(400)]
    remote.now = time.monotonic()  # as ``flush`` has it
    remote.log.write(10)
    caught_up(remote)
    delivery = remote.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)
    with full_disk(remote):
        remote.log.write(b"".join(remote.log.line(user_id=user) for user in users) + b"{broken\n")
        until(lambda: delivery.trouble is not None and delivery._checkpointer.unsaved.batches >= 5, remote, seconds=1.0)
        remote.turn(5, seconds=100.0)
        assert delivery._checkpointer.unsaved.batches <= 5 + in_flight.IN_FLIGHT
        assert not delivery.has_room
        assert remote.ask(lambda state: sum(account.read for account in state.accounts().values())) == 10
        with pytest.raises(UnavailableError):
            delivery.flush(0.3)
    caught_up(remote)
    until(lambda: delivery.trouble is None, remote, seconds=100.0)
    caught_up(remote)
    remote.check()
    assert remote.rejected() == [Reason.INVALID_JSON]
    assert sum(counted(remote)["users"].values()) == 410
    assert caplog.text.count("cannot be written") == 1


def test_rejected_lines_that_no_checkpoint_holds_are_bounded(remote: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InfluxDelivery, "batch_points", 50)
    monkeypatch.setattr(checkpointer, "MOST_UNSAVED_LINES", 100)
    remote.log.write(10)
    caught_up(remote)
    delivery = remote.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RejectedFile, "append", full)
    for _ in range(100):
        remote.log.write(b"{broken\n" * 100)
        remote.turn()
    until(lambda: not delivery._in_flight, remote)
    assert 100 <= len(delivery._checkpointer.unsaved.rejected) < 1000 + 100 * in_flight.IN_FLIGHT
    monkeypatch.undo()
    until(lambda: delivery.trouble is None, remote, seconds=100.0)
    caught_up(remote)
    assert remote.rejected() == [Reason.INVALID_JSON] * 10_000
    remote.check()


@pytest.fixture
def slow(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    with scripted() as server:
        world.store = server.store
        monkeypatch.setattr(claiming, "ASK_SECONDS", 0.2)
        monkeypatch.setattr(claiming, "UNGUARDED_SECONDS", 0.5)
        monkeypatch.setattr(rebuilding, "PATIENCE_SECONDS", 0.2)
        yield server


def ids(lines: list[bytes]) -> list[str]:
    """Event ids of lines of line protocol, once each."""
    found = {line.split(b'event_id="')[1].split(b'"')[0].decode() for line in lines if b"event_id" in line}
    return sorted(found)


def test_t26_the_end_does_not_wait_for_a_slow_store_and_nothing_is_lost(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "DRAIN_SECONDS", 0.3)
    world.log.write(300)
    slow.otherwise = Reply(hang=True, stored=True)
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(world.settings, state)
    stop = threading.Event()
    thread = threading.Thread(target=_stop_when_asked, args=(slow, stop))
    thread.start()
    daemon.run_forever(stop.is_set)
    daemon.drain()
    thread.join()
    daemon.close()
    state.close()
    assert "Ending with lines that are not stored" in caplog.text
    assert ids(slow.stored) == sorted(world.log.written), "stored, though nobody knows"
    accounts = world.ask(lambda state: state.accounts())
    assert sum(account.stored for account in accounts.values()) == 0
    first = set(slow.stored)
    slow.otherwise = OK
    world.once()
    assert {line for line in slow.stored if line.startswith(b"token_events,")} == {
        line for line in first if line.startswith(b"token_events,")
    }, "the same points, byte for byte"
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored) == (300, 300)


def test_the_end_does_not_wait_for_a_store_that_refuses(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "REFUSED_SECONDS", 0.2)
    monkeypatch.setattr(patience, "DRAIN_SECONDS", 3600.0)
    world.log.write(300)
    slow.otherwise = Reply(503)
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(world.settings, state)
    daemon.run_forever(lambda: daemon.delivery.trouble is not None)
    daemon.drain()
    daemon.close()
    state.close()
    assert "Ending with lines that are not stored" in caplog.text
    assert "503" in caplog.text
    slow.otherwise = OK
    world.once()
    assert ids(slow.stored) == sorted(world.log.written)


def test_the_end_waits_for_a_store_that_answers(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REFUSED_SECONDS", 0.0)
    world.log.write(300)
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(world.settings, state)
    daemon.step()
    daemon.drain()
    daemon.close()
    state.close()
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert account.stored == 300
    assert ids(slow.stored) == sorted(world.log.written)


def _stop_when_asked(server: ScriptedServer, stop: threading.Event) -> None:
    server.wait_for(1)
    stop.set()


def test_once_gives_up_with_69_and_loses_nothing(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ONCE_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(InfluxDelivery.flush, "__defaults__", (0.3,))
    world.log.write(30)
    slow.otherwise = Reply(503)
    with pytest.raises(UnavailableError, match="503") as caught:
        world.once()
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    slow.otherwise = OK
    world.once()
    assert ids(slow.stored) == sorted(world.log.written)


@pytest.mark.parametrize("lines", [10, 10_000], ids=["all on its way", "more waits"])
def test_once_waits_no_longer_for_a_store_that_only_keeps_silent(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    monkeypatch.setattr(patience, "ONCE_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(InfluxDelivery.flush, "__defaults__", (0.5,))
    monkeypatch.setattr(InfluxDelivery, "batch_points", 10)
    world.store = dataclasses.replace(world.store, timeout_seconds=30.0)
    world.log.write(lines)
    slow.otherwise = Reply(hang=True)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="The store could not be written for"):
        world.once()
    assert time.monotonic() - began < 10
    slow.otherwise = OK
    world.once()
    assert ids(slow.stored) == sorted(world.log.written)


@pytest.mark.parametrize("reply", [Reply(503), Reply(hang=True), Reply(403)], ids=["503", "silent", "forbidden"])
def test_where_no_question_is_answered_everything_is_written_without_a_claim(
    world: World, slow: ScriptedServer, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    """A token that may only write, or questions that cost too much: it is said, once, that nothing guards the counters."""
    slow.otherwise = lambda request: reply if request.path.startswith("/query") else OK
    world.log.write(30)
    world.once()
    assert ids(slow.stored) == sorted(world.log.written)
    assert any(line.startswith(b"token_events_1h,") for line in slow.stored)
    assert caplog.text.count("nothing guards against it") == 1


class Crash(BaseException):
    """Not even ``except Exception`` goes on after it."""


def crashing_before(owner: type, name: str) -> Callable[[pytest.MonkeyPatch, int], None]:
    def arm(patch: pytest.MonkeyPatch, skip: int) -> None:
        original = getattr(owner, name)
        calls = 0

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > skip:
                raise Crash
            return original(*arguments, **named)

        patch.setattr(owner, name, call)

    return arm


def crashing_after(owner: type, name: str) -> Callable[[pytest.MonkeyPatch, int], None]:
    def arm(patch: pytest.MonkeyPatch, skip: int) -> None:
        original = getattr(owner, name)
        calls = 0

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            answer = original(*arguments, **named)
            if isinstance(answer, Future):
                answer.exception()  # what was sent is stored
            if calls > skip:
                raise Crash
            return answer

        patch.setattr(owner, name, call)

    return arm


STEPS = {
    "before it is sent": crashing_before(InfluxDelivery, "submit"),
    "after it is stored": crashing_after(InfluxDelivery, "write"),
    "before the acknowledgement is taken": crashing_before(InfluxDelivery, "_acknowledge"),
    "after the acknowledgement": crashing_after(InfluxDelivery, "_acknowledge"),
    "before the rejected file": crashing_before(RejectedFile, "append"),
    "after the rejected file": crashing_after(RejectedFile, "append"),
    "in the checkpoint": crashing_after(State, "save"),
    "after the checkpoint": crashing_after(InfluxDelivery, "_save"),
    "before counters are sent": crashing_before(CounterPublisher, "_go_on"),
    "after counters are sent": crashing_after(CounterPublisher, "_go_on"),
    "before counters are marked as written": crashing_before(CounterPublisher, "_say_what_is_refused"),
}


def test_t22_a_crash_between_any_two_steps_changes_nothing(remote: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InfluxDelivery, "batch_points", 100)
    remote.log.write(210)
    caught_up(remote)
    broken = 0
    for skip in (0, 1):
        for name, arm in STEPS.items():
            for number in range(3):
                remote.log.write(b"".join(remote.log.line(user_id=f"u-{number}") for _ in range(70)) + b"{broken\n")
                broken += 1
            if name.startswith("after"):
                remote.log.rename()
            with pytest.MonkeyPatch.context() as patch:
                arm(patch, skip)
                crashed = True
                with contextlib.suppress(Crash):
                    caught_up(remote)
                    crashed = False
                assert crashed or skip, name
            remote.stop()
    remote.once()
    remote.check()
    assert remote.rejected() == [Reason.INVALID_JSON] * broken
    total = len(remote.log.written)
    users = {f"u-{number}": (total - 210) // 3 for number in range(3)}
    users["u-1"] += 210
    everything = {"hours": total, "totals": total, "clients": total}
    assert counted(remote) == everything | {"users": users, "active": [3]}
    (account,) = remote.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored) == (total + broken, total)


HOSTILE = [
    "a,b",
    "a b",
    "a=b",
    'quo"te',
    "back\\slash",
    "line\nbreak",
    "carriage\rreturn",
    "tab\tstop",
    "\\,",
    "trailing\\",
    "trailing\\\\",
    "#comment",
    "",
    " ",
    " edges ",
    'x" 1\ntoken_events,action=forged events=1i 1',
    "x,action=forged events=9i",
    "\\\" \\n ' ` $(id)",
    "é 😀 \u202egnp.exe \x00\x1b[31m",
    "u\u200du",
    "x y" * 1300,
    "\\" * 4000,
]


def test_t43_hostile_text_is_read_back_in_its_normal_form(remote: World) -> None:
    expected: dict[str, dict[str, Any]] = {}
    for text in HOSTILE:
        details = {"client_id": f"c{text}", "user_agent": text, "scopes": text, "realm": text}
        remote.log.write(remote.log.line(user_id=text, details=details))
        expected[remote.log.written[-1]] = {
            "events": 1,
            "action": "token.refreshed",
            "client_id": normal_tag(one_form(f"c{text}")),
            "realm": normal_tag(one_form(text)) or None,
            "user_agent": normal_field(text) or None,
            "user_id": normal_field(one_form(text)) or None,
        }
    remote.once()
    assert remote.rejected() == []
    (found,) = query(remote.store, f'SELECT * FROM "{remote.store.database}"."raw"."token_events"')
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["values"]]
    assert {row["event_id"]: {key: row[key] for key in expected[row["event_id"]]} for row in rows} == expected
    assert len(rows) == len(HOSTILE)
    assert set(found["columns"]) <= {"events", *Series._fields, *POINT_COLUMNS}, "no tag or field is forged"


def test_t43_a_value_of_two_megabytes_is_stored_in_part(remote: World) -> None:
    remote.read = dataclasses.replace(remote.read, max_line_bytes=64 << 20)
    huge = "long " * (2 << 20)
    remote.log.write(remote.log.line(user_id=huge, details={"client_id": huge, "user_agent": huge}))
    remote.log.write(3)
    remote.once()
    remote.check()
    (found,) = query(
        remote.store, f'SELECT client_id, user_agent, user_id FROM "{remote.store.database}"."raw"."token_events"'
    )
    _, client_id, user_agent, user_id = max(found["values"], key=lambda row: len(row[1]))
    assert len(client_id.encode()) <= TAG_BYTES
    assert max(len(user_agent.encode()), len(user_id.encode())) <= FIELD_BYTES
    assert all(value.startswith("long long") for value in (client_id, user_agent, user_id))


def test_the_user_budget_is_kept_and_active_users_are_exact_over_restarts(
    remote: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "USERS_PER_SOURCE", 10)
    monkeypatch.setattr(counters, "ROWS", 7)
    for _ in range(2):
        remote.log.write(
            b"".join(remote.log.line(user_id=f"u-{number:02}") for number in range(30) for _ in range(number % 3 + 1))
        )
        remote.once()
    found = counted(remote)
    true = Counter({f"u-{number:02}": 2 * (number % 3 + 1) for number in range(30)})
    others = found["users"].pop("_other")
    assert len(found["users"]) == 10
    assert all(true[user] == events for user, events in found["users"].items())
    assert others + sum(found["users"].values()) == true.total()
    assert found["active"] == [30]


def conflict(world: World) -> None:
    """Have somebody write a field of ours with another type, as the first one of that day's shard."""
    with contextlib.closing(InfluxHttp(world.store)) as http:
        line = b'token_events,action=x expires_in="text" 1793523600000000000'
        params = {"db": world.store.database, "rp": "raw", "precision": "ns"}
        assert http.request("POST", "/write", params=params, body=line).status == 204


def test_old_refused_and_good_points_of_one_batch_are_told_apart(world: World, influxdb: InfluxServer) -> None:
    world.store = influxdb.make(raw=20_000)  # since 1972 or so
    conflict(world)
    log, bad = world.log, {"client_id": "web", "expires_in": 60}
    for _ in range(3):
        log.write(50)
        log.write(b"".join(log.line(created_at=f"1970-01-02T03:04:{second:02}Z") for second in range(20)))
        log.write(b"".join(log.line(details=bad) for _ in range(2)))
    log.write(b"".join(log.line(created_at=f"1970-01-02T03:04:{second:02}Z", details=bad) for second in range(5)))
    world.once()
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.expired) == (221, 150, 65)
    assert account.rejected == Counter({Reason.STORE_REFUSED: 6})
    assert account.pending == 0
    assert len(set(world.stored()) - {None}) == 150


def test_a_line_that_is_refused_again_when_it_is_replayed_stays_listed_once(
    remote: World, influxdb: InfluxServer
) -> None:
    conflict(remote)
    remote.log.write(10)
    bad = {"client_id": "web", "expires_in": 60}
    remote.log.write(b"".join(remote.log.line(details=bad) for _ in range(3)))
    remote.once()
    for stored in (10, 10, 13):
        if stored == 13:
            remote.store = influxdb.make()  # there nobody has
        remote.log.write(1)  # a point that is taken, so that others may be refused
        state = State.open(remote.state_directory, "host-1")
        daemon = Daemon(remote.settings, state)
        daemon.run_once()
        replay(daemon.pipeline, time.time_ns() // 1_000_000)
        still = [entry.ordinal for entry in daemon.pipeline.listed()]
        (account,) = state.accounts().values()
        daemon.close()
        state.close()
        assert still == ([] if stored == 13 else [10, 11, 12])
        new = len(remote.log.written) - 13
        assert (account.stored, account.total_rejected) == (stored + new, 13 - stored)
    assert set(remote.log.written[10:13]) <= set(remote.stored())


def test_what_is_rotated_while_the_store_is_away_from_the_first_start_on_is_read(
    world: World, slow: ScriptedServer
) -> None:
    slow.otherwise = Reply(503)
    world.log.write(100)
    world.turn(2)
    world.log.rename()
    world.log.write(100)
    world.turn(2)
    world.stop()
    slow.otherwise = OK
    world.once()
    assert ids(slow.stored) == sorted(world.log.written)
    assert world.gaps() == []


def refusing_client(request: Request) -> Reply:
    """Take no point of one client."""
    return Reply(400, b'{"error":"partial write: limit exceeded dropped=1"}') if b"evil" in request.body else OK


def test_what_is_refused_before_anything_was_taken_does_not_keep_what_is_behind_it_from_being_read(
    world: World, slow: ScriptedServer
) -> None:
    slow.otherwise = refusing_client
    delivery = world.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)
    for number in range(1, 5):
        world.log.write(world.log.line(details={"client_id": "evil"}) + b"{broken\n")
        until(lambda number=number: delivery._sender.unproven("raw") == number, world)  # type: ignore[misc]
    assert delivery.trouble is not None
    assert delivery.accounts == {}, "kept: it may be the store that is to blame"
    bad, world.log.written = world.log.written, []
    world.log.write(500)
    settled(world)
    assert ids(slow.stored) == sorted(world.log.written)
    (account,) = delivery.accounts.values()
    assert (account.stored, account.rejected[Reason.STORE_REFUSED]) == (500, len(bad))
    assert delivery.trouble is None


def test_a_store_that_takes_nothing_is_not_read_for_without_end(
    world: World, slow: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_flight, "MOST_UNPROVEN", 5)
    slow.otherwise = refusing_client
    delivery = world.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)
    for _ in range(10):
        world.log.write(world.log.line(details={"client_id": "evil"}))
        for _ in range(10):
            world.turn()
            time.sleep(0.01)
    assert delivery._sender.unproven("raw") == len(delivery._in_flight) == 5
    slow.otherwise = OK
    settled(world)
    assert ids(slow.stored) == sorted(world.log.written)
