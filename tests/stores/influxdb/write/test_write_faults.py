"""Damaged states, full disks, second instances, floods: what waiting mends is waited for (reliability.md T20-T47)."""

import os
import resource
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestor.config.settings import BudgetSettings, LogSettings
from ingestor.daemon import patience
from ingestor.daemon.daemon import Daemon
from ingestor.errors import ConfigError, DamagedStateError, ExitCode, StateLockedError, UnavailableError
from ingestor.sources.file.wakeup import Wakeup
from ingestor.state.database import DATABASE
from ingestor.state.state import State
from ingestor.stores.embedded.events import SqliteStore
from parsers.contract import Reason
from tests.support.world import World, gz


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nulls(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position in range(200, len(data), 997):
        data[position] ^= 0x5A
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [empty, nulls, half, scribbled])
def test_t24_a_damaged_state_is_set_aside_and_rebuilt_from_the_files_there_are(
    world: World, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    world.log.write(50)
    world.once()
    world.log.write(50)
    gz(world.log.rename())
    world.log.write(50)
    world.once()
    damage(world.state_directory / DATABASE)
    for journal in world.state_directory.glob(f"{DATABASE}-*"):
        journal.unlink()
    world.once()
    world.check()
    assert "set aside" in caplog.text
    aside = [path for path in world.state_directory.glob(f"{DATABASE}.damaged-*") if path.name[-1].isdigit()]
    assert len(aside) == 1
    world.log.write(5)
    world.once()
    world.check()
    again = [path for path in world.state_directory.glob(f"{DATABASE}.damaged-*") if path.name[-1].isdigit()]
    assert again == aside, "once, not at every start"


def test_t24_damage_that_shows_only_while_writing_does_not_end_in_a_crash_loop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.write(50)
    world.once()
    world.log.write(50)
    corrupt = sqlite3.DatabaseError("database disk image is malformed")
    corrupt.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    def write(*_: object) -> None:
        raise corrupt

    monkeypatch.setattr(SqliteStore, "write", write)
    with pytest.raises(DamagedStateError):
        world.turn()
    monkeypatch.undo()
    world.stop()
    world.once()
    world.check()
    assert world.ask(lambda state: "set_aside" in state.meta())
    world.once()
    world.check()


def test_t24_a_state_of_a_newer_version_is_left_alone(world: World) -> None:
    world.log.write(5)
    world.once()
    with sqlite3.connect(world.state_directory / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer tokentail") as caught:
        State.open(world.state_directory)
    assert caught.value.exit_code == ExitCode.BAD_CONFIG
    assert not list(world.state_directory.glob("*.damaged-*"))


def test_t25_a_full_disk_is_waited_for_and_heals_by_itself(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.log.write(10)
    world.turn()
    connection = world.daemon.pipeline.state.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "database or disk is full"
    world.log.write(3000)
    for _ in range(5):
        world.turn(seconds=100.0)
    trouble = world.daemon.delivery.trouble
    assert trouble is not None
    assert len(world.stored()) == 10
    assert caplog.text.count("cannot be written") == 1, "said once, not at every try"
    world.log.write(100)
    connection.execute("PRAGMA max_page_count = 1000000")
    world.turn(3, seconds=100.0)
    world.check()
    assert world.ask(lambda _: world.daemon.delivery.trouble) is None
    assert "can be written again" in caplog.text


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Make every write beyond ``size`` fail as on a full disk, for real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_t46_a_full_disk_under_the_rejected_file_blocks_and_loses_nothing(world: World) -> None:
    world.log.write(10)
    world.turn()
    world.log.write(b"{broken\n" * 400)
    world.log.write(10)
    limit = 40_000
    with files_limited_to(limit):
        world.turn(2, seconds=100.0)
        assert world.daemon.delivery.trouble is not None
        assert len(world.stored()) == 10
        assert world.rejected() == [] or len(world.rejected()) < 400
    world.turn(2, seconds=100.0)
    world.check()
    assert world.rejected() == [Reason.INVALID_JSON] * 400


def test_a_crash_between_the_rejected_file_and_the_checkpoint_lists_no_line_twice(world: World) -> None:
    world.log.write(b"{broken\n" * 3)
    world.log.write(1)
    daemon = world.daemon
    daemon.step(world.now)
    world.log.write(b"{broken\n" * 2)
    world.log.write(1)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    daemon.pipeline.state.save = crash  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        world.turn()
    assert len(world.rejected()) == 5, "written, though not checkpointed"
    world.stop()
    world.once()
    world.check()
    assert world.rejected() == [Reason.INVALID_JSON] * 5


def test_t47_a_second_instance_is_refused_with_the_holder_named(world: World) -> None:
    world.turn()
    with pytest.raises(StateLockedError, match=str(os.getpid())):
        State.open(world.state_directory)


def test_once_gives_up_when_the_store_stays_unwritable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.log.write(10)
    monkeypatch.setattr(patience, "ONCE_PATIENCE_SECONDS", 0.0)
    state = State.open(world.state_directory)
    daemon = Daemon(world.settings, state, once=True)
    state.connection.execute("PRAGMA query_only = 1")
    with pytest.raises(UnavailableError, match="could not be written") as caught:
        daemon.run_once()
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    daemon.close()
    state.close()


def test_t28_a_lost_notification_or_a_dead_observer_costs_one_poll_at_most(world: World) -> None:
    changed = threading.Event()
    wakeup = Wakeup(changed.set)
    wakeup.watch({str(world.logs_directory)})
    observer = wakeup._observer
    assert observer is not None
    observer.stop()
    observer.join(5)
    began = time.monotonic()
    changed.wait(0.05)
    assert time.monotonic() - began < 5, "waiting ends by itself"
    wakeup.watch({str(world.logs_directory)})
    assert wakeup._observer is not observer
    assert wakeup._observer is not None
    assert wakeup._observer.is_alive(), "started again"
    wakeup.close()


def test_the_loop_reads_what_comes_and_drains_when_it_is_told_to_stop(world: World) -> None:
    world.log.write(5)
    state = State.open(world.state_directory)
    daemon = Daemon(world.settings, state)
    stop = threading.Event()
    writer = threading.Thread(target=_write_then_stop, args=(world, stop))
    writer.start()
    daemon.run_forever(stop.is_set)
    daemon.drain()
    writer.join()
    daemon.close()
    state.close()
    world.once()
    world.check()


def _write_then_stop(world: World, stop: threading.Event) -> None:
    for _ in range(5):
        world.log.write(20)
        time.sleep(0.05)
    stop.set()


@pytest.mark.long
@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("2026-11-01T09:30:00Z", 10_000),
        ("2026-11-01T09:30:00.123Z", 100_000),
        ("2026-11-01T09:30:00.123456Z", 10_000),
    ],
)
def test_t40_ever_so_many_equal_lines_are_as_many_points(world: World, written: str, count: int) -> None:
    line = world.log.line(created_at=written)
    world.log.write(line * count)
    world.once()
    rows = "SELECT count(*), sum(fraction IS NULL) FROM token_events"
    assert world.ask(lambda state: state.connection.execute(rows).fetchone()[0]) == count
    # A replay from nothing, a renamed and a compressed copy make the same points.
    before = world.ask(
        lambda state: state.connection.execute("SELECT min(time), max(time) FROM token_events").fetchone()
    )
    shutil.rmtree(world.state_directory)
    rotated = gz(world.log.rename())
    world.log_settings = (LogSettings(str(world.log.path), source=str(world.log.path)),)
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(world.settings, state)
    from ingestor.jobs.backfill import backfill  # noqa: PLC0415

    (done,) = backfill(daemon.pipeline, [str(rotated)])
    assert (done.lines, done.new) == (count, count)
    (again,) = backfill(daemon.pipeline, [str(rotated)])
    assert (again.lines, again.new) == (count, 0)
    daemon.close()
    state.close()
    after = world.ask(
        lambda state: state.connection.execute("SELECT min(time), max(time) FROM token_events").fetchone()
    )
    assert after == before
    assert world.ask(lambda state: state.connection.execute(rows).fetchone()[0]) == count


def test_t42_a_flood_of_invented_client_ids_makes_a_bounded_number_of_series(world: World) -> None:
    world.budgets = BudgetSettings(clients=10, failing_clients=5)
    failed = "token.validation_failed"
    for number in range(3000):
        world.log.write(world.log.line(action=failed, details={"client_id": f"invented-{number}"}))
    for number in range(5):
        world.log.write(world.log.line(details={"client_id": f"real-{number}"}))
    world.once()
    world.check()
    clients = world.ask(lambda state: {row[0] for row in state.connection.execute("SELECT client_id FROM series")})
    assert clients == {f"invented-{n}" for n in range(5)} | {f"real-{n}" for n in range(5)} | {"_other"}
    kept = "SELECT count(DISTINCT client) FROM token_events"
    assert world.ask(lambda state: state.connection.execute(kept).fetchone()[0]) == 2995, "the true ids are kept"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_and_descriptors_stay_flat_over_rotations(world: World) -> None:
    for _ in range(3):
        world.turn(2, seconds=20)
        world.log.write(10)
        world.log.rename()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        world.log.write(10)
        world.log.rename()
        world.turn(2, seconds=20)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    world.check()
