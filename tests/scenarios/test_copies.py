"""Copies beside logs that are written on, and one file under two names: what they hold is one content."""

import shutil

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, head


def test_a_busy_log_is_copied_between_a_look_and_the_next(scene: Scene) -> None:
    """A copy holds what the log has got since it was read last: that is no other way of the content."""
    log = scene.log
    copies = []
    for number in range(4):
        log.write(20)
        scene.turn()
        log.write(5)
        copies.append(log.sibling(f".copy-{number}"))
        shutil.copyfile(log.path, copies[-1])
        log.write(3)
        scene.turn(2)
    scene.turn(2, seconds=20.0)
    scene.check(files=[log.path, *copies])


@pytest.mark.parametrize("how", ["rename", "copytruncate"])
@pytest.mark.parametrize("name", ["before-upgrade.log", "audit.log.save"])
def test_a_copy_beside_it_hides_no_rotated_file(scene: Scene, name: str, how: str) -> None:
    log = scene.log
    log.write(20)
    scene.turn(2)
    shutil.copyfile(log.path, scene.logs_directory / name)
    scene.end()
    log.write(20)
    if how == "rename":
        log.rename()
    else:
        log.copy_truncate()
    log.write(5)
    scene.turn(3, seconds=20.0)
    scene.check(files=[log.path, log.sibling(".1")])


def test_a_followed_file_gets_another_followed_name_and_is_written_on(scene: Scene) -> None:
    a, z = scene.new_log("a.log"), scene.logs_directory / "z.log"
    scene.follow(scene.logs_directory / "*.log")
    a.write(20)
    scene.turn(2)
    a.path.rename(z)
    with z.open("ab") as file:
        file.write(a.lines(10))
    scene.turn(3)
    scene.turn(2, seconds=30.0)
    with z.open("ab") as file:
        file.write(a.lines(10))
    scene.turn(3, seconds=30.0)
    scene.check(a, files=[z])


def test_two_followed_logs_are_swapped_and_written_on(scene: Scene) -> None:
    one, two = scene.new_log("one.log"), scene.new_log("two.log")
    scene.follow(one.path, two.path)
    for log in (one, two):
        log.write(20)
    scene.turn(2)
    spare = scene.logs_directory / "spare"
    one.path.rename(spare)
    two.path.rename(one.path)
    spare.rename(two.path)
    one.path, two.path = two.path, one.path
    for _ in range(3):
        for log in (one, two):
            log.write(10)
        scene.turn(2, seconds=20.0)
    scene.check(one, two, files=[one.path, two.path])


@pytest.mark.parametrize("new", [0, 20], ids=["nothing new", "new lines"])
def test_a_source_is_renamed_and_the_log_goes_back(scene: Scene, new: int) -> None:
    log = scene.log
    scene.follow(LogSettings(str(log.path), source="a"))
    log.write(20)
    scene.once()
    scene.follow(LogSettings(str(log.path), source="b"))
    log.write(new)
    scene.once()
    log.path.write_bytes(head(log.path, 12 + new // 2))
    scene.once()
    scene.once()
    scene.check(gaps=None, files=[log.path])


def test_a_log_is_edited_while_a_part_of_it_is_unread(scene: Scene) -> None:
    """``sed -i`` makes another file: what the former one still holds is read from it first."""
    log = scene.log
    log.write(30)
    scene.turn(2)
    log.write(30)
    lines = log.path.read_bytes().splitlines(keepends=True)
    edited = log.sibling(".new")
    edited.write_bytes(b"".join(line for number, line in enumerate(lines) if number != 29))
    edited.replace(log.path)
    log.write(10)
    scene.turn(3)
    scene.turn(2, seconds=30.0)
    scene.check(gaps=None, files=[])


def test_a_file_is_replaced_by_itself_and_more_before_the_next_look(scene: Scene) -> None:
    """Equal ticks: both files begin alike, and one H for both would have their events overwrite each other."""
    log = scene.log
    times = {"created_at": "2026-11-01T09:00:00.000Z"}
    log.path.touch()
    scene.turn(2)
    log.write(b"".join(log.line(**times) for _ in range(3)))
    bigger = log.sibling(".new")
    bigger.write_bytes(log.path.read_bytes() + b"".join(log.line(**times) for _ in range(5)))
    bigger.replace(log.path)
    scene.turn(3)
    scene.turn(2, seconds=30.0)
    scene.check(files=[log.path])


@pytest.mark.parametrize("new", [0, 5])
def test_what_was_passed_over_is_backfilled_under_a_new_name(scene: Scene, new: int) -> None:
    log = scene.log

    def follow(source: str) -> None:
        scene.follow(LogSettings(str(log.path), source=source, start="end"))

    follow("a")
    log.write(10)
    scene.once()
    log.write(new)
    scene.once()
    follow("b")
    log.write(5)
    scene.once()
    (answer,) = scene.backfill(log.path)
    assert answer["new"] == 10
    (answer,) = scene.backfill(log.path)
    assert answer["new"] == 0
    scene.check(files=[log.path])


def _without_first_user(log: Log) -> bytes:
    lines = log.path.read_bytes().splitlines(keepends=True)
    return b"".join(line for number, line in enumerate(lines) if number % 2)


def _first_changed(log: Log) -> bytes:
    return log.path.read_bytes().replace(b'"action"', b'"note":"x","action"', 1)


def _another_in_front(log: Log) -> bytes:
    return b'{"action":"log.checked","created_at":"2026-11-02T00:00:00Z"}\n' + log.path.read_bytes()


def _last_lines(log: Log) -> bytes:
    return b"".join(log.path.read_bytes().splitlines(keepends=True)[20:])


@pytest.mark.parametrize(
    ("edit", "again", "ignored"),
    [(_without_first_user, 0, 0), (_first_changed, 1, 0), (_another_in_front, 0, 1), (_last_lines, 0, 0)],
)
@pytest.mark.parametrize("also", ["nothing", "rotated", "source renamed", "directory moved"])
def test_first_lines_are_deleted_or_changed(scene: Scene, edit: object, again: int, ignored: int, also: str) -> None:
    assert callable(edit)
    log = scene.log
    scene.follow(LogSettings(str(log.path), source="a"))
    log.write(40)
    scene.once()
    log.path.write_bytes(edit(log))
    if also == "rotated":
        log.rename()
        log.write(5)
    elif also == "source renamed":
        scene.follow(LogSettings(str(log.path), source="b"))
    elif also == "directory moved":
        moved = scene.logs_directory.with_name("moved")
        scene.logs_directory.rename(moved)
        log.path = moved / log.path.name
        scene.follow(log.path)
    scene.once()
    scene.once()
    scene.check(twice_at_most=log.written[:again], gaps=None, ignored=ignored, files=[])
