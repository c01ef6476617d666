"""Counters are counted anew from the stored events: after a loss of trust in them, or of the whole state."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from ingestor.config.settings import BudgetSettings
from ingestor.state.database import DATABASE
from ingestor.state.state import State
from ingestor.stores import recount as recount_module
from tests.support.influx import write_lines
from tests.support.servers import InfluxServer, query
from tests.support.world import World

pytestmark = pytest.mark.slow

Rows = list[tuple[object, ...]]


class Counters(NamedTuple):
    """What counters say, by tags."""

    hours: Rows
    totals: Rows
    clients: Rows
    """Of the state: derived from its hours."""


def counters(world: World) -> tuple[Counters, Rows]:
    """Return what the state's counters say, and those of its users; nothing and zero are the same."""
    hours = (
        "SELECT time, action, client_id, events, lifetime_sum, lifetime_count FROM token_events_1h"
        " JOIN series ON number = series WHERE events > 0 ORDER BY 1, 2, 3"
    )
    totals = (
        "SELECT time, action, outcome, events, lifetime_sum, lifetime_count FROM token_totals_15m"
        " JOIN total_series ON number = series WHERE events > 0 ORDER BY 1, 2, 3"
    )
    clients = (
        "SELECT time, client_id, sum(events), sum(iif(action = 'token.issued.password', events, 0)),"
        " sum(iif(action = 'token.refreshed', events, 0)), sum(iif(outcome = 'failure', events, 0)) FROM token_events_1h"
        " JOIN series ON number = series GROUP BY 1, 2 HAVING sum(events) > 0 ORDER BY 1, 2"
    )
    users = "SELECT time, user_id, events, issued, refreshed, failed FROM token_users_1d WHERE events > 0 ORDER BY 1, 2"
    return world.ask(
        lambda state: (
            Counters(*(state.connection.execute(question).fetchall() for question in (hours, totals, clients))),
            state.connection.execute(users).fetchall(),
        )
    )


def published(world: World) -> Counters:
    """Return what InfluxDB's counters say."""

    def ask(measurement: str, fields: str, *tags: str) -> Rows:
        question = f'SELECT {fields} FROM "{world.store.database}"."rollup"."{measurement}" GROUP BY {",".join(tags)}'
        return sorted(
            (row[0], *(series["tags"][tag] for tag in tags), *row[1:])
            for series in query(world.store, question)
            for row in series["values"]
            if row[1]
        )

    sums = "events, lifetime_sum, lifetime_count"
    return Counters(
        ask("token_events_1h", sums, "action", "client_id"),
        ask("token_totals_15m", sums, "action", "outcome"),
        ask("token_clients_1h", "events, issued, refreshed, failed", "client_id"),
    )


def write_days(world: World, days: int, count: int = 200) -> None:
    now = datetime.now(UTC)
    actions = ("token.refreshed", "token.issued.password", "token.validation_failed")
    for number in range(count):
        written = (now - timedelta(days=number % days, minutes=number)).isoformat(timespec="milliseconds")
        world.log.write(
            world.log.line(
                created_at=written.replace("+00:00", "Z"),
                action=actions[number % 3],
                user_id=f"u-{number % 17}",
                details={"client_id": f"client-{number % 5}", "expires_in": number},
            )
        )


def spoil(world: World) -> None:
    world.stop()
    state = State.open(world.state_directory, "host-1")
    state.connection.execute("UPDATE token_events_1h SET events = events * 2")
    # Of a series, and of another one everything.
    state.connection.execute("UPDATE token_totals_15m SET events = events + 7, lifetime_sum = 0 WHERE series = 1")
    state.connection.execute("DELETE FROM token_totals_15m WHERE series = 2")
    state.connection.execute("DELETE FROM token_users_1d WHERE user_id = 'u-3'")
    state.connection.execute("UPDATE token_users_1d SET user_id = 'nobody' WHERE user_id = 'u-4'")
    state.close()


def test_the_embedded_store_counts_its_events(world: World) -> None:
    write_days(world, 5)
    world.once()
    before = counters(world)
    spoil(world)
    assert counters(world) != before
    assert world.daemon.pipeline.recount() == 200
    assert counters(world) == before


def test_the_counters_of_what_influxdb_keeps_are_counted_there(world: World, influxdb: InfluxServer) -> None:
    world.store = influxdb.make()
    write_days(world, 5)
    world.once()
    before = counters(world)
    assert published(world) == before[0]
    spoil(world)
    assert world.daemon.pipeline.recount() == 200
    assert counters(world) == before
    assert published(world) == before[0]


def test_the_embedded_store_shows_life_while_it_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount_module, "TICK_INSTRUCTIONS", 100)
    write_days(world, 5)
    world.once()
    ticks: list[None] = []
    assert world.daemon.pipeline.recount(lambda: ticks.append(None)) == 200
    assert len(ticks) > 20
    before = len(ticks)
    world.daemon.pipeline.state.connection.execute("SELECT count(*) FROM token_events AS a, token_events").fetchall()
    assert len(ticks) == before, "only while it counts"


def test_counting_what_influxdb_keeps_shows_life_and_blocks_nobody(
    world: World, influxdb: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount_module, "TICK_POINTS", 10)
    world.store = influxdb.make()
    write_days(world, 2)
    world.once()
    connection = world.daemon.pipeline.state.connection
    writing: list[bool] = []
    assert world.daemon.pipeline.recount(lambda: writing.append(connection.in_transaction)) == 200
    assert len(writing) >= 200 / 10
    assert not any(writing), "while InfluxDB is read, the state can be written by others"


def test_a_series_that_only_the_store_knows_is_saved_though_a_count_failed(
    world: World, influxdb: InfluxServer
) -> None:
    world.store = influxdb.make()
    write_days(world, 2)
    world.once()
    world.stop()
    unknown = "action=token.revoked,client_id=gone,host=host-1,outcome=success"
    line = f"token_events,{unknown},source={world.log.path} events=1i {time.time_ns()}\n"
    write_lines(world.store, "raw", line.encode())

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recount_module, "add_to_counters", full)
        with pytest.raises(sqlite3.OperationalError):
            world.daemon.pipeline.recount()
    assert world.daemon.pipeline.recount() == 201
    assert sum(row[3] for row in counters(world)[0].hours) == 201  # type: ignore[misc]


def test_after_a_loss_of_the_state_the_store_says_what_there_was_not_the_logs(
    world: World, influxdb: InfluxServer
) -> None:
    world.store = influxdb.make()
    write_days(world, 3)
    world.once()
    world.log.rename()
    write_days(world, 3)
    world.once()
    before = counters(world)
    world.log.sibling(".1").unlink()
    (world.state_directory / DATABASE).write_bytes(b"nothing of value" * 1000)
    for journal in world.state_directory.glob(f"{DATABASE}-*"):
        journal.unlink()
    world.once()
    assert world.stored() == sorted(world.log.written)
    assert counters(world) == before
    assert published(world) == before[0]
    world.log.write(10)
    world.once()
    assert sum(row[3] for row in counters(world)[0].hours) == 410  # type: ignore[misc]


def test_after_a_loss_of_the_state_another_order_of_admission_stores_nothing_twice(
    world: World, influxdb: InfluxServer
) -> None:
    world.store = influxdb.make()
    world.budgets = BudgetSettings(clients=3)
    for number in range(30):
        world.log.write(world.log.line(details={"client_id": f"early-{number % 3}"}))
    world.once()
    world.log.rename()
    for number in range(30):
        world.log.write(world.log.line(details={"client_id": f"late-{number % 3}"}))
    world.once()
    world.check()
    # The first file is gone, so the clients of the second are admitted in its place.
    world.log.sibling(".1").unlink()
    (world.state_directory / DATABASE).write_bytes(b"nothing of value" * 1000)
    for journal in world.state_directory.glob(f"{DATABASE}-*"):
        journal.unlink()
    world.once()
    assert world.stored() == sorted(world.log.written)
