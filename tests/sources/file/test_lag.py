"""The daemon's own lag, on which an alert rule looks: it ends when what was seen is stored, or is in no file any more."""

import os

import pytest

from ingestor.config.settings import ReadSettings
from tests.support.world import World, files_of, gz


@pytest.mark.parametrize("how", ["truncated", "deleted", "half a line", "left"])
def test_bytes_that_were_seen_and_are_gone_are_no_lag(world: World, how: str) -> None:
    world.log.write(5)
    world.turn(2)
    written = list(world.log.written)
    half = world.log.line()[:60]
    world.log.write(half if how == "half a line" else world.log.lines(10))
    daemon = world.daemon
    files_of(daemon).poll(world.now)
    assert daemon.figures().lag_since is not None, "it waits, while it waits"
    if how == "truncated":
        os.truncate(world.log.path, 0)
    elif how == "deleted":
        os.truncate(world.log.path, 0)
        world.log.path.unlink()
        world.log.path.touch()
    elif how == "left":
        world.log_settings = ()
        daemon.reload(world.settings)
    world.log.written = written
    world.turn(3)
    assert daemon.figures().lag_since is None


def waiting(world: World) -> float:
    """Have bytes wait that were seen and not read; return since when."""
    world.log.write(5)
    world.turn(2)
    world.log.write(10)
    world.file_source.poll(world.now)
    since = world.daemon.figures().lag_since
    assert since is not None
    return since


def test_bytes_that_are_in_no_file_for_a_moment_keep_their_age(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1, 1000))
    monkeypatch.setattr("ingestor.sources.file.lag.time.time", lambda: float(next(clock)))
    world.read = ReadSettings(rotated_quiet_seconds=0.0, missing_grace_seconds=60.0)
    world.log.write(5)
    world.turn(2)
    world.log.write(10)
    daemon = world.daemon
    files_of(daemon).poll(world.now)
    since = files_of(daemon).lag_since(
        accepted=daemon.pipeline.accepted_bytes, acknowledged=daemon.pipeline.accepted_bytes
    )
    assert since is not None
    copy = world.log.copy_truncate()
    hidden = copy.rename(world.directory / "elsewhere")
    world.turn(2)
    assert daemon.figures().lag_since == since
    hidden.rename(copy)
    world.turn(3)
    assert daemon.figures().lag_since is None
    world.check()


def test_a_compressed_remainder_keeps_its_age(world: World) -> None:
    since = waiting(world)
    daemon = world.daemon
    gz(world.log.copy_truncate())
    files_of(daemon).next_block(world.now)  # finds out; what it returns, if anything, is not taken
    assert daemon.figures().lag_since == since


def test_a_reload_while_bytes_wait_does_not_make_them_younger(world: World) -> None:
    since = waiting(world)
    daemon = world.daemon
    daemon.reload(world.settings)
    assert daemon.figures().lag_since == since


def test_a_log_that_is_truncated_during_an_outage_keeps_the_age_of_what_waits_in_its_copy(world: World) -> None:
    since = waiting(world)
    daemon = world.daemon
    world.log.copy_truncate()
    files_of(daemon)._turns._looked_at = float("-inf")  # as after a second in which the store had no room
    assert daemon.figures().unread_bytes == 0
    assert daemon.figures().lag_since == since
    world.turn(2)
    assert daemon.figures().lag_since is None
    world.check()
