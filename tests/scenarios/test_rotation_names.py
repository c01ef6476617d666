"""Rotated names by any scheme: what is beside the log is found by its content."""

import pytest

from ingestor.config.settings import LogSettings
from tests.support.logrotate import CONFIGURATIONS, Logrotate
from tests.support.rotated_names import BY_WORDS, REMAINDERS, SAYS_NOTHING
from tests.support.scene import Scene
from tests.support.world import gz


@pytest.mark.parametrize("name", REMAINDERS)
def test_rotated_while_it_is_down(scene: Scene, name: str) -> None:
    """The remainder of the log that was read, then whole generations under the same scheme, then the live log."""
    log = scene.log
    log.write(5)
    scene.once()
    log.write(5)
    log.path.rename(scene.logs_directory / REMAINDERS[name])
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("name", BY_WORDS)
def test_a_whole_generation_under_a_name_that_says_whose_it_is(scene: Scene, name: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.rename()
    log.write(50)
    log.path.rename(scene.logs_directory / name)
    log.write(5)
    scene.once()
    scene.check()


@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_a_whole_generation_under_a_name_that_says_nothing_is_told(scene: Scene, name: str, *, down: bool) -> None:
    """It may be another program's log: nobody guesses, and nobody is silent."""
    log, rotated = scene.log, scene.logs_directory / name
    log.write(5)
    scene.once()
    if not down:
        scene.turn(2)
    log.rename()
    log.write(50)
    log.path.rename(rotated)
    log.write(5)
    if down:
        scene.once()
        assert f"{rotated} came beside a followed log" in scene.said
        assert len(scene.status()["problems"]) == 1
    scene.turn(3)
    assert len([problem for problem in scene.status()["problems"] if str(rotated) in problem]) == 1
    scene.backfill(rotated)
    scene.turn(2)
    assert scene.status()["problems"] == []
    scene.check()


def test_another_program_writes_its_log_in_the_same_directory(scene: Scene) -> None:
    log, other, later = scene.log, scene.new_log("sso.jsonl"), scene.new_log("later.jsonl")
    log.write(5)
    other.write(5)
    scene.turn(2)
    other.write(5)
    later.write(5)
    log.rename()
    log.write(5)
    scene.turn(2)
    assert [problem for problem in scene.status()["problems"] if "sso" in problem] == [], "it was there before"
    later.write(5)
    scene.turn(2)
    assert scene.status()["problems"] == [], "it is written on, so it is nobody's past"
    for _ in range(2):
        scene.end()
        later.write(5)
        other.write(5)
        scene.once()
        if "sso" not in scene.said:
            break
    assert "later" not in scene.said, "it is known to be another's"
    scene.end()
    later.write(5)
    other.write(5)
    scene.once()
    assert "came beside" not in scene.said
    assert scene.status()["problems"] == []
    scene.check(log, files=[log.path, log.sibling(".1")])


def test_what_comes_and_holds_no_events_is_not_told(scene: Scene) -> None:
    scene.log.write(5)
    scene.turn(2)
    (scene.logs_directory / "notes").write_text("2026-11-01 somebody was here\n")
    (scene.logs_directory / "other.jsonl").write_text(
        '{"created_at":"2026-11-01T00:00:00Z","action":"session.started"}\n'
    )
    scene.log.rename()
    scene.log.write(5)
    scene.turn(3)
    assert scene.status()["problems"] == []
    scene.check(files=[scene.log.path])


def test_the_log_of_another_entry_is_no_stranger(scene: Scene) -> None:
    a, b = scene.log, scene.new_log("sso.jsonl")
    scene.follow(a.path, b.path)
    a.write(5)
    scene.once(code=1)
    for log in (a, b):
        log.write(5)
        log.rename()
    b.write(5)
    scene.once()
    assert "came beside" not in scene.said
    scene.check(a, b)


@pytest.mark.parametrize("name", ["month", "week", "day first", "dated backup"])
def test_a_whole_generation_came_and_was_rotated_while_it_was_down(scene: Scene, name: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.path.rename(scene.logs_directory / "oldest")
    log.write(50)
    log.path.rename(scene.logs_directory / REMAINDERS[name])
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
        rotated = log.path.rename(scene.logs_directory / f"{number} {REMAINDERS[name]}")
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
