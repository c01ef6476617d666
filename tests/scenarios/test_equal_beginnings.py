"""Equal beginnings are no equal content: a header, a banner, a blank line or a restart tells no two logs apart."""

import os
from pathlib import Path
from typing import TypedDict

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, gz

STARTED = b'{"action":"service.started"}\n'
HEADERS = {
    "a start": STARTED,
    "a dated start": b'{"created_at":"2026-11-01T00:00:00Z","action":"service.started","version":"1.0"}\n',
    "a blank line": b"\n",
    "text": b"# token audit log, version 1\n",
    "a long banner": b'{"action":"log.opened","banner":"' + b"x" * 6000 + b'"}\n',
    "many lines": STARTED * 300,
}
IGNORED = {"a start": 1, "a dated start": 1, "a long banner": 1, "many lines": 300}
REJECTED = {"text": 1}
some_header = pytest.mark.parametrize("header", HEADERS)


def logs_of(scene: Scene, header: str, count: int = 2) -> list[Log]:
    """Make live logs with one header and nothing else; each says another name in its lines."""
    logs = [scene.new_log(f"node{number}.log") for number in range(count)]
    for log in logs:
        log.write(HEADERS[header])
    return logs


class Lines(TypedDict):
    """What is not stored of some files."""

    ignored: int
    rejected: int


def lines_of(header: str, files: int) -> Lines:
    return Lines(ignored=files * IGNORED.get(header, 0), rejected=files * REJECTED.get(header, 0))


def as_told(scene: Scene) -> Lines:
    """Where it is open how often a header counts: nothing tells its files apart."""
    said = scene.status()
    return Lines(ignored=said["ignored"], rejected=said["rejected"])


@pytest.mark.parametrize("how", ["once", "daemon"])
@pytest.mark.parametrize("header", ["a start", "a dated start", "text", "a long banner"])
def test_two_live_logs_with_one_header_are_two_logs(scene: Scene, header: str, how: str) -> None:
    logs = logs_of(scene, header)
    scene.follow(scene.logs_directory / "*.log")
    for count in (0, 5, 7):
        for log in logs:
            log.write(count)
            scene.once() if how == "once" else scene.turn(2)
    scene.check(*logs, **lines_of(header, 2))


@some_header
def test_generations_with_one_header_and_equal_ticks(scene: Scene, header: str) -> None:
    """Each generation's lines are of the same milliseconds as those of the others: only content tells them apart."""
    log = scene.log
    generations = []
    for number in range(4):
        if number:
            log.rename()
        generations.append(Log(log.path, f"g{number}"))
        log.write(HEADERS[header])
        generations[-1].write(20)
        if number % 2 == 0:
            scene.once()
    scene.once()
    scene.check(*generations, **lines_of(header, 4))


@pytest.mark.parametrize("header", ["a start", "a blank line", "many lines"])
def test_generations_with_one_header_in_every_store(any_scene: Scene, header: str) -> None:
    log = any_scene.log
    generations = []
    for number in range(3):
        if number:
            log.rename()
        generations.append(Log(log.path, f"g{number}"))
        log.write(HEADERS[header])
        generations[-1].write(20)
        any_scene.once()
    any_scene.check(*generations, **lines_of(header, 3))


@some_header
def test_files_of_two_nodes_under_one_source(scene: Scene, header: str) -> None:
    logs = logs_of(scene, header)
    for log in logs:
        log.write(100)
    scene.follow()
    scene.backfill(*(log.path for log in logs), source="idp")
    scene.check(*logs, **lines_of(header, 2))


@pytest.mark.parametrize("header", ["a start", "a blank line", "text"])
@pytest.mark.parametrize("rotate", ["rename", "copy_truncate"])
def test_a_header_alone_was_read_when_the_log_was_rotated(scene: Scene, header: str, rotate: str) -> None:
    log = scene.log
    for _ in range(3):
        log.write(HEADERS[header])
        scene.turn(2)
        log.write(5)
        getattr(log, rotate)()
    log.write(HEADERS[header])
    log.write(2)
    scene.turn(3)
    scene.check(**(lines_of(header, 4) if rotate == "rename" else as_told(scene)))


@pytest.mark.parametrize("header", ["a start", "a blank line", "a long banner"])
def test_logs_that_have_nothing_but_a_header_yet_are_rotated_and_renamed(scene: Scene, header: str) -> None:
    logs = logs_of(scene, header, 3)
    scene.follow(*(LogSettings(str(log.path), source=log.path.stem) for log in logs))
    scene.once()
    for log in logs:
        log.rename()
        log.write(HEADERS[header])
    scene.once()
    for log in logs:
        log.write(5)
    scene.follow(scene.logs_directory / "*.log")
    scene.once()
    scene.check(*logs, **as_told(scene))


def test_generations_whose_first_events_are_of_one_second(scene: Scene) -> None:
    """Whole seconds, one header, one client: nothing but the ids differs."""
    log = scene.log
    generations = []
    for number in range(3):
        if number:
            gz(log.rename()) if number == 2 else log.rename()
        generations.append(Log(log.path, f"g{number}"))
        log.write(STARTED)
        log.write(b"".join(generations[-1].line(created_at="2026-11-01T09:30:00Z") for _ in range(50)))
        scene.once()
    scene.check(*generations, ignored=3)


def test_a_copy_is_a_copy_as_far_as_event_lines_agree(scene: Scene) -> None:
    """The other side: the header is equal, and so are events after it."""
    log = scene.log
    log.write(STARTED)
    log.write(30)
    copy = Log(scene.logs_directory / "copy.log", "copy")
    copy.write(log.path.read_bytes())
    copy.write(6)
    log.write(5)
    scene.follow(log.path, copy.path)
    scene.once()
    scene.check(log, copy, **as_told(scene))
    for _ in range(2):
        copy.write(3)
        log.write(4)
        scene.once()
    scene.check(log, copy, **as_told(scene))


def test_two_new_logs_that_begin_with_the_same_events_are_read_in_one_turn(scene: Scene) -> None:
    log, twin = scene.log, Log(scene.logs_directory / "twin.log", "twin")
    log.write(30)
    twin.write(log.path.read_bytes())
    log.write(500)
    twin.write(700)
    scene.follow(log.path, twin.path)
    scene.turn(2)
    scene.check(log, twin)


def test_a_new_log_s_first_event_alone_is_equal(scene: Scene) -> None:
    """A health check writes one and the same line into each new log, down to its time."""
    logs = [Log(scene.logs_directory / f"node{number}.log", f"n{number}") for number in range(3)]
    same = Log(scene.logs_directory / "same", "same")
    line = same.line()
    scene.follow(scene.logs_directory / "*.log")
    for log in logs:
        log.write(line)
    scene.once()
    for log in logs:
        log.write(10)
    scene.once()
    found = scene.stored()
    assert set(found) == {*same.written, *(event_id for log in logs for event_id in log.written)}
    scene.check(*logs, same, twice_at_most=same.written)


@pytest.mark.parametrize("header", ["a start", "a dated start", "a blank line"])
def test_truncated_and_begun_anew_with_the_same_header(scene: Scene, header: str) -> None:
    log = scene.log
    for count in (20, 10, 40):
        log.write(HEADERS[header])
        log.write(count)
        scene.turn(2)
        os.truncate(log.path, 0)
        scene.turn()
    log.write(HEADERS[header])
    log.write(1)
    scene.turn(2)
    scene.check(**lines_of(header, 4))


def test_two_logs_that_are_equal_to_the_last_byte_of_the_fingerprint(scene: Scene) -> None:
    """Long equal parts at both ends of what was read, and something else between them."""
    tail = b'{"action":"service.note","note":"' + b"y" * 5000 + b'"}\n'
    files: list[Path] = []
    logs = []
    for name in ("a", "b"):
        log = Log(scene.logs_directory / f"{name}.log", name)
        log.write(HEADERS["a long banner"])
        log.write(20)
        log.write(tail)
        logs.append(log)
        files.append(log.path)
    assert files[0].stat().st_size == files[1].stat().st_size
    scene.follow(*files)
    scene.once()
    scene.check(*logs, ignored=4)
    scene.follow()
    for log in logs:
        log.write(3)
    scene.backfill(*files)
    scene.check(*logs, ignored=4)


HEADER = b'{"action":"service.started"}\n'


@pytest.mark.parametrize("how", ["copied and truncated", "replaced"])
@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
def test_a_log_that_held_its_header_alone(scene: Scene, how: str, *, down: bool) -> None:
    """Nothing tells whether it is the same content, and nothing that was there is gone."""
    log = scene.log
    log.write(HEADER)
    scene.once() if down else scene.turn(2)
    spare = scene.logs_directory / "spare"
    spare.write_bytes(HEADER)
    if how == "replaced":
        log.write(HEADER, to=spare)
        spare.replace(log.path)
    else:
        spare.rename(log.sibling(".1"))
        log.path.write_bytes(b"")
        scene.once() if down else scene.turn(2)
        log.write(HEADER)
    log.write(10)
    scene.once() if down else scene.turn(2)
    scene.check(ignored=scene.status()["ignored"])


def test_a_log_that_held_its_header_alone_is_gone(scene: Scene) -> None:
    scene.log.write(HEADER)
    scene.once()
    scene.log.write(10)
    scene.log.path.unlink()
    scene.log.path.touch()
    scene.once()
    scene.check(lost_at_most=scene.log.written, gaps=1, ignored=1)
