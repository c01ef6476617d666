"""Generations of which nothing was read: they are given up when their file is another one's, and never count as unread."""

import sqlite3
import time
from collections.abc import Callable

import pytest

from ingestor.config.settings import LogSettings
from ingestor.jobs.status import StatusReport, status
from ingestor.model.generation import Status
from tests.support.world import World


def report(world: World) -> StatusReport:
    """Return the status an hour later."""
    return world.ask(lambda state: status(state, time.time() + 3600))


def assert_nothing_waits(world: World) -> None:
    """Neither the daemon nor the status, while it runs or afterwards, tells of anything unread; all is stored once."""
    assert (world.daemon.figures().lag_since, world.daemon.figures().unread_bytes) == (None, 0)
    assert report(world).lag_seconds == 0
    world.check()
    world.stop()
    found = report(world)
    assert (found.lag_seconds, sum(entry.unread_bytes or 0 for entry in found.logs)) == (0, 0)


def after_the_look(world: World, action: Callable[[], object]) -> None:
    """Have something happen between a look at the logs and the reading that follows."""
    file_source = world.file_source
    original = file_source.poll

    def poll(now: float) -> None:
        original(now)
        file_source.poll = original  # type: ignore[method-assign]
        action()

    file_source.poll = poll  # type: ignore[method-assign]


def open_ones(world: World) -> list[tuple[int, int]]:
    """Return number and offset of the open generations in the state."""
    generations = world.ask(lambda state: state.generations())
    return [(entry.number, entry.position.offset) for entry in generations if entry.status is Status.OPEN]


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed"])
def test_truncated_after_the_look_and_before_anything_was_read(world: World, *, killed: bool) -> None:
    """The kill run of seed 1795693430: the file was seen with its bytes, and was empty when it was to be read."""
    world.log.path.touch()
    world.turn()
    world.log.write(20)
    after_the_look(world, world.log.copy_truncate)
    world.turn()
    if killed:
        world.stop()
    world.log.write(5)
    world.turn(2)
    assert len(open_ones(world)) <= 2  # the live one, and the newest rotated one
    assert all(offset for _, offset in open_ones(world))
    assert_nothing_waits(world)


def test_a_copy_of_what_was_not_read_is_read_at_once(world: World) -> None:
    world.log.path.touch()
    world.turn()
    world.log.write(20)
    after_the_look(world, world.log.copy_truncate)
    world.turn(2)
    world.check()


def test_truncated_and_written_again_while_older_files_are_read(world: World) -> None:
    """The look after the one that saw it whole sees that it is shorter, though reading has not come to it yet."""
    world.log.path.touch()
    world.turn()
    world.log.write(20)
    file_source = world.file_source
    file_source.poll(world.now + 1)
    world.log.copy_truncate()
    world.log.write(3)
    file_source.poll(world.now + 2)
    world.now += 2
    world.log.write(40)  # more than there was
    world.turn(2)
    assert_nothing_waits(world)


@pytest.mark.parametrize("then", ["goes on", "rename", "copy_truncate"])
def test_killed_while_half_of_the_first_line_was_there(world: World, then: str) -> None:
    world.log.path.touch()
    world.turn()
    line = world.log.line()
    world.log.write(line[:50])
    world.turn(2)
    world.stop()
    world.log.write(line[50:] + world.log.lines(3))
    if then != "goes on":
        getattr(world.log, then)()
        world.log.write(2)
    world.turn(3)
    assert all(offset for _, offset in open_ones(world))
    assert_nothing_waits(world)
    assert world.gaps() == []


@pytest.mark.parametrize("later", ["live", "rotated"])
def test_a_state_that_holds_a_stale_generation_is_right_after_a_start(world: World, later: str) -> None:
    world.log.write(20)
    world.turn(2)
    if later == "rotated":  # as in the kill run: the file with that inode is read to its end and closed
        for _ in range(2):
            world.log.rename()
            world.log.write(5)
            world.turn(2)
    world.stop()
    with sqlite3.connect(world.state_directory / "tokentail.db") as connection:
        connection.executescript(
            """UPDATE generations SET number = number + 1000;
            INSERT INTO generations(number, source, path, device, inode, offset, head_length, head_digest, tail_length,
            tail_digest, ordinal, size_seen, status, segments, skipped_from, skipped_to, rules)
            SELECT 1, source, path, device, inode, 0, 0, '', 0, '', 0, 1494880, 'open', '[]', 0, 0, ''
            FROM generations ORDER BY number LIMIT 1"""
        )
    assert open_ones(world)[0] == (1, 0)
    assert report(world).lag_seconds == 0, "the file is the later one's also before the next start"
    world.turn()
    assert all(offset for _, offset in open_ones(world))
    assert_nothing_waits(world)


def test_a_log_that_is_followed_under_another_name_is_not_unread_under_the_former(world: World) -> None:
    world.log.write(5)
    world.turn(2)
    world.stop()
    world.log_settings = (LogSettings(str(world.log.path), source="web"),)
    world.log.write(3)
    world.turn(2)
    assert_nothing_waits(world)
