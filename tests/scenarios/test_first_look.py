"""What lay rotated beside a log at the first look is left to a backfill; what is written to it afterwards is read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, gz, zst


def before(scene: Scene, name: str, lines: int) -> Log:
    """Make a file of lines from before the first start, which are not counted as written until a backfill."""
    log = Log(scene.logs_directory / name, f"before {name}")
    log.write(lines)
    return log


def late(scene: Scene, log: Log, lines: int) -> None:
    """Have the writer of the live log write to a file that was rotated."""
    scene.log.write(lines, to=log.path)


@pytest.mark.parametrize("start", ["beginning", "end"])
@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
def test_a_late_writer(scene: Scene, start: str, *, down: bool) -> None:
    old = before(scene, "audit.log.1", 10)
    scene.follow(LogSettings(str(scene.log.path), start=start))
    if start == "beginning":
        scene.log.write(5)
    else:
        scene.log.path.touch()
    scene.once() if down else scene.turn(2)
    for _ in range(3):
        late(scene, old, 4)
        scene.log.write(2)
        scene.once() if down else scene.turn(3, seconds=6.0)
    scene.end()
    assert scene.backfill(old.path)[0]["new"] == 10
    assert scene.backfill(old.path)[0]["new"] == 0
    scene.check(scene.log, old)


@pytest.mark.parametrize("pack", [gz, zst])
def test_a_late_writer_before_it_is_compressed(scene: Scene, pack: Callable[[Path], Path]) -> None:
    old, older = before(scene, "audit.log.1", 10), before(scene, "audit.log.2", 10)
    scene.log.write(5)
    scene.once()
    late(scene, old, 4)
    pack(old.path)
    pack(older.path)
    scene.once()
    scene.once()
    scene.check(files=[scene.log.path])


def test_a_late_writer_in_the_middle_of_a_line(scene: Scene) -> None:
    old = before(scene, "audit.log.1", 10)
    line = scene.log.line()
    old.write(line[:50])
    scene.log.write(5)
    scene.once()
    old.write(line[50:])
    scene.once()
    scene.check(files=[scene.log.path])


def test_a_late_writer_into_one_that_is_rotated_on(scene: Scene) -> None:
    old = before(scene, "audit.log.1", 10)
    scene.log.write(5)
    scene.turn(2)
    scene.log.rename()
    old.path = scene.log.sibling(".2")
    scene.log.write(5)
    scene.turn(2, seconds=6.0)
    late(scene, old, 4)
    scene.turn(3, seconds=6.0)
    scene.check(files=[scene.log.path, scene.log.sibling(".1")])


def test_one_that_is_decompressed_is_still_left(scene: Scene) -> None:
    old = before(scene, "audit.log.1", 100)
    content = old.path.read_bytes()
    gz(old.path)
    scene.log.write(5)
    scene.once()
    old.path.write_bytes(content)
    old.sibling(".gz").unlink()
    scene.once()
    scene.turn(3)
    scene.check(files=[scene.log.path])


def test_an_empty_one(scene: Scene) -> None:
    old = before(scene, "audit.log.1", 0)
    scene.log.write(5)
    scene.turn(2)
    late(scene, old, 4)
    scene.turn(3, seconds=6.0)
    scene.check()


def test_many_that_lay_there(scene: Scene) -> None:
    scene.read = replace(scene.read, rotated_quiet_seconds=5.0)
    files = [before(scene, f"audit.log.{number}", 3) for number in range(1, 21)]
    scene.log.write(5)
    scene.turn(2)
    for old in files:
        late(scene, old, 2)
    scene.turn(6, seconds=6.0)
    scene.check(files=[scene.log.path])
