"""Backing up and restoring: of one moment, whole, and going on exactly."""

import os
import shutil
import socket
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ingestor.errors import DamagedStateError, TokentailError, UnavailableError
from ingestor.state import backup as backup_module
from ingestor.state.backup import Backup, back_up
from ingestor.state.database import DATABASE
from ingestor.state.rejected_file import REJECTED
from ingestor.state.state import State
from tests.support.world import World, gz


def backed_up(world: World, file: Path) -> Backup:
    with closing(State.open_reader(world.state_directory)) as state:
        return back_up(state, file)


def restore(world: World, file: Path) -> None:
    """Do what docs/operate.md says."""
    world.stop()
    world.state_directory.rename(world.state_directory.with_name("state.old"))
    world.state_directory.mkdir(0o700)
    shutil.copy(file, world.state_directory / DATABASE)
    beside = file.with_name(f"{file.name}.{REJECTED}")
    if beside.exists():
        shutil.copy(beside, world.state_directory / REJECTED)


def test_a_restored_backup_goes_on_exactly_where_it_was(world: World, tmp_path: Path) -> None:
    file = tmp_path / "saved" / "tokentail.db"
    file.parent.mkdir()
    world.log.write(50)
    world.log.write(b"{broken\n")
    world.turn(2)
    gz(world.log.rename())
    world.log.write(20)
    world.turn(2)
    done = backed_up(world, file)  # the daemon runs, and what it wrote is in its write-ahead log
    assert (done.file, done.bytes) == (file, file.stat().st_size)
    world.log.write(30)
    world.log.write(b"{broken too\n")
    world.turn(2)
    world.log.rename()
    world.log.write(10)
    world.turn(2)
    world.check()
    before = world.ask(lambda state: state.accounts()), len(world.rejected())
    restore(world, file)
    assert len(world.stored()) == 70
    assert len(world.rejected()) == 1
    world.once()
    world.check()
    assert (world.ask(lambda state: state.accounts()), len(world.rejected())) == before
    assert world.gaps() == []
    world.log.write(5)
    world.once()
    world.check()


def test_a_backup_beside_a_writing_daemon_is_of_one_moment(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "_STEP_PAGES", 1)
    world.log.write(2000)
    world.turn()
    wrote = threading.Event()
    parts: list[float] = []

    def meanwhile(part: float) -> None:
        parts.append(part)
        if len(parts) in {2, 5, 9}:
            world.log.write(500)
            world.turn()
            wrote.set()

    file = tmp_path / "tokentail.db"
    with closing(State.open_reader(world.state_directory)) as state:
        back_up(state, file, meanwhile)
    assert wrote.is_set()
    assert len(world.stored()) == 3500
    assert parts == sorted(parts), "never begun anew"
    with closing(sqlite3.connect(file)) as copy:
        counts = "SELECT (SELECT count(*) FROM token_events), (SELECT sum(events) FROM token_events_1h), stored FROM accounts"
        assert copy.execute(counts).fetchone() == (2000, 2000, 2000)
    restore(world, file)
    world.once()
    world.check()


def test_a_backup_is_the_owners_alone_and_one_file(world: World, tmp_path: Path) -> None:
    world.log.write(5)
    world.once()
    saved = tmp_path / "saved"
    saved.mkdir()
    done = backed_up(world, saved / "copy.db")
    assert done.rejected_file is None or done.rejected_file.stat().st_size == 0
    assert stat.S_IMODE(done.file.stat().st_mode) == 0o600
    assert not list(saved.glob("*-wal")) + list(saved.glob(".*"))
    with closing(sqlite3.connect(done.file)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_former_backup_stays_until_the_new_one_is_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokentail.db"
    world.log.write(5)
    world.once()
    backed_up(world, file)
    before = file.read_bytes()
    world.log.write(5)
    world.once()

    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "_copy_rejected", full)
    with pytest.raises(UnavailableError, match="No space left on device"):
        backed_up(world, file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*")] == []
    monkeypatch.undo()
    backed_up(world, file)
    assert file.read_bytes() != before


def test_damage_of_the_state_does_not_replace_a_good_backup(world: World, tmp_path: Path) -> None:
    world.log.write(3000)
    world.once()
    file = tmp_path / "tokentail.db"
    backed_up(world, file)
    before = file.read_bytes()
    database = world.state_directory / DATABASE
    data = bytearray(database.read_bytes())
    with closing(sqlite3.connect(database)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'token_events'").fetchone()
    data[(root - 1) * 8192 + 8 : (root - 1) * 8192 + 200] = b"\xff" * 192
    database.write_bytes(data)
    with pytest.raises(DamagedStateError, match=f"damaged: On tree page {root} "):
        backed_up(world, file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "dangling link"])
def test_what_is_no_file_is_not_replaced(world: World, tmp_path: Path, kind: str, beside: bool) -> None:
    """As root, a device would be replaced for the whole machine."""
    world.log.write(5)
    world.log.write(b"{broken\n")
    world.once()
    file, target = tmp_path / "copy.db", tmp_path / "target"
    place = file.with_name(f"{file.name}.{REJECTED}") if beside else file
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        with closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind(str(place))
    else:
        place.symlink_to(target)
        if kind == "link":
            target.write_text("precious")
    before = place.lstat()  # to read a link changes when it was read last
    with pytest.raises(TokentailError, match=r"a named pipe|a socket|a symbolic link") as caught:
        backed_up(world, file)
    assert caught.value.where == str(place)
    assert (str(target) in caught.value.advice) == (kind == "link")
    after = place.lstat()
    assert (after.st_mode, after.st_ino, after.st_mtime_ns) == (before.st_mode, before.st_ino, before.st_mtime_ns)
    assert not target.exists() or target.read_text() == "precious"


def test_a_backup_into_the_state_itself_is_refused(world: World, tmp_path: Path) -> None:
    world.log.write(5)
    world.once()
    link = tmp_path / "link"
    link.symlink_to(world.state_directory)
    for file in (world.state_directory / DATABASE, link / "copy.db"):
        with pytest.raises(TokentailError, match="lost together with the state"):
            backed_up(world, file)
    with pytest.raises(TokentailError, match="directory") as caught:
        backed_up(world, tmp_path)
    assert str(tmp_path / DATABASE) in caught.value.advice
    with pytest.raises(UnavailableError, match="No such file"):
        backed_up(world, tmp_path / "none" / "copy.db")
