"""Rotation, truncation, compression and all that: the faults of reliability.md, on real files (T-numbers in the names)."""

import gzip
import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingestor.config.settings import BudgetSettings, LogSettings
from ingestor.errors import TokentailError
from ingestor.jobs.verify import verify
from ingestor.sources.file import files
from ingestor.state.state import State
from parsers.contract import Reason
from tests.support.world import World, gz, zst


def test_t1_many_rotations_while_running_with_delayed_compression(world: World) -> None:
    for _ in range(10):
        world.log.write(500)
        world.turn()
        world.log.write(500)
        previous = world.log.rename()
        for older in world.logs_directory.glob("*.2"):
            gz(older)
        world.turn()
        assert previous.exists()
    world.turn()
    world.check()
    assert world.gaps() == []


def test_t2_a_writer_that_keeps_appending_to_the_renamed_file(world: World) -> None:
    world.log.write(5)
    world.turn()
    rotated = world.log.rename()
    for _ in range(30):
        world.log.write(1, to=rotated)
        world.log.write(1)
        world.turn()
    world.check()


@pytest.mark.parametrize("compress", [None, gz, zst], ids=["plain", "gz", "zst"])
def test_t3_rotated_while_down(world: World, compress: Callable[[Path], Path] | None) -> None:
    world.log.write(5)
    world.once()
    world.log.write(4)
    rotated = world.log.rename()
    if compress:
        compress(rotated)
    world.log.write(3)
    world.once()
    world.check()
    assert world.gaps() == []


@pytest.mark.parametrize("rotate", ["rename", "copy_truncate"])
def test_t4_rotated_three_times_while_down_the_oldest_two_compressed(world: World, rotate: str) -> None:
    world.log.write(50)
    world.once()
    for count in (40, 30, 20):
        world.log.write(count)
        getattr(world.log, rotate)()
    gz(world.log.sibling(".3"))
    zst(world.log.sibling(".2"))
    world.log.write(10)
    world.once()
    world.check()
    world.once()
    world.check()
    assert world.gaps() == []


def test_dated_names_and_an_archive_directory(world: World) -> None:
    archive = world.directory / "archive"
    archive.mkdir()
    world.log_settings = (LogSettings(str(world.log.path), archive_directories=(str(archive),)),)
    world.log.write(5)
    world.once()
    world.log.write(5)
    world.log.path.rename(archive / "audit.log-20261101")
    gz(archive / "audit.log-20261101")
    world.log.write(5)
    world.log.path.rename(archive / "audit.log-20261102")
    world.log.write(5)
    world.once()
    world.check()


def test_t5_a_remainder_that_is_gone_is_a_reported_gap(world: World) -> None:
    world.log.write(5)
    world.once()
    read_to = world.log.path.stat().st_size
    del world.log.written[5:]
    lost = world.log.line()
    world.log.written.pop()
    world.log.write(lost)
    world.log.rename().unlink()
    world.log.write(2)
    world.once()
    world.check()
    (gap,) = world.gaps()
    assert (gap.first, gap.last) == (read_to, None)
    assert str(world.log.path) in str(gap)
    world.once()
    assert len(world.gaps()) == 1, "reported once"


def test_t5_a_gap_whose_end_is_known_says_so(world: World) -> None:
    world.log.write(5)
    world.log.write(b'{"half":')
    world.turn()
    half, size = world.log.path.stat().st_size - 8, world.log.path.stat().st_size
    world.log.write(1)
    world.log.written.pop()
    os.truncate(world.log.path, 0)
    world.log.write(1)
    world.turn(3)
    world.check()
    (gap,) = world.gaps()
    assert gap.first == half
    assert gap.last is not None
    assert gap.last >= size


@pytest.mark.parametrize("damage", ["truncated", "bad checksum"])
def test_t6_a_damaged_compressed_file_delivers_what_is_before_the_damage(world: World, damage: str) -> None:
    world.log.write(5)
    world.once()
    world.log.write(3000)
    packed = gz(world.log.rename())
    data = bytearray(packed.read_bytes())
    if damage == "truncated":
        packed.write_bytes(data[: len(data) // 2])
    else:
        data[-8] ^= 0xFF
        packed.write_bytes(data)
    world.log.write(7)
    world.once()
    stored = world.stored()
    assert len(stored) == len(set(stored))
    assert set(stored) <= set(world.log.written)
    assert set(world.log.written[-7:]) <= set(stored)
    assert len(stored) > 200
    assert len(world.gaps()) == 1
    assert world.rejected() == [], "half a line before the damage is no line"


@pytest.mark.parametrize("behind", [0, 7], ids=["caught up", "lagging"])
def test_t7_t8_copy_truncate_while_running(world: World, behind: int) -> None:
    world.log.write(50)
    world.turn()
    world.log.write(behind)
    world.log.copy_truncate()
    world.log.write(3)
    world.turn(3)
    world.check()
    assert world.gaps() == []


def test_a_copy_under_way_is_not_read_as_a_new_generation(world: World) -> None:
    world.log.write(200)
    world.once()
    whole = world.log.path.read_bytes()
    world.log.sibling(".1").write_bytes(whole[: len(whole) // 2])
    world.once()
    world.log.sibling(".1").write_bytes(whole)
    world.once()
    os.truncate(world.log.path, 0)
    world.log.write(1)
    world.once()
    world.check()
    assert world.gaps() == []


@pytest.mark.parametrize("down", [True, False], ids=["T9 down", "T10 running"])
@pytest.mark.parametrize("size", ["smaller", "equal", "larger"])
def test_t9_t10_truncated_and_regrown(world: World, size: str, *, down: bool) -> None:
    world.log.write(100)
    world.once() if down else world.turn()
    os.truncate(world.log.path, 0)
    world.log.write({"smaller": 10, "equal": 100, "larger": 300}[size])
    world.once() if down else world.turn(3)
    world.check()


@pytest.mark.parametrize("count", [3, 300], ids=["smaller", "larger"])
def test_t11_a_new_file_with_the_same_inode(world: World, count: int) -> None:
    world.log.write(100)
    world.once()
    inode = world.log.path.stat().st_ino
    world.log.path.unlink()
    for _ in range(50):  # ask until the file system hands the number out again
        world.log.path.touch()
        if world.log.path.stat().st_ino == inode:
            break
        world.log.path.rename(world.directory / f"spare-{time.monotonic_ns()}")
    else:
        # This file system does not reuse numbers soon: rewriting in place is the same thing to the reader.
        world.log.path.write_bytes(b"")
    world.log.write(count)
    world.once()
    world.check()


def test_t12_a_crash_right_after_a_reset_reads_from_the_start_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.write(100)
    world.once()
    os.truncate(world.log.path, 0)
    world.log.write(200)
    monkeypatch.setattr(world.daemon.pipeline, "submit", _crash)
    with pytest.raises(KeyboardInterrupt):
        world.turn()
    world.stop()
    world.once()
    world.check()


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("count", [0, 1])
def test_t13_empty_and_tiny_files(world: World, count: int) -> None:
    world.log.path.touch()
    world.log.write(count)
    world.turn()
    world.check()
    world.log.rename()
    world.log.write(1)
    world.turn(2)
    world.check()


def test_t13_tiny_generations_rotated_while_down(world: World) -> None:
    world.log.write(30)
    world.once()
    for _ in range(3):
        world.log.rename()
        world.log.write(1)
    world.once()
    world.check()


def test_t14_two_logs_with_an_identical_beginning(world: World) -> None:
    other = world.new_log("other.log")
    world.log_settings = (*world.log_settings, LogSettings(str(other.path)))
    head = world.log.lines(30)
    other.written += world.log.written
    world.log.write(head)
    other.write(head)
    world.log.write(5)
    other.write(6)
    world.turn(3)
    world.check_content(world.log, other)
    world.log.write(3)
    other.write(4)
    world.turn(3)
    world.check_content(world.log, other)
    assert world.gaps() == []


def test_generations_with_equal_heads_are_told_apart(world: World) -> None:
    world.log.path.touch()
    world.once()
    header = b'{"created_at":"2026-11-01T00:00:00Z","action":"session.started","note":"' + b"x" * 2000 + b'"}\n'
    for rotation in range(5):
        if rotation:
            world.log.rename()
        world.log.write(header)
        # Where beginnings are equal, H is of what comes after them: even lines of one tick are told apart.
        world.log.write(b"".join(world.log.line(created_at="2026-11-01T09:30:00.123Z") for _ in range(3)))
        if rotation % 2:
            world.once()
    world.once()
    world.check()


def test_generations_behind_more_nulls_than_are_looked_over_are_told_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written NULs, as an archive of a log has them whose writer goes on at its old place after a truncation."""
    monkeypatch.setattr(files, "_HOLE_BYTES", 1)
    nulls = b"\0" * (1 << 20)
    for _ in range(3):
        world.log.write(nulls)
        world.log.write(b"a header\n")
        world.turn(5)
        world.stop()
        world.log.write(b"".join(world.log.line(created_at="2026-11-01T09:30:00.123Z") for _ in range(3)))
        world.turn(5)
        gz(world.log.rename())
        world.turn(5)
    generations = world.ask(State.generations)
    read = [generation for generation in generations if generation.position.offset]
    assert len(read) == 3
    assert len({generation.h for generation in read} - {None}) == 3
    assert {generation.h for generation in read} == {generation.file_key for generation in read}
    world.check()


def test_t15_cyclic_renames(world: World) -> None:
    first, second = world.log.path, world.log.sibling(".1")
    world.log.write(5)
    world.turn()
    first.rename(second)
    world.log.write(5)
    world.turn()
    for _ in range(3):
        spare = world.logs_directory / "spare"
        first.rename(spare)
        second.rename(first)
        spare.rename(second)
        world.log.write(2)
        world.turn(2)
    world.check()


def test_t16_a_symlink_whose_target_is_swapped(world: World) -> None:
    first, second = world.new_log("audit-a.log"), world.new_log("audit-b.log")
    first.write(5)
    second.write(5)
    world.log.path.symlink_to(first.path)
    world.turn()
    first.write(2)
    world.log.path.unlink()
    world.log.path.symlink_to(second.path)
    world.turn(2)
    world.check(first, second)
    world.stop()
    second.write(2)
    third = world.new_log("audit-c.log")
    third.write(1)
    world.log.path.unlink()
    world.log.path.symlink_to(third.path)
    world.once()
    world.check(first, second, third)


def test_t16_a_hard_link_in_the_glob_is_read_once(world: World) -> None:
    world.log_settings = (LogSettings(str(world.logs_directory / "*.log")),)
    world.log.write(5)
    os.link(world.log.path, world.logs_directory / "twin.log")
    world.turn(2)
    world.check()


def test_t17_a_directory_removed_and_made_again(world: World) -> None:
    world.log.write(5)
    world.turn()
    shutil.rmtree(world.logs_directory)
    world.turn(2)
    world.logs_directory.mkdir()
    world.log.write(5)
    world.turn(2)
    world.check()


def test_a_log_that_does_not_exist_yet(world: World) -> None:
    world.turn(2)
    world.log.write(3)
    world.turn()
    world.check()


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root can read everything and setpriv is not here"
)
def test_t17_an_unreadable_log_becomes_readable(world: World) -> None:
    world.log.write(3)
    world.log.path.chmod(0)
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(world.directory, 65534, 65534)
        os.chown(world.logs_directory, 65534, 65534)
        for parent in world.directory.parents:
            if parent.stat().st_uid == 0 and parent.is_relative_to(Path("/tmp")) and parent != Path("/tmp"):  # noqa: S108
                parent.chmod(stat.S_IMODE(parent.stat().st_mode) | 0o011)
        os.seteuid(65534)
    try:
        world.turn()
        (followed,) = world.file_source.logs
        assert "cannot be read" in (followed.problem or "")
    finally:
        if as_root:
            os.seteuid(0)
    world.log.path.chmod(0o644)
    world.turn(2)
    assert followed.problem is None
    world.check()


@pytest.mark.parametrize("restart", [False, True])
def test_t18_a_line_written_in_pieces_is_one_event(world: World, *, restart: bool) -> None:
    line = world.log.line()
    for piece in (line[:10], line[10:60], line[60:]):
        world.log.write(piece)
        world.turn(2)
        if restart:
            world.stop()
    world.turn()
    world.check()
    assert world.rejected() == []


def test_t19_a_last_line_without_an_end_is_taken_once_the_rotated_file_is_quiet(world: World) -> None:
    world.read = replace(world.read, rotated_quiet_seconds=10.0)
    world.log.write(world.log.line().rstrip(b"\n"))
    world.turn()
    world.log.rename()
    world.log.write(2)
    world.turn()
    assert len(world.stored()) == 2, "the rotated file may still grow"
    world.turn(3, seconds=6.0)
    world.check()
    world.once()
    world.check()


def test_t20_an_over_long_line_between_good_ones(world: World) -> None:
    world.log.write(2)
    world.log.write(b"x" * (4 << 20) + b"\n")
    world.log.write(2)
    world.turn()
    world.check()
    assert world.rejected() == [Reason.LINE_TOO_LONG]
    world.log.write(b"y" * 200_000)
    world.turn(2)
    world.log.write(b"y" * 200_000 + b"\n")
    world.log.write(1)
    world.turn()
    world.check()
    assert world.rejected() == [Reason.LINE_TOO_LONG] * 2


def test_t20_the_longest_line_that_is_read(world: World) -> None:
    limit = world.read.max_line_bytes
    line = world.log.line().rstrip(b"\n")
    padded = line[:-1] + b" " * (limit - len(line)) + b"}\n"
    assert len(padded) == limit + 1
    world.log.write(padded)
    world.log.write(padded.replace(b"}\n", b" }\n"))
    world.turn()
    world.check()
    assert world.rejected() == [Reason.LINE_TOO_LONG]


def test_starting_at_the_end_counts_what_is_skipped(world: World) -> None:
    world.log_settings = (LogSettings(str(world.log.path), start="end"),)
    world.log.write(5)
    skipped = list(world.log.written)
    world.once()
    world.log.write(3)
    world.once()
    assert world.stored() == sorted(world.log.written[5:])
    times_seen_late = world.ask(
        lambda state: list(state.connection.execute("SELECT time FROM token_events ORDER BY time"))
    )
    world.stop()
    shutil.rmtree(world.state_directory)
    world.log_settings = (LogSettings(str(world.log.path)),)
    world.once()
    everything = world.ask(
        lambda state: list(
            state.connection.execute(
                f"SELECT time FROM token_events WHERE event_id NOT IN ({','.join('?' * len(skipped))}) ORDER BY time",
                skipped,
            )
        )
    )
    assert times_seen_late == everything, "the same points as a reader from the start makes"


def test_what_was_rotated_before_the_first_look_is_left_to_backfill(world: World) -> None:
    world.log.write(3)
    world.log.rename()
    gz(world.log.sibling(".1"))
    old = list(world.log.written)
    world.log.write(3)
    world.once()
    assert world.stored() == sorted(set(world.log.written) - set(old))
    world.log.rename()
    world.log.write(1)
    world.once()
    assert world.stored() == sorted(set(world.log.written) - set(old))


def test_rotated_names_in_a_glob_are_no_logs_of_their_own(world: World) -> None:
    world.log_settings = (LogSettings(str(world.logs_directory / "audit.log*")),)
    world.log.write(3)
    world.turn()
    world.log.write(3)
    gz(world.log.rename())
    world.log.write(3)
    world.log.rename()
    world.turn(2)
    world.check()
    assert [followed.path for followed in world.file_source.logs] == [str(world.log.path)]


def test_two_entries_never_share_a_source(world: World) -> None:
    other = world.new_log("other.log")
    world.log_settings = (LogSettings(str(world.log.path), source="idp"), LogSettings(str(other.path), source="idp"))
    world.log.write(3)
    other.write(3)
    world.turn(2)
    world.check(world.log)


def test_a_glob_with_a_source_is_one_log_in_many_files(world: World) -> None:
    days = [world.new_log(f"audit-2026-11-0{day}.jsonl") for day in (1, 2, 3)]
    world.log_settings = (LogSettings(str(world.logs_directory / "audit-*.jsonl"), source="idp"),)
    for day in days:
        day.write(5)
        world.turn(2)
    world.check(*days)
    assert list(world.ask(lambda state: state.accounts())) == ["idp"]


def test_t28_changes_are_found_by_polling_alone(world: World) -> None:
    """No notification reaches the loop here at all: ``step`` polls, ``Wakeup`` only shortens the wait."""
    world.log.write(1)
    world.turn()
    world.log.write(1)
    world.turn()
    world.check()


def test_a_pipe_that_a_pattern_finds_is_refused_and_does_not_block(world: World) -> None:
    os.mkfifo(world.log.path)
    world.log_settings = (LogSettings(str(world.logs_directory / "*.log")),)
    world.turn()
    (followed,) = world.file_source.logs
    assert "is a pipe" in (followed.problem or "")


def test_a_compressed_file_of_several_members(world: World) -> None:
    world.log.write(5)
    world.once()
    world.log.write(3)
    rotated = world.log.rename()
    data = rotated.read_bytes()
    rotated.unlink()
    world.log.sibling(".1.gz").write_bytes(gzip.compress(data[:100]) + gzip.compress(data[100:]))
    world.once()
    world.check()


def clients_in_store(world: World) -> set[str]:
    rows = "SELECT DISTINCT client_id FROM series"
    return world.ask(lambda state: {row[0] for row in state.connection.execute(rows)})


def test_generations_that_came_while_down_are_read_oldest_first(world: World) -> None:
    """Order shows in who is admitted under a budget: the client that appeared first in the log."""
    world.budgets = BudgetSettings(clients=2, failing_clients=0)
    world.log.write(world.log.line(details={"client_id": "first"}))
    world.once()
    for client in ("second", "third", "fourth"):
        world.log.rename()
        world.log.write(world.log.line(details={"client_id": client}))
    world.once()
    world.check()
    assert clients_in_store(world) == {"first", "second", "_other"}


def test_a_client_that_a_late_writer_brings_is_admitted_in_the_order_of_reading(world: World) -> None:
    world.log.write(3)
    world.turn()
    rotated = world.log.rename()
    world.log.write(10)  # so that neither the generation nor the ordinal alone tells the order of reading
    world.log.write(world.log.line(details={"client_id": "new"}))
    world.turn()
    world.log.write(world.log.line(details={"client_id": "new"}), to=rotated)
    world.turn(2)
    world.stop()
    world.log.write(world.log.line(details={"client_id": "new"}), to=rotated)
    world.turn(2)
    world.check()
    assert "_other" not in clients_in_store(world)
    for found in world.ask(lambda state: verify(world.settings, state, [str(world.log.path), str(rotated)])):
        assert found.good


def test_t20_a_line_longer_than_one_read_but_within_the_limit(world: World) -> None:
    world.read = replace(world.read, max_line_bytes=1_048_576)
    world.log.write(2)
    line = world.log.line().rstrip(b"\n")
    world.log.write(line[:-1] + b" " * 700_000 + b"}\n")
    world.log.write(2)
    world.turn()
    world.check()
    assert world.rejected() == []


def test_once_complains_of_a_log_that_is_not_there_and_not_of_one_that_was_just_rotated(world: World) -> None:
    other = world.new_log("other.log")
    world.log_settings = (*world.log_settings, LogSettings(str(other.path)))
    world.log.write(3)
    with pytest.raises(TokentailError, match=r"other\.log does not exist"):
        world.once()
    assert len(world.stored()) == 3, "what could be read is stored"
    other.write(1)
    world.once()
    other.rename(create=False)
    world.once()
    world.check(world.log, other)


def test_a_source_that_is_renamed_goes_on_where_it_was(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.log.write(50)
    world.once()
    world.log.write(10)
    world.log_settings = (LogSettings(str(world.log.path), source="audit"),)
    world.once()
    world.check()
    assert "is source 'audit' from there on" in caplog.text
    accounts = world.ask(lambda state: state.accounts())
    assert (accounts[str(world.log.path)].stored, accounts["audit"].stored) == (50, 10)
    caplog.clear()
    world.log.write(10)
    world.once()
    world.check()
    assert "from there on" not in caplog.text


def test_a_copy_of_a_log_under_another_name_is_the_same_events(world: World) -> None:
    world.log.write(50)
    world.once()
    copy = world.logs_directory / "copy.log"
    shutil.copyfile(world.log.path, copy)
    world.log_settings = (LogSettings(str(copy)),)
    world.once()
    world.check()
    world.log.write(5, to=copy)
    world.once()
    world.check()
    assert world.ask(lambda state: state.accounts())[str(copy)].stored == 5


def test_a_log_that_is_renamed_and_made_again_soon_is_no_news(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.read = replace(world.read, missing_grace_seconds=5.0)
    world.log.write(5)
    world.turn(2)
    world.log.rename(create=False)
    world.turn(4)
    world.log.write(5)
    world.turn(2)
    world.check()
    assert "does not exist" not in caplog.text
    assert "can be read now" not in caplog.text
    world.log.rename(create=False)
    world.turn(4)
    assert "does not exist" not in caplog.text
    world.turn(8)
    assert caplog.text.count("does not exist") == 1
    world.log.write(5)
    world.turn(2)
    world.check()
