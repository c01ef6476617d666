"""A pipe becomes segments: nothing is lost on the way, wherever the pieces end, and whatever the disk and the reader do."""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestor.sources.file import spool as module
from ingestor.sources.file.spool import Spool, ends, is_pipe, spool_name


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.fixture
def spool(fifo: Path, tmp_path: Path) -> Iterator[Spool]:
    made = Spool(str(fifo), tmp_path / "spool" / spool_name(str(fifo)))
    yield made
    made.stop()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def content(spool: Spool) -> bytes:
    """Return what is spooled; nothing while a segment is being renamed."""
    try:
        return b"".join(path.read_bytes() for path in spool.segments())
    except FileNotFoundError:
        return b""


def write(fifo: Path, data: bytes) -> None:
    descriptor = os.open(fifo, os.O_WRONLY)
    try:
        while data:
            data = data[os.write(descriptor, data[:4000]) :]
    finally:
        os.close(descriptor)


def lines(count: int, size: int = 100) -> bytes:
    return b"".join(b"%0*d\n" % (size - 1, number) for number in range(count))


def test_writers_come_and_go_and_half_a_line_is_ended(spool: Spool, fifo: Path) -> None:
    spool.start()
    write(fifo, b"one\ntwo")
    until(lambda: content(spool) == b"one\ntwo\n")
    write(fifo, b"three\n")
    write(fifo, b"four")
    until(lambda: content(spool) in {b"one\ntwo\nthree\nfour\n", b"one\ntwo\nthree\nfour"})
    assert not spool.ended
    assert spool.problem is None


def test_what_the_pipe_holds_is_taken_at_the_end(spool: Spool, fifo: Path) -> None:
    spool.start()
    descriptor = os.open(fifo, os.O_WRONLY)
    os.write(descriptor, lines(100))
    spool.stop()
    os.close(descriptor)
    assert content(spool) == lines(100)


def test_files_are_for_their_owner_alone(spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1000)
    spool.start()
    write(fifo, lines(50))
    until(lambda: len(content(spool)) == 5000)
    time.sleep(0.2)  # the last segment is renamed
    assert {stat.S_IMODE(path.stat().st_mode) for path in spool.segments()} == {0o600}
    assert stat.S_IMODE(spool.file.parent.stat().st_mode) == 0o700


def test_segments_end_with_lines_and_at_the_same_places_whatever_the_pieces(
    fifo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1050)
    found = []
    for piece in (37, 4000):
        monkeypatch.setattr(module, "READ_BYTES", piece)
        spool = Spool(str(fifo), tmp_path / f"spool-{piece}" / "a.log")
        spool.start()
        write(fifo, lines(50))
        until(lambda spool=spool: content(spool) == lines(50))  # type: ignore[misc]
        spool.stop()
        found.append([path.read_bytes() for path in spool.segments()])
    assert found[0] == found[1]
    assert [len(segment) for segment in found[0]] == [1100, 1100, 1100, 1100, 600]


def test_a_line_without_end_fills_segments_of_bounded_size(
    spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1000)
    monkeypatch.setattr(module, "READ_BYTES", 300)
    spool.start()
    write(fifo, b"x" * 10_000)
    until(lambda: len(content(spool).rstrip(b"\n")) == 10_000)
    assert max(path.stat().st_size for path in spool.segments()) <= 2300


def test_the_writer_waits_while_too_much_is_unread(spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNREAD_BYTES", 100_000)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    spool.start()
    descriptor = os.open(fifo, os.O_WRONLY)  # returns when the spool reads it
    os.set_blocking(descriptor, False)
    data, sent = lines(10_000), 0
    quiet = time.monotonic()
    while time.monotonic() - quiet < 0.5:
        try:
            sent += os.write(descriptor, data[sent : sent + 4000])
            quiet = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    assert sent < 100_000 + 4 * 65_536
    assert len(content(spool)) <= 100_000 + 65_536
    while sent < len(data):
        spool.unread_bytes = 0  # it was read
        try:
            sent += os.write(descriptor, data[sent : sent + 4000])
        except BlockingIOError:
            time.sleep(0.01)
    os.close(descriptor)
    spool.unread_bytes = 0
    until(lambda: content(spool) == data)


def test_a_full_disk_holds_the_writer_and_is_told(
    spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    room, write_to_disk = [2500], os.write

    def full(descriptor: int, data: bytes) -> int:
        if descriptor != spool._segment:
            return write_to_disk(descriptor, data)
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write_to_disk(descriptor, data[: room[0]])
        room[0] -= written
        return written

    spool.start()
    monkeypatch.setattr(os, "write", full)
    write(fifo, lines(50))
    until(lambda: spool.problem is not None)
    assert "No space left" in str(spool.problem)
    assert caplog.text.count("No space left") == 1
    room[0] = 1 << 20
    until(lambda: spool.problem is None and content(spool) == lines(50))


def test_a_fifo_that_is_not_there_is_told_and_taken_when_it_comes(
    spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    fifo.unlink()
    spool.start()
    until(lambda: spool.problem is not None)
    os.mkfifo(fifo)
    write(fifo, b"one\n")
    until(lambda: spool.problem is None and content(spool) == b"one\n")


def test_a_file_in_the_place_of_a_fifo_is_not_copied_again_and_again(
    spool: Spool, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    spool.start()
    descriptor = os.open(fifo, os.O_WRONLY)
    fifo.unlink()
    fifo.write_bytes(b"two\n")
    os.write(descriptor, b"one\n")
    os.close(descriptor)
    until(lambda: spool.problem is not None)
    assert "no FIFO" in str(spool.problem)
    assert content(spool) == b"one\n"


def test_once_ends_when_the_writers_are_gone(fifo: Path, tmp_path: Path) -> None:
    spool = Spool(str(fifo), tmp_path / "spool" / "a.log", once=True)
    descriptor = os.open(fifo, os.O_RDWR)
    os.write(descriptor, b"one\ntwo")
    spool.start()
    until(lambda: content(spool) == b"one\ntwo")
    assert not spool.ended
    os.close(descriptor)
    until(lambda: spool.ended)
    spool.stop()
    assert content(spool) == b"one\ntwo\n"


def test_what_a_pipe_is(fifo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_pipe(str(fifo))
    assert not is_pipe(str(tmp_path / "file"))
    assert not is_pipe(str(tmp_path / "nothing"))
    assert not ends(str(fifo))
    read, written = os.pipe()
    assert is_pipe(f"/dev/fd/{read}")
    assert ends(f"/dev/fd/{read}")
    os.close(read)
    os.close(written)
    assert spool_name(str(fifo)) != spool_name(str(fifo) + "2")
