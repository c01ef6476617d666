"""Detectors in the pipeline: their findings and memories are in the checkpoint of the events, whatever ends the process."""

import contextlib
import logging
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from ingestor.detectors.contract import Detector, Memory, MemoryChanges, ObservedEvents, Options
from ingestor.model.finding import Finding, StoredFinding
from ingestor.pipeline.detection import MOST_GATHERED, Detection
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.state import State
from ingestor.stores.embedded.delivery import EmbeddedDelivery
from parsers.contract import EventRow, Tags
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("detector_kind")


def findings(world: World) -> list[StoredFinding]:
    def stored(state: State) -> list[StoredFinding]:
        columns = ",".join(StoredFinding._fields)
        return [StoredFinding(*row) for row in state.connection.execute(f"SELECT {columns} FROM token_findings")]

    return world.ask(stored)


def reuse(world: World, times: int, client: str = "app") -> None:
    details = {"client_id": client, "ip_address": "198.51.100.7"}
    world.log.write(b"".join(world.log.line(action="token.reuse_detected", details=details) for _ in range(times)))


def test_an_incident_is_one_finding_that_grows(world: World) -> None:
    world.log.write(5)
    reuse(world, 2)
    world.turn()
    (first,) = findings(world)
    assert (first.pattern, first.client_id, first.severity, first.events) == ("repeated_reuse", "app", "medium", 2)
    assert first.ips == '["198.51.100.7"]'
    reuse(world, 8)
    world.turn()
    (grown,) = findings(world)
    assert grown.time == first.time
    assert (grown.severity, grown.events) == ("high", 10)
    assert world.daemon.figures().findings == {"medium": 1, "high": 1}
    world.check()


def test_a_kill_changes_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector remembers what the checkpoint knows of, and observes the lines behind it once more."""
    reuse(world, 3)
    world.turn()
    world.stop()
    reuse(world, 4)
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedDelivery, "submit", lambda *_: None)  # read and observed, and in no checkpoint
        world.turn()
    world.stop()
    reuse(world, 1)
    world.turn()
    (found,) = findings(world)
    assert found.events == 8


def test_events_that_were_counted_before_are_not_observed_again(world: World) -> None:
    reuse(world, 3)
    world.turn()
    copy = world.log.path.with_name("copy.log")
    copy.write_bytes(world.log.path.read_bytes())
    world.log.path.rename(world.log.sibling(".1"))
    copy.rename(world.log.path)
    world.turn(5)
    (found,) = findings(world)
    assert found.events == 3


def test_a_finding_costs_no_series_of_its_own(world: World) -> None:
    """Invented names must not make tags of findings either."""
    from ingestor.config.settings import BudgetSettings  # noqa: PLC0415

    world.budgets = BudgetSettings(clients=1, failing_clients=1)
    reuse(world, 2, "first")
    reuse(world, 2, "second")
    world.turn()
    found = {(finding.client_id, finding.client) for finding in findings(world)}
    assert found == {("first", None), ("_other", "second")}


def test_another_version_begins_with_an_empty_memory(
    world: World, detector_kind: type[Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    reuse(world, 3)
    world.turn()
    world.stop()
    monkeypatch.setattr(detector_kind, "version", "another")
    world.log.write(5)  # a millisecond later
    reuse(world, 1)
    world.turn()
    assert [finding.events for finding in findings(world)] == [3]
    reuse(world, 1)
    world.turn()
    assert [finding.events for finding in findings(world)] == [3, 2]


def test_a_detector_that_fails_costs_its_findings_alone(
    world: World, detector_kind: type[Detector], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Detector, observed: ObservedEvents) -> Iterator[Finding]:
        raise ZeroDivisionError(str(observed))

    monkeypatch.setattr(detector_kind, "observe", fail)
    reuse(world, 3)
    with caplog.at_level(logging.ERROR, logger="tokentail"):
        world.turn()
        reuse(world, 3)
        world.turn()
    world.check()
    assert not findings(world)
    assert world.daemon.pipeline.detector_failures == 2
    (said,) = [record.getMessage() for record in caplog.records if "detector" in record.getMessage()]
    assert "'repeated_reuse' fails: ZeroDivisionError at " in said
    assert "198.51.100.7" not in said


@pytest.mark.parametrize("method", ["dump", "restore"])
def test_a_memory_that_cannot_be_kept_costs_no_event(
    world: World, detector_kind: type[Detector], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object) -> object:
        raise KeyError

    monkeypatch.setattr(detector_kind, method, fail)
    reuse(world, 3)
    world.turn()
    world.check()
    assert world.daemon.pipeline.detector_failures > 0


class Forgetful:
    """Remembers one thing after the other."""

    name = "forgetful"
    version = "1"
    title = "Nothing"
    actions: Collection[str] = ("token.refreshed",)
    options: type[Options] = Options

    def __init__(self, options: Options = Options()) -> None:  # noqa: ARG002, B008 - frozen
        self.now = 0

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        self.now += len(observed.events)
        return iter(())

    def dump(self) -> MemoryChanges:
        return {"former": None, "now": b"%d" % self.now}

    def restore(self, memory: Memory) -> None:
        self.now = int(memory.get("now", b"0"))


class Listing(Forgetful):
    """Remembers how it was shown events."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, int]] = []

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        self.calls.append((observed.source, len(observed.events)))
        return super().observe(observed)


def test_events_are_gathered_by_log_and_observed_before_the_checkpoint() -> None:
    tags = Tags("token.refreshed", "app", "", "", "", "success", "")
    row: EventRow = (1, None, tags, None, None, None, None, None, None, None)
    detector, checkpoint = Listing(), Checkpoint()
    detection = Detection([detector])

    def gather(source: str, count: int) -> None:
        detection.gather(source, "host-1", [row] * count, _no_tags)

    gather("a.log", 2)
    gather("a.log", 3)
    assert not detector.calls
    gather("b.log", 1)
    gather("a.log", MOST_GATHERED)
    gather("a.log", 1)
    detection.move_changes(checkpoint)
    assert detector.calls == [("a.log", 5), ("b.log", 1), ("a.log", MOST_GATHERED), ("a.log", 1)]
    assert checkpoint.remembered["forgetful", "now"] == b"%d" % (7 + MOST_GATHERED)


def _no_tags(realm: str, client_id: str) -> dict[str, str]:
    return {"realm": realm, "client_id": client_id}


def test_what_is_forgotten_leaves_the_state(tmp_path: Path) -> None:
    with contextlib.closing(State.open(tmp_path, "host-1")) as state:
        state.connection.execute("INSERT INTO detector_memory VALUES('forgetful', 'former', x'00')")
        checkpoint = Checkpoint()
        Detection([Forgetful()]).move_changes(checkpoint)
        with state.transaction():
            state.save(checkpoint)
        assert _memory(state.connection) == [("forgetful", "now", b"0")]


def _memory(connection: sqlite3.Connection) -> list[tuple[str, str, bytes]]:
    return connection.execute("SELECT * FROM detector_memory").fetchall()
