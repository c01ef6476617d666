"""What InfluxDB acknowledged and lost is found and sent again, whatever is killed when (``InfluxServer.tear``)."""

import contextlib
import dataclasses
import logging
import time

import pytest

from ingestor.jobs.store_status import store_status
from ingestor.jobs.verify import verify
from ingestor.model.agreement import Agreement
from ingestor.model.points import SeriesTable
from ingestor.state.counters import load_series
from ingestor.stores import comparing
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.client.started import Start, started
from ingestor.stores.influxdb.read.stored_lines import InfluxLines, Outdated
from ingestor.stores.influxdb.recovery import recent, restarts
from ingestor.stores.influxdb.recovery.recent import Recent
from ingestor.stores.influxdb.write.delivery import InfluxDelivery
from tests.support.servers import InfluxServer
from tests.support.turns import caught_up, counted, until
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("hasty")]


def delivery_of(world: World) -> InfluxDelivery:
    delivery = world.daemon.delivery
    assert isinstance(delivery, InfluxDelivery)
    return delivery


def restart(server: InfluxServer, *, torn: bool = False) -> None:
    server.kill()
    if torn:
        server.tear()
    server.start()


def lose(world: World, server: InfluxServer, *, daemon: bool = True) -> None:
    """Have InfluxDB lose 300 of 400 events, and what was published of them; ``daemon``: while one runs."""
    world.store = server.make()
    world.log.write(100)
    caught_up(world)
    restart(server, torn=True)
    world.log.write(300)
    caught_up(world)
    world.check()
    if not daemon:
        world.stop()
    restart(server)
    assert len(world.stored()) == 100, "this InfluxDB has no such fault: these tests need another way to lose events"


def all_is_there(world: World) -> None:
    world.check()
    found, events = counted(world), len(world.log.written)
    assert {found["hours"], found["totals"], found["clients"], *found["users"].values()} == {events}
    assert found["active"] == [1]
    assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good


def test_what_is_lost_is_sent_again_and_told_once(
    world: World, mortal: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    lose(world, mortal)
    until(lambda: delivery_of(world).mended[1] == 300, world)
    caught_up(world)
    all_is_there(world)
    assert caplog.text.count("had lost 300 events that it had acknowledged, from 2026-11-01T00:00Z") == 1
    figures = world.daemon.figures()
    # Two restarts between two looks at the server's start are one, as far as anybody can tell.
    assert (figures.store_restarts in {1, 2}, figures.events_brought_back) == (True, 300)
    told = world.ask(lambda state: store_status(world.settings, state)).as_json()
    assert (told["store_brought_back"], told["store_restarts"]) == (300, figures.store_restarts)
    assert (told["store_events"], told["store_agrees"]) == (400, True)


@pytest.mark.parametrize("gone", ["kept", "rotated away"])
def test_the_log_is_not_needed_for_it_nor_the_daemon_that_sent_it(
    world: World, mortal: InfluxServer, gone: str
) -> None:
    lose(world, mortal, daemon=False)
    if gone == "rotated away":
        world.log.path.write_bytes(world.log.line())
    world.once()
    world.check()
    assert counted(world)["hours"] == len(world.log.written)
    assert world.ask(lambda state: state.meta())["brought_back"] == "300"


def test_a_server_that_loses_it_again_gets_it_again(world: World, mortal: InfluxServer) -> None:
    lose(world, mortal)
    for _ in range(3):
        until(lambda: len(world.stored()) == 400, world)
        caught_up(world)
        restart(mortal)
    until(lambda: len(world.stored()) == 400, world)
    caught_up(world)
    all_is_there(world)


@pytest.mark.parametrize("step", ["renew", "within", "add"])
def test_a_kill_of_the_daemon_meanwhile_has_it_done_again(
    world: World, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lose(world, mortal, daemon=False)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Recent, step, crash)
    world.log.write(10)
    with pytest.raises(KeyboardInterrupt):
        world.once()
    monkeypatch.undo()
    world.once()
    all_is_there(world)


def test_a_server_that_does_not_tell_its_start_is_suspected_when_a_connection_broke(
    world: World, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "started", lambda _: None)
    lose(world, mortal, daemon=False)
    world.once()
    all_is_there(world)
    assert world.ask(lambda state: state.meta())["store_restarts"] == "0", "nobody can tell"


def test_a_planned_restart_sends_nothing_again(
    world: World, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.store = mortal.make()
    world.log.write(400)
    caught_up(world)
    monkeypatch.setattr(Recent, "row", lambda *_: pytest.fail("it is all there"))
    mortal.stop()
    mortal.start()
    until(lambda: delivery_of(world).mended == (1, 0), world)
    world.check()
    assert "InfluxDB was restarted; what it had acknowledged is there" in caplog.text


def test_what_no_restart_explains_is_found_by_comparing_and_sent_again(
    world: World, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(comparing, "COMPARE_SECONDS", 0.1)
    monkeypatch.setattr(comparing, "SOON_SECONDS", 0.1)
    world.store = mortal.make()
    world.log.write(400)
    caught_up(world)
    delete(world, "client-1")
    assert len(world.stored()) < 400
    until(lambda: len(world.stored()) == 400, world)
    caught_up(world)
    all_is_there(world)


def delete(world: World, client: str) -> None:
    """Delete the events of a client in InfluxDB."""
    series = next(
        tags
        for tags in world.ask(lambda state: load_series(state.connection)).by_number.values()
        if tags.client_id == client
    )
    with contextlib.closing(InfluxHttp(world.store)) as http:
        InfluxLines(http, world.store, SeriesTable()).delete([Outdated(series, 0, 1 << 62)])


def told(world: World) -> Agreement:
    status = world.ask(lambda state: store_status(world.settings, state))
    assert status.agreement is not None, status.problem
    return status.agreement


def test_what_is_kept_no_longer_is_told_once_with_what_to_do(
    world: World, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(comparing, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(comparing, "COMPARE_SECONDS", 0.1)
    monkeypatch.setattr(comparing, "SOON_SECONDS", 0.1)
    monkeypatch.setattr(recent, "MOST_BYTES", 0)
    lose(world, mortal)
    until(lambda: "lacks 300 events" in caplog.text, world)
    world.turn(5)
    assert caplog.text.count("lacks 300 events that it had acknowledged (source") == 1
    assert "tokentail backfill" in caplog.text
    assert world.daemon.figures().events_missing == 300
    assert (told(world).missing, told(world).found, told(world).counted) == (300, 100, 400)


def test_what_was_there_before_a_state_is_no_difference(world: World, mortal: InfluxServer) -> None:
    world.store = mortal.make()
    world.log.write(30)
    world.once()
    assert told(world).agrees
    world.log.path.unlink()
    world.log.write(30)
    for path in world.state_directory.iterdir():
        path.unlink()
    world.once()
    assert told(world).agrees
    assert world.ask(lambda state: store_status(world.settings, state)).earlier == 30


def test_a_store_that_cannot_be_asked_is_no_difference(world: World, mortal: InfluxServer) -> None:
    world.store = mortal.make()
    world.log.write(30)
    world.once()
    away = dataclasses.replace(world.settings, store=dataclasses.replace(world.store, url="http://127.0.0.1:1"))
    status = world.ask(lambda state: store_status(away, state))
    assert status.agreement is None
    assert "no connection" in status.problem


def test_it_is_known_when_a_server_was_started(mortal: InfluxServer) -> None:
    http = InfluxHttp(mortal.store)
    before, again = started(http), started(http)
    assert before is not None
    assert again is not None
    assert abs(before.first - time.time()) < 3600
    assert again.is_same(before)
    assert Start.of(str(before)) == before
    restart(mortal)
    after = started(http)
    assert after is not None
    assert not after.is_same(before)
    http.close()
