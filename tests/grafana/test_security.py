"""What the security page shows is what the oracle counts, on the real servers, whatever was chosen."""

import dataclasses
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from ingestor.model.finding import Finding, Severity, StoredFinding, stored_finding
from ingestor.stores.influxdb.write.line_protocol import encode_finding
from tests.grafana.asked import (
    all_targets,
    ask,
    attempts,
    by,
    by_interval,
    counted,
    failures,
    last_minutes,
    newest,
    one,
)
from tests.grafana.panels import Choice, Target, dashboards, rows
from tests.grafana.stored import HOSTILE, MS, ODD, WHOLE, Event, Stored
from tests.support.influx import write_lines

TARGETS: Final = all_targets("security")
CHOICES: Final = {
    "all": WHOLE,
    "odd": ODD,
    "client": dataclasses.replace(ODD, client=("web",)),
    "client beyond budget": dataclasses.replace(WHOLE, client=("evil",)),
    "clients": dataclasses.replace(WHOLE, client=("web", "<b>", "a/b")),
    "grant": dataclasses.replace(WHOLE, grant=("password", "refresh_token")),
    "realm": dataclasses.replace(ODD, realm=("a/b",)),
    "user": dataclasses.replace(WHOLE, user="ürsula"),
    "ip": dataclasses.replace(WHOLE, ip="2001:db8::1"),
    "action": dataclasses.replace(WHOLE, action=("token.pkce_failed", "token.expired")),
    "error": dataclasses.replace(WHOLE, error=("invalid_client",)),
    "all of it": dataclasses.replace(
        WHOLE,
        client=("web", "api"),
        user="u-1",
        ip="203.0.113.9",
        action=("token.expired",),
        error=("invalid_grant", "other"),
    ),
}
KINDS: Final[dict[int, Callable[[Event], bool]]] = {
    3: lambda e: (
        e["action"] == "token.validation_failed" and e["error"] in ("invalid_code", "invalid_grant", "expired_code")
    ),
    4: lambda e: e["action"] == "token.expired",
    5: lambda e: e["error"] == "invalid_client" and e["outcome"] == "failure",
    6: lambda e: e["action"] == "token.pkce_failed",
    7: lambda e: e["action"] == "token.rate_limited",
    8: lambda e: e["action"] == "token.reuse_detected",
}
COUNTS: Final = {22: 5, 23: 6, 24: 7, 25: 8}
"""The panel that draws what a card counts."""
WORDS: Final = {
    "-1": "no attempts",
    "0": "0 % calm",
    "9.9": "9.9 % calm",
    "10": "10 % raised",
    "24.9": "24.9 % raised",
    "25": "25 % TOO HIGH",
    "81.6": "81.6 % TOO HIGH",
    "100": "100 % TOO HIGH",
}
NOTHING: Final = Choice(0, 86_400_000)
DAY_MS: Final = 86_400_000


def finding(client: str, severity: Severity, since: int, until: int, **known: Any) -> StoredFinding:
    """Return one that began and ended so many milliseconds after the end of WHOLE."""
    incident = Finding(severity, client, "acme" if client else "", WHOLE.until + since, WHOLE.until + until, 3, **known)
    tag = "_other" if client == HOSTILE[0] else client
    return stored_finding("replay", incident, host="a", tags={"realm": incident.realm, "client_id": tag})


FINDINGS: Final = (
    finding("web", Severity.HIGH, -3_000, -2_000, ips=("203.0.113.7", "203.0.113.8"), user_id="u-1"),
    finding("api", Severity.LOW, -40 * 60_000, -39 * 60_000),
    finding(HOSTILE[0], Severity.MEDIUM, -40 * 60_000 - 1, -10 * 60_000),
    finding("", Severity.CRITICAL, WHOLE.since - WHOLE.until - 2 * DAY_MS, WHOLE.since - WHOLE.until),
    finding("web", Severity.HIGH, WHOLE.since - WHOLE.until - 2 * DAY_MS, WHOLE.since - WHOLE.until - 1),
)
"""Newest first: the last but one began before WHOLE and goes on in it, the last one was over."""


@pytest.fixture(scope="module", autouse=True)
def _findings_and_figures(stored: Stored) -> None:
    at = WHOLE.until * MS
    write_lines(stored.store, "findings", "".join(f"{encode_finding(each)}\n" for each in FINDINGS).encode())
    write_lines(
        stored.store,
        "own",
        f"tokentail,host=a lag_seconds=4 {at - 10**9}\ntokentail,host=b lag_seconds=5 {at - 2 * 10**9}\n".encode(),
    )


def ends(stored: Stored, kind: Callable[[Event], bool]) -> Choice:
    """Return all events up to one of the kind, so that the last minutes hold it."""
    at = max(event["time_ns"] for event in stored.events if kind(event))
    return Choice(WHOLE.since, at // MS + 1)


def until(choice: Choice, other: Choice) -> Choice:
    return dataclasses.replace(choice, until=other.until)


def rate(events: Iterable[Event]) -> float | None:
    tried = attempts(events)
    return len(failures(tried)) / len(tried) if tried else None


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_query_answers(target: Target, stored: Stored) -> None:
    late = ends(stored, lambda e: e["action"] == "token.pkce_failed")
    assert rows(stored.store, target, WHOLE) or rows(stored.store, target, late)


@pytest.mark.parametrize("name", CHOICES)
def test_the_failure_rate_in_words(name: str, stored: Stored) -> None:
    for choice in (CHOICES[name], until(CHOICES[name], ends(stored, KINDS[6]))):
        found = ask(stored, "security", 20, choice)
        assert bool(found) == bool(attempts(stored.within(choice)))
        for column, of in (("last 15 min", last_minutes(choice, 15)), ("whole period", choice)):
            expected = rate(stored.within(of))
            if found:
                assert found[0][column] == (-1 if expected is None else pytest.approx(100 * expected, abs=0.0501))


def test_the_words_of_the_failure_rate() -> None:
    """Grafana tries the mappings in their order; a figure has one digit behind the point, or none."""
    panel = next(panel for panel in dashboards()["security"]["panels"] if panel["id"] == 20)
    mappings = panel["fieldConfig"]["defaults"]["mappings"]

    def word(figure: str) -> str:
        for mapping in mappings:
            pattern = mapping["options"]["pattern"].strip("/")
            if found := re.search(pattern, figure):
                return str(mapping["options"]["result"]["text"]).replace("$1", found[1] if found.re.groups else "")
        return figure

    assert [word(figure) for figure in WORDS] == list(WORDS.values())


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("card", COUNTS)
def test_a_card_counts_the_last_minutes_and_the_whole_period(card: int, name: str, stored: Stored) -> None:
    kind = KINDS[COUNTS[card]]
    for choice in (CHOICES[name], until(CHOICES[name], ends(stored, kind))):
        found = ask(stored, "security", card, choice)
        expected = [sum(map(kind, stored.within(of))) for of in (last_minutes(choice, 15), choice)]
        assert [[row["last 15 min"], row["whole period"]] for row in found] == ([expected] if expected[1] else [])


@pytest.mark.parametrize("name", CHOICES)
def test_failing_clients(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    events = stored.within(choice)
    events_of_clients = [event for event in events if event["client_tag"]]
    tried = by(attempts(events_of_clients), "client_tag", "realm")
    failed = by(failures(attempts(events)), "client_tag", "realm")
    expected = sum(number >= 50 and failed[client] / number > 0.25 for client, number in tried.items())
    assert one(ask(stored, "security", 21, choice, "B"), "whole period") == (expected if failures(events) else None)
    if name == "all":
        assert expected > 0


@pytest.mark.parametrize("name", CHOICES)
def test_the_failure_rate_over_time(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    tried = attempts(stored.within(choice))
    number, failed = by_interval(tried), by_interval(failures(tried))
    found = {(row["time"],): row["failure rate"] for row in ask(stored, "security", 1, choice)}
    assert found == {at: pytest.approx(failed[at] / n, rel=1e-12) for at, n in number.items()}
    counts = ask(stored, "security", 1, choice, "B")
    assert counted(counts, "failures", "time") == failed
    assert counted(counts, "attempts", "time") == number
    if name != "all of it":
        assert len(found) > 5


@pytest.mark.parametrize("name", CHOICES)
def test_the_failure_rate_by_client(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    tried = attempts(stored.within(choice))
    keys = ("client_tag", "realm")
    number, failed = by_interval(tried, *keys), by_interval(failures(tried), *keys)
    found = {(row["time"], row["client_id"], row["realm"]): row["rate"] for row in ask(stored, "security", 2, choice)}
    assert found == {at: pytest.approx(n / number[at], rel=1e-12) for at, n in failed.items()}
    if name == "all":
        assert 1.0 in found.values(), "a client that only fails is at 100 %"
        assert any(0 < value < 1 for value in found.values()), "not cut to whole numbers"


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("panel", KINDS)
def test_what_fails(panel: int, name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    events = [event for event in stored.within(choice) if KINDS[panel](event)]
    tags, keys = (("error",), ("error",)) if panel == 3 else (("client_id", "realm"), ("client_tag", "realm"))
    assert counted(ask(stored, "security", panel, choice), "failures", "time", *tags) == by_interval(events, *keys)
    if name == "all":
        assert events


@pytest.mark.parametrize("name", CHOICES)
def test_failures_by_client(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    keys = ("client_tag", "realm")
    shown = failures(stored.evidence(choice))
    at_token = by(attempts(shown), *keys)
    tried = at_token + by([event for event in attempts(stored.within(choice)) if event["outcome"] != "failure"], *keys)
    expected = {
        client: (
            number,
            *(
                (tried[client], pytest.approx(at_token[client] / tried[client], rel=1e-12))
                if tried[client]
                else (None, None)
            ),
        )
        for client, number in by(shown, *keys).items()
    }
    found = {
        (row["client_id"], row["realm"]): (row["failures"], row["attempts"], row["rate"])
        for row in ask(stored, "security", 10, choice)
    }
    assert found == expected


@pytest.mark.parametrize("name", CHOICES)
def test_failures_by_address_and_the_latest(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    events = failures(stored.evidence(choice))
    newest(ask(stored, "security", 11, choice), events, 5_000, ("ip", "client_id", "user_id"))
    columns = ("action", "error", "client_id", "realm", "user_id", "ip", "user_agent", "error_detail")
    latest = ask(stored, "security", 12, choice)
    newest(latest, events, 200, columns)
    by_time = {event["time_ns"]: event for event in events if event["client_tag"] == "_other"}
    assert all(row["client"] == by_time[row["time"]]["client"] for row in latest if row["client_id"] == "_other")


@pytest.mark.parametrize("address", ["' OR 1=1 --", "2001:db8::1/", ".*", "(", "a|203.0.113.9"])
def test_an_address_of_anybody_finds_itself_alone(address: str, stored: Stored) -> None:
    for panel in (1, 10, 11, 12):
        assert ask(stored, "security", panel, dataclasses.replace(WHOLE, ip=address)) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_finds_its_event_alone(name: str, stored: Stored) -> None:
    for choice in (dataclasses.replace(WHOLE, client=(name,)), dataclasses.replace(WHOLE, user=name)):
        events = stored.within(choice)
        found = ask(stored, "security", 1, choice, "B")
        assert sum(row["attempts"] for row in found) == len(attempts(events))


def test_findings(stored: Stored) -> None:
    shown = FINDINGS[:-1]
    found = ask(stored, "security", 9, WHOLE)
    columns = ("severity", "pattern", "realm", "user_id", "events", "last_seen", "ips", "client", "client_id")
    assert [tuple(row[name] or None for name in columns) for row in found] == [
        tuple(getattr(each, name) or None for name in columns) for each in shown
    ]
    assert [(row["of_client"] or None, row["of_realm"] or None, row["of_user"]) for row in found] == [
        (each.client_id or None, each.realm or None, each.user_id) for each in shown
    ]
    assert [(row["time"], row["until"]) for row in found] == [(each.time, each.last_seen + 1000) for each in shown]
    for choice, clients in (
        (dataclasses.replace(WHOLE, client=("web",)), ["web"]),
        (dataclasses.replace(WHOLE, client=(HOSTILE[0],)), ["_other"]),
        (dataclasses.replace(WHOLE, realm=("acme",)), ["web", "api", "_other"]),
        (dataclasses.replace(WHOLE, user="u-1"), ["web"]),
    ):
        assert [row["client_id"] for row in ask(stored, "security", 9, choice)] == clients


def test_findings_are_counted_but_for_those_of_severity_low(stored: Stored) -> None:
    assert one(ask(stored, "security", 26, WHOLE), "last 15 min") == 2
    assert one(ask(stored, "security", 26, WHOLE, "B"), "whole period") == 3
    web = dataclasses.replace(WHOLE, client=("web",))
    assert one(ask(stored, "security", 26, web, "B"), "whole period") == 1


def test_findings_are_marked_on_the_charts(stored: Stored) -> None:
    marks = dashboards()["security"]["annotations"]["list"]
    found = [
        rows(stored.store, Target("security", {"id": 0, "title": mark["name"]}, "A", mark["target"]["query"]), WHOLE)
        for mark in marks
    ]
    assert [[(row["severity"], row["last_seen"]) for row in of_mark] for of_mark in found] == [
        [("high", FINDINGS[0].last_seen)],
        [("medium", FINDINGS[2].last_seen)],
    ]


@pytest.mark.parametrize("name", CHOICES)
def test_the_events_that_a_finding_leads_to(name: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], action=(), error=())
    columns = (
        "action",
        "outcome",
        "error",
        "client_id",
        "realm",
        "user_id",
        "ip",
        "user_agent",
        "error_detail",
        "event_id",
    )
    newest(ask(stored, "security", 13, choice), stored.within(choice), 500, columns)


def test_a_click_on_a_finding_leads_to_its_events_and_to_what_it_means() -> None:
    (panel,) = [panel for panel in dashboards()["security"]["panels"] if panel["id"] == 9]
    overrides = {each["matcher"]["options"]: each["properties"] for each in panel["fieldConfig"]["overrides"]}

    def entry(column: str, name: str) -> Any:
        return next(entry["value"] for entry in overrides[column] if entry["id"] == name)

    (events,) = entry("Finding", "links")
    for part in (
        "/d/tokentail-security?viewPanel=13&",
        "&var-client=${__data.fields.of_client:percentencode}&",
        "&var-realm=${__data.fields.of_realm:percentencode}&",
        "&var-user=${__data.fields.of_user:percentencode}&",
        "&from=${__data.fields.Time.numeric:percentencode}&to=${__data.fields.until.numeric:percentencode}&",
    ):
        assert part in events["url"]
    (meaning,) = entry("Severity", "links")
    assert meaning["url"].startswith("/d/tokentail-runbooks?viewPanel=22&")
    # One about no client is about the events of all clients; whom the table names itself keeps its name.
    for column in ("of_client", "of_realm"):
        assert entry(column, "custom.hidden") is True
        mapped = [(each["options"]["match"], each["options"]["result"]["text"]) for each in entry(column, "mappings")]
        assert mapped == [("empty", "$__all"), ("null", "$__all")]
    assert (entry("of_user", "custom.hidden"), entry("of_user", "noValue")) == (True, "")


def test_how_fresh_it_is(stored: Stored) -> None:
    within = max(event["time_ns"] for event in stored.within(ODD))
    assert ask(stored, "security", 27, ODD)[0]["time"] == within
    assert one(ask(stored, "security", 27, WHOLE, "B"), "lag") == 5
    assert ask(stored, "security", 27, WHOLE, "C")[0]["time"] == WHOLE.until * MS - 10**9


@pytest.mark.parametrize("panel", [9, 12, 13, 27])
def test_nothing_is_no_row(panel: int, stored: Stored) -> None:
    assert ask(stored, "security", panel, NOTHING) == []


def panel_links() -> list[Any]:
    return [panel["links"] for panel in dashboards()["security"]["panels"] if panel["id"] in range(3, 9)]


def test_evidence_is_one_click_away() -> None:
    assert all("viewPanel=12" in links[0]["url"] for links in panel_links())
