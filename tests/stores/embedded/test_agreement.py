"""The embedded store held against the accounts, by the daemon and by `status`."""

import contextlib
import sqlite3
import time

import pytest

from ingestor.jobs.store_status import StoreStatus, store_status
from ingestor.state.database import DATABASE
from ingestor.stores import comparing
from tests.support.world import World


def status(world: World) -> StoreStatus:
    return world.ask(lambda state: store_status(world.settings, state))


def execute(world: World, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(world.state_directory / DATABASE)) as connection, connection:
        connection.execute(statement)


def looked(world: World, missing: int) -> None:
    """Let the daemon take turns until it has found that so many events are missing."""
    deadline = time.monotonic() + 30
    while (found := world.daemon.delivery.agreement) is None or found.missing != missing:
        assert time.monotonic() < deadline
        world.turn()
        time.sleep(0.02)


def test_the_daemon_tells_a_difference_once_and_when_it_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for name in ("FIRST_SECONDS", "COMPARE_SECONDS", "SOON_SECONDS"):
        monkeypatch.setattr(comparing, name, 0.0)
    world.log.write(20)
    world.turn(2)
    looked(world, 0)
    execute(world, "CREATE TABLE kept AS SELECT * FROM token_events WHERE event_id = 'audit-3'")
    execute(world, "DELETE FROM token_events WHERE event_id = 'audit-3'")
    looked(world, 1)
    world.turn(5)
    assert caplog.text.count("The embedded store lacks 1 event that it had acknowledged") == 1
    assert world.daemon.figures().events_missing == 1
    assert world.daemon.figures().summary().startswith("1 event is not in the store any more")
    execute(world, "INSERT INTO token_events SELECT * FROM kept")
    looked(world, 0)
    assert caplog.text.count("holds again what was counted") == 1


def test_status_says_what_is_there_of_each_source(world: World) -> None:
    world.log.write(20)
    world.once()
    assert status(world).as_json()["store_agrees"] is True
    execute(world, "UPDATE accounts SET stored = stored + 5")
    told = status(world).as_json()
    assert (told["store_agrees"], told["store_events"], told["store_counted"]) == (False, 20, 25)
    assert [(place["counted"], place["found"]) for place in told["store_differences"]] == [(25, 20)]


def test_a_look_that_fails_harms_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(comparing, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr("ingestor.stores.embedded.delivery.look_at_embedded", fail)
    world.log.write(20)
    world.turn(3)
    time.sleep(0.1)
    world.turn(3)
    assert world.daemon.delivery.agreement is None
    world.check()
