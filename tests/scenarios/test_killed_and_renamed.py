"""Killed after the store took what no checkpoint knows, and started again under other names: it is there once, under the new one."""

from collections.abc import Callable

import pytest

from ingestor.config.settings import LogSettings
from ingestor.stores.influxdb.write.delivery import InfluxDelivery
from tests.support.scene import Scene
from tests.support.world import Log


def kill_when_sent(scene: Scene, monkeypatch: pytest.MonkeyPatch, events: int) -> None:
    """Kill the daemon when the store holds so many events, and the state knows of none of the last ones."""
    with monkeypatch.context() as patched:
        patched.setattr(InfluxDelivery, "_save", lambda *_, **__: False)
        for _ in range(200):
            scene.now += 1.0
            scene.daemon.step(scene.now)
            scene.daemon.delivery.wait(0.05)
            if len(scene.stored()) >= events:
                break
        assert len(scene.stored()) == events
        scene.stop()


def rename_the_source(scene: Scene, log: Log) -> None:
    scene.follow(LogSettings(str(log.path), source="idp"))


def move_the_directory(scene: Scene, log: Log) -> None:
    moved = scene.logs_directory.with_name("moved")
    scene.logs_directory.rename(moved)
    log.path = moved / log.path.name
    scene.follow(log.path)


def change_the_host(scene: Scene, _: Log) -> None:
    scene.host = "host-2"


CHANGES = [rename_the_source, move_the_directory, change_the_host]


@pytest.mark.parametrize("known", [0, 40], ids=["nothing was known", "a part was known"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_sent_and_not_noted_is_there_once(
    remote: Scene, monkeypatch: pytest.MonkeyPatch, change: Callable[[Scene, Log], None], known: int
) -> None:
    log = remote.log
    if known:
        log.write(known)
        remote.turn(2)
    log.write(30)
    kill_when_sent(remote, monkeypatch, known + 30)
    change(remote, log)
    log.write(5)
    remote.once()
    remote.check(files=[log.path])


def test_killed_and_renamed_again_and_again(remote: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    log = remote.log
    for round_ in range(4):
        remote.follow(LogSettings(str(log.path), source=f"idp-{round_ % 3}"))
        log.write(30)
        kill_when_sent(remote, monkeypatch, len(log.written))
    remote.once()
    remote.check()


def test_who_wanted_it_twice_keeps_it_twice(remote: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    log = remote.log
    log.write(30)
    remote.once()
    remote.backfill(log.path, source="other")
    log.write(5)
    kill_when_sent(remote, monkeypatch, 65)
    rename_the_source(remote, log)
    remote.once()
    assert sorted(remote.stored()) == sorted(log.written + log.written[:30])
    assert remote.status()["stored"] == 65
