"""One generation that is in two files at once, neither of them read: it is counted once."""

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Callable

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("named", ["live", "rotated", "both", "archive"])
def test_a_backfill_beside_a_daemon_that_lags(any_scene: Scene, named: str) -> None:
    """The daemon's next turn begins with what it is asked for: it has not read yet what is there by then."""
    scene, log = any_scene, any_scene.log
    log.write(20)
    scene.turn(2)
    log.write(300)
    rotated = log.rename()
    log.write(200)
    archive = scene.directory / "evidence.jsonl.gz"
    archive.write_bytes(gzip.compress(rotated.read_bytes()))
    paths = {"live": [log.path], "rotated": [rotated], "both": [log.path, rotated], "archive": [archive]}[named]
    scene.backfill(*paths)
    scene.turn(2)
    log.write(5)
    scene.turn(2)
    scene.check()


def test_a_backfill_beside_a_daemon_that_has_not_looked_yet(scene: Scene) -> None:
    scene.log.write(20)
    scene.turn()
    new = scene.new_log("new.log")
    scene.follow(scene.logs_directory / "*.log")
    scene.reload()
    new.write(50)
    scene.backfill(new.path)
    new.write(5)
    scene.turn(2)
    scene.check(scene.log, new)


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("kind", ["read", "half read", "new"])
def test_rotated_plain_and_its_archive_both_there_after_a_stop(scene: Scene, kind: str, packed: str) -> None:
    log, archive = scene.log, scene.directory / "archive"
    archive.mkdir()
    scene.follow(LogSettings(str(log.path), archive_directories=(str(archive),)))
    log.write(20)
    scene.once()
    if kind == "half read":
        log.write(30)
    if kind == "new":
        log.rename()
        log.write(50)
    rotated = log.rename()
    (archive / f"audit.log-20261101.{packed}").write_bytes(PACKERS[packed](rotated.read_bytes()))
    log.write(7)
    scene.once()
    scene.check(files=[log.path, rotated, *archive.iterdir()])
    rotated.unlink()
    log.write(7)
    scene.once()
    scene.check(files=[log.path, *archive.iterdir()])


@pytest.mark.parametrize("before", [0, 20], ids=["never read", "read before"])
@pytest.mark.parametrize("how", ["once", "daemon"])
def test_a_start_between_copy_and_truncate(any_scene: Scene, before: int, how: str) -> None:
    scene, log = any_scene, any_scene.log
    log.path.touch()
    log.write(before)
    if before:
        scene.once()
    log.write(30)
    shutil.copyfile(log.path, log.sibling(".1"))
    scene.once() if how == "once" else scene.turn(2)
    os.truncate(log.path, 0)
    log.write(5)
    scene.once() if how == "once" else scene.turn(3)
    scene.check(gaps=None)


def test_a_start_while_the_copy_is_being_made(scene: Scene) -> None:
    log = scene.log
    log.write(40)
    whole = log.path.read_bytes()
    log.sibling(".1").write_bytes(whole[: len(whole) // 2])
    scene.turn(2)
    log.sibling(".1").write_bytes(whole)
    scene.turn(2)
    os.truncate(log.path, 0)
    log.write(5)
    scene.turn(3)
    scene.check()


def test_three_copies_of_a_new_generation_under_three_names(scene: Scene) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.rename()
    log.write(50)
    rotated = log.rename()
    shutil.copyfile(rotated, log.sibling("-20261101"))
    shutil.copyfile(rotated, log.sibling(".old"))
    log.sibling(".bak.gz").write_bytes(gzip.compress(rotated.read_bytes()))
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("order", ["shorter first", "longer first"])
def test_an_older_copy_and_the_whole_of_a_new_generation(scene: Scene, order: str) -> None:
    """A backup that was taken in the middle of the day, beside the day's log."""
    log = scene.log
    log.write(5)
    scene.once()
    log.rename()
    log.write(20)
    shorter, longer = (".9", ".1") if order == "shorter first" else (".1", ".9")
    shutil.copyfile(log.path, log.sibling(f".spare{shorter}"))
    log.write(30)
    log.path.rename(log.sibling(f".spare{longer}"))
    for number in (1, 9):
        log.sibling(f".spare.{number}").rename(log.sibling(f".{number + 1}"))
    log.write(5)
    scene.once()
    scene.check()


def test_two_copies_under_a_glob_one_of_which_goes_on(scene: Scene) -> None:
    log = scene.log
    log.write(50)
    shutil.copyfile(log.path, scene.logs_directory / "copy.log")
    scene.follow(scene.logs_directory / "*.log")
    scene.once()
    log.write(10)
    scene.once()
    scene.check()
    log.write(10)
    scene.turn(2)
    scene.check()


def test_two_copies_under_a_glob_that_go_on_in_different_ways(scene: Scene) -> None:
    """Equal as far as event lines agree; from there on each is its own."""
    log = scene.log
    log.write(50)
    shutil.copyfile(log.path, scene.logs_directory / "copy.log")
    copy = Log(scene.logs_directory / "copy.log", "copy")
    scene.follow(scene.logs_directory / "*.log")
    scene.once()
    for _ in range(2):
        log.write(10)
        copy.write(10)
        scene.once()
        scene.check(log, copy)
    log.rename()
    copy.rename()
    log.write(1)
    copy.write(1)
    scene.once()
    scene.check(log, copy)


def test_killed_amid_a_backfill_that_the_daemon_does(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    log = scene.log
    log.write(2000)
    scene.turn()
    log.write(2000)
    rotated = log.rename()
    log.write(10)
    daemon = scene.daemon
    original = daemon.pipeline.process

    def take(block: object) -> None:
        original(block)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(daemon.pipeline, "process", take)
    with pytest.raises(KeyboardInterrupt):
        scene.turn()
    scene.stop()
    assert scene.backfill(rotated)
    scene.once()
    scene.check()
