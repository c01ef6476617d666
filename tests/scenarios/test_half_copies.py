"""A copy that ends in the middle of a line: the log that it is a copy of has all of that line, and it is read there, once."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.scene import Scene
from tests.support.world import Log


def plain(log: Log) -> Path:
    copy = log.path.with_name("before-upgrade")
    shutil.copyfile(log.path, copy)
    return copy


def compressed(log: Log) -> Path:
    copy = log.path.with_name("before-upgrade.gz")
    copy.write_bytes(gzip.compress(log.path.read_bytes()))
    return copy


copied = pytest.mark.parametrize("copied", [plain, compressed])
cut_at = pytest.mark.parametrize("cut", [1, 40, 150])


@cut_at
@copied
def test_of_a_log_that_is_followed(scene: Scene, copied: Callable[[Log], Path], cut: int) -> None:
    scene.log.write(5)
    line = scene.log.line()
    scene.log.write(line[:cut])
    scene.turn(2)
    copy = copied(scene.log)
    (answer,) = scene.backfill(copy)
    assert (answer["lines"], answer["rejected"], answer["left"]) == (5, 0, cut)
    assert f"{cut} byte" in scene.said or cut == 1
    scene.turn(2)
    scene.log.write(line[cut:])
    scene.log.write(5)
    scene.turn(3)
    assert scene.backfill(copy)[0]["left"] == cut
    scene.check()


@copied
def test_it_is_said_and_strict_complains(scene: Scene, copied: Callable[[Log], Path]) -> None:
    scene.log.write(5)
    scene.log.write(scene.log.line()[:40])
    scene.once()
    scene.tokentail("backfill", "--strict", copied(scene.log), code=1)
    assert "40 bytes" in scene.said
    assert "left unread" in scene.said


@copied
def test_the_log_has_the_whole_line_by_then(scene: Scene, copied: Callable[[Log], Path]) -> None:
    scene.log.write(5)
    line = scene.log.line()
    scene.log.write(line[:40])
    copy = copied(scene.log)
    scene.log.write(line[40:])
    scene.log.write(5)
    scene.once()
    assert scene.backfill(copy)[0]["left"] == 40
    scene.check()


@cut_at
@copied
def test_the_copy_is_first(scene: Scene, copied: Callable[[Log], Path], cut: int) -> None:
    """The log is there when the copy is read, so the line is left to it."""
    scene.log.write(5)
    line = scene.log.line()
    scene.log.write(line[:cut])
    copy = copied(scene.log)
    scene.log.write(line[cut : cut + 20])
    assert scene.backfill(copy)[0]["left"] == cut
    scene.once()
    scene.log.write(line[cut + 20 :])
    scene.log.write(5)
    scene.once()
    scene.once()
    assert scene.backfill(copy)[0]["new"] == 0
    scene.check()


@pytest.mark.parametrize("lines", [0, 5])
@pytest.mark.parametrize("ends", [True, False])
@copied
def test_the_log_is_followed_only_later(
    any_scene: Scene, copied: Callable[[Log], Path], lines: int, *, ends: bool
) -> None:
    """Then its last line was taken as it was, and rejected. The whole one takes its place."""
    log = any_scene.new_log("later.log")
    log.write(lines)
    line = log.line()
    log.write(line[:80])
    copy = copied(log)
    assert any_scene.backfill(copy)[0]["rejected"] == 1
    assert any_scene.status()["rejected"] == 1
    log.write(line[80:] if ends else line[80:100])
    any_scene.follow(log.path)
    any_scene.once()
    log.write(b"" if ends else line[100:])
    log.write(5)
    any_scene.once()
    any_scene.once()
    assert any_scene.backfill(copy)[0]["new"] == 0
    assert any_scene.backfill(log.path)[0]["new"] == 0
    assert any_scene.tokentail("rejected", "list", "--json").stdout.strip() in {"", "[]"}
    said = any_scene.status()
    assert (said["read"], said["stored"], said["rejected"]) == (lines + 6, lines + 6, 0)
    assert any_scene.stored() == sorted(log.written)
    assert any_scene.verify(log.path)[0]["good"]
    assert any_scene.verify(copy)[0]["missing"] == 0


def test_a_late_writer_ends_a_line_of_a_rotated_file(scene: Scene) -> None:
    log = scene.log
    log.write(5)
    line = log.line()
    log.write(line[:80])
    scene.turn(2)
    rotated = log.rename()
    log.write(5)
    scene.turn(3, seconds=20.0)
    log.write(line[80:], to=rotated)
    log.write(5, to=rotated)
    scene.turn(3, seconds=20.0)
    scene.end()
    assert scene.stored() == sorted(log.written)
    said = scene.status()
    assert (said["read"], said["stored"], said["rejected"]) == (16, 16, 0)
    assert [entry for entry in scene.verify(rotated, log.path) if not entry["good"]] == []


def test_a_line_that_is_whole_without_its_end_stands(scene: Scene) -> None:
    """Only its end comes later: it is the same line, and those behind it have the same points in every copy."""
    log = scene.new_log("later.log")
    log.write(5)
    log.write(log.line().rstrip(b"\n"))
    copy = plain(log)
    assert scene.backfill(copy)[0]["lines"] == 6
    log.write(b"\n")
    log.write(5)
    scene.follow(log.path)
    scene.once()
    whole = plain(log)
    assert scene.backfill(whole)[0]["new"] == 0
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:8]))
    log.write(5)
    scene.once()
    scene.check(log, gaps=None)


def test_a_finished_file_that_is_nobodys_copy(scene: Scene) -> None:
    scene.log.write(5)
    old = scene.new_log("old.jsonl")
    old.write(5)
    old.write(old.line()[:80])
    (answer,) = scene.backfill(old.path)
    assert (answer["lines"], answer["rejected"], answer["left"]) == (6, 1, 0)
    (answer,) = scene.backfill(old.path)
    assert (answer["new"], answer["left"]) == (0, 0)
