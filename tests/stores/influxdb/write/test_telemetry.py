"""The daemon's own figures, when InfluxDB does not take them."""

import json
import time
from collections.abc import Iterator

import pytest

from ingestor.daemon.daemon import Daemon
from ingestor.model.snapshot import Snapshot
from ingestor.state.checkpoint import Gap
from ingestor.stores.influxdb.write.own_lines import own_lines
from ingestor.stores.influxdb.write.telemetry import OwnFigures
from tests.support.scripted import OK, Reply, Request, ScriptedServer, scripted
from tests.support.world import World

GONE = Reply(404, json.dumps({"error": "retention policy not found: own"}).encode())


@pytest.fixture
def server(world: World) -> Iterator[ScriptedServer]:
    with scripted() as running:
        world.store = running.store
        yield running


def snapshot(daemon: Daemon, now: float) -> None:
    """Have a snapshot written, and wait for what becomes of it."""
    telemetry = daemon._publisher.telemetry
    assert isinstance(telemetry, OwnFigures)
    telemetry.tell(daemon.figures(), now)
    assert telemetry._sending is not None
    telemetry._sending.exception(timeout=10)


def test_a_snapshot_is_sent_once_and_its_failure_is_no_trouble_of_the_store(
    world: World, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tokentail")

    def without_the_policy(request: Request) -> Reply:
        return GONE if "rp=own" in request.path else OK

    server.otherwise = without_the_policy
    daemon, interval = world.daemon, world.settings.telemetry.interval_seconds
    for number in range(4):
        snapshot(daemon, number * interval)
        assert daemon.delivery.trouble is None
        assert daemon.delivery.requests[1] == 0, "nothing is repeated"
    assert len(server.requests) == 4
    server.otherwise = OK
    for number in range(4, 8):
        snapshot(daemon, number * interval)
    said = [record.getMessage() for record in caplog.records if "own figures" in record.getMessage()]
    assert len(said) == 2, "once when it began, and once when it was over"
    assert "retention policy not found" in said[0]
    assert server.stored != []


def test_a_gap_is_told_for_a_day_also_after_a_start(world: World, server: ScriptedServer) -> None:
    world.log.write(20)
    assert world.daemon.figures().recent_gaps == 0
    world.daemon.pipeline.generations.report_gap(Gap("audit", "audit.log", 1, 0, 5, time.time() - 10, "gone"))
    world.daemon.pipeline.generations.report_gap(Gap("audit", "audit.log", 1, 5, 9, time.time() - 100_000, "gone"))
    world.daemon.pipeline.commit()
    assert world.daemon.figures().recent_gaps == 1
    world.stop()
    snapshot(world.daemon, 0.0)
    assert any(b"recent_gaps=1i" in line for line in server.stored)


def test_findings_are_counted_by_severity() -> None:
    (line,) = own_lines(Snapshot(time=2.0, started_at=1.0, findings={"high": 3}), None, "host-1")
    assert "findings_low=0i,findings_medium=0i,findings_high=3i,findings_critical=0i" in line
