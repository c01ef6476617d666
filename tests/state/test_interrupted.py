"""What is interrupted half way, and then goes on otherwise: nothing is lost, nothing is counted twice."""

import contextlib
import dataclasses
from collections.abc import Iterator

import pytest

from ingestor.config.settings import BudgetSettings, ErrorRule, Settings, StoreSettings
from ingestor.daemon.daemon import Daemon
from ingestor.errors import ConfigError, UnavailableError
from ingestor.jobs.backfill import backfill
from ingestor.jobs.replay import replay
from ingestor.model.points import Series, SeriesTable
from ingestor.state.state import State
from ingestor.stores.influxdb.write.migration import Migration
from ingestor.stores.influxdb.write.partial_write import PartialWrite, RefusedPoint
from ingestor.stores.influxdb.write.sender import Sender
from parsers.contract import Reason
from tests.support.scripted import OK, Reply, ScriptedServer, scripted
from tests.support.servers import InfluxServer
from tests.support.world import World

pytestmark = pytest.mark.slow

NOW_MS = 1_800_000_000_000
RULES = {"Too old": ErrorRule("expired_code", "token.expired")}


@pytest.fixture
def remote(world: World, influxdb: InfluxServer) -> World:
    world.store = influxdb.make()
    return world


@pytest.fixture
def server(world: World) -> Iterator[ScriptedServer]:
    with scripted() as server:
        world.store = server.store
        yield server


@contextlib.contextmanager
def daemon_of(world: World, settings: Settings) -> Iterator[Daemon]:
    world.stop()
    with (
        contextlib.closing(State.open(world.state_directory, "host-1")) as state,
        contextlib.closing(Daemon(settings, state)) as daemon,
    ):
        yield daemon


def stored(world: World) -> int:
    return sum(account.stored for account in world.ask(lambda state: state.accounts()).values())


def counted(world: World) -> int:
    total: int = world.ask(
        lambda state: state.connection.execute("SELECT coalesce(sum(events), 0) FROM token_events_1h").fetchone()[0]
    )
    return total


def half_migrated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send some of the embedded events, and stop."""
    original = Migration._acknowledge

    def acknowledge(self: Migration, part: object) -> None:
        original(self, part)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("ingestor.stores.influxdb.write.migration.POINTS", 300)
    monkeypatch.setattr(Migration, "_acknowledge", acknowledge)
    with pytest.raises(KeyboardInterrupt):
        world.once()
    monkeypatch.undo()


def test_a_migration_that_began_has_no_way_back(remote: World, monkeypatch: pytest.MonkeyPatch) -> None:
    influxdb, remote.store = remote.store, StoreSettings()
    remote.log.write(1000)
    remote.once()
    remote.store = influxdb
    half_migrated(remote, monkeypatch)
    remote.store = StoreSettings()
    with pytest.raises(ConfigError, match="no way back"):
        remote.once()
    remote.store = influxdb
    remote.once()
    remote.check()


def test_a_migration_into_another_database_begins_anew(
    world: World, influxdb: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.write(1000)
    world.once()
    world.store = influxdb.make()
    half_migrated(world, monkeypatch)
    world.store = influxdb.make()
    world.once()
    world.check()


def test_a_backfill_under_other_rules_waits_for_the_migration(remote: World, monkeypatch: pytest.MonkeyPatch) -> None:
    influxdb, remote.store = remote.store, StoreSettings()
    failure = {"client_id": "web", "error": "Too old"}
    for _ in range(300):
        remote.log.write(remote.log.line(action="token.validation_failed", details=failure))
        remote.log.write(1)
    remote.once()
    remote.store = influxdb
    monkeypatch.setattr("ingestor.stores.influxdb.write.migration.POINTS", 50)
    settings = dataclasses.replace(remote.settings, errors=RULES)
    with daemon_of(remote, settings) as daemon:
        backfill(daemon.pipeline, [str(remote.log.path)])
        while daemon.delivery.migrating or daemon.step():
            daemon.step()
        daemon.delivery.flush(20)
    remote.check()
    assert counted(remote) == stored(remote) == 600
    (account,) = remote.ask(lambda state: state.accounts()).values()
    assert account.ignored == 0


def test_a_replay_that_failed_and_is_repeated_stores_its_lines_once(
    world: World, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.read = dataclasses.replace(world.read, max_line_bytes=1024)
    world.log.write(world.log.line(user_agent="x", note="y" * 2000))
    world.once()
    assert world.rejected() == [Reason.LINE_TOO_LONG]
    world.read = dataclasses.replace(world.read, max_line_bytes=65_536)
    server.otherwise = Reply(503)
    with daemon_of(world, world.settings) as daemon:
        monkeypatch.setattr(type(daemon.delivery).flush, "__defaults__", (0.3,))
        for _ in range(3):
            with pytest.raises(UnavailableError):
                replay(daemon.pipeline, NOW_MS)
        server.otherwise = OK
        monkeypatch.undo()
        daemon.delivery.flush(20)
        replay(daemon.pipeline, NOW_MS)
        assert list(daemon.pipeline.listed()) == []
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.total_rejected) == (1, 1, 0)
    assert counted(world) == 1


@pytest.mark.parametrize("change", ["budgets", "errors", "errors at the first start", "and back"])
def test_what_was_sent_by_other_rules_is_not_stored_twice(
    remote: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    remote.budgets = BudgetSettings(clients=1)
    if change != "errors at the first start":
        remote.log.write(10)
        remote.once()
    failure = {"client_id": "web", "error": "Too old"}
    for number in range(200):
        remote.log.write(remote.log.line(details={"client_id": f"client-{number % 5}"}))
        remote.log.write(remote.log.line(action="token.validation_failed", details=failure))
    budgets = dataclasses.replace(remote.settings, budgets=BudgetSettings(clients=100))
    errors = dataclasses.replace(remote.settings, errors=RULES)
    for settings in (remote.settings, budgets if change == "budgets" else errors):
        with daemon_of(remote, settings) as daemon:
            monkeypatch.setattr("ingestor.stores.influxdb.write.checkpointer.CHECKPOINT_SECONDS", 1e9)
            monkeypatch.setattr("ingestor.stores.influxdb.write.delivery.PAUSE_SECONDS", 1e9)
            while remote.arrived() < len(remote.log.written) or daemon.delivery._moves.held:  # type: ignore[attr-defined]
                daemon.step()
            monkeypatch.undo()
        if change != "and back":
            break
    last = {"budgets": budgets, "and back": remote.settings}.get(change, errors)
    with daemon_of(remote, last) as daemon:
        while daemon.step() or daemon.behind or not daemon.delivery.idle:
            daemon.delivery.flush(20)
    remote.check()
    assert counted(remote) == len(remote.log.written)


def test_an_event_that_is_refused_under_its_new_tags_is_rejected_and_listed(
    remote: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.log.write(5)
    failure = {"client_id": "web", "error": "Too old"}
    remote.log.write(remote.log.line(action="token.validation_failed", details=failure))
    remote.once()
    original = Sender.send

    def send(self: Sender, policy: str, body: bytes, times: list[int]) -> PartialWrite:
        shipment = original(self, policy, body, times)
        if b"token.expired" in body and policy == "raw":
            shipment.refused.append(RefusedPoint(0, "max-values-per-tag"))
        return shipment

    monkeypatch.setattr(Sender, "send", send)
    with daemon_of(remote, dataclasses.replace(remote.settings, errors=RULES)) as daemon:
        backfill(daemon.pipeline, [str(remote.log.path)])
        daemon.pipeline.commit()
    (account,) = remote.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.rejected[Reason.STORE_REFUSED]) == (6, 5, 1)
    assert remote.rejected() == [Reason.STORE_REFUSED]


def test_a_lost_state_is_rebuilt_also_while_the_log_is_busy(remote: World) -> None:
    remote.log.write(100)
    remote.once()
    (remote.state_directory / "tokentail.db").write_bytes(b"nothing of value" * 1000)
    daemon = remote.daemon
    turns = iter(range(200))

    def busy() -> bool:
        remote.log.write(1)
        return next(turns, None) is None or not daemon.pipeline.generations.rebuilding

    daemon.run_forever(busy)
    assert not daemon.pipeline.generations.rebuilding
    daemon.drain()
    remote.stop()
    remote.once()
    remote.check()
    assert counted(remote) == len(remote.log.written)


def test_numbers_of_series_that_a_crash_kept_from_being_saved_are_not_given_out_twice() -> None:
    series = [Series(f"action-{number}", *[""] * 8) for number in range(4)]
    table = SeriesTable({1: series[0], 5: series[1]})
    assert [table.number(each) for each in series] == [1, 5, 6, 7]
