"""Lines that are classified otherwise by now, in InfluxDB: moved once, whatever crashes in between."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from ingestor.config.settings import ErrorRule, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.jobs.backfill import backfill
from ingestor.jobs.verify import Verified, verify
from ingestor.state.state import State
from ingestor.stores.influxdb.read.stored_lines import InfluxLines
from ingestor.stores.influxdb.write.sender import Sender
from tests.support.servers import InfluxServer, query
from tests.support.world import World

pytestmark = pytest.mark.slow

RULES = {"Too old": ErrorRule("expired_code", "token.expired")}
FAILURE = {"client_id": "web", "error": "Too old"}


@pytest.fixture
def remote(world: World, influxdb: InfluxServer) -> World:
    world.store = influxdb.make()
    return world


@contextmanager
def daemon_of(world: World, settings: Settings) -> Iterator[Daemon]:
    world.stop()
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(settings, state)
    try:
        yield daemon
    finally:
        daemon.close()
        state.close()


def by_action(world: World) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Return events by action: in InfluxDB, in its hourly counters, and in the state's.

    Those of all clients together, and of each, must say the same.
    """
    database = world.store.database

    def ask(measurement: str) -> dict[str, int]:
        found = query(world.store, f'SELECT sum("events") FROM "{database}".{measurement} GROUP BY action')
        return {series["tags"]["action"]: series["values"][0][1] for series in found if series["values"][0][1]}

    def ask_state(table: str, series: str) -> dict[str, int]:
        rows = f"SELECT action, sum(events) FROM {table} JOIN {series} ON number = series GROUP BY action HAVING sum(events)"
        return world.ask(lambda state: dict(state.connection.execute(rows).fetchall()))

    hours, state = ask('"rollup"."token_events_1h"'), ask_state("token_events_1h", "series")
    assert ask('"rollup"."token_totals_15m"') == hours
    assert ask_state("token_totals_15m", "total_series") == state
    sums = 'SELECT sum("events"), sum("refreshed"), sum("failed")'
    found = query(world.store, f'{sums} FROM "{database}"."rollup"."token_clients_1h"')
    refreshed = hours.get("token.refreshed", 0)
    everything = sum(hours.values())
    # Of what these tests write, all that is no refresh is a failure.
    assert [series["values"][0][1:] for series in found] == [[everything, refreshed, everything - refreshed]]
    return ask('"raw"."token_events"'), hours, state


def stored(world: World) -> int:
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert account.pending == 0
    return account.stored


def proof(world: World, settings: Settings) -> Verified:
    return world.ask(lambda state: verify(settings, state, [str(world.log.path)]))[0]


def write_some(world: World) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(300):
        written = (now - timedelta(milliseconds=number // 3)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        details = FAILURE if number % 3 else {"client_id": "web"}
        action = "token.validation_failed" if number % 3 else "token.refreshed"
        world.log.write(world.log.line(action=action, details=details, created_at=written))
    # Others of the series that the failures leave: they stay.
    other = {"client_id": "web", "error": "Something else"}
    world.log.write(
        world.log.line(action="token.validation_failed", details=other, created_at=f"{now:%Y-%m-%dT%H:%M:%S}.000Z")
    )


BEFORE = {"token.validation_failed": 201, "token.refreshed": 100}
AFTER = {"token.validation_failed": 1, "token.expired": 200, "token.refreshed": 100}


def test_a_backfill_moves_them_with_their_counters(remote: World) -> None:
    write_some(remote)
    remote.once()
    assert by_action(remote) == (BEFORE, BEFORE, BEFORE)
    assert proof(remote, remote.settings).good
    settings = dataclasses.replace(remote.settings, errors=RULES)
    found = proof(remote, settings)
    assert (found.stored, found.other_tags, found.missing, found.good) == (101, 200, 0, False)
    for _ in range(2):
        with daemon_of(remote, settings) as daemon:
            backfill(daemon.pipeline, [str(remote.log.path)])
        assert by_action(remote) == (AFTER, AFTER, AFTER)
        assert stored(remote) == 301
        assert proof(remote, settings).good
    remote.check()


@pytest.mark.parametrize("place", ["before the note", "before the deletion", "before the writing", "before the end"])
def test_a_move_that_a_crash_interrupts_is_done_once(
    remote: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    write_some(remote)
    remote.once()
    settings = dataclasses.replace(remote.settings, errors=RULES)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with daemon_of(remote, settings) as daemon:
        mover = daemon.delivery._moves.mover  # type: ignore[attr-defined]
        if place == "before the note":
            monkeypatch.setattr(mover, "_note", crash)
        elif place == "before the deletion":
            monkeypatch.setattr(InfluxLines, "delete", crash)
        elif place == "before the writing":
            monkeypatch.setattr(Sender, "send", crash)
        else:
            original = mover._carry_out

            def carry_out(move: object) -> None:
                original(move)
                raise KeyboardInterrupt

            monkeypatch.setattr(mover, "_carry_out", carry_out)
        with pytest.raises(KeyboardInterrupt):
            backfill(daemon.pipeline, [str(remote.log.path)])
    monkeypatch.undo()
    with daemon_of(remote, settings) as daemon:
        daemon.delivery.flush(20)
        backfill(daemon.pipeline, [str(remote.log.path)])
    assert by_action(remote) == (AFTER, AFTER, AFTER)
    assert stored(remote) == 301
    assert proof(remote, settings).good
    remote.check()


def test_what_was_sent_under_other_rules_before_a_crash_is_not_stored_twice(
    remote: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.log.write(10)
    while remote.daemon.step() or not remote.daemon.delivery.idle:  # the first checkpoint does not wait
        remote.daemon.delivery.wait(0.05)
    write_some(remote)
    monkeypatch.setattr("ingestor.stores.influxdb.write.checkpointer.CHECKPOINT_SECONDS", 1e9)
    monkeypatch.setattr("ingestor.stores.influxdb.write.delivery.PAUSE_SECONDS", 1e9)
    while remote.arrived() < 311:
        remote.daemon.step()
    remote.stop()
    monkeypatch.undo()
    assert stored(remote) == 10, "sent, and in no checkpoint"
    settings = dataclasses.replace(remote.settings, errors=RULES)
    with daemon_of(remote, settings) as daemon:
        # A first turn that reads nothing waits for the claim, which may be settled by the time that this asks for it.
        while daemon.step() or daemon.behind or not daemon.delivery.idle or not daemon.pipeline.accepted_bytes:
            daemon.delivery.flush(20)
    after = {**AFTER, "token.refreshed": 110}
    assert by_action(remote) == (after, after, after)
    remote.check()
