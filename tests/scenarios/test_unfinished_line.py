"""``run --once`` and a last line without its end: it is taken, or it is said that bytes are left unread."""

import re

import pytest

from tests.support.scene import Scene


def told_or_taken(scene: Scene, *, read: int) -> None:
    """Either nothing is left, or it is said, and ``--strict`` ends with 1."""
    strict = scene.tokentail("run", "--once", "--strict", code=None)
    if len(scene.stored()) == read:
        return
    assert strict.exit_code == 1
    assert re.search(r"\d+ bytes|bytes.*unread|unread.*bytes", scene.said), scene.said


def test_a_whole_event_without_its_end(scene: Scene) -> None:
    scene.log.write(5)
    scene.log.write(scene.log.line().rstrip(b"\n"))
    told_or_taken(scene, read=6)
    scene.once()
    told_or_taken(scene, read=6)
    scene.log.write(b"\n")
    scene.log.write(5)
    scene.once()
    scene.check()


def test_it_is_the_only_line(scene: Scene) -> None:
    scene.log.write(scene.log.line().rstrip(b"\n"))
    told_or_taken(scene, read=1)
    scene.log.write(b"\n")
    scene.once()
    scene.check()


@pytest.mark.parametrize("cut", [1, 40, 150])
def test_half_a_line(scene: Scene, cut: int) -> None:
    """What would become a broken line must not be taken for one while it may still be finished."""
    scene.log.write(5)
    line = scene.log.line()
    scene.log.write(line[:cut])
    scene.tokentail("run", "--once", "--strict", code=1)
    assert "bytes" in scene.said or "rejected" in scene.said
    scene.log.write(line[cut:])
    scene.log.write(5)
    scene.once()
    scene.check()


def test_a_daemon_goes_on_with_what_once_has_taken(scene: Scene) -> None:
    scene.log.write(5)
    scene.log.write(scene.log.line().rstrip(b"\n"))
    scene.once(code=None)
    scene.turn(2)
    scene.log.write(b"\n")
    scene.turn(2)
    scene.log.write(scene.log.line().rstrip(b"\n"))
    scene.turn(2)
    scene.end()
    scene.once(code=None)
    scene.log.write(b"\n")
    scene.log.write(2)
    scene.once()
    scene.check()


def test_it_was_taken_and_the_log_is_rotated(scene: Scene) -> None:
    scene.log.write(5)
    scene.log.write(scene.log.line().rstrip(b"\n"))
    scene.once(code=None)
    scene.log.rename()
    scene.log.write(5)
    scene.once()
    scene.check()


def test_a_log_that_ends_well_is_no_reason_to_complain(scene: Scene) -> None:
    scene.log.write(5)
    scene.once("--strict")
    assert not re.search(r"unread|left", scene.said)
    scene.check()


def test_a_backfill_takes_the_last_line(scene: Scene) -> None:
    old = scene.new_log("old.jsonl")
    old.write(5)
    old.write(old.line().rstrip(b"\n"))
    assert scene.backfill(old.path)[0]["lines"] == 6
    assert scene.backfill(old.path)[0]["new"] == 0
    scene.check(old)
