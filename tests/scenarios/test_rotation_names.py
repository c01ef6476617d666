"""Rotated names by any scheme: what is beside the log is found by its content."""

import pytest

from ingestor.settings import LogSettings
from tests.scenarios.logrotate import CONFIGURATIONS, Logrotate
from tests.scenarios.scene import Scene
from tests.world import gz

NAMES = {
    "month": "audit.log-202610",
    "week": "audit.log-2026W44",
    "day first": "audit.log.31-10-2026",
    "backup": "audit.log.backup",
    "dated backup": "audit.log-2026112922.backup",
    "before the extension": "audit-2026-10-31.log",
    "number before the extension": "audit.1.log",
    "log4j": "audit-1.log",
    "old": "audit.log.old",
    "old before": "old.audit.log",
    "tilde": "audit.log~",
    "orig": "audit.log.orig",
    "time": "audit.log.2026-10-31T23-59-59.999",
    "epoch": "audit.log.1793404799",
    "epoch in ms": "audit-1793404799000.log",
    "tai64n": "@4000000065c1e0f00bebc200.s",
    "letters": "audit.log.aa",
    "words": "audit.log (yesterday)",
    "another name": "yesterday.jsonl",
    "month's name": "audit.log.Oct-2026",
}


@pytest.mark.parametrize("name", NAMES)
def test_rotated_while_it_is_down(scene: Scene, name: str) -> None:
    """The remainder of the log that was read, then whole generations under the same scheme, then the live log."""
    log = scene.log
    log.write(5)
    scene.once()
    log.write(5)
    log.path.rename(scene.logs_directory / NAMES[name])
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("name", ["month", "week", "day first", "dated backup"])
def test_a_whole_generation_came_and_was_rotated_while_it_was_down(scene: Scene, name: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.path.rename(scene.logs_directory / "oldest")
    log.write(50)
    log.path.rename(scene.logs_directory / NAMES[name])
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("name", ["week", "day first", "backup", "words", "another name"])
def test_rotated_under_its_eyes_and_compressed(scene: Scene, name: str) -> None:
    log = scene.log
    for number in range(3):
        log.write(5)
        scene.turn(2)
        log.write(5)
        rotated = log.path.rename(scene.logs_directory / f"{number} {NAMES[name]}")
        log.write(2)
        scene.turn()
        gz(rotated)
        scene.turn(2)
    scene.check()


@pytest.mark.parametrize("configured", [True, False], ids=["archive_directories", "not told"])
@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
def test_olddir(scene: Scene, *, down: bool, configured: bool) -> None:
    log, old = scene.log, scene.logs_directory / "old"
    old.mkdir()
    scene.follow(LogSettings(str(log.path), archive_directories=(str(old),) if configured else ()))
    lost = []
    for number in range(3):
        log.write(10)
        scene.once() if down else scene.turn(2)
        log.write(10)
        # Of a directory that nobody has told of, what is moved there while nothing has the file open may be lost.
        lost += [] if configured or not down else log.written[-10:]
        log.path.rename(old / f"audit.log-{number}W40")
        log.write(3)
        lost += [] if configured or not down else log.written[-3:]
    scene.once() if down else scene.turn(2)
    scene.check(lost_at_most=lost)


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_logrotate(scene: Scene, name: str, *, down: bool) -> None:
    """Five rotations by each configuration of the battery that runs the real logrotate; the writer rests meanwhile."""
    log, logrotate = scene.log, Logrotate(scene.log.path, **CONFIGURATIONS[name])
    scene.follow(LogSettings(str(log.path), archive_directories=tuple(map(str, logrotate.archives))))
    log.write(20)
    scene.once() if down else scene.turn(2)
    removed: list[str] = []
    for _ in range(5):
        log.write(20)
        if not down:
            scene.turn(2)
        removed += logrotate.rotate()
        log.write(3)
        if not down:
            scene.turn(2)
    log.write(5)
    scene.once() if down else scene.turn(2)
    scene.check(lost_at_most=removed if down else ())


@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole generations", "a remainder"])
def test_an_archive_where_it_has_its_own_name(scene: Scene, *, whole: bool, packed: bool, down: bool) -> None:
    log, old = scene.log, scene.logs_directory / "old"
    old.mkdir()
    scene.follow(LogSettings(str(log.path), archive_directories=(str(old),)))
    log.write(10)
    scene.once() if down else scene.turn(2)
    if whole:
        log.path.rename(scene.logs_directory / "audit.log.1")
    for _ in range(2):
        log.write(10)
        log.path.rename(old / "audit.log")
        if packed:
            gz(old / "audit.log")
        log.write(5)
        scene.once() if down else scene.turn(2)
        for path in list(old.iterdir()):
            path.rename(scene.logs_directory / f"kept {len(log.written)} {path.name}")
    scene.check()


def test_a_linked_log_is_no_archive_of_itself(scene: Scene) -> None:
    data = scene.directory / "data"
    data.mkdir()
    scene.log.path.symlink_to(data / "audit.log")
    scene.follow(LogSettings(str(scene.log.path), archive_directories=(str(data),)))
    for _ in range(3):
        scene.log.write(10)
        scene.once()
    scene.turn(2)
    scene.check()
