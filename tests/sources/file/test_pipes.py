"""What of a segment is read: told by its content, since an inode comes back, and a file may be known and never read."""

from pathlib import Path

from ingestor.model.generation import Status
from ingestor.sources.file.pipes import unread_of
from tests.support.world import World


def unread(world: World, path: Path) -> int:
    return unread_of(path, world.daemon.pipeline.generations)


def test_read_half_read_and_not_read(world: World) -> None:
    world.log.write(50)
    world.turn()
    segment = world.directory / "segment.log"
    data = world.log.path.read_bytes()
    segment.write_bytes(data)
    assert unread(world, world.log.path) == unread(world, segment) == 0
    more = world.log.lines(3)
    segment.write_bytes(data + more)
    assert unread(world, segment) == len(more)
    segment.write_bytes(data[:-100])
    assert 0 < unread(world, segment) < len(data) / 50
    segment.write_bytes(data[: data.index(b"\n", 5000) + 1])
    assert unread(world, segment) == 0
    segment.write_bytes(more)
    assert unread(world, segment) == len(more)


def test_an_inode_that_comes_back_says_nothing(world: World) -> None:
    world.log.write(50)
    world.turn()
    other = world.new_log("other.log").lines(20)
    with world.log.path.open("r+b") as file:
        file.truncate()
        file.write(other)
    assert unread(world, world.log.path) == len(other)


def test_what_was_skipped_was_not_read(world: World) -> None:
    world.log.write(50)
    world.turn()
    for generation in world.daemon.pipeline.generations:
        generation.status = Status.SKIPPED
    assert unread(world, world.log.path) == world.log.path.stat().st_size
