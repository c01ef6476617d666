"""The work of one turn is bounded, whatever lies on the disk: others are read on, and a signal is obeyed."""

import contextlib
import gzip
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestor.shell import recognition
from ingestor.shell.book import Book
from ingestor.shell.past import Past
from tests.scenarios.scene import Scene
from tests.world import Log, gz

HUGE = 300 << 30
"""Bytes of a hole: what an endpoint without O_APPEND writes in a year."""


def with_a_hole(log: Log, length: int) -> None:
    """Have a file begin with a hole, as after a truncation under a writer that goes on at its old place."""
    log.path.touch()
    os.truncate(log.path, length)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "length", [5, 70_000, 1 << 20, 3 << 20, HUGE], ids=["5 B", "70 KB", "1 MiB", "3 MiB", "300 GiB"]
)
def test_the_first_line_after_a_hole_is_kept(scene: Scene, length: int) -> None:
    with_a_hole(scene.log, length)
    scene.log.write(3)
    scene.once()
    scene.log.write(3)
    scene.once()
    scene.check(files=[])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("length", [70_000, 3 << 20, HUGE], ids=["70 KB", "3 MiB", "300 GiB"])
def test_copied_and_truncated_under_a_writer_without_o_append(scene: Scene, length: int) -> None:
    log = scene.log
    log.write(10)
    scene.turn(2)
    os.truncate(log.path, 0)
    os.truncate(log.path, length)
    for _ in range(3):
        log.write(10)
        scene.turn(2)
    scene.check(files=[])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("length", [70_000, HUGE], ids=["70 KB", "300 GiB"])
def test_a_hole_between_lines(scene: Scene, length: int) -> None:
    """A power cut leaves one where blocks were not written."""
    log = scene.log
    log.write(10)
    os.truncate(log.path, log.path.stat().st_size + length)
    log.write(10)
    scene.once()
    scene.check(files=[])


@pytest.mark.timeout(20)
def test_nulls_that_are_no_hole(scene: Scene) -> None:
    """Of a copy of such a file the file system knows nothing: it is read through."""
    scene.log.write(b"\0" * (8 << 20))
    scene.log.write(3)
    scene.once()
    scene.check(files=[])


def process_seconds(scene: Scene, log: Log, rotated: Path, turns: int) -> float:
    begun = time.process_time()
    for _ in range(turns):
        log.write(1, to=rotated)
        log.write(1)
        scene.turn(seconds=0.2)
    return time.process_time() - begun


def test_a_late_worker_that_keeps_writing_costs_the_same_in_every_turn(scene: Scene) -> None:
    log = scene.log
    log.write(5)
    scene.turn(2)
    rotated = log.rename()
    process_seconds(scene, log, rotated, 20)
    first = process_seconds(scene, log, rotated, 40)
    process_seconds(scene, log, rotated, 200)
    last = process_seconds(scene, log, rotated, 40)
    assert last < 2 * first + 0.05, (first, last)
    scene.check()


@contextlib.contextmanager
def running(scene: Scene, *, watchdog: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run the daemon as a process of its own; it is killed in the end, when it still is there."""
    environment = dict(os.environ)
    if watchdog is not None:
        environment |= {"NOTIFY_SOCKET": str(watchdog), "WATCHDOG_USEC": "2000000"}
    command = [sys.executable, "-m", "ingestor", "run", "--config", str(scene.config)]
    command += ["--state-dir", str(scene.state_directory)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def obeys(process: "subprocess.Popen[str]") -> float:
    """End it as systemd does; return after how many seconds it has ended."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    assert process.returncode == 0
    return time.monotonic() - begun


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", ["hole", "compressed"])
def test_others_go_on_the_watchdog_is_fed_and_sigterm_is_obeyed(scene: Scene, what: str) -> None:
    """Beside a log with an endless hole, or an endless compressed file."""
    huge, log = scene.new_log("huge.log"), scene.log
    scene.follow(huge.path, log.path)
    if what == "hole":
        with_a_hole(huge, HUGE)
    else:
        huge.write(5)
        log.write(1)
        scene.once()
        huge.rename()
        with gzip.open(huge.sibling(".1.gz"), "wb", compresslevel=1) as packed:
            packed.write(huge.sibling(".1").read_bytes())
            for _ in range(100):
                packed.write(b"\0" * (1 << 20))
        huge.sibling(".1").unlink()
    huge.write(3)
    log.write(10)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(scene.directory / "notify"))
    manager.settimeout(3)
    with manager, running(scene, watchdog=scene.directory / "notify") as process:
        scene.wait_for(log)
        fed = 0
        while fed < 2:
            fed += b"WATCHDOG=1" in manager.recv(4096)  # a feed that does not come in time is an error
        assert obeys(process) < 2


def test_a_year_of_hourly_files_beside_a_log(scene: Scene) -> None:
    """A small one of ``bench/rotated.py``: the first look, the second, and the first after a restart."""
    times = []
    for count in (150, 600):
        directory = scene.directory / str(count)
        directory.mkdir()
        there = Scene(directory)
        for number in range(count):
            Log(there.log.path, f"r{number}").write(
                1, to=there.log.sibling(f"-202510{number // 24:03}-{number % 24:02}")
            )
        there.log.write(1)
        begun = time.process_time()
        there.once()
        there.log.rename()
        there.log.write(1)
        there.once()
        times.append(time.process_time() - begun)
        assert set(there.log.written) <= set(there.stored())
    assert times[1] < 8 * times[0], times  # four times the files: about four times the time


def counted(monkeypatch: pytest.MonkeyPatch, *names: str) -> Counter[str]:
    """Count the calls of functions of the recognition of files, of the book, and of the past of logs."""
    calls: Counter[str] = Counter()
    for name in names:
        owner = next(owner for owner in (recognition, Book, Past) if hasattr(owner, name))
        original = getattr(owner, name)

        def count(*args: Any, name: str = name, original: Callable[..., Any] = original, **named: Any) -> Any:
            calls[name] += 1
            return original(*args, **named)

        monkeypatch.setattr(owner, name, count)
    return calls


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_rotated_files_that_share_a_dated_banner_are_asked_once_each(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Each waits until the one before it is read; all are not asked, and not compared with all, whenever one was read."""
    count, log, banner = 80, scene.log, b"# token-endpoint 4.2 (built 2026-10-12 08:00:00)\n"
    log.write(banner)
    log.write(2)
    scene.once()
    for _ in range(count):
        log.rename(create=False)
        log.write(banner)
        log.write(2)
    if packed:
        for number in range(1, count + 1):
            gz(log.sibling(f".{number}"))
    calls = counted(monkeypatch, "kinship", "_take", "trail_of")
    scene.once()
    assert set(log.written) == set(scene.stored())
    assert max(calls.values()) < 6 * count, calls
    scene.check(rejected=count + 1)
