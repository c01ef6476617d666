"""Turns of a daemon that writes into a real InfluxDB, until something is so; and what that holds then."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.servers import query
from tests.support.world import World


def until(what: Callable[[], bool], world: World, *, seconds: float = 0.1) -> None:
    """Let the daemon take turns until something is so."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, world.daemon.delivery.trouble
        world.now += seconds
        if not world.daemon.step(world.now):
            world.daemon.delivery.wait(0.02)


def settled(world: World) -> None:
    """Let the daemon take turns until all that was written is in the store, and in a checkpoint."""
    until(lambda: not world.daemon.step(world.now) and world.daemon.delivery.idle and not world.daemon.behind, world)


def caught_up(world: World) -> None:
    """Let the daemon take turns until all that was written is in the store, in a checkpoint, and published."""
    settled(world)
    world.turn(seconds=120.0)  # the next round of the counters
    until(lambda: world.daemon.delivery.idle, world)


def counted(world: World) -> dict[str, Any]:
    """What the published counters say: sums, and users by day."""
    hours, totals, clients = (
        query(world.store, f'SELECT sum(events) FROM "{world.store.database}"."rollup"."{measurement}"')
        for measurement in ("token_events_1h", "token_totals_15m", "token_clients_1h")
    )
    users = query(
        world.store, f'SELECT sum(events) FROM "{world.store.database}"."raw"."token_users_1d" GROUP BY user_id'
    )
    active = query(world.store, f'SELECT "users" FROM "{world.store.database}"."rollup"."token_active_1d"')
    return {
        "hours": hours[0]["values"][0][1],
        "totals": totals[0]["values"][0][1],
        "clients": clients[0]["values"][0][1],
        "users": {series["tags"]["user_id"]: series["values"][0][1] for series in users},
        "active": [row[1] for row in active[0]["values"]],
    }
