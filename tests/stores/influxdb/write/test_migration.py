"""A state whose events are embedded goes on into InfluxDB when the config says so; not the other way."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestor.config.settings import StoreSettings
from ingestor.errors import ConfigError
from ingestor.jobs.verify import verify
from ingestor.stores.influxdb.write.migration import Migration
from tests.support.servers import InfluxServer, query
from tests.support.world import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("interrupted", [False, True], ids=["at once", "interrupted"])
def test_events_and_counters_go_to_influxdb_and_nothing_is_read_again(
    world: World, influxdb: InfluxServer, monkeypatch: pytest.MonkeyPatch, *, interrupted: bool
) -> None:
    world.log.write(
        world.log.line(created_at="2026-10-31T22:10:00.000Z")
    )  # nothing comes to its quarter of an hour later
    world.log.write(11_999)
    world.once()
    world.store = influxdb.make()
    world.log.write(300)
    if interrupted:
        original = Migration._acknowledge

        def acknowledge(self: Migration, part: object) -> None:
            original(self, part)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        monkeypatch.setattr(Migration, "_acknowledge", acknowledge)
        with pytest.raises(KeyboardInterrupt):
            world.once()
        monkeypatch.undo()
    world.once()
    world.check()
    database = world.store.database
    for measurement in ("token_events_1h", "token_totals_15m", "token_clients_1h"):
        counted = query(world.store, f'SELECT sum("events") FROM "{database}"."rollup"."{measurement}"')
        assert counted[0]["values"][0][1] == 12_300, measurement
    assert world.ask(lambda state: state.connection.execute("SELECT count(*) FROM token_events").fetchone()) == (0,)
    assert world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0].good
    world.store = StoreSettings()
    with pytest.raises(ConfigError, match="no way back"):
        world.once()


def test_what_is_older_than_influxdb_keeps_is_expired(world: World, influxdb: InfluxServer) -> None:
    now = datetime.now(UTC)
    for age in (0, 100, 1, 200):
        written = (now - timedelta(days=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        world.log.write(world.log.line(created_at=written))
    world.once()
    world.store = influxdb.make(raw=90)
    world.once()
    assert world.stored() == ["audit-0", "audit-2"]
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.expired, account.pending) == (4, 2, 2, 0)


def test_a_new_state_belongs_to_the_store_that_it_began_with(world: World, influxdb: InfluxServer) -> None:
    world.store = influxdb.make()
    world.log.write(3)
    world.once()
    world.store = StoreSettings()
    with pytest.raises(ConfigError, match="no way back"):
        world.once()


def test_a_try_with_an_influxdb_that_is_not_there_binds_the_state_to_nothing(world: World) -> None:
    world.log.write(5)
    world.once()
    embedded, world.store = world.store, StoreSettings(type="influxdb", url="http://127.0.0.1:1")
    world.log.write(5)
    world.turn(3)
    world.stop()
    world.store = embedded
    world.once()
    world.check()


def test_a_change_to_another_influxdb_sends_it_everything(world: World, influxdb: InfluxServer) -> None:
    world.log.write(12_000)
    world.once()
    world.store = StoreSettings(type="influxdb", url="http://127.0.0.1:1")
    world.turn(3)
    world.stop()
    world.store = influxdb.make()
    world.log.write(300)
    world.once()
    world.check()
