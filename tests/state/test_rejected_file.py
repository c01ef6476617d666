"""The rejected file is deleted, replaced, cut or edited by people: that is said, and costs nothing but what they took."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.state.rejected_file import REJECTED, read_rejected
from parsers.contract import Reason
from tests.support.world import World


def deleted(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def overwritten(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def replaced(path: Path) -> None:
    path.rename(path.with_suffix(".mine"))
    path.write_bytes(b"notes\n" * 1000)


@pytest.mark.parametrize("harm", [deleted, emptied, cut, overwritten, replaced])
@pytest.mark.parametrize("running", [False, True], ids=["between runs", "while it runs"])
def test_a_harmed_file_is_said_and_begun_anew(
    world: World, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture, *, running: bool
) -> None:
    world.log.write(b"{broken\n" * 3)
    world.log.write(1)
    world.turn(2)
    if not running:
        world.stop()
    file = world.state_directory / REJECTED
    harm(file)
    lost = file.read_bytes() if file.exists() else b""
    world.log.write(b"[]\n" * 2)
    world.turn(2)
    assert "stay counted" in caplog.text
    kept = [path.read_bytes() for path in world.state_directory.glob(f"{REJECTED}.damaged-*")]
    assert kept == ([lost] if lost else []), "what a person wrote there is not ours to delete"
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert account.rejected == {Reason.INVALID_JSON: 3, Reason.NOT_AN_OBJECT: 2}
    assert world.rejected() == [Reason.NOT_AN_OBJECT] * 2
    caplog.clear()
    world.stop()
    world.log.write(b"[]\n")
    world.turn(2)
    world.stop()
    world.turn()
    assert world.rejected()[-1] == Reason.NOT_AN_OBJECT
    assert "stay counted" not in caplog.text, "once, not at every start"


def test_entries_that_are_not_legible_are_skipped_and_said(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.log.write(b"{broken\n" * 3)
    world.once()
    file = world.state_directory / REJECTED
    first, second, third = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + b"scribble\n" + second.replace(b"invalid_json", b"no_reason") + b"{}\n" + third)
    assert len(list(read_rejected(world.state_directory))) == 2
    assert "3 lines" in caplog.text
