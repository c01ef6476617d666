"""The same bytes are the same events, whatever they are called: paths, sources, hosts, and the order of commands."""

import gzip
import os
import shutil
from collections.abc import Callable

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, gz, zst

Change = Callable[[Scene], LogSettings]


def path_of(scene: Scene) -> LogSettings:
    return LogSettings(str(scene.log.path))


def another_source(scene: Scene) -> LogSettings:
    return LogSettings(str(scene.log.path), source="b")


def a_moved_directory(scene: Scene) -> LogSettings:
    scene.logs_directory = scene.logs_directory.rename(scene.directory / "moved")
    scene.log.path = scene.logs_directory / scene.log.path.name
    return path_of(scene)


def another_name(scene: Scene) -> LogSettings:
    scene.log.path = scene.log.path.rename(scene.logs_directory / "tokens.log")
    return path_of(scene)


def a_symlink(scene: Scene) -> LogSettings:
    (scene.directory / "link.log").symlink_to(scene.log.path)
    return LogSettings(str(scene.directory / "link.log"))


def a_symlinked_directory(scene: Scene) -> LogSettings:
    (scene.directory / "link").symlink_to(scene.logs_directory)
    return LogSettings(str(scene.directory / "link" / scene.log.path.name))


def a_hard_link(scene: Scene) -> LogSettings:
    (scene.directory / "elsewhere").mkdir()
    os.link(scene.log.path, scene.directory / "elsewhere" / "audit.log")
    return LogSettings(str(scene.directory / "elsewhere" / "audit.log"))


def a_copy(scene: Scene) -> LogSettings:
    """The first was a trial on a copy; the real log goes on."""
    real = scene.directory / "real"
    real.mkdir()
    shutil.copyfile(scene.log.path, real / "audit.log")
    scene.log.path = real / "audit.log"
    return path_of(scene)


def dots_in_the_path(scene: Scene) -> LogSettings:
    return LogSettings(f"{scene.logs_directory}/../logs/./{scene.log.path.name}")


def a_glob(scene: Scene) -> LogSettings:
    return LogSettings(f"{scene.logs_directory}/*.log")


def another_host(scene: Scene) -> LogSettings:
    scene.host = "host-2"
    return path_of(scene)


CHANGES = [
    another_source,
    a_moved_directory,
    another_name,
    a_symlink,
    a_symlinked_directory,
    a_hard_link,
    a_copy,
    dots_in_the_path,
    a_glob,
    another_host,
]
PACKERS = {"gz": gz, "zst": zst}
ORDERS = ["run, run", "backfill, run", "run, backfill", "reload"]
some_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


def named(scene: Scene) -> str:
    """What the configuration names, as a command would be told it."""
    path = scene.log_settings[0].path
    return str(scene.log.path) if "*" in path else path


def tell_one_story(scene: Scene, *logs: Log) -> None:
    """The check, after a backfill of what was read: there is nothing to add, and it says so."""
    scene.end()
    assert [entry for entry in scene.verify(named(scene)) if not entry["good"]] == []
    (answer,) = scene.backfill(named(scene))
    assert answer["new"] == 0
    scene.check(*logs)


@pytest.mark.parametrize("order", ORDERS)
@some_change
def test_a_log_under_another_name(scene: Scene, change: Change, order: str) -> None:
    if (change, order) == (another_host, "reload"):
        pytest.skip("the host changes only with a restart")
    log = scene.log
    scene.follow(LogSettings(str(log.path), source="a" if change is another_source else ""))
    log.write(20)
    match order:
        case "backfill, run":
            scene.backfill(log.path)
        case "reload":
            scene.turn(2)
        case _:
            scene.once()
    scene.follow(change(scene))
    log.write(5)
    match order:
        case "run, backfill":
            (answer,) = scene.backfill(named(scene))
            assert (answer["lines"], answer["new"]) == (25, 5)
        case "reload":
            scene.reload()
            scene.turn(2)
            log.write(5)
            scene.turn(2)
        case _:
            scene.once()
    tell_one_story(scene)


@pytest.mark.parametrize("change", [another_source, another_host, a_copy], ids=lambda change: change.__name__)
def test_a_log_under_another_name_in_every_store(any_scene: Scene, change: Change) -> None:
    any_scene.follow(LogSettings(str(any_scene.log.path), source="a"))
    any_scene.log.write(20)
    any_scene.once()
    any_scene.follow(change(any_scene))
    (answer,) = any_scene.backfill(any_scene.log.path)
    assert answer["new"] == 0
    any_scene.log.write(5)
    any_scene.once()
    tell_one_story(any_scene)


@pytest.mark.parametrize("how", ["once", "reload"])
@pytest.mark.parametrize(
    ("change", "backlog"),
    [
        (a_moved_directory, "plain"),
        (a_symlinked_directory, "plain"),
        (a_glob, "plain"),
        *((another_source, backlog) for backlog in ("plain", "gz", "zst", "two")),
    ],
)
def test_another_name_with_a_backlog_in_rotated_files(scene: Scene, change: Change, backlog: str, how: str) -> None:
    log = scene.log
    scene.follow(LogSettings(str(log.path), source="a"))
    log.write(10)
    scene.once() if how == "once" else scene.turn(2)
    log.write(50)
    rotated = log.rename()
    if backlog in PACKERS:
        PACKERS[backlog](rotated)
    if backlog == "two":
        log.write(50)
        log.rename()
    log.write(5)
    scene.follow(change(scene))
    if how == "once":
        scene.once()
    else:
        scene.reload()
        scene.turn(3)
    scene.check()


@pytest.mark.parametrize("how", ["once", "reload"])
def test_a_source_is_renamed_again_and_again_and_back(scene: Scene, how: str) -> None:
    for round_, source in enumerate(["a", "b", "", "a", "c", "a"]):
        scene.follow(LogSettings(str(scene.log.path), source=source))
        if how == "reload":
            scene.reload()
        scene.log.write(10)
        if round_ % 2:
            scene.log.rename()
            scene.log.write(3)
        scene.once() if how == "once" else scene.turn(2)
    scene.check()


@pytest.mark.parametrize("how", ["once", "reload"])
def test_two_logs_swap_their_sources(any_scene: Scene, how: str) -> None:
    scene = any_scene
    a, b = scene.new_log("a.log"), scene.new_log("b.log")
    sources = ["S", "T"]
    for round_ in range(4):
        scene.follow(*(LogSettings(str(log.path), source=name) for log, name in zip((a, b), sources, strict=True)))
        if how == "reload":
            scene.reload()
        a.write(10)
        b.write(7)
        if round_ == 2:
            a.rename()
            a.write(2)
        scene.once() if how == "once" else scene.turn(2)
        sources.reverse()
    scene.check(a, b)


def test_two_logs_swap_their_paths(scene: Scene) -> None:
    a, b = scene.new_log("a.log"), scene.new_log("b.log")
    a.write(10)
    b.write(7)
    scene.follow(a.path, b.path)
    scene.once()
    spare = a.path.rename(scene.logs_directory / "spare")
    b.path.rename(a.path)
    spare.rename(b.path)
    a.path, b.path = b.path, a.path
    a.write(3)
    b.write(3)
    scene.once()
    scene.check(a, b)


def test_a_source_name_goes_to_a_new_log_while_the_old_one_is_followed_on(scene: Scene) -> None:
    old, new = scene.new_log("old.log"), scene.new_log("new.log")
    old.write(10)
    scene.follow(LogSettings(str(old.path), source="idp"))
    scene.once()
    new.write(10)
    old.write(5)
    scene.follow(LogSettings(str(new.path), source="idp"), LogSettings(str(old.path), source="idp-old"))
    scene.once()
    old.write(5)
    new.write(5)
    scene.once()
    scene.check(old, new)


def test_a_source_name_goes_to_a_new_log_and_the_old_one_is_left(scene: Scene) -> None:
    old, new = scene.new_log("old.log"), scene.new_log("new.log")
    old.write(10)
    scene.follow(LogSettings(str(old.path), source="idp"))
    scene.once()
    new.write(10)
    scene.follow(LogSettings(str(new.path), source="idp"))
    scene.once()
    scene.check(old, new)
    assert scene.backfill(old.path, new.path)
    scene.check(old, new)


def test_a_source_is_renamed_and_an_archive_is_backfilled_in_both_names(scene: Scene) -> None:
    archive = scene.directory / "old.jsonl.gz"
    scene.log.write(30)
    archive.write_bytes(gzip.compress(scene.log.path.read_bytes()))
    scene.follow(LogSettings(str(scene.log.path), source="a"))
    assert scene.backfill(archive)[0]["new"] == 30
    scene.once()
    scene.follow(LogSettings(str(scene.log.path), source="b"))
    assert scene.backfill(archive)[0]["new"] == 0
    scene.log.write(5)
    scene.once()
    scene.check(files=[scene.log.path, archive])


def test_the_second_node_of_one_host_name_is_another_log(scene: Scene) -> None:
    """The other side: other content is never taken for a former source's."""
    other = scene.new_log("other.log")
    scene.follow(LogSettings(str(scene.log.path), source="a"))
    scene.log.write(20)
    scene.once()
    other.write(20)
    scene.follow(LogSettings(str(other.path), source="b"))
    scene.once()
    scene.check(scene.log, other)


def test_who_wants_it_twice_says_so_by_name(any_scene: Scene) -> None:
    any_scene.log.write(20)
    any_scene.once()
    (answer,) = any_scene.backfill(any_scene.log.path, source="archive")
    assert (answer["source"], answer["new"]) == ("archive", 20), "what a command added it must say"
    assert len(any_scene.stored()) == 40
    any_scene.check(twice_at_most=any_scene.log.written)
    (answer,) = any_scene.backfill(any_scene.log.path, source="archive")
    assert answer["new"] == 0
    any_scene.log.write(5)
    any_scene.once()
    assert len(any_scene.stored()) == 45
    any_scene.check(twice_at_most=any_scene.log.written[:20])


def test_a_trial_with_another_command_line_before_the_service(scene: Scene) -> None:
    """``run --log`` without a configuration, then the configured service, in one state."""
    scene.log.write(20)
    scene.tokentail("run", "--once", "--log", scene.log.path, configured=False)
    scene.follow(LogSettings(str(scene.log.path), source="idp"))
    scene.log.write(5)
    scene.once()
    tell_one_story(scene)
    scene.tokentail("run", "--once", "--log", f"{scene.logs_directory}/../logs/audit.log", configured=False)
    scene.check()


def test_a_relative_path_from_two_directories(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.log.write(20)
    monkeypatch.chdir(scene.directory)
    assert scene.backfill("logs/audit.log")[0]["new"] == 20
    monkeypatch.chdir(scene.logs_directory)
    assert scene.backfill("audit.log", "./audit.log", "../logs/audit.log")[0]["new"] == 0
    scene.once()
    scene.check()


@pytest.mark.parametrize("known", [True, False], ids=["read", "unread"])
def test_a_file_is_named_twice_to_one_backfill(scene: Scene, known: bool) -> None:
    packed = scene.directory / "copy.log.gz"
    scene.log.write(20)
    packed.write_bytes(gzip.compress(scene.log.path.read_bytes()))
    if known:
        scene.once()
    answers = scene.backfill(packed, scene.log.path, packed)
    assert sum(answer["new"] for answer in answers) == (0 if known else 20)
    scene.check(files=[scene.log.path, packed])


def test_logs_come_under_a_glob_that_were_named_one_by_one(scene: Scene) -> None:
    logs = [scene.new_log(f"{name}.log") for name in ("a", "b", "c")]
    for log in logs:
        log.write(10)
    scene.follow(*(LogSettings(str(log.path), source=log.path.stem) for log in logs))
    scene.once()
    for log in logs:
        log.write(10)
        log.rename()
        log.write(1)
    scene.follow(scene.logs_directory / "*.log")
    scene.once()
    scene.check(*logs)
