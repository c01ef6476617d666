"""A glob: every file that it matches is read, or told."""

import datetime as dt
import gzip
import shutil

import pytest

from ingestor.config.settings import LogSettings
from tests.support.scene import Scene
from tests.support.world import Log, gz

FORMS = {
    "dash": "audit-%Y-%m-%d.jsonl",
    "dot": "audit.%Y-%m-%d.jsonl",
    "compact": "audit%Y%m%d.jsonl",
    "bare": "%Y-%m-%d.jsonl",
    "hour": "audit-%Y%m%d-%H.jsonl",
    "suffix": "audit.jsonl.%Y-%m-%d",
}


def days(scene: Scene, form: str, count: int) -> list[Log]:
    """Make logs that an endpoint names by the day (or the hour); nothing is written yet."""
    begun = dt.datetime(2026, 10, 30, 22, tzinfo=dt.UTC)
    step = dt.timedelta(hours=1) if "%H" in form else dt.timedelta(days=1)
    names = [(begun + number * step).strftime(form) for number in range(count)]
    return [Log(scene.logs_directory / name, f"day{number}") for number, name in enumerate(names)]


@pytest.mark.parametrize("source", ["", "idp"])
@pytest.mark.parametrize("form", FORMS)
def test_one_file_a_day(scene: Scene, form: str, source: str) -> None:
    """The first days are there, then a day comes while the daemon is down, and one while it runs."""
    logs = days(scene, FORMS[form], 6)
    scene.follow(
        LogSettings(str(scene.logs_directory / ("*.jsonl*" if form == "suffix" else "*.jsonl")), source=source)
    )
    for log in logs[:3]:
        log.write(10)
    scene.once()
    for log in logs[2:4]:
        log.write(10)
    scene.turn(2)
    for log in logs[3:]:
        log.write(10)
        scene.turn(2)
    scene.check(*logs)


def test_one_file_a_day_in_every_store(any_scene: Scene) -> None:
    logs = days(any_scene, FORMS["dash"], 4)
    any_scene.follow(LogSettings(str(any_scene.logs_directory / "*.jsonl"), source="idp"))
    for log in logs:
        log.write(10)
        any_scene.once()
    any_scene.check(*logs)


@pytest.mark.parametrize("source", ["", "idp"])
def test_a_former_day_is_written_late_then_compressed_then_deleted(scene: Scene, source: str) -> None:
    logs = days(scene, FORMS["dash"], 4)
    scene.follow(LogSettings(str(scene.logs_directory / "audit-*.jsonl"), source=source))
    for number, log in enumerate(logs):
        log.write(10)
        scene.turn(2)
        if number:
            logs[number - 1].write(3)
            scene.turn(2)
            gz(logs[number - 1].path)
            scene.turn(2)
        if number > 1:
            logs[number - 2].path.with_name(logs[number - 2].path.name + ".gz").unlink()
            scene.turn(2)
    scene.check(*logs)


def test_the_day_changes_while_it_is_down_and_the_former_one_is_compressed(scene: Scene) -> None:
    logs = days(scene, FORMS["dash"], 3)
    scene.follow(LogSettings(str(scene.logs_directory / "audit-*.jsonl"), source="idp"))
    logs[0].write(10)
    scene.once()
    logs[0].write(10)
    gz(logs[0].path)
    logs[1].write(10)
    gz(logs[1].path)
    logs[2].write(10)
    scene.once()
    scene.check(*logs)


@pytest.mark.parametrize("pattern", ["*", "audit*", "*.log*", "**/*"])
def test_a_glob_that_matches_what_is_rotated_too(scene: Scene, pattern: str) -> None:
    log = scene.log
    scene.follow(f"{scene.logs_directory}/{pattern}")
    log.write(10)
    scene.turn(2)
    for number in range(3):
        log.write(10)
        log.rename()
        log.write(5)
        if number:
            gz(log.sibling(".2"))
        scene.turn(2)
    scene.once()
    scene.check()


@pytest.mark.parametrize("names", [["node-1.log", "node-2.log"], ["app.1.log", "app.2.log"], ["a_20.log", "a_21.log"]])
def test_numbers_in_live_names(scene: Scene, names: list[str]) -> None:
    logs = [Log(scene.logs_directory / name, f"n{number}") for number, name in enumerate(names)]
    scene.follow(scene.logs_directory / "*.log")
    for how in (scene.once, scene.turn, scene.once):
        for log in logs:
            log.write(10)
        how()
    scene.check(*logs)


def test_a_base_file_comes_later_than_its_dated_ones(scene: Scene) -> None:
    """``audit.log-20261101`` was matched and read; ``audit.log`` beside it is another log, or its future."""
    old, log = Log(scene.log.sibling("-20261101"), "old"), scene.log
    scene.follow(scene.logs_directory / "audit*")
    old.write(10)
    scene.once()
    log.write(10)
    old.write(2)
    scene.once()
    scene.check(old, log)


@pytest.mark.parametrize("how", ["once", "daemon"])
@pytest.mark.parametrize("rotations", [1, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_a_new_log_is_rotated_before_its_first_look(scene: Scene, how: str, rotations: int, *, packed: bool) -> None:
    first, new = scene.new_log("first.log"), scene.new_log("new.log")
    scene.follow(scene.logs_directory / "*.log")
    first.write(10)
    scene.once() if how == "once" else scene.turn(2)
    for _ in range(rotations):
        new.write(50)
        new.rename()
    if packed:
        gz(new.sibling(".1"))
    new.write(5)
    scene.once() if how == "once" else scene.turn(2)
    scene.check(first, new)


def test_a_new_log_is_rotated_before_its_first_look_and_there_is_no_new_one_yet(scene: Scene) -> None:
    first, new = scene.new_log("first.log"), scene.new_log("new.log")
    scene.follow(scene.logs_directory / "*.log")
    first.write(10)
    scene.once()
    new.write(50)
    new.rename(create=False)
    scene.once()
    new.write(5)
    scene.once()
    scene.check(first, new)


def test_two_live_logs_with_one_source_are_both_read_or_one_is_told(scene: Scene) -> None:
    a, b = scene.new_log("a.log"), scene.new_log("b.log")
    scene.follow(LogSettings(str(scene.logs_directory / "*.log"), source="idp"))
    a.write(10)
    b.write(10)
    scene.once(code=None)
    unread = [log for log in (a, b) if not set(log.written) <= set(scene.stored())]
    for log in unread:
        assert log.path.name in scene.said
    assert len(unread) < 2
    scene.check(*(log for log in (a, b) if log not in unread), files=[])


def test_a_directory_under_a_glob_is_moved_and_made_again(scene: Scene) -> None:
    pods = scene.logs_directory / "pod-1"
    pods.mkdir()
    log = Log(pods / "audit.log", "pod")
    scene.follow(scene.logs_directory / "*" / "*.log")
    log.write(10)
    scene.turn(2)
    log.write(10)
    pods.rename(scene.logs_directory / "pod-2")
    log.path = scene.logs_directory / "pod-2" / "audit.log"
    log.write(10)
    scene.turn(2)
    log.write(10)
    scene.once()
    pods.mkdir()
    other = Log(pods / "audit.log", "other")
    other.write(10)
    scene.once()
    scene.check(log, other)


def test_a_dated_directory_for_each_day(scene: Scene) -> None:
    logs = []
    scene.follow(scene.logs_directory / "*" / "audit.log")
    for day in ("2026-10-30", "2026-10-31", "2026-11-01"):
        (scene.logs_directory / day).mkdir()
        logs.append(Log(scene.logs_directory / day / "audit.log", day))
        logs[-1].write(10)
        scene.once()
        if len(logs) > 1:
            logs[-2].write(3)
            scene.once()
    scene.check(*logs)


def test_a_compressed_copy_of_a_live_log_beside_it(scene: Scene) -> None:
    scene.follow(scene.logs_directory / "*")
    scene.log.write(20)
    (scene.logs_directory / "audit.log.gz").write_bytes(gzip.compress(scene.log.path.read_bytes()))
    shutil.copyfile(scene.log.path, scene.logs_directory / "backup of audit.log")
    scene.once()
    scene.log.write(20)
    scene.once()
    scene.check()


NODES = ("idp.log", "idp-1.log", "idp-2.log", "idp.3.log")


@pytest.mark.parametrize("source", ["", "idp"])
@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
def test_live_logs_that_are_named_like_rotated_ones(scene: Scene, source: str, *, down: bool) -> None:
    """Nothing but that they grow tells that they are live."""
    logs = [Log(scene.logs_directory / name, name) for name in NODES]
    scene.follow(LogSettings(str(scene.logs_directory / "*.log"), source=source))
    for _ in range(3):
        for log in logs:
            log.write(10)
        scene.once() if down else scene.turn(4, seconds=6.0)
    scene.end()
    accounts = scene.ask(lambda state: state.accounts())
    assert source or {name: account.stored for name, account in accounts.items()} == {str(log.path): 30 for log in logs}
    scene.check(*logs)


def test_live_logs_that_are_named_like_rotated_ones_are_told_while_they_rest(scene: Scene) -> None:
    idp, node = scene.new_log("idp.log"), scene.new_log("idp-1.log")
    scene.follow(scene.logs_directory / "*.log")
    idp.write(10)
    node.write(10)
    for _ in range(2):
        assert "idp-1.log" in scene.tokentail("validate").output
        assert "Left to backfill" in scene.said
        scene.once()
    assert [event_id for event_id in scene.stored() if event_id in node.written] == []
    node.write(10)
    scene.once()
    assert "Left to backfill" not in scene.tokentail("validate").output
    scene.once()
    scene.check(idp, node)


def test_the_first_run_names_what_it_leaves(scene: Scene) -> None:
    old = Log(scene.log.sibling(".1"), "before")
    old.write(5)
    scene.log.write(5)
    scene.once()
    assert f"Left to backfill, since rotated before the first look at {scene.log.path}: {old.path}" in scene.said
    assert "All is well" in scene.tokentail("validate").output
    assert f"1 rotated file from before the first start  {old.path}" in scene.said
    scene.once()
    assert "Left to backfill" not in scene.said


def test_a_node_is_added_later(scene: Scene) -> None:
    idp, node = scene.new_log("idp.log"), scene.new_log("idp-1.log")
    scene.follow(scene.logs_directory / "*.log")
    idp.write(10)
    scene.turn(2)
    for _ in range(3):
        node.write(10)
        idp.write(5)
        scene.turn(4, seconds=6.0)
    scene.once()
    node.write(10)
    scene.once()
    scene.check(idp, node)


def test_live_logs_that_are_named_like_rotated_ones_are_read_from_their_end(scene: Scene) -> None:
    before = [Log(scene.logs_directory / name, f"before {name}") for name in NODES]
    for log in before:
        log.write(5)
    logs = [Log(scene.logs_directory / name, name) for name in NODES]
    scene.follow(LogSettings(str(scene.logs_directory / "*.log"), start="end"))
    scene.once()
    for _ in range(2):
        for log in logs:
            log.write(10)
        scene.once()
    scene.check(*logs, files=[])
