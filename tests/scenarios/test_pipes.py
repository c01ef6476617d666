"""Standard input and FIFOs: what comes through them is read once, and what cannot be promised there is said."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingestor.sources.file import pipes, spool
from tests.support.scene import Scene
from tests.support.world import Log

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def run_with(scene: Scene, data: bytes, *options: str) -> "subprocess.CompletedProcess[bytes]":
    command = [
        sys.executable,
        "-m",
        "ingestor",
        "run",
        "--log",
        "-",
        *options,
        "--state-dir",
        str(scene.state_directory),
    ]
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=15)


@pytest.mark.parametrize("options", [(), ("--once",)], ids=["run", "run --once"])
def test_standard_input_is_read_to_its_end(scene: Scene, options: tuple[str, ...]) -> None:
    data = scene.log.lines(300)
    done = run_with(scene, data, *options)
    assert done.returncode == 0, done.stderr
    assert sorted(scene.log.written) == scene.stored()
    data = scene.log.lines(200)
    assert run_with(scene, data + scene.log.line().rstrip(b"\n"), *options).returncode == 0
    scene.check(files=[])


def test_standard_input_is_stored_while_it_stays_open(scene: Scene) -> None:
    """``kubectl logs -f ... | tokentail run --log -``"""
    command = [sys.executable, "-m", "ingestor", "run", "--log", "-", "--state-dir", str(scene.state_directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            for _ in range(2):
                process.stdin.write(scene.log.lines(50))
                process.stdin.flush()
                scene.wait_for(scene.log, 10.0)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=5)
        finally:
            process.kill()
    assert process.returncode == 0
    scene.check(files=[])


def test_a_fifo_is_read_and_blocks_nobody(scene: Scene) -> None:
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    os.mkfifo(fifo.path)
    scene.follow(fifo.path, scene.log.path)
    scene.log.write(5)
    scene.turn(2)
    assert set(scene.log.written) <= set(scene.stored())
    for _ in range(2):
        write_to(fifo.path, fifo.lines(50))
        scene.log.write(5)
        scene.turn(3)
    scene.check(fifo, scene.log, files=[scene.log.path])


def write_to(path: Path, data: bytes, *, patience: float = 20.0) -> None:
    """Write as an endpoint does, which waits until somebody reads; for so many seconds we wait with it."""

    def write() -> None:
        with contextlib.suppress(OSError):  # what was not read is missed by the test
            path.write_bytes(data)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    writer.join(patience)


def test_what_is_promised_there_is_said(scene: Scene) -> None:
    scene.tokentail("run", "--help", configured=False)
    assert "stdin" in scene.said or "standard input" in scene.said
    page = Path(__file__, "../../../docs/operate.md").resolve().read_text()
    assert "run --log -" in page


def test_it_is_killed_and_the_producer_repeats_itself(scene: Scene) -> None:
    """``kubectl logs`` begins anew with everything, or with the last lines, and goes on."""
    command = [sys.executable, "-m", "ingestor", "run", "-", "--state-dir", str(scene.state_directory)]
    output = scene.log.lines(300)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(output)
        process.stdin.flush()
        scene.wait_for(scene.log, 10.0)
        process.kill()
    output += scene.log.lines(100)
    assert run_with(scene, output).returncode == 0
    last = b"".join(output.splitlines(keepends=True)[-50:])
    assert run_with(scene, last + scene.log.lines(20), "--once").returncode == 0
    assert run_with(scene, output, "--once").returncode == 0
    scene.check(files=[])


def test_a_file_that_is_known_comes_through_a_pipe(scene: Scene) -> None:
    scene.log.write(50)
    scene.once()
    assert run_with(scene, scene.log.path.read_bytes(), "--once").returncode == 0
    scene.check()


def test_many_segments_are_read_and_deleted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SEGMENT_BYTES", 5000)
    monkeypatch.setattr(pipes, "ACKNOWLEDGE_SECONDS", 0.0)
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    os.mkfifo(fifo.path)
    scene.follow(fifo.path)
    for _ in range(4):
        scene.turn()
        for _ in range(3):
            write_to(fifo.path, fifo.lines(60))
        scene.turn(3)
    scene.end()
    scene.turn(20)
    assert len(list((scene.state_directory / "spool").iterdir())) == 1
    scene.check(fifo, files=[])


def test_a_daemon_is_killed_while_a_fifo_has_brought_what_is_not_read(scene: Scene) -> None:
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    os.mkfifo(fifo.path)
    scene.follow(fifo.path)
    scene.turn()
    for _ in range(3):
        write_to(fifo.path, fifo.lines(50))
        scene.stop()
        scene.turn(2)
    scene.check(fifo, files=[])


def test_a_log_becomes_a_fifo(scene: Scene) -> None:
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    scene.follow(fifo.path)
    scene.turn(2)
    os.mkfifo(fifo.path)
    scene.turn(1, seconds=6.0)
    write_to(fifo.path, fifo.lines(50))
    scene.turn(2)
    scene.check(fifo, files=[])


def test_once_reads_a_fifo_until_it_is_closed(scene: Scene) -> None:
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    os.mkfifo(fifo.path)
    scene.follow(fifo.path)
    write_to(fifo.path, fifo.lines(50), patience=0.0)
    scene.once()
    scene.check(fifo, files=[])


def test_what_nobody_reads_is_told(scene: Scene) -> None:
    fifo = Log(scene.logs_directory / "fifo", "fifo")
    os.mkfifo(fifo.path)
    scene.follow(fifo.path)
    scene.turn()
    write_to(fifo.path, fifo.lines(50))
    scene.stop()
    scene.follow(scene.log.path)
    scene.log.write(5)
    scene.once()
    assert "bytes that came through a pipe" in scene.said
    scene.follow(fifo.path, scene.log.path)
    scene.turn(2)
    scene.check(fifo, scene.log, files=[scene.log.path])


def test_commands_that_take_files_say_so(scene: Scene) -> None:
    fifo = scene.logs_directory / "fifo"
    os.mkfifo(fifo)
    scene.once(code=None)
    for command in ("backfill", "verify"):
        scene.tokentail(command, "-", code=1)
        assert "tokentail run -" in scene.said
        scene.tokentail(command, fifo, code=1)
        assert "is a pipe" in scene.said
    scene.follow(fifo)
    scene.tokentail("validate", code=None, configured=True)
    assert "The FIFO can be read" in scene.said
