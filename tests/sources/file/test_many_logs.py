"""Thousands of logs: what is saved on looking at them must not cost a line, nor a turn."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.settings import LogSettings
from ingestor.sources.file import turns
from ingestor.sources.file.beside import RELIST_SECONDS
from ingestor.sources.file.candidates import Candidates
from ingestor.sources.file.discovery import LiveLogs
from ingestor.sources.file.tailer import LogTailer
from ingestor.sources.file.turns import LATELY_SECONDS
from ingestor.state.generations import Generations
from tests.support.world import Log, World


def all_of(world: World) -> None:
    world.log_settings = (LogSettings(str(world.logs_directory / "*.log")),)


def expensive_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a look at all logs seem to take so long that it is made once in a poll interval (a second) alone."""
    world.turn()
    monkeypatch.setattr(world.file_source._turns, "_full_look_seconds", 3600.0)


def stored_of(world: World, log: Log) -> list[str]:
    written = set(log.written)
    return [event_id for event_id in world.stored() if event_id in written]


def test_a_busy_log_is_read_every_turn_and_an_idle_one_once_in_a_poll_interval(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = world.new_log("idle.log")
    all_of(world)
    idle.write(1)
    world.turn()
    world.turn(seconds=LATELY_SECONDS + 1)
    world.log.write(1)
    expensive_looks(world, monkeypatch)
    world.log.write(1)
    idle.write(1)
    world.daemon.step(world.now + 0.15)
    assert len(stored_of(world, world.log)) == 2
    assert len(stored_of(world, idle)) == 1
    world.turn()
    world.check(world.log, idle)


@pytest.mark.slow
def test_every_log_gets_its_turn_while_all_have_a_backlog(world: World) -> None:
    logs = [world.new_log(f"log{number}.log") for number in range(4)]
    all_of(world)
    for log in logs:
        log.write(20_000)
    for _ in range(3):
        world.now += 0.2  # a poll each: the order must outlive it
        world.daemon.step(world.now)
    counts = [len(stored_of(world, log)) for log in logs]
    assert min(counts) > max(counts) / 2
    world.turn()
    world.check(*logs)


def test_a_new_log_is_found_though_the_directory_is_not_listed_every_time(tmp_path: Path) -> None:
    live = LiveLogs(LogSettings(f"{tmp_path}/*.log"), Generations(), lambda _: False)
    (tmp_path / "one.log").touch()
    os.utime(tmp_path, (1, 1))
    assert live.paths(0.0) == live.paths(0.1) == [f"{tmp_path}/one.log"]
    (tmp_path / "two.log").touch()
    assert live.paths(0.2) == [f"{tmp_path}/one.log", f"{tmp_path}/two.log"]


def test_a_directory_whose_time_does_not_tell_is_listed_all_the_same(tmp_path: Path) -> None:
    live = LiveLogs(LogSettings(f"{tmp_path}/*.log"), Generations(), lambda _: False)
    os.utime(tmp_path, (1, 1))
    assert live.paths(0.0) == []
    (tmp_path / "one.log").touch()
    os.utime(tmp_path, (1, 1))
    assert live.paths(0.1) == []
    assert live.paths(RELIST_SECONDS) == [f"{tmp_path}/one.log"]


def test_a_directory_that_changed_just_now_is_listed_again(tmp_path: Path) -> None:
    """Within the tick of the file system's clock it may change again and keep its time."""
    live = LiveLogs(LogSettings(f"{tmp_path}/*.log"), Generations(), lambda _: False)
    before = tmp_path.stat()
    assert live.paths(0.0) == []
    (tmp_path / "one.log").touch()
    os.utime(tmp_path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert live.paths(0.1) == [f"{tmp_path}/one.log"]


def test_figures_of_idle_logs_cost_no_look_and_an_outage_none_of_their_truth(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.write(3)
    world.turn(2)
    file_source = world.file_source
    assert file_source.unread_bytes() == 0
    world.log.write(1)
    monkeypatch.setattr(file_source._turns, "_looked_at", float("-inf"))  # no poll since: the store takes nothing
    assert file_source.unread_bytes() > 0


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, *names: str) -> Counter[str]:
    """Count the calls of functions."""
    calls: Counter[str] = Counter()
    for name in names:
        original = getattr(owner, name)

        def count(*args: Any, name: str = name, original: Callable[..., Any] = original, **named: Any) -> Any:
            calls[name] += 1
            return original(*args, **named)

        monkeypatch.setattr(owner, name, count)
    return calls


def moved(world: World) -> None:
    """Have the directory of the logs be another one by the next start."""
    world.stop()
    there = world.logs_directory.rename(world.directory / "elsewhere")
    world.log_settings = (LogSettings(f"{there}/*.log"),)


def test_a_file_beside_many_logs_is_asked_once_not_once_for_each_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first start, at the next one, and after the directory was moved; each log has a rotated file, and two strangers."""
    logs = [world.new_log(f"h{number:03}.log") for number in range(60)]
    all_of(world)
    for log in logs:
        log.write(1)
    world.turn(2)
    for log in logs:
        log.rename()
        log.write(1)
    world.turn(2)
    for number, log in enumerate(logs):
        shutil.copy(log.sibling(".1"), world.logs_directory / f"kept-{number}")
        (world.logs_directory / f"note-{number}").write_text(f"of {number}\n")
    files = len(list(world.logs_directory.iterdir()))
    calls = counted(monkeypatch, Candidates, "ask", "_take")
    for change in (world.stop, lambda: moved(world)):
        change()
        calls.clear()
        world.turn(3)
        assert max(calls.values()) < 4 * files, calls
    world.stop()
    world.check(*logs)


def test_logs_whose_directory_was_moved_are_all_found_before_one_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many turns the first look at all of them takes."""
    logs = [world.new_log(f"h{number}.log") for number in range(12)]
    all_of(world)
    for log in logs:
        log.write(1)
    world.turn(2)
    moved(world)
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)
    calls = counted(monkeypatch, LogTailer, "poll")
    world.daemon.step(world.now)
    assert calls["poll"] == 1, "a turn is bounded by time, not by a number of logs"
    assert world.file_source.busy
    for _ in range(4 * len(logs)):
        world.now += 1.0
        world.daemon.step(world.now)
    assert world.gaps() == []
    monkeypatch.undo()
    world.check(*logs)
