import os
from pathlib import Path

import pytest

from ingestor.systemd.permissions import Barrier, first_barrier, group_name, group_number


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that everybody can read, once its directories let them."""
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    file = tmp_path / "audit.jsonl"
    file.write_text("")
    file.chmod(0o644)
    return file


def found(file: Path, *groups: int) -> Barrier | None:
    return first_barrier(file, groups, hidden=False)


def test_what_everybody_can_read_is_reached(file: Path) -> None:
    assert found(file) is None
    assert found(file.with_name("absent")) is None


def test_a_file_of_a_group_needs_that_group_and_says_which(file: Path) -> None:
    file.chmod(0o640)
    group = file.stat().st_gid
    what = found(file)
    assert what is not None
    assert (what.place, what.group) == (file, group_name(group))
    assert "mode 0640" in str(what)
    assert found(file, group) is None


def test_a_file_of_its_owner_alone_is_reached_by_no_group(file: Path) -> None:
    file.chmod(0o600)
    what = found(file)
    assert what is not None
    assert what.group == ""
    assert found(file, file.stat().st_gid) is not None


def test_a_group_that_is_shut_out_is_not_let_in_as_others(file: Path) -> None:
    file.chmod(0o604)
    assert found(file) is None
    assert found(file, file.stat().st_gid) is not None


def test_a_directory_on_the_way_is_named(file: Path) -> None:
    file.parent.chmod(0o700)
    what = found(file)
    assert what is not None
    assert what.place == file.parent


def test_a_link_is_followed_to_what_it_leads_to(file: Path) -> None:
    closed = file.parent / "closed"
    closed.mkdir()
    (closed / "log").write_text("")
    closed.chmod(0o700)
    link = file.parent / "link"
    link.symlink_to(closed / "log")
    what = found(link)
    assert what is not None
    assert what.place == closed


@pytest.mark.parametrize("place", ["root", "home/me", "tmp", "var/tmp", "run/user/0", "srv/../root"])
def test_what_the_sandbox_hides_is_not_reached(place: str) -> None:
    what = first_barrier(Path("/", place, "audit.jsonl"))
    assert what is not None
    assert "=" in what.why


def test_groups_have_names_and_numbers() -> None:
    assert group_name(0) == "root"
    assert group_number("root") == 0
    assert group_name(987_654_321) == "987654321"
    assert group_number("no-such-group") is None
