"""Which events belong to a finding."""

from ingestor.jobs.evidence import Evidence
from ingestor.model.finding import Finding, Severity, stored_finding
from ingestor.model.questions import Filters, Record

FIRST_MS = 1_793_610_000_000
"""2026-11-02T09:00:00Z."""


def evidence(client_id: str = "", realm: str = "", user_id: str | None = None, **lists: tuple[str, ...]) -> Evidence:
    incident = Finding(
        Severity.HIGH,
        client_id,
        realm,
        FIRST_MS,
        FIRST_MS + 60_000,
        5,
        user_id=user_id,
        **lists,  # type: ignore[arg-type]
    )
    return Evidence(
        stored_finding("replay", incident, host="h", tags={"realm": realm, "client_id": client_id and "_other"})
    )


def record(time: str = "2026-11-02T09:00:30.000Z", client: str | None = "app", **known: str | None) -> Record:
    nothing = dict.fromkeys(Record._fields)
    return Record(**{**nothing, "time": time, "action": "token.refreshed", "client_id": client, **known})  # type: ignore[arg-type]


def test_it_is_of_the_time_of_the_finding_as_it_was_written() -> None:
    of_app = evidence("app")
    times = {
        "2026-11-02T08:59:59.999Z": False,
        "2026-11-02T09:00:00.000Z": True,
        "2026-11-02T09:00:00Z": True,
        "2026-11-02T09:01:00.000Z": True,
        "2026-11-02T09:01:00Z": True,
        "2026-11-02T09:01:00.001Z": False,
    }
    assert {time: of_app.has(record(time)) for time in times} == times
    # What was written to the second is stored at a moment within it.
    assert of_app.period.since == FIRST_MS * 1_000_000
    assert of_app.period.until == (FIRST_MS + 61_000) * 1_000_000


def test_it_is_of_whom_the_finding_is_about() -> None:
    of_ada = evidence("app", "acme", "ada")
    assert of_ada.has(record(realm="acme", user_id="ada"))
    assert not of_ada.has(record(realm="acme", user_id="bob"))
    assert not of_ada.has(record(realm="other", user_id="ada"))
    assert not of_ada.has(record(client="web", realm="acme", user_id="ada"))
    assert of_ada.narrowed() == Filters(client="app", realm="acme", user="ada")
    assert of_ada.narrowed(Filters(client="web", ip="203.0.113.9")) == Filters(
        client="web", realm="acme", user="ada", ip="203.0.113.9"
    )


def test_it_is_of_the_addresses_and_clients_that_took_part() -> None:
    spray = evidence(ips=("203.0.113.1", "203.0.113.2"), clients=("app", "web"))
    assert spray.has(record(ip="203.0.113.2"))
    assert spray.has(record(ip=None)), "nobody knows that it came from elsewhere"
    assert spray.has(record(client=None, ip="203.0.113.2"))
    assert not spray.has(record(ip="198.51.100.1"))
    assert not spray.has(record(client="cron", ip="203.0.113.2"))
    assert spray.narrowed() == Filters()


def test_a_list_that_may_lack_some_leaves_none_out() -> None:
    many = tuple(f"203.0.113.{number}" for number in range(30))
    assert evidence("app", ips=many).has(record(ip="203.0.113.29"))
    assert evidence("app", ips=many[:19]).has(record(ip="203.0.113.18"))
    assert not evidence("app", ips=many[:19]).has(record(ip="203.0.113.19"))


def test_examples_are_what_the_finding_names() -> None:
    found = evidence("app", event_ids=("e-1",))
    assert [found.is_example(record(event_id=event_id)) for event_id in ("e-1", "e-2", None)] == [True, False, False]
