"""Records that Docker, CRI and journald split over several lines: none is lost or counted twice, whatever comes between the parts."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.config.settings import LogSettings
from parsers.contract import Reason
from tests.support.enveloped import RUNTIMES, Wrap, cri, docker
from tests.support.scene import Scene
from tests.support.world import gz, zst

LONG = "x" * 40_000
runtime = pytest.mark.parametrize("wrap", [docker, cri], ids=["docker", "cri"])
every_runtime = pytest.mark.parametrize("wrap", RUNTIMES.values(), ids=RUNTIMES)


def short(scene: Scene, wrap: Wrap, count: int = 5) -> bytes:
    return b"".join(wrap(scene.log.line().rstrip(b"\n")) for _ in range(count))


def parts(scene: Scene, wrap: Wrap, user_agent: str = LONG) -> list[bytes]:
    """A long record as the lines that it is written in."""
    line = scene.log.line(details={"client_id": "web", "user_agent": user_agent})
    return wrap(line.rstrip(b"\n")).splitlines(keepends=True)


def given_up(scene: Scene, wrap: Wrap, user_agent: str = LONG) -> list[bytes]:
    """One that will not be put together."""
    lines = parts(scene, wrap, user_agent)
    scene.log.written.pop()
    return lines


@every_runtime
def test_they_are_put_together(scene: Scene, wrap: Wrap) -> None:
    lines = parts(scene, wrap, "x" * 100_000)
    scene.read = replace(scene.read, max_line_bytes=200_000)
    scene.log.write(short(scene, wrap) + b"".join(lines) + short(scene, wrap))
    scene.once("--strict")
    scene.check(ignored=len(lines) - 1)
    assert scene.backfill(scene.log.path)[0]["new"] == 0
    scene.check(ignored=len(lines) - 1)


@every_runtime
@pytest.mark.parametrize("killed", [True, False])
def test_the_daemon_is_killed_between_two_parts(scene: Scene, wrap: Wrap, killed: bool) -> None:
    scene.log.write(short(scene, wrap))
    lines = parts(scene, wrap, "x" * 60_000)
    for line in lines:
        scene.log.write(line[:100])
        scene.turn(2)
        if killed:
            scene.stop()
        scene.log.write(line[100:])
        scene.turn(2)
        assert len(scene.stored()) == 5 + (line is lines[-1])
        if killed:
            scene.stop()
    scene.log.write(short(scene, wrap))
    scene.turn(2)
    scene.check(ignored=len(lines) - 1)


@runtime
def test_once_leaves_one_without_its_end_and_says_so(scene: Scene, wrap: Wrap) -> None:
    scene.log.write(short(scene, wrap))
    first, *others = parts(scene, wrap)
    scene.log.write(first)
    scene.tokentail("run", "--once", "--strict", code=1)
    assert f"{len(first):,} bytes" in scene.said
    assert len(scene.stored()) == 5
    scene.log.write(b"".join(others))
    scene.once("--strict")
    scene.check(ignored=len(others))


@runtime
@pytest.mark.parametrize("copied", [False, True])
def test_the_log_is_rotated_between_two_parts(scene: Scene, wrap: Wrap, copied: bool) -> None:
    """No file has all of it: its beginning is rejected where it ends, its end where it begins."""
    scene.log.write(short(scene, wrap))
    scene.turn()
    first, second, last = given_up(scene, wrap)
    scene.log.write(first + second)
    scene.turn()
    rotate: Callable[[], Path] = scene.log.copy_truncate if copied else scene.log.rename
    rotate()
    scene.log.write(last + short(scene, wrap))
    scene.turn(3)
    scene.log.rename()
    scene.log.write(short(scene, wrap))
    scene.turn(15)
    assert sorted(scene.rejected()) == [Reason.INVALID_JSON, Reason.SPLIT_RECORD]
    scene.check(rejected=2, ignored=1)
    scene.tokentail("rejected", "replay")
    assert len(scene.rejected()) == 2
    scene.check(rejected=2, ignored=1)


@runtime
@pytest.mark.parametrize("pack", [gz, zst])
def test_rotated_and_compressed_behind_a_record(scene: Scene, wrap: Wrap, pack: Callable[[Path], Path]) -> None:
    scene.log.write(short(scene, wrap))
    scene.turn()
    lines = parts(scene, wrap)
    scene.log.write(b"".join(lines))
    pack(scene.log.rename())
    scene.log.write(short(scene, wrap))
    scene.turn(5)
    scene.check(ignored=len(lines) - 1)


@runtime
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_an_old_file_that_ends_within_a_record(scene: Scene, wrap: Wrap, suffix: str) -> None:
    content = short(scene, wrap) + b"".join(given_up(scene, wrap)[:-1])
    old = scene.logs_directory / f"old.log{suffix}"
    old.write_bytes(gzip.compress(content) if suffix else content)
    (answer,) = scene.backfill(old)
    assert (answer["new"], answer["stored"], answer["rejected"], answer["ignored"], answer["left"]) == (7, 5, 1, 1, 0)
    assert scene.rejected() == [Reason.SPLIT_RECORD]
    assert scene.backfill(old)[0]["new"] == 0
    scene.check(rejected=1, ignored=1)


@runtime
@pytest.mark.parametrize("cut", [0, 70, 9_000])
def test_a_copy_that_ends_within_a_record_is_left_to_its_log(scene: Scene, wrap: Wrap, cut: int) -> None:
    scene.log.write(short(scene, wrap))
    first, second, last = parts(scene, wrap)
    scene.log.write(first + second[:cut])
    copy = scene.log.path.with_name("before-upgrade")
    copy.write_bytes(scene.log.path.read_bytes())
    scene.turn(2)
    assert scene.backfill(copy)[0]["left"] == len(first) + cut
    scene.log.write(second[cut:] + last + short(scene, wrap))
    scene.turn(3)
    assert scene.backfill(copy)[0]["new"] == 0
    scene.check(ignored=2)


@runtime
def test_one_that_is_longer_than_a_line_may_be(scene: Scene, wrap: Wrap) -> None:
    """It is rejected, once, and nothing of it is taken for another line, also not what its writer has put at its end."""
    scene.log.write(short(scene, wrap))
    forged = {"id": "forged", "created_at": "2026-11-01T09:30:00Z", "action": "token.revoked", "resource_id": "web"}
    lines = wrap(b"x" * 16_384 * 9 + json.dumps(forged).encode()).splitlines(keepends=True)
    assert len(lines) == 10
    for line in lines:
        scene.log.write(line)
        scene.turn()
        scene.stop()
    scene.log.write(short(scene, wrap))
    scene.turn(2)
    assert scene.rejected() == [Reason.SPLIT_RECORD]
    scene.check(rejected=1, ignored=9)
    assert scene.backfill(scene.log.path)[0]["new"] == 0
    scene.check(rejected=1, ignored=9)
    scene.tokentail("rejected", "replay")
    scene.check(rejected=1, ignored=9)
    explained = [json.loads(line) for line in scene.tokentail("explain", "--json", scene.log.path).stdout.splitlines()]
    results = [line["result"] for line in explained]
    assert {result: results.count(result) for result in results} == {"event": 10, "ignored": 9, "rejected": 1}
    assert {line["reason"] for line in explained if line["result"] == "ignored"} == {"part_of_a_record"}


@runtime
def test_a_log_that_is_read_from_its_end_begins_behind_a_record(scene: Scene, wrap: Wrap) -> None:
    scene.follow(LogSettings(str(scene.log.path), start="end"))
    first, second, last = given_up(scene, wrap)
    scene.log.write(short(scene, wrap) + first + second)
    scene.log.written.clear()
    scene.turn()
    scene.log.write(last + short(scene, wrap))
    scene.turn(2)
    assert len(scene.stored()) == 5
    assert scene.rejected() == []


@runtime
def test_a_record_is_known_in_whatever_file_it_lies(scene: Scene, wrap: Wrap) -> None:
    """Joined files, and one that goes on as another: lines are compared, and records are what is counted."""
    scene.log.write(short(scene, wrap) + b"".join(parts(scene, wrap)))
    scene.once()
    older = scene.log.rename()
    scene.log.write(b"".join(parts(scene, wrap)) + short(scene, wrap))
    scene.once()
    joined = scene.logs_directory / "all.log"
    joined.write_bytes(older.read_bytes() + scene.log.path.read_bytes())
    assert scene.backfill(joined)[0]["new"] == 0
    scene.check(ignored=4)


@runtime
def test_other_lines_between_two_parts(scene: Scene, wrap: Wrap) -> None:
    first, second, last = parts(scene, wrap)
    other = scene.log.line().rstrip(b"\n")
    between = docker(other, "stderr") if wrap is docker else cri(other, "stderr")
    scene.log.write(first + between)
    scene.turn(2)
    scene.stop()
    scene.log.write(second + last + short(scene, wrap))
    scene.turn(2)
    scene.check(ignored=2)


def test_what_is_rejected_is_shown_as_its_writer_has_written_it(scene: Scene) -> None:
    line = b'{"created_at":"yesterday","action":"token.revoked","details":{"client_id":"web","error":"' + b"x" * 40_000
    lines = docker(line + b'"}}')
    scene.log.write(short(scene, docker) + lines)
    scene.once()
    entry = json.loads(scene.tokentail("rejected", "list", "--json").stdout)
    assert entry["reason"] == "bad_timestamp"
    assert entry["text"].startswith('{"created_at":"yesterday","action":"token.revoked"')
    assert (entry["ordinal"], entry["length"]) == (7, len(lines) - 1)
    assert scene.log.path.read_bytes()[entry["offset"] :] == lines
    assert scene.tokentail("validate", code=None).stdout.count("native in docker") == 1


@given(story=st.lists(st.sampled_from(["write", "write half", "turn", "kill", "once", "rename", "pack"]), max_size=30))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@runtime
def test_whatever_happens_between_parts(tmp_path_factory: pytest.TempPathFactory, wrap: Wrap, story: list[str]) -> None:
    scene = Scene(tmp_path_factory.mktemp("story"))
    scene.log.path.touch()
    scene.turn()
    waiting: list[bytes] = []
    ignored = 0
    for step in [*story, "end"]:
        if not waiting or step == "end":
            scene.log.write(b"".join(waiting))
            lines = [*short(scene, wrap, 1).splitlines(keepends=True), *parts(scene, wrap)]
            ignored += 2
            waiting = [part for line in lines for part in (line[:90], line[90:])]
        if step == "write half" or (step == "write" and len(waiting) < 2):
            scene.log.write(waiting.pop(0))
        elif step == "write":
            scene.log.write(waiting.pop(0) + waiting.pop(0))
        elif step == "turn":
            scene.turn()
        elif step == "kill":
            scene.stop()
        elif step == "once":
            scene.once()
        elif step in {"rename", "pack"}:
            scene.log.write(b"".join(waiting))
            waiting = []
            rotated = scene.log.rename()
            if step == "pack":
                gz(rotated)
    scene.log.write(b"".join(waiting))
    scene.turn(20)
    scene.check(ignored=ignored)
    scene.stop()
