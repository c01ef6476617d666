"""One bad file harms itself alone: it is told, it is tried again, and all others are read on."""

import errno
import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scene import Scene
from tests.support.world import Log

BYTES_NAME = os.fsdecode(b"m\xfcller.log")
"""As Latin-1 has it; no UTF-8."""


class Faults:
    """A file system that refuses what is asked of one path, through any call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._refused: dict[str, int] = {}
        self._descriptors: dict[int, str] = {}
        self._opened = os.open
        for name in ("stat", "lstat", "listdir", "scandir"):
            monkeypatch.setattr(os, name, self._by_path(getattr(os, name), name))
        for name in ("fstat", "pread", "read"):
            monkeypatch.setattr(os, name, self._by_descriptor(getattr(os, name), name))
        monkeypatch.setattr(os, "open", self._open)
        self._calls: set[str] = set()

    def refuse(self, path: Path, number: int, *calls: str) -> None:
        self._refused[str(path)] = number
        self._calls = set(calls)

    def end(self) -> None:
        self._refused.clear()

    def _fail(self, call: str, path: object) -> None:
        number = self._refused.get(os.fspath(path)) if isinstance(path, str | Path) else None
        if number is not None and call in self._calls:
            raise OSError(number, os.strerror(number), path)

    def _open(self, path: Any, *arguments: Any, **more: Any) -> int:
        self._fail("open", path)
        descriptor = self._opened(path, *arguments, **more)
        self._descriptors[descriptor] = os.fspath(path) if isinstance(path, str | Path) else ""
        return descriptor

    def _by_path(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(path: Any = ".", *arguments: Any, **more: Any) -> Any:
            self._fail(name, path)
            return original(path, *arguments, **more)

        return call

    def _by_descriptor(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(descriptor: int, *arguments: Any, **more: Any) -> Any:
            self._fail(name, self._descriptors.get(descriptor, ""))
            return original(descriptor, *arguments, **more)

        return call


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    found = Faults(monkeypatch)
    yield found
    found.end()


@pytest.mark.parametrize("named", ["glob", "beside", "rotated"])
def test_a_name_that_is_no_utf_8(scene: Scene, named: str) -> None:
    """It is matched by the glob, or lies beside the log, or is a rotated file of it."""
    log = scene.log
    name = {"glob": BYTES_NAME, "beside": BYTES_NAME, "rotated": os.fsdecode(b"audit.log.\xfc1")}[named]
    other = Log(scene.logs_directory / name, "other")
    scene.follow(scene.logs_directory / "*.log" if named == "glob" else log.path)
    log.write(5)
    scene.once(code=None)
    if named == "rotated":
        log.write(5)
        log.path.rename(other.path)
    elif named == "glob":
        other.write(5)
    log.write(5)
    for _ in range(2):
        scene.once(code=None)
        log.write(5)
    scene.turn(2)
    read = named == "glob" and set(other.written) <= set(scene.stored())
    if named == "glob" and not read:
        assert scene.daemon.figures().log_problems, "it is matched: read or told"
    scene.check(*([log, other] if read else [log]), files=[log.path])
    scene.tokentail("validate", code=None)
    scene.tokentail("status", code=None)


def test_names_that_are_no_utf_8_are_read_once_each(scene: Scene) -> None:
    logs = [Log(scene.logs_directory / os.fsdecode(b"log-%c.log" % byte), f"l{byte}") for byte in (0xE4, 0xF6, 0xFC)]
    scene.follow(scene.logs_directory / "*.log")
    for _ in range(2):
        for log in logs:
            log.write(5)
        scene.once(code=None)
    read = [log for log in logs if set(log.written) <= set(scene.stored())]
    assert read == logs or "cannot" in scene.said or "not read" in scene.said
    scene.check(*read, files=[])


@pytest.mark.parametrize(
    "calls", [("stat", "lstat", "open"), ("fstat", "pread", "read"), ("pread", "read"), ("fstat",)]
)
@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO], ids=["ESTALE", "EIO"])
def test_a_stat_or_a_read_fails(scene: Scene, faults: Faults, number: int, calls: tuple[str, ...]) -> None:
    bad, good = scene.new_log("bad.log"), scene.new_log("good.log")
    scene.follow(bad.path, good.path)
    for log in (bad, good):
        log.write(5)
    scene.turn(2)
    faults.refuse(bad.path, number, *calls)
    bad.write(5)
    for _ in range(3):
        good.write(5)
        scene.turn(2)
        assert set(good.written) <= set(scene.stored()), "the other log goes on"
    told = any("bad.log" in problem for problem in scene.daemon.figures().log_problems)
    assert told or set(bad.written) <= set(scene.stored()), "it is told, if it keeps anything from being read"
    assert not any("good.log" in problem for problem in scene.daemon.figures().log_problems)
    faults.end()
    scene.turn(3)
    assert not scene.daemon.figures().log_problems
    scene.check(bad, good)


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES], ids=["ESTALE", "EIO", "EACCES"])
def test_once_reads_the_others_and_says_which_could_not_be_read(scene: Scene, faults: Faults, number: int) -> None:
    bad, good = scene.new_log("bad.log"), scene.new_log("good.log")
    scene.follow(bad.path, good.path)
    for log in (bad, good):
        log.write(5)
    faults.refuse(bad.path, number, "stat", "lstat", "open", "fstat", "pread", "read")
    scene.once(code=None)
    assert "bad.log" in scene.said
    assert "The state" not in scene.said, "it is never blamed for it"
    assert set(scene.stored()) == set(good.written)
    faults.end()
    scene.once()
    scene.check(bad, good)


@pytest.mark.parametrize("seen", ["before it was rotated", "never"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO], ids=["EACCES", "EIO"])
def test_a_rotated_file_that_cannot_be_read_for_a_while(scene: Scene, faults: Faults, number: int, seen: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    if seen == "never":
        log.rename()
    log.write(20)
    rotated = log.rename()
    log.write(5)
    faults.refuse(rotated, number, "open", "pread", "read")
    scene.turn(3, seconds=10.0)
    assert set(log.written[-5:]) <= set(scene.stored())
    assert scene.daemon.figures().log_problems, "not in a line of the journal alone"
    faults.end()
    scene.turn(3, seconds=20.0)
    scene.check()


def test_a_rotated_file_that_could_never_be_read_and_is_deleted_is_a_gap(scene: Scene, faults: Faults) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.rename()
    log.write(20)
    rotated = log.rename()
    log.write(5)
    faults.refuse(rotated, errno.EACCES, "open")
    scene.turn(3, seconds=10.0)
    faults.end()
    rotated.unlink()
    log.write(5)
    scene.turn(3, seconds=20.0)
    scene.check(lost_at_most=log.written[5:25])


def test_a_directory_in_the_place_of_a_rotated_file(scene: Scene) -> None:
    log = scene.log
    log.write(5)
    scene.turn(2)
    log.rename()
    log.sibling(".2").mkdir()
    log.sibling(".3.gz").mkdir()
    log.write(5)
    scene.turn(2)
    scene.once()
    scene.check()


def test_the_directory_vanishes_and_comes_again(scene: Scene) -> None:
    there, other = scene.logs_directory / "share", scene.log
    there.mkdir()
    log = Log(there / "audit.log", "share")
    scene.follow(log.path, other.path)
    log.write(5)
    other.write(5)
    scene.turn(2)
    away = there.rename(scene.directory / "away")
    for _ in range(3):
        other.write(5)
        scene.turn(2)
    assert set(other.written) <= set(scene.stored())
    away.rename(there)
    log.write(5)
    scene.turn(2)
    scene.check(log, other)


def test_the_directory_of_a_glob_vanishes_for_good(scene: Scene) -> None:
    there, other = scene.logs_directory / "pod", scene.log
    there.mkdir()
    log = Log(there / "audit.log", "pod")
    scene.follow(there / "*.log", other.path)
    log.write(5)
    other.write(5)
    scene.turn(2)
    shutil.rmtree(there)
    other.write(5)
    scene.turn(3)
    scene.once(code=None)
    scene.check(log, other)


@pytest.mark.parametrize("kind", ["directory", "dangling link", "loop", "socketless fifo", "empty", "device"])
def test_something_else_under_the_glob(scene: Scene, kind: str) -> None:
    scene.follow(scene.logs_directory / "*.log")
    other = scene.logs_directory / "aaa.log"
    match kind:
        case "directory":
            other.mkdir()
        case "dangling link":
            other.symlink_to(scene.directory / "nowhere")
        case "loop":
            other.symlink_to(other)
        case "socketless fifo":
            os.mkfifo(other)
        case "device":
            other.symlink_to("/dev/null")
        case _:
            other.touch()
    for _ in range(2):
        scene.log.write(5)
        scene.once(code=None)
        scene.log.write(5)
        scene.turn(2)
    scene.check(files=[scene.log.path])


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b", b"no gzip at all\n", b"\x1f\x8b\x08\x00" + b"\0" * 30])
def test_a_compressed_file_that_is_none(scene: Scene, data: bytes) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.sibling(".2.gz").write_bytes(data)
    log.write(5)
    log.rename()
    log.write(5)
    scene.once(code=None)
    scene.turn(2)
    scene.check(gaps=None, files=[log.path, log.sibling(".1")])


@pytest.mark.parametrize("inside_a_line", [False, True])
def test_a_cut_compressed_file_that_is_named_as_a_log(scene: Scene, *, inside_a_line: bool) -> None:
    """What can be read of it is stored, what cannot is said, and the other log is read on."""
    other, whole = scene.log, scene.new_log("old.log")
    whole.write(400)
    compressed = gzip.compress(whole.path.read_bytes() + (b'{"half' * 4000 if inside_a_line else b""), mtime=0)
    cut = whole.path.with_name("old.log.gz")
    cut.write_bytes(compressed[: -8 if not inside_a_line else -12])
    whole.path.unlink()
    other.write(5)
    scene.follow(other.path, cut)
    scene.once(code=1)
    assert f"{cut} is truncated or damaged" in scene.said
    for _ in range(2):
        other.write(5)
        scene.turn(2, seconds=5.0)
    assert any(str(cut) in problem for problem in scene.daemon.figures().log_problems)
    stored = set(scene.stored())
    assert set(other.written) <= stored
    assert len(stored & set(whole.written)) > 300
