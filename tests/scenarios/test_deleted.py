"""Files that are deleted or truncated: what can be held open is read, what is lost is a gap."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from ingestor.sources.block import Block
from ingestor.stores import backoff
from tests.support.scene import Scene
from tests.support.servers import InfluxServer, influxd1, new_influxdb1
from tests.support.world import Log, gz, head


def after_the_look(scene: Scene, action: Callable[[], object]) -> None:
    """Have something happen between the daemon's next look at the logs and the reading that follows."""
    file_source = scene.file_source
    original = file_source.poll

    def poll(now: float) -> None:
        original(now)
        file_source.poll = original  # type: ignore[method-assign]
        action()

    file_source.poll = poll  # type: ignore[method-assign]


@pytest.mark.parametrize("made_again", [False, True])
def test_what_is_open_is_read_until_it_was_quiet(scene: Scene, *, made_again: bool) -> None:
    scene.read = replace(scene.read, rotated_quiet_seconds=10.0)
    log = scene.log
    with log.path.open("ab", buffering=0) as file:
        file.write(log.lines(5))
        scene.turn(2)
        log.path.unlink()
        if made_again:
            log.path.touch()
        for pause in (1.0, 8.0, 3.0, 8.0):
            file.write(log.lines(5))
            scene.turn(seconds=pause)
            scene.turn()
    if made_again:
        log.write(5)
    scene.turn(3)
    scene.check()


def test_a_rotated_file_is_deleted_while_a_late_writer_has_it_open(scene: Scene) -> None:
    scene.read = replace(scene.read, rotated_quiet_seconds=10.0)
    log = scene.log
    log.write(5)
    with log.path.open("ab", buffering=0) as late:
        scene.turn(2)
        rotated = log.rename()
        for number in range(6):
            late.write(log.lines(3))
            log.write(2)
            scene.turn(2, seconds=2.0)
            if number == 2:
                rotated.unlink()
    scene.turn(2)
    scene.check()


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_late_writer_into_an_older_file(scene: Scene, generation: int) -> None:
    scene.read = replace(scene.read, rotated_quiet_seconds=10.0)
    log = scene.log
    log.write(5)
    late = log.path.open("ab", buffering=0)
    for _ in range(generation):
        scene.turn(2)
        log.rename()
        log.write(5)
    for _ in range(4):
        late.write(log.lines(3))
        scene.turn(2, seconds=3.0)
    late.close()
    scene.turn(2)
    scene.check()


def test_a_late_writer_into_an_older_file_while_it_is_down(scene: Scene) -> None:
    log = scene.log
    log.write(5)
    with log.path.open("ab", buffering=0) as late:
        scene.once()
        for _ in range(2):
            log.rename()
            log.write(5)
        scene.once()
        late.write(log.lines(7))
    scene.once()
    scene.check()


@pytest.mark.parametrize("kept", ["plain", "gz"])
def test_a_late_writer_into_an_older_file_that_is_rotated_on(scene: Scene, kept: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    rotated = log.rename()
    log.write(5)
    scene.once()
    log.write(7, to=rotated)
    log.rename()
    if kept == "gz":
        gz(log.sibling(".2"))
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("how", ["truncated", "deleted", "replaced"])
@pytest.mark.parametrize("read_before", [0, 10])
def test_bytes_that_were_seen_and_are_gone_before_anything_was_read(scene: Scene, how: str, read_before: int) -> None:
    log = scene.log
    log.path.touch()
    log.write(read_before)
    scene.turn()
    log.write(20)
    lost = log.written[read_before:]

    def go() -> None:
        if how == "truncated":
            os.truncate(log.path, 0)
        else:
            log.path.unlink()
        if how == "replaced":
            log.path.touch()

    after_the_look(scene, go)
    scene.turn()
    log.write(5)
    scene.turn(3)
    scene.check(lost_at_most=lost)


@pytest.mark.parametrize("how", ["truncated", "deleted"])
def test_half_a_line_alone_was_seen_and_is_gone(scene: Scene, how: str) -> None:
    log = scene.log
    log.write(b'{"half a')
    scene.turn(2)
    if how == "truncated":
        os.truncate(log.path, 0)
    else:
        log.path.unlink()
    scene.turn(2)
    log.write(5)
    scene.turn(3)
    rejected = scene.status()["rejected"]
    assert rejected or scene.gaps(), "eight bytes are in no file any more"
    scene.check(gaps=None, rejected=rejected)


def test_a_known_remainder_is_deleted_while_it_is_down(scene: Scene) -> None:
    """Half a line was seen behind what was read: it is proven to be lost."""
    log = scene.log
    log.write(10)
    log.write(b'{"half a')
    scene.once(code=None)
    log.path.unlink()
    log.write(5)
    scene.once()
    said = scene.status()
    assert said["gaps"] or said["rejected"]
    scene.check(gaps=None, rejected=said["rejected"])


def test_a_gap_says_which_bytes(scene: Scene) -> None:
    log = scene.log
    log.write(10)
    scene.once()
    first = log.path.stat().st_size
    lost = log.lines(5)
    log.write(lost)
    log.rename().unlink()
    log.write(5)
    scene.once()
    (gap,) = scene.gaps()
    assert gap.first == first
    assert gap.last in {None, first + len(lost)}
    scene.check(lost_at_most=log.written[10:15], gaps=1)


def test_everything_is_deleted_and_nothing_comes_again(scene: Scene) -> None:
    log = scene.log
    log.write(10)
    with log.path.open("ab", buffering=0) as file:
        scene.turn(2)
        file.write(log.lines(5))
        log.path.unlink()
        scene.turn(3)
    scene.check()


def test_rotated_and_deleted_during_a_backfill_that_the_daemon_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each generation is there for longer than it takes to look again: it is held open, or its loss is told."""
    scene.read = replace(scene.read, poll_interval_seconds=0.1)
    log, old = scene.log, Log(scene.directory / "old.jsonl", "old")
    old.write(5000)
    log.write(10)
    scene.turn(2)
    take = scene.daemon.pipeline.process
    generations: list[list[str]] = []

    def rotate_meanwhile(block: Block) -> None:
        take(block)
        if Path(block.generation.path) == old.path and len(generations) < 5:
            before = len(log.written)
            log.write(20)
            time.sleep(0.15)
            log.rename()
            time.sleep(0.15)
            log.sibling(".2").unlink(missing_ok=True)
            generations.append(log.written[before:])

    monkeypatch.setattr(scene.daemon.pipeline, "process", rotate_meanwhile)
    scene.backfill(old.path)
    monkeypatch.undo()
    log.write(5)
    scene.turn(3)
    assert len(generations) > 3
    scene.check(log, old, lost_at_most=[event_id for written in generations[:-1] for event_id in written])


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that a test may stop."""
    if influxd1() is None:
        pytest.skip("no InfluxDB 1.x here: see tests/support/servers.py")
    server = new_influxdb1(tmp_path_factory.mktemp("mortal"))
    yield server
    server.stop()


@pytest.mark.parametrize("seen", [True, False], ids=["seen by a look", "between two looks"])
def test_generations_go_during_an_outage_of_the_store(
    scene: Scene, mortal: InfluxServer, monkeypatch: pytest.MonkeyPatch, *, seen: bool
) -> None:
    """Rotated every minute, one kept: what a look has seen is held open; what none has seen is a gap."""
    monkeypatch.setattr(backoff, "FIRST_BACKOFF_SECONDS", 0.02)
    monkeypatch.setattr(backoff, "LONGEST_BACKOFF_SECONDS", 0.05)
    scene.store = mortal.make()
    log = scene.log
    log.write(50)
    scene.turn(2)
    mortal.kill()
    lost: list[str] = []
    for number in range(6):
        before = len(log.written)
        log.write(40)
        step(scene)
        log.rename()
        if seen:
            step(scene)
        older: Path = log.sibling(".2")
        if older.exists():
            older.unlink()
        if not seen and number < 5:
            lost += log.written[before:]
    log.write(5)
    step(scene)
    mortal.start()
    scene.turn(4)
    log.write(5)
    scene.turn(2)
    scene.check(lost_at_most=lost)


def step(scene: Scene) -> None:
    """Take a few turns while the store is away: waiting for it would take for ever."""
    for _ in range(3):
        scene.now += 0.5
        scene.daemon.step(scene.now)


@pytest.mark.parametrize("source", ["", "idp"])
def test_a_log_is_put_back_to_a_former_one_and_its_directory_is_moved(scene: Scene, source: str) -> None:
    """What it held last was read, but nobody knows how much was written to it after that."""
    log = scene.log
    scene.follow(LogSettings(str(log.path), source=source))
    log.write(30)
    scene.turn(2)
    log.rename()
    log.write(20)
    scene.turn(2)
    scene.end()
    log.write(5)
    (scene.logs_directory / ".spare").write_bytes(head(log.sibling(".1"), 15))
    (scene.logs_directory / ".spare").replace(log.path)
    moved = scene.logs_directory.with_name("moved")
    scene.logs_directory.rename(moved)
    scene.follow(LogSettings(str(moved / log.path.name), source=source))
    scene.once()
    scene.once()
    scene.check(log, lost_at_most=log.written[-5:], gaps=1, files=[moved / "audit.log.1"])


@pytest.mark.parametrize("deleted", ["at once", "later"])
def test_a_log_that_is_named_no_more_is_missed_only_if_it_went_unseen(scene: Scene, deleted: str) -> None:
    other = Log(scene.logs_directory / "other.log", "other")
    scene.follow(scene.log.path, other.path)
    scene.log.write(10)
    other.write(10)
    scene.turn(2)
    scene.end()
    scene.follow(scene.log.path)
    if deleted == "at once":
        other.path.unlink()
    scene.once()
    other.path.unlink(missing_ok=True)
    scene.once()
    scene.check(scene.log, other, gaps=int(deleted == "at once"), files=[scene.log.path])
