"""Logs of which nothing but a header, or half a line, is there yet: replaced by a copy with more, or swapped, then written."""

import pytest

from ingestor.config.settings import ReadSettings
from tests.support.scene import Scene
from tests.support.world import Log

STARTED = b'{"action":"service.started"}\n'
DATED = b'{"created_at":"2026-11-01T00:00:00Z","action":"service.started","version":"1.0"}\n'
SLOW = ReadSettings(max_line_bytes=65_536)
"""A file that has not grown is closed after ten seconds, as it is by default."""
beginnings = pytest.mark.parametrize(
    ("header", "cut"), [(STARTED, 0), (b"\n", 0), (b"", 40), (STARTED, 3), (STARTED, -1), (DATED, 40)]
)
"""A header, and how much of an event behind it."""
looks = pytest.mark.parametrize("how", ["once", "turn", "restart", "no look"])


def begin(log: Log, header: bytes, cut: int) -> bytes:
    """Begin a log with a header and half an event; return the other half."""
    event = log.line() if cut else b""
    log.write(header + event[:cut])
    return event[cut:]


def look(scene: Scene, how: str) -> None:
    if how == "once":
        scene.once()
    elif how in {"turn", "restart"}:
        scene.turn(2)
    if how == "restart":
        scene.end()


def replace(log: Log, more: bytes, *, in_place: bool = False) -> None:
    """Have a copy with more be in its place, as ``rsync`` does, or ``rsync --inplace``."""
    data = log.path.read_bytes() + more
    if in_place:
        with log.path.open("r+b") as file:
            file.write(data)
        return
    hidden = log.path.with_name(f".{log.path.name}.Ab3xYz")
    hidden.write_bytes(data)
    hidden.replace(log.path)


def swap(one: Log, two: Log) -> None:
    spare = one.path.with_name("spare")
    one.path.rename(spare)
    two.path.rename(one.path)
    spare.rename(two.path)
    one.path, two.path = two.path, one.path


def finish(scene: Scene, *logs: Log) -> None:
    """Read all, with a restart in between. How often a header counts is open where nothing tells its files apart."""
    scene.turn(3)
    scene.turn(3, seconds=30.0)
    scene.end()
    for log in logs:
        log.write(2)
    scene.turn(3)
    scene.turn(3, seconds=30.0)
    scene.check(*logs, ignored=scene.status()["ignored"])


@pytest.mark.long
@beginnings
@looks
@pytest.mark.parametrize("in_place", [False, True], ids=["a new file", "in place"])
@pytest.mark.parametrize("before", ["once", "turn"])
def test_a_copy_with_more_is_put_in_its_place(
    scene: Scene, header: bytes, cut: int, how: str, in_place: bool, before: str
) -> None:
    log = scene.log
    rest = begin(log, header, cut)
    look(scene, before)
    look(scene, how)
    replace(log, rest + log.lines(5), in_place=in_place)
    look(scene, how)
    log.write(5)
    finish(scene, log)


@pytest.mark.parametrize(("header", "cut"), [(STARTED, 3), (b"\n", 192), (b"", 40)])
def test_a_copy_makes_the_half_line_whole_while_the_former_file_is_open(scene: Scene, header: bytes, cut: int) -> None:
    """It was deleted, and is quiet: its half line is no last line, since the file in its place goes on with it."""
    log = scene.log
    scene.read = SLOW
    log.write(header)
    log.write(1)
    scene.turn(2)
    event = log.line()
    log.write(event[:cut])
    scene.turn(2)
    replace(log, event[cut:] + log.lines(1))
    scene.turn(3)
    scene.turn(2, seconds=15.0)
    finish(scene, log)


@pytest.mark.parametrize("header", [STARTED, STARTED * 3, b"\n"])
@pytest.mark.parametrize("cut", [3, 192])
def test_what_was_replaced_held_half_an_event_that_nobody_had_read(scene: Scene, header: bytes, cut: int) -> None:
    log = scene.log
    scene.read = SLOW
    log.write(header)
    scene.turn(2)
    event = log.line()
    log.write(event[:cut])
    replace(log, event[cut:] + log.lines(2))
    scene.turn(2)
    finish(scene, log)


def test_a_header_and_half_a_line_are_no_content_of_another_log(scene: Scene) -> None:
    """Of the one a file was closed with half a line behind its header; the other begins alike, as far as that."""
    one, two = scene.new_log("one.log"), scene.new_log("two.log")
    scene.follow(one.path, two.path)
    for log in (one, two):
        log.write(STARTED)
    scene.turn(2)
    one.write(b'{"id": "')
    scene.turn(2)
    one.path.unlink()
    scene.turn(3, seconds=30.0)
    one.write(STARTED)
    for log in (one, two):
        log.write(5)
    scene.end()
    for log in (one, two):
        log.write(5)
    scene.turn(3)
    scene.check(one, two, ignored=scene.status()["ignored"], rejected=1)


@pytest.mark.long
@beginnings
@looks
@pytest.mark.parametrize("late", [False, True], ids=["one after the other", "both at once"])
def test_two_logs_are_swapped(scene: Scene, header: bytes, cut: int, how: str, late: bool) -> None:
    one, two = scene.new_log("one.log"), scene.new_log("two.log")
    scene.read = SLOW
    scene.follow(one.path, two.path)
    rests = [begin(log, header, cut) for log in (one, two)]
    look(scene, "turn")
    look(scene, how)
    swap(one, two)
    look(scene, how)
    for log, rest in zip((one, two), rests, strict=True):
        log.write(rest)
        log.write(5)
        if not late:
            look(scene, how)
    finish(scene, one, two)


@pytest.mark.parametrize("header", [DATED, b'{"created_at":"2026-11-01T00:00:00Z"}\n'])
def test_two_logs_with_one_dated_header_are_swapped_when_one_has_gone_on(scene: Scene, header: bytes) -> None:
    """Each goes on under the other's source, with the lines that follow the header: their events are of the same ticks."""
    one, two = scene.new_log("one.log"), scene.new_log("two.log")
    scene.follow(one.path, two.path)
    for log in (one, two):
        log.write(header)
    scene.turn(2)
    two.write(1)
    scene.turn(2)
    scene.stop()
    two.write(1)
    swap(one, two)
    one.write(1)
    scene.turn(3)
    one.write(1)
    two.write(1)
    scene.turn(3)
    scene.turn(3, seconds=30.0)
    said = scene.status()
    scene.check(one, two, ignored=said["ignored"], rejected=said["rejected"])
