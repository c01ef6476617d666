"""The work of one turn is bounded, whatever lies on the disk: others are read on, and a signal is obeyed."""

import contextlib
import gzip
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestor.sources.file import candidates
from tests.support.scene import Scene
from tests.support.world import Log

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


def test_a_year_of_hourly_files_beside_a_log(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small one of ``bench/rotated.py``: the first look, the second, and the first after a restart."""
    calls = 0

    def counting(original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            return original(*arguments, **named)

        return call

    for name in ("recognise", "stat_file", "open_log"):
        monkeypatch.setattr(candidates, name, counting(getattr(candidates, name)))
    work = []
    for count in (150, 600):
        directory = scene.directory / str(count)
        directory.mkdir()
        there = Scene(directory)
        for number in range(count):
            Log(there.log.path, f"r{number}").write(
                1, to=there.log.sibling(f"-202510{number // 24:03}-{number % 24:02}")
            )
        there.log.write(1)
        before = calls
        there.once()
        there.log.rename()
        there.log.write(1)
        there.once()
        work.append(calls - before)
        assert set(there.log.written) <= set(there.stored())
    assert work[0] < work[1] < 6 * work[0], "four times the files: about four times the work"
