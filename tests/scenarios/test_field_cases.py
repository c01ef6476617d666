"""What failed in the first hour of real use, each as small as it was found, with its right outcome."""

import gzip
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ingestor.config.settings import BudgetSettings, LogSettings
from tests.support.scene import Scene
from tests.support.world import Log

HEADER = b'{"action":"service.started"}\n'


def test_two_files_of_one_source_with_an_equal_first_line(any_scene: Scene) -> None:
    a, b = any_scene.new_log("a.jsonl"), any_scene.new_log("b.jsonl")
    for log in (a, b):
        log.write(HEADER)
        log.write(50)
    any_scene.follow()
    any_scene.backfill(a.path, b.path, source="idp")
    any_scene.check(a, b, ignored=2)


def test_a_new_generation_in_two_files_plain_and_archived(any_scene: Scene) -> None:
    archive = any_scene.directory / "archive"
    archive.mkdir()
    log = any_scene.log
    any_scene.follow(LogSettings(str(log.path), archive_directories=(str(archive),)))
    log.write(5)
    any_scene.once()
    log.path.rename(log.sibling(".2"))
    log.write(50, to=log.sibling(".1"))
    (archive / "audit.log-20261101.gz").write_bytes(gzip.compress(log.sibling(".1").read_bytes()))
    log.write(5)
    any_scene.once()
    any_scene.check()


def test_a_source_is_renamed_while_a_rotated_file_has_unread_lines(any_scene: Scene) -> None:
    log = any_scene.log
    any_scene.follow(LogSettings(str(log.path), source="A"))
    log.write(10)
    any_scene.once()
    log.write(50)
    log.rename()
    log.write(5)
    any_scene.follow(LogSettings(str(log.path), source="B"))
    any_scene.once()
    any_scene.check()


def test_a_source_name_goes_to_another_log(any_scene: Scene) -> None:
    a, b = any_scene.new_log("a.log"), any_scene.new_log("b.log")
    a.write(10)
    b.write(10)
    any_scene.follow(LogSettings(str(a.path), source="S"), LogSettings(str(b.path), source="T"))
    any_scene.once()
    any_scene.follow(LogSettings(str(a.path), source="T"), LogSettings(str(b.path), source="S"))
    any_scene.once()
    any_scene.check(a, b)


def test_rotated_to_a_name_that_nobody_knows_under_a_glob_that_matches_it(scene: Scene) -> None:
    scene.follow(scene.logs_directory / "audit*")
    scene.log.write(10)
    scene.once()
    scene.log.path.rename(scene.log.sibling(".backup"))
    scene.log.write(5)
    scene.once()
    scene.check()


def test_a_new_log_under_a_glob_was_rotated_before_it_was_first_seen(scene: Scene) -> None:
    first, second = scene.new_log("t1.log"), scene.new_log("t2.log")
    scene.follow(scene.logs_directory / "*.log")
    first.write(10)
    scene.once()
    second.write(50)
    second.rename()
    second.write(5)
    scene.once()
    scene.check(first, second)


def test_live_logs_named_by_date_under_a_glob(scene: Scene) -> None:
    yesterday, today = scene.new_log("audit-2026-11-28.log"), scene.new_log("audit-2026-11-29.log")
    yesterday = Log(yesterday.path, "yesterday")
    scene.follow(scene.logs_directory / "audit*.log")
    yesterday.write(10)
    scene.turn(2)
    today.write(10)
    scene.turn(2)
    scene.check(yesterday, today)


def test_a_file_name_that_is_not_utf_8_beside_the_logs(scene: Scene) -> None:
    scene.follow(scene.logs_directory / "*.log")
    scene.log.write(5)
    (scene.logs_directory / os.fsdecode(b"m\xfcller.log")).touch()
    scene.once(code=None)
    scene.check(files=[scene.log.path])


def test_a_log_that_is_shortened_by_a_restored_backup(any_scene: Scene) -> None:
    log = any_scene.log
    log.write(100)
    any_scene.once()
    half = b"".join(log.path.read_bytes().splitlines(keepends=True)[:50])
    log.path.unlink()
    log.path.write_bytes(half)
    any_scene.once()
    any_scene.check(gaps=None)


def test_a_try_with_an_influxdb_that_is_not_there(scene: Scene) -> None:
    scene.log.write(5)
    scene.once()
    embedded, scene.store = scene.store, scene.settings.store.__class__(type="influxdb", url="http://127.0.0.1:1")
    for _ in range(3):
        scene.daemon.step()  # nobody can wait until it is done
        scene.daemon.delivery.wait(0.2)
    scene.stop()
    scene.store = embedded
    scene.once()
    scene.check()


def test_realms_invented_by_failures_do_not_use_up_the_budget(scene: Scene) -> None:
    scene.budgets = BudgetSettings()
    log = scene.log
    for number in range(100):
        details = {"client_id": "x", "realm": f"invented{number}"}
        log.write(log.line(action="token.validation_failed", details=details))
    log.write(log.line(details={"client_id": "web", "realm": "main"}))
    scene.once()
    rows = "SELECT realm, client_id FROM series WHERE outcome = 'success'"
    assert scene.ask(lambda state: state.connection.execute(rows).fetchall()) == [("main", "web")]
    scene.check()


def whole_seconds(log: Log, count: int, each: int) -> bytes:
    """Make failed requests, so many a second, with times that have no digits below it."""
    return b"".join(
        log.line(
            created_at=f"2026-11-01T09:{30 + number // each // 60:02}:{number // each % 60:02}Z",
            action="token.validation_failed",
            details={"client_id": "web", "error": "invalid_client"},
        )
        for number in range(count)
    )


@pytest.mark.parametrize("header", [b'{"log":"audit","format":"1.0","action":"log.opened"}\n', b"\n"])
def test_a_constant_first_line_and_times_of_whole_seconds(scene: Scene, header: bytes) -> None:
    nodes = [scene.new_log(f"node{number}.jsonl") for number in (1, 2)]
    for node in nodes:
        node.write(header)
        node.write(whole_seconds(node, 600, 10))
    scene.follow()
    scene.backfill(*(node.path for node in nodes), source="idp")
    scene.check(*nodes, ignored=2 * bool(header.strip()))


def test_a_log_that_is_deleted_while_it_is_written(scene: Scene) -> None:
    scene.read = replace(scene.read, rotated_quiet_seconds=10.0)
    with scene.log.path.open("ab", buffering=0) as file:
        for number in range(20):
            file.write(scene.log.lines(10))
            scene.turn()
            scene.turn()  # a pause of the writer
            if number == 4:
                scene.log.path.unlink()
    scene.turn(15)
    scene.check()


@pytest.mark.parametrize(
    "names",
    [
        ["audit-2026-10-31.jsonl", "audit-2026-11-01.jsonl", "audit-2026-11-02.jsonl"],
        ["192.0.2.10.jsonl", "192.0.2.11.jsonl", "198.51.100.7.jsonl"],
    ],
    ids=["dates", "addresses"],
)
def test_a_wide_glob_over_logs_whose_names_end_in_figures(scene: Scene, names: list[str]) -> None:
    scene.follow(scene.logs_directory / "*.jsonl")
    logs = [Log(scene.logs_directory / name, f"l{number}") for number, name in enumerate(names)]
    for number, log in enumerate(logs):
        log.write(5)
        if number:
            scene.once()
    scene.check(*logs)


@pytest.mark.parametrize("length", [1_100_000, 2 << 30], ids=["1 MiB", "2 GiB"])
def test_a_hole_before_the_first_line(scene: Scene, length: int) -> None:
    """A truncation under a writer without O_APPEND leaves one as long as all that was ever written."""
    scene.log.path.touch()
    os.truncate(scene.log.path, length)
    scene.log.write(3)
    begun = time.monotonic()
    scene.once()
    assert time.monotonic() - begun < 5
    assert len(scene.stored()) == 3, "the first line after the hole is an event"
    scene.check(files=[])


@pytest.mark.parametrize("new", [0, 100])
def test_a_log_that_is_cut_and_goes_on(any_scene: Scene, new: int) -> None:
    log = any_scene.log
    log.write(1000)
    any_scene.once()
    log.path.write_bytes(b"".join(log.path.read_bytes().splitlines(keepends=True)[:700]))
    log.write(new)
    any_scene.once()
    any_scene.check(gaps=None)


@pytest.mark.parametrize("suffix", ["-202610", "-2026W44", "-31-10-2026", ".31-10-2026", "-2026112922.backup"])
def test_rotated_names_that_no_pattern_has(scene: Scene, suffix: str) -> None:
    log = scene.log
    log.write(5)
    scene.once()
    log.path.rename(log.sibling(".1"))
    log.write(5, to=log.sibling(suffix))
    log.write(5)
    scene.once()
    scene.check()


WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    "docker": lambda line: json.dumps(
        {"log": line.decode().replace("Z", "") + "\n", "stream": "stdout", "time": "2026-11-01T09:30:00.123456789Z"}
    ).encode(),
    "cri": lambda line: b"2026-11-01T09:30:00.123456789Z stdout F " + line.replace(b"Z", b""),
    "text": lambda line: line.replace(b'"expires_in": 600', b'"expires_in": "600 s"'),
    "upper": lambda line: line.replace(b"token.refreshed", b"TOKEN_REFRESHED"),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_validate_does_not_say_that_all_is_well_over_a_log_that_is_not_understood(scene: Scene, wrapper: str) -> None:
    log = scene.log
    lines = [log.line(details={"client_id": "web", "expires_in": 600}).rstrip(b"\n") for _ in range(200)]
    log.write(b"".join(WRAPPERS[wrapper](line) + b"\n" for line in lines))
    scene.tokentail("validate", code=1)
    assert "All is well" not in scene.said
    scene.once()
    scene.tokentail("validate", code=1)
    assert "All is well" not in scene.said


def test_a_copy_beside_the_log_is_no_other_log(scene: Scene) -> None:
    scene.follow(scene.logs_directory / "*")
    scene.log.write(20)
    shutil.copyfile(scene.log.path, scene.logs_directory / "copy.log")
    scene.once()
    scene.check()
