"""The writer thread: whatever happens, the files hold the lines it counts as written, whole and in order."""

import threading
from pathlib import Path

import pytest

from ingestor.demo.endpoint import write_day
from ingestor.demo.providers import NATIVE, Line
from ingestor.demo.writer import LATE_LINES, LogWriter

END_MS = 1_793_525_400_123


@pytest.fixture(scope="module")
def day() -> list[Line]:
    return write_day(NATIVE, END_MS, seed=29).lines


def content(writer: LogWriter) -> bytes:
    return b"".join(path.read_bytes() for path in (*writer.rotated, writer.path) if path.exists())


def test_the_day_is_written_through_both_rotations(tmp_path: Path, day: list[Line]) -> None:
    writer = LogWriter(tmp_path / "audit.log", day, END_MS, seconds=0.4)
    first_inode = writer.path.stat().st_ino
    writer.start()
    writer.join()
    assert writer.error is None
    assert writer.written == len(day)
    assert content(writer) == b"".join(line.data for line in day)
    renamed, copied = writer.rotated
    assert renamed.stat().st_ino == first_inode
    assert len({path.stat().st_ino for path in (renamed, copied, writer.path)}) == 3
    assert [happening.label for happening in writer.happenings] == ["renamed", "attack", "truncated"]


def test_late_lines_go_to_the_renamed_file(tmp_path: Path, day: list[Line]) -> None:
    writer = LogWriter(tmp_path / "audit.log", day, END_MS, seconds=0.3)
    writer.start()
    writer.join()
    renamed, _ = writer.rotated
    before = [line for line in day if line.time_ms < writer.happenings[0].time_ms]
    assert renamed.read_bytes().count(b"\n") == len(before) + LATE_LINES


def test_a_writer_that_is_stopped_ends_behind_a_whole_line(tmp_path: Path, day: list[Line]) -> None:
    writer = LogWriter(tmp_path / "audit.log", day, END_MS, seconds=60)
    begun = threading.Event()
    writer.start()
    while not writer.written and writer.is_alive():
        begun.wait(0.005)
    writer.stop()
    writer.join()
    assert 0 < writer.written < len(day)
    assert content(writer) == b"".join(line.data for line in day[: writer.written])


def test_a_rotation_that_fails_is_told(tmp_path: Path, day: list[Line]) -> None:
    writer = LogWriter(tmp_path / "audit.log", day, END_MS, seconds=0.1)
    writer.rotated[1].mkdir()
    writer.start()
    writer.join()
    assert isinstance(writer.error, IsADirectoryError)
