"""The directory of a log is moved while the daemon is down."""

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log


def moved(scene: Scene, *logs: Log) -> None:
    """Move the directory of all logs, and name them there."""
    directory = scene.logs_directory.with_name("moved")
    scene.logs_directory.rename(directory)
    scene.logs_directory = directory
    for log in logs:
        log.path = directory / log.path.name
    scene.follow(*(log.path for log in logs))


@pytest.mark.parametrize("remainder", ["lost", "there"])
def test_what_came_and_was_rotated_meanwhile_is_read(scene: Scene, remainder: str) -> None:
    """Also when nothing that is known is left, which would tell that it is the same log."""
    log = scene.log
    log.write(10)
    scene.once()
    log.write(5)
    if remainder == "lost":
        log.path.unlink()
    else:
        log.path.rename(log.sibling(".2"))
    log.write(10)
    log.path.rename(log.sibling(".1"))
    log.write(10)
    moved(scene, log)
    scene.once()
    lost = log.written[10:15] if remainder == "lost" else ()
    scene.check(lost_at_most=lost, gaps=1 if lost else 0)


def test_another_log_that_is_named_later_leaves_what_lay_rotated_beside_it(scene: Scene) -> None:
    """The first one was removed, and all of it was read or told long ago."""
    log, other = scene.log, Log(scene.directory / "other" / "token.log", "other")
    log.write(10)
    scene.once()
    log.path.unlink()
    scene.once(code=None)
    other.path.parent.mkdir()
    Log(other.sibling(".1"), "before").write(5)
    other.write(5)
    scene.follow(other.path)
    scene.once()
    scene.check(log, other, gaps=None, files=[other.path])


@pytest.mark.parametrize("source", ["", "idp"])
def test_former_days_of_a_glob_are_no_sign_of_a_move(scene: Scene, source: str) -> None:
    days = [scene.new_log(f"audit-2026-11-0{day}.log") for day in (1, 2)]
    pattern = LogSettings(str(scene.logs_directory / "audit-*.log"), source=source)
    scene.follow(pattern)
    for log in days:
        log.write(5)
        scene.once()
    days[0].path.unlink()
    other = Log(scene.directory / "other" / "token.log", "other")
    other.path.parent.mkdir()
    Log(other.sibling(".1"), "before").write(5)
    other.write(5)
    scene.follow(pattern, other.path)
    scene.once()
    scene.check(*days, other, gaps=None, files=[days[1].path, other.path])
