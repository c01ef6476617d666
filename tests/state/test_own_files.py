"""The daemon's own files are opened without following links: another user could have it overwrite anything."""

import os
from pathlib import Path

import pytest

from ingestor.checks.checks import check_all
from ingestor.config.settings import Settings
from ingestor.errors import PermissionDeniedError
from ingestor.model.check_result import Level
from ingestor.state.health import VITALS, Health, VitalsFile, read_vitals
from ingestor.state.lock import StateLock, is_held
from ingestor.state.own_files import LinkError
from ingestor.state.rejected_file import REJECTED, RejectedFile

PRECIOUS = "precious"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "precious"
    path.write_text(PRECIOUS)
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory


def test_a_lock_that_is_a_link_is_refused(state: Path, precious: Path) -> None:
    (state / "lock").symlink_to(precious)
    with pytest.raises(PermissionDeniedError, match="symbolic link"):
        StateLock(state)
    assert precious.read_text() == PRECIOUS
    assert not is_held(state)


def test_a_link_to_nothing_makes_no_file(state: Path, tmp_path: Path) -> None:
    (state / "lock").symlink_to(tmp_path / "new")
    with pytest.raises(PermissionDeniedError):
        StateLock(state)
    assert not (tmp_path / "new").exists()


def test_vitals_are_neither_written_nor_read_through_a_link(state: Path, precious: Path) -> None:
    (state / VITALS).symlink_to(precious)
    VitalsFile(state).write(Health(1.0))
    assert precious.read_text() == PRECIOUS
    precious.write_text('{"written_at":1.0,"log_problems":[]}')
    assert read_vitals(state) is None
    (state / VITALS).unlink()
    VitalsFile(state).write(Health(1.0))
    assert read_vitals(state) == Health(1.0)


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_file_for_vitals_is_told_once(state: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(state / VITALS)
    else:
        (state / VITALS).symlink_to(state / "other")
    vitals = VitalsFile(state)
    for _ in range(3):
        vitals.write(Health(1.0))
    (said,) = [record.getMessage() for record in caplog.records]
    assert str(state / VITALS) in said
    (state / VITALS).unlink()
    vitals.write(Health(1.0))
    assert read_vitals(state) == Health(1.0)
    vitals.close()


def test_a_pipe_for_vitals_hangs_nobody(state: Path) -> None:
    os.mkfifo(state / VITALS)
    VitalsFile(state).write(Health(1.0))
    assert read_vitals(state) is None


def test_the_rejected_file_is_not_written_through_a_link(state: Path, precious: Path) -> None:
    (state / REJECTED).symlink_to(precious)
    with pytest.raises(LinkError):
        RejectedFile(state)
    assert precious.read_text() == PRECIOUS


@pytest.mark.parametrize(("mode", "who"), [(0o777, "Everybody"), (0o770, "A group"), (0o702, "Everybody")])
def test_validate_warns_of_a_state_directory_that_others_can_write(state: Path, mode: int, who: str) -> None:
    state.chmod(mode)
    (warning,) = [each for each in check_all(Settings(), state) if each.level is Level.WARNING and each.where]
    assert warning.what.startswith(f"{who} may write the state directory")
    assert "chmod go-w" in warning.advice


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_others_that_can_only_look_are_no_warning(state: Path, mode: int) -> None:
    state.chmod(mode)
    assert not [each for each in check_all(Settings(), state) if each.level is Level.WARNING and each.where]
