"""A path that exists is that file, also with the characters of a pattern in it; a command reads exactly what was named."""

import pytest

from tests.support.scene import Scene
from tests.support.world import Log

NAMES = [
    "audit[1].log",
    "audit?.log",
    "audit*.log",
    "[audit].log",
    "audit[!a].log",
    "audit[.log",
    "{audit}.log",
    "-.log",
]
TWINS = {"audit[1].log": "audit1.log", "audit?.log": "auditx.log", "audit*.log": "audit-x.log", "[audit].log": "a.log"}


def logs_of(scene: Scene, name: str) -> tuple[Log, Log]:
    """Make the log of this name, and one that the name would match as a pattern."""
    return Log(scene.logs_directory / name, "named"), Log(scene.logs_directory / TWINS.get(name, "other.log"), "twin")


@pytest.mark.parametrize("name", NAMES)
def test_a_log_with_such_a_name(scene: Scene, name: str) -> None:
    named, twin = logs_of(scene, name)
    named.write(5)
    twin.write(5)
    scene.follow(named.path)
    scene.once()
    named.write(5)
    named.rename()
    named.write(2)
    scene.once()
    named.write(2)
    scene.turn(2)
    scene.check(named, files=[named.path, named.sibling(".1")])


@pytest.mark.parametrize("command", ["run", "backfill", "verify"])
def test_a_directory_with_such_a_name(scene: Scene, command: str) -> None:
    directory = scene.logs_directory / "idp[1]"
    directory.mkdir()
    log = Log(directory / "audit.log", "log")
    log.write(5)
    if command == "run":
        scene.tokentail("run", "--once", "--log", log.path, configured=False)
        scene.follow(log.path)
    else:
        scene.follow(log.path)
        scene.backfill(log.path)
    log.write(5)
    log.rename()
    log.write(5)
    scene.once()
    scene.check(log)


@pytest.mark.parametrize("name", ["audit[1].log", "audit*.log", "audit?.log"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a daemon"])
def test_a_backfill_reads_exactly_what_was_named(scene: Scene, name: str, *, beside: bool) -> None:
    log = scene.log
    scene.logs_directory = scene.directory / "old"  # a new audit1.log beside audit.log is taken for its past
    scene.logs_directory.mkdir()
    named, twin = logs_of(scene, name)
    log.write(5)
    if beside:
        scene.turn(2)
    else:
        scene.once()
    named.write(5)
    twin.write(5)
    answers = scene.backfill(named.path)
    assert [answer["path"] for answer in answers] == [str(named.path)]
    scene.check(log, named, files=[log.path, named.path])


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a daemon"])
def test_a_pattern_that_no_file_has_for_its_name_is_one(scene: Scene, *, beside: bool) -> None:
    a, b = scene.new_log("a.jsonl"), scene.new_log("b.jsonl")
    scene.log.write(5)
    if beside:
        scene.turn(2)
    a.write(5)
    b.write(5)
    answers = scene.backfill(scene.logs_directory / "*.jsonl")
    assert sorted(answer["path"] for answer in answers) == [str(a.path), str(b.path)]
    scene.once()
    scene.check(scene.log, a, b)


def test_a_relative_path_beside_a_daemon(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.log.write(5)
    scene.turn(2)
    other = scene.new_log("other.jsonl")
    other.write(5)
    monkeypatch.chdir(scene.logs_directory)
    assert scene.backfill("other.jsonl")[0]["new"] == 5
    scene.check(scene.log, other)


def test_a_log_that_comes_later_and_has_such_a_name(scene: Scene) -> None:
    named, twin = logs_of(scene, "audit[1].log")
    twin.write(5)
    scene.follow(named.path)
    scene.turn(2)
    named.write(5)
    scene.turn(12)
    assert set(named.written) <= set(scene.stored())
