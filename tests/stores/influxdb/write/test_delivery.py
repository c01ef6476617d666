"""The daemon and a real InfluxDB: exactly once, through crashes of either, and with points that it refuses."""

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ingestor.config.settings import RetentionSettings
from ingestor.daemon.daemon import Daemon
from ingestor.jobs.verify import verify
from ingestor.state.state import State
from ingestor.stores.influxdb.client.http import InfluxHttp
from parsers.contract import Reason
from tests.support.servers import InfluxServer, query
from tests.support.world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def remote(world: World, influxdb: InfluxServer) -> World:
    world.store = influxdb.make()
    return world


def test_every_event_is_stored_once_whatever_is_read_again(remote: World) -> None:
    remote.log.write(12_000)
    remote.once()
    remote.check()
    remote.log.write(500)
    remote.log.rename()
    remote.log.write(500)
    remote.once()
    remote.check()
    (account,) = remote.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.expired) == (13_000, 13_000, 0)


def test_what_was_sent_and_not_checkpointed_is_sent_again_and_stored_once(remote: World) -> None:
    remote.log.write(12_000)
    daemon = remote.daemon
    while daemon.step() or daemon.behind:
        if len(remote.stored()) > 3000:
            break
    remote.stop()
    remote.once()
    remote.check()


def test_counters_are_published_as_they_are_in_the_state(remote: World) -> None:
    for number in range(3000):
        remote.log.write(
            remote.log.line(user_id=f"u-{number % 70}", details={"client_id": "web", "expires_in": number})
        )
    remote.once()
    remote.log.write(200)
    remote.once()
    state_hours, state_totals, state_users = remote.ask(
        lambda state: (
            state.connection.execute(
                "SELECT time, client_id, events, lifetime_sum, lifetime_count FROM token_events_1h"
                " JOIN series ON number = series"
            ).fetchall(),
            state.connection.execute(
                "SELECT time, action, events, lifetime_sum, lifetime_count FROM token_totals_15m"
                " JOIN total_series ON number = series"
            ).fetchall(),
            state.connection.execute(
                "SELECT time, user_id, events, issued, refreshed, failed FROM token_users_1d"
            ).fetchall(),
        )
    )
    database = remote.store.database
    hours = query(
        remote.store,
        f'SELECT events, lifetime_sum, lifetime_count FROM "{database}"."rollup"."token_events_1h" GROUP BY client_id',
    )
    assert sorted(
        (row[0], series["tags"]["client_id"], *row[1:]) for series in hours for row in series["values"]
    ) == sorted(state_hours)
    totals = query(
        remote.store,
        f'SELECT events, lifetime_sum, lifetime_count FROM "{database}"."rollup"."token_totals_15m" GROUP BY action',
    )
    assert sorted(
        (row[0], series["tags"]["action"], *row[1:]) for series in totals for row in series["values"]
    ) == sorted(state_totals)
    clients = query(remote.store, f'SELECT "events" FROM "{database}"."rollup"."token_clients_1h" GROUP BY client_id')
    assert sorted((row[0], series["tags"]["client_id"], row[1]) for series in clients for row in series["values"]) == [
        (*key, sum(row[2] for row in state_hours if row[:2] == key)) for key in sorted({row[:2] for row in state_hours})
    ]
    users = query(
        remote.store,
        f'SELECT events, issued, refreshed, failed FROM "{database}"."raw"."token_users_1d" GROUP BY user_id',
    )
    assert sorted(
        (row[0], series["tags"]["user_id"], *row[1:]) for series in users for row in series["values"]
    ) == sorted(state_users)
    (active,) = query(remote.store, f'SELECT "users" FROM "{database}"."rollup"."token_active_1d"')
    assert active["values"] == [[state_users[0][0], 70]]
    left = "SELECT (SELECT count(*) FROM unwritten_hours), (SELECT count(*) FROM unwritten_totals)"
    assert remote.ask(lambda state: state.connection.execute(left).fetchone()) == (0, 0)


def test_a_point_that_influxdb_refuses_is_rejected_with_its_reason_and_its_line(remote: World) -> None:
    """Somebody has written a field of ours with another type, as the first one of that hour's shard."""
    with contextlib.closing(InfluxHttp(remote.store)) as http:
        line = b'token_events,action=x expires_in="text" 1793523600000000000'
        answer = http.request(
            "POST", "/write", params={"db": remote.store.database, "rp": "raw", "precision": "ns"}, body=line
        )
    assert answer.status == 204
    remote.log.write(100)
    bad = [remote.log.line(details={"client_id": "web", "expires_in": 60}) for _ in range(3)]
    remote.log.write(bad[0])
    remote.log.write(3000)
    remote.log.write(bad[1] + bad[2])
    remote.log.write(100)
    remote.once()
    good = set(remote.log.written) - {json.loads(line)["id"] for line in bad}
    assert set(remote.stored()) - {None} == good
    (account,) = remote.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.rejected) == (3203, 3200, Counter({Reason.STORE_REFUSED: 3}))
    state = State.open(remote.state_directory)
    daemon = Daemon(remote.settings, state)
    entries = list(daemon.pipeline.listed())
    daemon.close()
    state.close()
    assert [entry.ordinal for entry in entries] == [100, 3101, 3102]
    assert "type conflict" in entries[0].detail
    assert "client-" not in entries[0].detail, "the server's words, not the event's"
    counted = remote.ask(lambda state: state.connection.execute("SELECT sum(events) FROM token_events_1h").fetchone())
    assert counted == (3200,)


def test_events_beyond_the_retention_are_expired_not_lost_from_the_accounts(
    world: World, influxdb: InfluxServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.store = influxdb.make(raw=90)
    now = datetime.now(UTC)
    for age in (200, 10, 91, 0, 1000, 89):
        for _ in range(20):
            written = (now - timedelta(days=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = world.log.line(created_at=written)
            world.log.write(line)
            if age > 90:
                world.log.written.pop()
    world.once()
    assert world.stored() == sorted(world.log.written)
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert (account.read, account.stored, account.expired, account.total_rejected) == (120, 60, 60, 0)
    assert caplog.text.count("older than InfluxDB keeps them") == 1, "one range, not one line an event"
    world.retention = RetentionSettings(raw_days=90)
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert (found.good, found.events, found.stored, found.expired, found.missing) == (True, 120, 60, 60, 0)
    world.retention = RetentionSettings(raw_days=95)
    (found,) = world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))
    assert (found.good, found.expired, found.missing) == (False, 40, 20), "what should be kept is missing"
