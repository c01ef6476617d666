"""Findings on their way to a real InfluxDB: each is one point, which grows, and comes back when the server loses it."""

import time

import pytest

from ingestor.cli.support.opening import answers
from ingestor.config.settings import BudgetSettings
from ingestor.jobs.evidence import Evidence
from ingestor.model import finding, schema
from ingestor.model.questions import Period, Record
from ingestor.state.findings import read_findings
from tests.support.servers import InfluxServer, query
from tests.support.turns import caught_up, until
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("detector_kind")]


@pytest.fixture
def remote(world: World, influxdb: InfluxServer) -> World:
    world.store = influxdb.make()
    return world


def reuse(world: World, times: int, client: str = "app", ip: str = "198.51.100.7") -> None:
    details = {"client_id": client, "ip_address": ip, "realm": "acme"}
    world.log.write(b"".join(world.log.line(action="token.reuse_detected", details=details) for _ in range(times)))


def findings(world: World, measurement: str = "token_findings") -> list[dict[str, object]]:
    """Return the points of the measurement, without what is absent."""
    found = query(world.store, f'SELECT * FROM "{world.store.database}"."findings"."{measurement}"')
    rows = [dict(zip(series["columns"], row, strict=True)) for series in found for row in series["values"]]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_an_incident_is_one_point_that_grows(remote: World) -> None:
    reuse(remote, 2)
    remote.once()
    (first,) = findings(remote)
    assert first == {
        "time": first["time"],
        "client_id": "app",
        "clients": '["app"]',
        "event_ids": '["audit-0","audit-1"]',
        "events": 2,
        "host": "host-1",
        "ips": '["198.51.100.7"]',
        "last_seen": 1_793_491_200_000,
        "pattern": "repeated_reuse",
        "raised": first["raised"],
        "realm": "acme",
        "severity": "medium",
    }
    reuse(remote, 8, ip='198.51.100.8"\\,x=1')
    remote.once()
    (grown,) = findings(remote)
    assert (grown["time"], grown["events"], grown["severity"]) == (first["time"], 10, "high")
    assert set(grown) <= {
        "time",
        *(tag.name for tag in schema.FINDINGS.tags),
        *(f.name for f in schema.FINDINGS.fields),
    }
    assert remote.ask(lambda state: state.connection.execute("SELECT count(*) FROM unwritten_findings").fetchone()) == (
        0,
    )
    remote.check()


def raised(world: World) -> list[dict[str, object]]:
    return findings(world, "token_findings_raised")


def test_each_severity_that_it_comes_to_is_one_point_by_the_clock_of_the_machine(
    remote: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "OLD_MS", 1 << 62)  # the events of a world are of another day
    before = time.time_ns()
    reuse(remote, 2)
    remote.once()
    (first,) = raised(remote)
    assert before <= first["time"] + 1_000_000 <= time.time_ns() + 1_000_000  # type: ignore[operator]
    (stored,) = remote.ask(lambda state: list(read_findings(state.connection, Period(0, 1 << 62))))
    assert first == {
        "time": first["time"],
        "addresses": "198.51.100.7",
        "client_id": "app",
        "events": 2,
        "finding": stored.id,
        "first_seen": 1_793_491_200_000,
        "host": "host-1",
        "last_seen": 1_793_491_200_000,
        "pattern": "repeated_reuse",
        "realm": "acme",
        "severity": "medium",
        "title": "Tokens of a client are used twice, again and again",
    }
    assert set(first) == {"time", *(tag.name for tag in schema.RAISED.tags), *(f.name for f in schema.RAISED.fields)}
    reuse(remote, 1, ip="198.51.100.8")
    remote.once()
    assert [(row["time"], row["events"]) for row in raised(remote)] == [(first["time"], 3)], "it only grew"
    reuse(remote, 7)
    remote.once()
    assert [row["severity"] for row in raised(remote)] == ["medium", "high"]


def test_what_is_long_over_wakes_nobody(remote: World) -> None:
    reuse(remote, 10)
    remote.once()
    assert [row["severity"] for row in findings(remote)] == ["high"]
    assert raised(remote) == []


def test_those_beyond_ten_in_an_hour_are_told_of_together(remote: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "OLD_MS", 1 << 62)
    remote.budgets = BudgetSettings(clients=5, failing_clients=5)
    for number in range(14):
        reuse(remote, 2, f"app-{number}")
    remote.once()
    points = raised(remote)
    assert len(points) == len(findings(remote)) == 14
    alone = [row for row in points if "finding" in row]
    assert {row["client_id"] for row in alone} == {f"app-{number}" for number in range(10)}
    assert [(row["client_id"], "addresses" in row) for row in points if row not in alone] == [("_other", False)] * 4


def test_an_invented_client_makes_no_series(remote: World) -> None:
    remote.budgets = BudgetSettings(clients=1, failing_clients=1)
    reuse(remote, 2, "first")
    reuse(remote, 2, "second, third=4 ")
    remote.once()
    assert {(row["client_id"], row.get("client")) for row in findings(remote)} == {
        ("first", None),
        ("_other", "second, third=4"),
    }


def test_findings_of_an_embedded_store_come_along(world: World, influxdb: InfluxServer) -> None:
    reuse(world, 2)
    world.once()
    world.store = influxdb.make()
    world.once()
    assert [row["events"] for row in findings(world)] == [2]


@pytest.mark.usefixtures("hasty")
def test_what_a_restarted_server_has_lost_is_sent_again(world: World, mortal: InfluxServer) -> None:
    world.store = mortal.make()
    reuse(world, 2)
    caught_up(world)
    until(lambda: bool(findings(world)), world)
    mortal.kill()
    mortal.tear()
    mortal.start()
    reuse(world, 3)
    caught_up(world)
    until(lambda: [row["events"] for row in findings(world)] == [5], world)
    mortal.kill()
    mortal.start()  # it throws away what it acknowledged
    until(lambda: [row["events"] for row in findings(world)] == [5], world)


def test_the_evidence_of_a_finding_is_the_same_in_either_store(world: World, influxdb: InfluxServer) -> None:
    world.log.write(20)
    reuse(world, 3)
    reuse(world, 2, "other")
    reuse(world, 1, ip="198.51.100.9")
    world.log.write(20)

    def evidence() -> list[Record]:
        world.once()
        (found,) = world.ask(
            lambda state: [
                each for each in read_findings(state.connection, Period(0, 1 << 62)) if each.client_id == "app"
            ]
        )
        of_it = Evidence(found)
        with answers(world.settings) as store:
            return [*filter(of_it.has, store.events(of_it.period, of_it.narrowed()))]

    embedded = evidence()
    assert [(each.client_id, each.ip) for each in embedded] == [("app", "198.51.100.7")] * 3 + [("app", "198.51.100.9")]
    world.store = influxdb.make()
    assert evidence() == embedded
