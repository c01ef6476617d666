"""Files that were joined: what one of them held is known by its beginning, wherever in the other one that stands."""

import gzip
import os
import time
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log

HEADER = b"# audit log of the token endpoint, one JSON object a line\n"


def join(to: Path, *parts: Path) -> Path:
    data = b"".join(part.read_bytes() for part in parts)
    to.write_bytes(gzip.compress(data) if to.suffix == ".gz" else data)
    return to


def rotated_twice(scene: Scene, *, header: bytes = b"") -> list[Path]:
    log = scene.log
    for _ in range(3):
        if log.path.exists() and log.path.stat().st_size:
            log.rename()
        log.write(header)
        log.write(20)
        scene.turn(2, seconds=20.0)
    return [log.sibling(".2"), log.sibling(".1"), log.path]


@pytest.mark.long
@pytest.mark.parametrize("header", [0, 1], ids=["no header", "header"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside a daemon", "alone"])
@pytest.mark.parametrize("name", ["all.log", "all.log.gz"])
def test_all_are_joined_and_backfilled(any_scene: Scene, name: str, header: int, *, beside: bool) -> None:
    files = rotated_twice(any_scene, header=header * HEADER)
    if not beside:
        any_scene.end()
    elsewhere = any_scene.directory / "elsewhere"
    elsewhere.mkdir()
    joined = join(elsewhere / name, *files)
    assert any_scene.verify(joined)[0]["good"]
    assert any_scene.backfill(joined)[0]["new"] == 0
    assert any_scene.backfill(joined)[0]["new"] == 0
    any_scene.turn(2)
    any_scene.log.write(5)
    any_scene.turn(2)
    any_scene.check(files=[*files, joined], rejected=3 * header)


@pytest.mark.parametrize("name", ["all.log", "all.log.gz"])
def test_the_first_was_left_to_a_backfill(scene: Scene, name: str) -> None:
    log = scene.log
    log.write(20)
    log.rename()
    log.write(20)
    scene.turn(2)
    log.rename()
    log.write(20)
    scene.turn(2, seconds=20.0)
    files = [log.sibling(".2"), log.sibling(".1"), log.path]
    joined = join(scene.directory / name, *files)
    assert scene.backfill(joined)[0]["new"] == 20
    assert scene.backfill(joined)[0]["new"] == 0
    assert scene.backfill(files[0])[0]["new"] == 0
    scene.turn(2)
    scene.check(files=[*files, joined])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1)])
def test_in_any_order_and_more_behind(scene: Scene, order: tuple[int, ...]) -> None:
    files = rotated_twice(scene)
    more = scene.new_log("more.log")
    more.write(9)
    joined = join(scene.directory / "all.log", *(files[number] for number in order), more.path)
    assert scene.backfill(joined)[0]["new"] == 9
    scene.log.write(5)
    scene.turn(2, seconds=20.0)
    scene.check(scene.log, more, files=[*files, joined])


@pytest.mark.parametrize("number", [0, 1])
def test_a_part_is_older_than_the_log(scene: Scene, number: int) -> None:
    """The copy of the live log that was joined ends before the log does."""
    files = rotated_twice(scene)
    parts = [files[2], files[1]] if number else [files[1], files[2]]
    joined = join(scene.directory / "all.log", *parts)
    scene.log.write(10)
    scene.turn(2)
    assert scene.backfill(joined)[0]["new"] == 0
    scene.check(files=[*files, joined])


def append_and_truncate(scene: Scene, archive: Path) -> None:
    """Write to the log, and rotate it into an archive."""
    log = scene.log
    log.write(20)
    scene.turn(2)
    with archive.open("ab") as file:
        file.write(log.path.read_bytes())
    os.truncate(log.path, 0)
    scene.turn(3, seconds=20.0)


@pytest.mark.parametrize("place", ["beside", "archive.log"])
@pytest.mark.parametrize("each_time", [True, False], ids=["each time", "at the end"])
def test_an_archive_is_appended_to_at_each_rotation(scene: Scene, place: str, *, each_time: bool) -> None:
    log = scene.log
    archive = log.path.with_name("archive.log") if place == "archive.log" else log.sibling("-archive")
    for _ in range(4):
        append_and_truncate(scene, archive)
        if each_time:
            scene.backfill(archive)
    log.write(5)
    scene.turn(2, seconds=20.0)
    scene.backfill(archive)
    scene.check()


@pytest.mark.parametrize("other", ["a.log", "z.log"])
def test_what_was_unread_is_read_from_the_archive_also_beside_another_log(scene: Scene, other: str) -> None:
    """Whoever asks the archive first must remember whose it is, not that nobody knows it."""
    log, another = scene.log, scene.new_log(other)
    another.write(5)
    scene.follow(*sorted([log.path, another.path]))
    former = b""
    for number in range(3):
        log.write(20)
        scene.turn(2)
        log.write(10)
        if number < 2:
            scene.turn(2)  # what is lost of these is in no file until the archive is made
        former += log.path.read_bytes()
        if number == 2:
            log.path.with_name("old.log").write_bytes(former)
        os.truncate(log.path, 0)
        scene.turn(3, seconds=20.0)
    scene.check(log, another)


def test_an_archive_that_is_appended_to_beside_a_stop_makes_no_gap(scene: Scene) -> None:
    archive = scene.log.path.with_name("old.log")
    for _ in range(3):
        scene.log.write(20)
        scene.turn(2)
        scene.end()
        with archive.open("ab") as file:
            file.write(scene.log.path.read_bytes())
        os.truncate(scene.log.path, 0)
        scene.turn(3, seconds=20.0)
    scene.check()


def test_an_archive_that_a_glob_follows(scene: Scene) -> None:
    log = scene.log
    scene.follow(scene.logs_directory / "*.log")
    archive = log.path.with_name("archive.log")
    for number in range(4):
        append_and_truncate(scene, archive)
        if number == 2:
            scene.end()
    log.write(5)
    scene.turn(3, seconds=20.0)
    scene.check()


@pytest.mark.long
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize("unread", [0, 10])
@pytest.mark.parametrize("removed", [True, False], ids=["removed", "left"])
def test_a_rotation_is_undone(any_scene: Scene, unread: int, *, running: bool, removed: bool) -> None:
    log = any_scene.log
    log.write(20)
    any_scene.turn(2)
    rotated = log.rename()
    log.write(20)
    any_scene.turn(3, seconds=20.0)
    if not running:
        any_scene.end()
    log.write(unread)
    join(log.sibling(".tmp"), rotated, log.path).replace(log.path)
    if removed:
        rotated.unlink()
    if unread:
        any_scene.turn(2)
    log.write(10)
    any_scene.turn(3)
    any_scene.turn(3, seconds=20.0)
    any_scene.end()
    any_scene.turn(3, seconds=20.0)
    log.write(10)
    any_scene.turn(3, seconds=20.0)
    any_scene.check()


def test_the_source_has_another_name_since(scene: Scene) -> None:
    files = rotated_twice(scene)
    scene.end()
    scene.follow(LogSettings(str(scene.log.path), source="other"))
    scene.log.write(5)
    scene.turn(2)
    joined = join(scene.directory / "all.log", *files)
    assert scene.backfill(joined)[0]["new"] == 0
    scene.check(files=[*files, joined])


def test_headers_and_single_events_decide_nothing(scene: Scene) -> None:
    """A log goes on with lines with which another one begins: one event may be in both, and a header is in all."""
    log, other = scene.log, scene.new_log("other.log")
    scene.follow(log.path, other.path)
    dated = b'{"action":"log.opened","created_at":"2026-11-01T00:00:00Z","note":"as long as an event, and yet none"}\n'
    one = b'{"action":"token.introspected","created_at":"2026-11-01T00:00:05.123Z","details":{"client_id":"monitor"}}\n'
    other.path.write_bytes(dated + one + other.lines(5))
    log.write(5)
    scene.once()
    log.write(dated + one)
    log.write(5)
    scene.once()
    assert scene.status()["stored"] == 5 + 1 + 5 + 1 + 5
    assert scene.status()["ignored"] == 2


def test_equal_lines_of_one_log_are_as_many_events(scene: Scene) -> None:
    """What begins as the log itself does is no joined file, but the same event again."""
    line = b'{"action":"token.introspected","created_at":"2026-11-01T00:00:05Z","details":{"client_id":"monitor"}}\n'
    for _ in range(4):
        scene.log.write(line * 3)
        scene.once()
    assert scene.status()["stored"] == 12


def test_who_wants_it_twice_gets_it_twice(scene: Scene) -> None:
    files = rotated_twice(scene)
    joined = join(scene.directory / "all.log", *files)
    assert scene.backfill(joined, source="again")[0]["new"] == 60
    assert scene.backfill(joined, source="again")[0]["new"] == 0


def test_lines_of_joined_files_have_points_of_their_own(any_scene: Scene) -> None:
    """Two files that begin with one content, go on with others, and end with new lines of one tick."""
    first, second, third = rotated_twice(any_scene)
    any_scene.end()
    ends = []
    for name, part in (("x", second), ("y", third)):
        end = Log(any_scene.directory / f"end-{name}", name)
        end.path.write_bytes(b"".join(end.line(created_at="2026-11-01T09:00:00.000Z") for _ in range(3)))
        ends.append((end, join(any_scene.directory / f"all-{name}.log", first, part, end.path)))
    for _, joined in ends:
        assert any_scene.backfill(joined)[0]["new"] == 3
    any_scene.check(any_scene.log, *(end for end, _ in ends), files=[joined for _, joined in ends])


@pytest.mark.parametrize("copied", ["a part", "all"])
def test_that_a_file_was_joined_makes_no_gap_of_its_end(scene: Scene, copied: str) -> None:
    """It was read whole, and is deleted while nobody looks."""
    log = scene.log
    log.write(20)
    scene.turn(2)
    rotated = log.rename()
    log.write(20)
    scene.turn(3, seconds=20.0)
    scene.end()
    parts = [rotated, log.path] if copied == "all" else [log.path, rotated]
    scene.backfill(join(scene.directory / "all.log", *parts))
    rotated.unlink()
    log.write(5)
    scene.turn(3, seconds=20.0)
    scene.check()


@pytest.mark.slow
def test_many_joined_files_are_asked_in_little_time(scene: Scene) -> None:
    """What follows is looked for where one ends, not in each generation."""
    log = scene.log
    files = []
    for number in range(150):
        files.append(scene.logs_directory / f"day-{number:03}.log")
        files[-1].write_bytes(log.lines(40))
    scene.backfill(*files)
    joined = join(scene.directory / "all.log", *files)
    begin = time.monotonic()
    assert scene.backfill(joined)[0]["new"] == 0
    assert time.monotonic() - begin < 10
    scene.check(files=[joined])


@pytest.mark.parametrize("beside", [True, False], ids=["beside a daemon", "alone"])
def test_what_was_joined_before_grows_and_is_joined_again(scene: Scene, *, beside: bool) -> None:
    """The file then begins like the one that was joined before, and goes on where the log went on."""
    log = scene.log
    log.write(20)
    scene.turn(2)
    rotated = log.rename()
    log.write(10)
    scene.turn(3, seconds=20.0)
    for number in range(3):
        if not beside:
            scene.end()
        assert scene.backfill(join(scene.directory / f"all-{number}.log", rotated, log.path))[0]["new"] == 0
        log.write(10)
        scene.turn(2)
    join(log.sibling(".tmp"), rotated, log.path).replace(log.path)
    rotated.unlink()
    log.write(10)
    scene.turn(3, seconds=20.0)
    scene.check()
