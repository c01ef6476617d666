"""A glob finds what is there: a log that is not there now, rotated without a new one or removed, is followed all the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import gz


def kept(path: Path) -> Path:
    return path


@pytest.fixture(params=["", "idp"], ids=["by path", "by source"])
def globbed(request: pytest.FixtureRequest, scene: Scene) -> Scene:
    scene.follow(LogSettings(str(scene.logs_directory / "*.log"), source=request.param))
    return scene


@pytest.mark.parametrize("pack", [kept, gz])
@pytest.mark.parametrize("alone", [True, False])
def test_a_remainder(globbed: Scene, pack: Callable[[Path], Path], *, alone: bool) -> None:
    log, other = globbed.log, globbed.new_log("other.log")
    if not alone:
        other.write(5)
    log.write(10)
    globbed.once()
    log.write(10)
    pack(log.rename(create=False))
    globbed.once()
    globbed.check(*([log] if alone else [log, other]))


@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("pack", [kept, gz])
@pytest.mark.parametrize("alone", [True, False])
def test_whole_generations(globbed: Scene, pack: Callable[[Path], Path], *, alone: bool, down: bool) -> None:
    log, other = globbed.log, globbed.new_log("other.log")
    if not alone:
        other.write(5)
    log.write(10)
    globbed.once()
    for _ in range(3):
        log.write(10)
        pack(log.rename(create=False))
        globbed.once() if down else globbed.turn(3)
    log.write(3)
    globbed.once()
    globbed.check(*([log] if alone else [log, other]))


def test_it_is_read_to_its_end_and_compressed_before_the_next_one_comes(globbed: Scene) -> None:
    """Nothing of it is open any more: what tells of the next generation is its name."""
    log = globbed.log
    log.write(10)
    globbed.once()
    gz(log.rename(create=False))
    globbed.turn(3)
    log.write(10)
    log.rename(create=False)
    globbed.turn(3)
    globbed.end()
    gz(log.sibling(".1"))
    globbed.once()
    log.write(10)
    gz(log.rename(create=False))
    globbed.once()
    globbed.check()


def test_in_an_archive(scene: Scene) -> None:
    log, old = scene.log, scene.directory / "old"
    old.mkdir()
    scene.follow(LogSettings(str(scene.logs_directory / "*.log"), archive_directories=(str(old),)))
    for number in range(3):
        log.write(10)
        scene.once()
        log.write(10)
        log.path.rename(old / f"audit.log.{3 - number}")
        scene.once()
    log.write(10)
    log.path.rename(old / "audit.log.0")
    scene.once()
    scene.check(files=sorted(old.iterdir()))


def test_one_that_is_gone_with_what_was_unread_is_a_gap(globbed: Scene) -> None:
    log, other = globbed.log, globbed.new_log("other.log")
    other.write(5)
    log.write(10)
    globbed.once()
    log.write(10)
    log.path.unlink()
    globbed.once()
    globbed.check(log, other, lost_at_most=log.written[10:], gaps=1)


def test_former_days_that_are_read_and_gone_are_not_looked_after(scene: Scene) -> None:
    scene.follow(scene.logs_directory / "*.log")
    days = [scene.new_log(f"audit-2026-11-{day:02}.log") for day in range(1, 9)]
    for log in days:
        log.write(2)
        scene.turn(2)
    for log in days[:-1]:
        gz(log.path)
    scene.turn(3)
    scene.end()
    for log in days[:-1]:
        log.sibling(".gz").unlink()
    scene.turn(2)
    assert [followed.path for followed in scene.file_source.logs] == [str(days[-1].path)]
    scene.check(*days)


def test_a_reload_keeps_what_is_held_open(globbed: Scene) -> None:
    globbed.read = replace(globbed.read, rotated_quiet_seconds=10.0)
    log = globbed.log
    log.write(10)
    globbed.turn(2)
    with log.path.open("ab", buffering=0) as writer:
        log.path.unlink()
        globbed.turn()
        writer.write(log.lines(10))
        globbed.reload()
        globbed.turn(15)
    globbed.check()
