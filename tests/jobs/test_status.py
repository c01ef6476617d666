"""A daemon that cannot write its store, or cannot read its log, says so while it cannot."""

import os
import time
from pathlib import Path

import pytest

from ingestor.config.settings import ReadSettings, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.jobs.status import StatusReport, status
from ingestor.sources.file import lag
from ingestor.state.health import SIZE, VITALS, Health, VitalsFile, read_vitals
from ingestor.state.state import State
from tests.support.world import World, files_of, gz


def report(world: World, *, later: float = 0.0) -> StatusReport:
    return world.ask(lambda state: status(state, time.time() + later))


def test_all_is_well_at_the_end_of_the_file(world: World) -> None:
    world.log.write(10)
    world.turn(2)
    found = report(world, later=30.0)
    assert (found.running, found.lag_seconds, found.problems) == (True, 0.0, ())


def test_a_store_that_cannot_be_written_shows_as_lag_and_as_a_problem(world: World) -> None:
    world.log.write(10)
    world.turn(2)
    connection = world.daemon.pipeline.state.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    world.log.write(3000)
    world.turn(3, seconds=100.0)
    found = report(world, later=50.0)
    assert 50.0 <= found.lag_seconds < 60.0
    (problem,) = found.problems
    assert "cannot be written" in problem
    assert "full" in problem
    # Bytes that come while it waits do not make the oldest one younger.
    world.log.write(10)
    world.turn(seconds=0.0)
    assert report(world, later=50.0).lag_seconds >= 50.0
    connection.execute("PRAGMA max_page_count = 1000000")
    world.turn(3, seconds=100.0)
    assert report(world).problems == ()
    assert report(world, later=50.0).lag_seconds == 0.0
    world.check()


def test_a_log_that_is_absent_is_a_problem(world: World) -> None:
    world.turn()
    assert [problem.split(";")[0] for problem in report(world).problems] == [f"{world.log.path} does not exist"]
    world.log.write(1)
    world.turn(2)
    assert report(world).problems == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_log_that_may_not_be_read_is_a_problem_and_its_bytes_are_lag(world: World) -> None:
    """Root reads everything, so a child that is nobody looks."""
    world.log.write(5)
    world.log.path.chmod(0)
    world.state_directory.mkdir(mode=0o777)
    world.state_directory.chmod(0o777)
    for directory in (world.directory, *list(world.directory.parents)[:-2]):
        directory.chmod(directory.stat().st_mode | 0o055)
    child = os.fork()
    if not child:
        code = 1
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            world.turn(3)
            (problem,) = report(world).problems
            found = report(world, later=50.0)
            code = 0 if "cannot be read" in problem and found.lag_seconds >= 50.0 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_silent_daemon_is_told_from_one_that_is_well(world: World) -> None:
    world.log.write(1)
    world.turn()
    (problem,) = report(world, later=90.0).problems
    assert "said nothing for 90 s" in problem


def test_what_was_written_after_the_daemon_ended_is_lag_since_its_last_look(world: World) -> None:
    world.log.write(1)
    world.turn()
    world.stop()
    assert report(world, later=50.0).lag_seconds == 0.0
    world.log.write(1)
    assert 50.0 <= report(world, later=50.0).lag_seconds < 60.0
    assert report(world).problems == ()


def test_what_waits_in_a_renamed_file_is_unread(world: World) -> None:
    world.log.write(1)
    world.once()
    world.log.write(5)
    rotated = world.log.rename(create=False)
    waiting = rotated.stat().st_size * 5 // 6
    assert report(world).logs[0].unread_bytes == pytest.approx(waiting, abs=9)
    world.once()
    assert report(world).logs[0].unread_bytes == 0
    rotated.unlink()
    assert report(world).logs[0].unread_bytes is None


def test_what_waits_in_a_renamed_file_counts_beside_the_new_one(world: World) -> None:
    world.read = ReadSettings(rotated_quiet_seconds=60.0)
    world.log.write(1)
    world.turn(2)
    rotated = world.log.rename()
    world.log.write(1)
    world.turn(2)
    world.stop()
    world.log.write(b"x" * 99 + b"\n")
    world.log.write(b"x" * 199 + b"\n", to=rotated)
    assert report(world).logs[0].unread_bytes == 300
    world.log.shift()
    assert report(world).logs[0].unread_bytes == 300


def test_a_short_compressed_file_is_larger_than_what_was_read_of_it(world: World) -> None:
    world.log.path.touch()
    world.once()
    world.log.write(b"{\n")
    gz(world.log.rename())
    world.once()
    assert report(world).logs[0].unread_bytes == 0
    assert report(world).lag_seconds == 0


def test_vitals_that_cannot_be_written_or_read_are_no_harm(tmp_path: Path) -> None:
    VitalsFile(tmp_path / "absent").write(Health(1.0))
    assert read_vitals(tmp_path) is None
    (tmp_path / VITALS).write_bytes(b'{"written_at":')
    assert read_vitals(tmp_path) is None
    file = VitalsFile(tmp_path)
    file.write(Health(1.0, log_problems=tuple(f"/log/{number} cannot be read" for number in range(10_000))))
    assert (tmp_path / VITALS).stat().st_size == SIZE
    found = read_vitals(tmp_path)
    assert found is not None
    assert found.log_problems[0] == "/log/0 cannot be read"
    file.write(Health(2.0, lag_since=1.5))
    assert read_vitals(tmp_path) == Health(2.0, lag_since=1.5)
    file.close()


def test_a_long_outage_is_remembered_in_bounded_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State.open(world.state_directory)
    daemon = Daemon(Settings(logs=world.log_settings, state_directory=world.state_directory), state)
    file_source = files_of(daemon)
    clock = iter(range(100_000))
    monkeypatch.setattr("ingestor.sources.file.lag.time.time", lambda: float(next(clock)))
    for seen in range(1, 5000):
        assert file_source.lag_since(accepted=seen, acknowledged=0) == 0.0
    assert len(file_source._lag._seen) <= lag.MOST_SIGHTINGS
    since = file_source.lag_since(accepted=4999, acknowledged=4000)
    assert since is not None
    assert 3000 < since <= 4000, "never younger than it is"
    assert file_source.lag_since(accepted=4999, acknowledged=4999) is None
    daemon.close()
    state.close()
