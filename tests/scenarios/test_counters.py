"""Counters are never overwritten with less: they are rebuilt, or the command refuses, and it says so."""

import os
import shutil
import sqlite3
import time

import pytest

from ingestor.config.settings import LogSettings
from ingestor.stores.influxdb.client.http import NoAnswerError
from ingestor.stores.influxdb.ownership import claiming, claims, rebuilding
from tests.support.scene import Scene
from tests.support.servers import query

SUMS = ("rollup.token_events_1h", "rollup.token_totals_15m", "rollup.token_clients_1h", "raw.token_users_1d")


def remote_sums(scene: Scene) -> dict[str, int]:
    """Return what the raw events and each counter in InfluxDB add up to."""
    counted = scene.counted()
    rows = query(scene.store, f'SELECT sum(events) FROM "{scene.store.database}"."raw"."token_events"')
    return {"events": int(rows[0]["values"][0][1])} | {name: counted[name] for name in SUMS}


def lose_the_state(scene: Scene) -> None:
    shutil.rmtree(scene.state_directory)


@pytest.mark.parametrize("left", ["half", "nothing", "all"])
def test_the_state_is_deleted_and_influxdb_kept(remote: Scene, left: str) -> None:
    log = remote.log
    log.write(30)
    if left == "half":
        remote.once()
        log.rename().unlink()
    log.write(30)
    remote.once()
    if left == "nothing":
        os.truncate(log.path, 0)
    assert remote_sums(remote) == dict.fromkeys(("events", *SUMS), 60)
    lose_the_state(remote)
    log.write(5)
    remote.once()
    assert remote.said.count("holds events of host host-1 that another state wrote") == 1
    assert remote_sums(remote) == dict.fromkeys(("events", *SUMS), 65)
    said = remote.status()
    assert said["stored"] == {"half": 35, "nothing": 5, "all": 65}[left]
    assert said["stored"] + said["store_earlier"] == 65
    assert (said["store_agrees"], said["store_surplus"], said["problems"]) == (True, 0, [])
    log.write(5)
    remote.once()
    assert "another state" not in remote.said
    assert remote_sums(remote) == dict.fromkeys(("events", *SUMS), 70)


def test_a_state_is_lost_while_influxdb_is_away_from_a_daemon(remote: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be asked before reading is asked before the counters are written."""
    remote.log.write(30)
    remote.once()
    remote.log.rename().unlink()
    remote.log.write(30)
    remote.once()
    lose_the_state(remote)

    def away(*_: object) -> set[str]:
        raise NoAnswerError("no connection")

    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, "sources_of_host", away)
        remote.once()
    assert "another state" in remote.said
    assert remote_sums(remote) == dict.fromkeys(("events", *SUMS), 60)


@pytest.fixture
def nodes(remote: Scene) -> tuple[Scene, Scene]:
    """Two nodes that write the same source and host into one database, each with a state of its own."""
    directory = remote.directory / "second"
    directory.mkdir()
    second = Scene(directory)
    second.log = type(second.log)(second.log.path, "second")
    second.store, second.host = remote.store, remote.host
    for node in (remote, second):
        node.log_settings = (LogSettings(str(node.log.path), source="idp"),)
    return remote, second


def problem_of(node: Scene) -> str:
    """Return what a daemon says of its store, as soon as it says something."""
    deadline = time.monotonic() + 20
    while not (problem := node.daemon.figures().store_problem) and time.monotonic() < deadline:
        node.daemon.step()
        node.daemon.delivery.wait(0.05)
    return problem


def test_two_nodes_of_one_host_and_source_in_turn(nodes: tuple[Scene, Scene]) -> None:
    """Whoever comes finds what the other wrote, says it, and counts all of it."""
    total = 0
    for round_ in range(2):
        for node in nodes:
            node.log.write(500 + round_)
            node.once()
            total += 500 + round_
            assert ("another state wrote (source idp)" in node.said) == (total > 500)
    assert remote_sums(nodes[0]) == dict.fromkeys(("events", *SUMS), total)
    said = nodes[1].status()
    assert (said["stored"], said["store_earlier"], said["store_agrees"]) == (1001, 1001, True)


def test_two_nodes_of_one_host_and_source_at_once(nodes: tuple[Scene, Scene]) -> None:
    """The second is refused while the first runs, loses nothing, and goes on when the first has ended."""
    first, second = nodes
    first.log.write(500)
    first.turn()
    second.log.write(400)
    second.once(code=78)
    assert "writes source idp of host host-1" in second.said
    assert str(first.state_directory) in second.said
    assert "give each node its own host" in second.said
    assert second.status()["stored"] == 0
    assert "Another state" in problem_of(second)
    first.log.write(5)
    first.turn()
    second.stop()
    first.end()
    assert remote_sums(first) == dict.fromkeys(("events", *SUMS), 505)
    second.once()
    assert remote_sums(first) == dict.fromkeys(("events", *SUMS), 905)


def test_a_claim_that_nobody_renews_ends(nodes: tuple[Scene, Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was killed cannot give up its source: its claim does not count for long."""
    first, second = nodes
    first.log.write(50)
    with monkeypatch.context() as patched:
        patched.setattr(claiming.Claiming, "_give_up", lambda _: None)
        first.once()
    second.log.write(40)
    second.once(code=78)
    monkeypatch.setattr(claims, "LEASE_SECONDS", 1)
    time.sleep(1.5)
    second.once()
    assert remote_sums(first) == dict.fromkeys(("events", *SUMS), 90)


def test_a_node_that_was_cut_off_finds_another_in_its_place(
    nodes: tuple[Scene, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Suspended for long, it does not overwrite the counters of the one that followed it."""
    first, second = nodes
    monkeypatch.setattr(claiming, "RENEW_SECONDS", 0.0)
    first.log.write(50)
    first.turn()
    monkeypatch.setattr(claims, "LEASE_SECONDS", 4)
    time.sleep(4.5)
    second.log.write(40)
    with monkeypatch.context() as patched:
        patched.setattr(claiming.Claiming, "_give_up", lambda _: None)
        second.once()
    assert "Another state" in problem_of(first)
    assert remote_sums(first) == dict.fromkeys(("events", *SUMS), 90)


def test_the_embedded_state_is_deleted(scene: Scene) -> None:
    """With the embedded store that is everything: what is still in files is read again, once."""
    scene.log.write(30)
    scene.once()
    lose_the_state(scene)
    scene.log.write(10)
    scene.once()
    scene.check()


@pytest.mark.parametrize("damage", ["cut", "zeroed"])
def test_a_damaged_state_is_set_aside_and_the_counters_are_true(any_scene: Scene, damage: str) -> None:
    any_scene.log.write(300)
    any_scene.once()
    any_scene.log.rename()
    any_scene.log.write(10)
    any_scene.once()
    database = any_scene.state_directory / "tokentail.db"
    for beside in ("tokentail.db-wal", "tokentail.db-shm"):
        (any_scene.state_directory / beside).unlink(missing_ok=True)
    if damage == "cut":
        os.truncate(database, 5000)
    else:
        database.write_bytes(b"\0" * database.stat().st_size)
    any_scene.log.write(5)
    any_scene.once()
    any_scene.check()


def test_status_sees_that_the_store_holds_less(any_scene: Scene) -> None:
    """``stored`` and the store's own sum are compared without being asked."""
    any_scene.log.write(30)
    any_scene.once()
    any_scene.check()
    assert any_scene.status()["problems"] == []
    if any_scene.store.type == "influxdb":
        if any_scene.store.token_file:
            pytest.skip("InfluxDB 2 deletes through its own API alone")
        query(any_scene.store, "DROP SERIES FROM \"token_events\" WHERE client_id = 'client-1'")
    else:
        with sqlite3.connect(any_scene.state_directory / "tokentail.db") as connection:
            connection.execute("DELETE FROM token_events WHERE event_id = 'audit-7'")
        connection.close()
    said = any_scene.status()
    assert said["store_missing"] > 0
    assert [problem for problem in said["problems"] if problem.startswith("The store lacks ")]
    any_scene.tokentail("status", "--check", code=2)
    assert "The store lacks " in any_scene.said
    any_scene.tokentail("status")
    assert "The store lacks " in any_scene.said
