"""A log that goes back to a beginning that it had before: what was counted is not counted again."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, head


def restored(path: Path, lines: int) -> None:
    """From a backup or a snapshot: another file, with another inode."""
    spare = path.with_name("spare")
    spare.write_bytes(head(path, lines))
    spare.replace(path)


def made_again(path: Path, lines: int) -> None:
    kept = head(path, lines)
    path.unlink()
    path.write_bytes(kept)


def truncated(path: Path, lines: int) -> None:
    """A power cut: what was not flushed is gone."""
    os.truncate(path, len(head(path, lines)))


def copied_over(path: Path, lines: int) -> None:
    """cp, scp, curl: emptied, then written from its beginning."""
    kept = head(path, lines)
    path.write_bytes(kept)


BACK = [restored, made_again, truncated, copied_over]
some_way = pytest.mark.parametrize("back", BACK, ids=lambda back: back.__name__)
Back = Callable[[Path, int], None]


def looking(scene: Scene, how: str) -> Callable[[], None]:
    return scene.once if how == "once" else partial(scene.turn, 2)


@pytest.mark.parametrize("how", ["once", "daemon"])
@some_way
def test_it_goes_back_and_on(scene: Scene, back: Back, how: str) -> None:
    look = looking(scene, how)
    scene.log.write(100)
    look()
    back(scene.log.path, 60)
    look()
    scene.log.write(20)
    look()
    scene.check(gaps=None)


@pytest.mark.parametrize("back", [restored, truncated], ids=lambda back: back.__name__)
def test_it_goes_back_and_on_in_every_store(any_scene: Scene, back: Back) -> None:
    any_scene.log.write(100)
    any_scene.once()
    back(any_scene.log.path, 60)
    any_scene.log.write(20)
    any_scene.once()
    any_scene.check(gaps=None)


@some_way
def test_it_goes_back_and_the_same_lines_come_again(scene: Scene, back: Back) -> None:
    """A transfer that is repeated: it is all as it was, and then goes on."""
    whole = scene.log.lines(100)
    scene.log.write(whole)
    scene.once()
    back(scene.log.path, 60)
    scene.once()
    scene.log.path.write_bytes(whole)
    scene.once()
    scene.check(gaps=None)
    scene.log.write(5)
    scene.once()
    scene.check(gaps=None)


def test_a_transfer_that_is_repeated_grows_under_the_daemon_s_eyes(scene: Scene) -> None:
    whole = scene.log.lines(100)
    scene.log.write(whole)
    scene.turn(2)
    scene.log.path.write_bytes(b"")
    scene.turn()
    for start in range(0, len(whole), 2000):
        with scene.log.path.open("ab") as file:
            file.write(whole[start : start + 2000])
        scene.turn()
    scene.log.write(5)
    scene.turn(2)
    scene.check(gaps=None)


@some_way
def test_it_goes_back_again_and_again(scene: Scene, back: Back) -> None:
    for lines in (60, 80, 30, 31):
        scene.log.write(50)
        scene.once()
        back(scene.log.path, lines)
        scene.log.write(7)
        scene.once()
    scene.check(gaps=None)


@some_way
def test_it_goes_back_on_on_and_is_rotated(scene: Scene, back: Back) -> None:
    log = scene.log
    log.write(100)
    scene.once()
    back(log.path, 60)
    log.write(20)
    log.rename()
    log.write(10)
    scene.once()
    scene.check(gaps=None)
    log.rename()
    log.write(3)
    scene.once()
    scene.check(gaps=None)


@some_way
def test_it_goes_back_and_its_source_is_renamed(scene: Scene, back: Back) -> None:
    scene.follow(LogSettings(str(scene.log.path), source="a"))
    scene.log.write(100)
    scene.once()
    back(scene.log.path, 60)
    scene.log.write(20)
    scene.follow(LogSettings(str(scene.log.path), source="b"))
    scene.once()
    scene.check(gaps=None)


def test_it_goes_back_to_the_beginning_of_a_former_generation(scene: Scene) -> None:
    """Yesterday's backup over today's log."""
    log = scene.log
    log.write(100)
    scene.once()
    yesterday = log.rename()
    log.write(50)
    scene.once()
    restored_from = head(yesterday, 60)
    log.path.write_bytes(restored_from)
    scene.once()
    scene.check(gaps=None, files=[log.path, yesterday])
    log.write(10)
    scene.once()
    scene.check(gaps=None, files=[log.path, yesterday])


def test_the_last_line_is_cut_in_its_middle_and_the_writer_goes_on(scene: Scene) -> None:
    scene.log.write(100)
    scene.once()
    os.truncate(scene.log.path, scene.log.path.stat().st_size - 20)
    scene.log.write(b"\n")
    scene.log.write(20)
    scene.once()
    scene.check(rejected=1, gaps=None)


@some_way
def test_what_comes_then_is_of_the_ticks_of_what_is_gone(scene: Scene, back: Back) -> None:
    """Equal first line, equal ordinals, equal times: events that are in no file any more are not overwritten."""
    again = Log(scene.log.path, "again")
    times = {"created_at": "2026-11-01T09:30:00Z"}
    scene.log.write(b"".join(scene.log.line(**times) for _ in range(100)))
    scene.once()
    back(scene.log.path, 60)
    scene.log.write(b"".join(again.line(**times) for _ in range(30)))
    scene.once()
    scene.check(scene.log, again, gaps=None)


def test_a_copy_that_is_complete_puts_another_file_in_its_place(scene: Scene) -> None:
    """``rsync``, an editor that saves: other inode, equal bytes."""
    for _ in range(3):
        scene.log.write(20)
        scene.turn(2)
        shutil.copyfile(scene.log.path, scene.logs_directory / ".spare")
        (scene.logs_directory / ".spare").replace(scene.log.path)
        scene.turn(2)
    scene.check()


@pytest.mark.parametrize("how", ["sed -i", "in place"])
def test_the_first_lines_are_trimmed(any_scene: Scene, how: str) -> None:
    """Whether the lines that remain count again is open, but only once, and the accounts say what the store holds."""
    log = any_scene.log
    log.write(100)
    any_scene.once()
    rest = b"".join(log.path.read_bytes().splitlines(keepends=True)[50:])
    if how == "in place":
        log.path.write_bytes(rest)
    else:
        restored(log.path, 0)
        log.path.write_bytes(rest)
    any_scene.once()
    log.write(10)
    any_scene.once()
    any_scene.check(twice_at_most=log.written[50:100], gaps=None)
    before = len(any_scene.stored())
    any_scene.backfill(log.path)
    assert len(any_scene.stored()) == before
    any_scene.check(twice_at_most=log.written[50:100], gaps=None)


@pytest.mark.parametrize("place", ["the beginning", "the middle"])
def test_a_line_is_deleted(scene: Scene, place: str) -> None:
    """Somebody takes a secret out of the log. What follows it may count again, once; what comes then is not lost."""
    log = scene.log
    log.write(100)
    scene.once()
    lines = log.path.read_bytes().splitlines(keepends=True)
    at = 0 if place == "the beginning" else 50
    log.path.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    log.write(10)
    scene.once()
    scene.check(twice_at_most=log.written[at + 1 : 100], gaps=None)


@pytest.mark.parametrize("source", ["", "idp"])
def test_a_file_is_its_former_self_up_to_a_point_and_something_else_after_it(scene: Scene, source: str) -> None:
    log = scene.log
    scene.follow(LogSettings(str(log.path), source=source))
    log.write(60)
    common = log.path.read_bytes()
    log.write(40)
    scene.once()
    other = Log(log.sibling(".other"), "other")
    other.write(common)
    other.write(30)
    (answer,) = scene.backfill(other.path)
    assert answer["new"] == 30
    scene.check(log, other)
    (answer,) = scene.backfill(other.path)
    assert answer["new"] == 0
    log.write(5)
    scene.once()
    scene.check(log, other)


def test_a_rotated_file_is_another_one_s_former_self_and_goes_on_otherwise(scene: Scene) -> None:
    """A node that was cloned with its log: both go on."""
    log = scene.log
    log.write(60)
    scene.once()
    clone = Log(scene.logs_directory / "clone.log", "clone")
    shutil.copyfile(log.path, clone.path)
    log.write(20)
    clone.write(30)
    scene.follow(log.path, clone.path)
    scene.once()
    for _ in range(2):
        clone.rename()
        log.rename()
        clone.write(3)
        log.write(4)
        scene.once()
    scene.check(log, clone)


class StaleSize:
    """A share whose size attribute lags: ``stat`` tells of fewer bytes than a read returns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.size: int | None = None
        self._inode = path.stat().st_ino
        for name in ("stat", "fstat", "lstat"):
            monkeypatch.setattr(os, name, self._stale(getattr(os, name)))

    def _stale(self, original: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def stat(*arguments: object, **more: object) -> os.stat_result:
            found = original(*arguments, **more)
            if self.size is None or found.st_ino != self._inode:
                return found
            fields = list(found)
            fields[6] = self.size
            return os.stat_result(fields, {name: getattr(found, name) for name in dir(found) if name.startswith("st_")})

        return stat


@pytest.mark.timeout(10)
@pytest.mark.parametrize("how", ["once", "daemon"])
@pytest.mark.parametrize("told", ["less", "nothing", "a moment ago"])
def test_a_size_attribute_that_lags_proves_no_truncation(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, told: str, how: str
) -> None:
    log = scene.log
    look = looking(scene, how)
    log.write(20)
    look()
    share = StaleSize(monkeypatch, log.path)
    for _ in range(4):
        log.write(20)
        look()
        size = len(log.path.read_bytes())
        share.size = {"less": size // 2, "nothing": 0, "a moment ago": size - 100}[told]
        look()
        share.size = None
    look()
    scene.check()


def test_a_closed_file_with_its_inode_size_and_first_kibibyte_can_be_another(scene: Scene) -> None:
    """Only what lies behind the first KiB tells them apart: it is read, or told."""
    log = scene.log
    banner = b'{"action":"service.started","banner":"' + b"x" * 1500 + b'"}\n'
    log.write(banner)
    log.write(5)
    scene.once()
    rotated = log.rename()
    log.write(b'{"action":"service.started","banner":"second"}\n')
    log.write(5)
    scene.once()
    size = rotated.stat().st_size
    again = Log(rotated, "audix")
    with rotated.open("r+b") as file:
        file.write(banner + again.lines(5))
    assert rotated.stat().st_size == size
    log.rename()
    log.write(5)
    scene.once()
    kept = scene.logs_directory / "audit.log.2"
    assert kept.stat().st_size == size
    scene.check(log, again, lost_at_most=again.written, ignored=3 if len(scene.stored()) == 20 else 2, files=[])


@pytest.mark.parametrize("seen_empty", [False, True], ids=["with its first lines", "seen empty"])
def test_the_last_event_of_a_log_happens_again_as_the_first_of_the_next_one(scene: Scene, seen_empty: bool) -> None:
    """Two failures of one client in one second, and a rotation between them: a log that was trimmed begins otherwise."""
    log = scene.log
    log.write(20)
    again = log.line()
    log.write(again)
    scene.turn(2)
    log.rename()
    log.path.touch()
    scene.turn(2 if seen_empty else 0)
    log.write(again + log.lines(5))
    scene.turn(2)
    scene.end()
    assert sorted(scene.stored()) == sorted([*log.written, log.written[20]])
    assert scene.status()["gaps"] == []
