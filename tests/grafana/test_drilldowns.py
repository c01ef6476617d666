"""What the pages of one client and of one user show is what the oracle counts, whatever the name is made of."""

import dataclasses
from typing import Any, Final

import pytest

from tests.grafana.asked import (
    all_targets,
    ask,
    attempts,
    by,
    by_interval,
    counted,
    failures,
    granted,
    newest,
    one,
)
from tests.grafana.panels import Target, dashboards, panels, rows
from tests.grafana.stored import HOSTILE, ODD, WHOLE, Event, Stored
from tests.support.influx import HOUR

CLIENTS: Final = {
    "web": dataclasses.replace(WHOLE, client=("web",)),
    "odd": dataclasses.replace(ODD, client=("api",)),
    "beyond budget": dataclasses.replace(WHOLE, client=("evil",)),
    "all beyond budget": dataclasses.replace(WHOLE, client=("_other",)),
    "markup": dataclasses.replace(WHOLE, client=("<b>",)),
    "grant": dataclasses.replace(WHOLE, client=("web",), grant=("password", "refresh_token")),
    "realm": dataclasses.replace(WHOLE, client=("a/b",), realm=("a/b",)),
    "no client": dataclasses.replace(WHOLE, client=("",)),
    **{name: dataclasses.replace(WHOLE, client=(name,)) for name in HOSTILE},
}
USERS: Final = {
    "u-1": dataclasses.replace(WHOLE, user="u-1"),
    "odd": dataclasses.replace(ODD, user="ürsula"),
    "client": dataclasses.replace(WHOLE, user="u-2", client=("web", "evil")),
    "realm": dataclasses.replace(WHOLE, user="😀", realm=("a/b", "50%")),
    **{name: dataclasses.replace(WHOLE, user=name) for name in HOSTILE},
}
MINUTE: Final = 60 * 10**9
TARGETS: Final = [*all_targets("client"), *all_targets("user")]
ONE: Final = dataclasses.replace(WHOLE, client=("web",), user="u-1")
FEW_CLIENTS: Final = [name for name in CLIENTS if name not in HOSTILE[1:]]
FEW_USERS: Final = [name for name in USERS if name not in HOSTILE[1:]]
"""The form of the condition is the same in every query: all hostile names are asked of the cards."""
ACTIVITY: Final = ("action", "outcome", "error", "user_id", "ip", "user_agent", "scopes", "realm", "error_detail")
OF_USER: Final = ("action", "outcome", "error", "client_id", "ip", "user_agent", "scopes", "realm")


def counts(events: list[Event]) -> list[int]:
    """Return how many were issued, refreshed, and failed."""
    return [
        sum(event["action"].startswith("token.issued.") for event in events),
        sum(event["action"] == "token.refreshed" for event in events),
        len(failures(events)),
    ]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_query_answers(target: Target, stored: Stored) -> None:
    assert rows(stored.store, target, ONE)


@pytest.mark.parametrize("name", CLIENTS)
def test_the_cards_of_a_client(name: str, stored: Stored) -> None:
    choice = CLIENTS[name]
    events = stored.within(choice)
    assert events
    stats = stored.stats(choice)
    cards = [
        one(ask(stored, "client", card, choice), column)
        for card, column in enumerate(("issued", "refreshed", "failures"), 1)
    ]
    assert cards == counts(events) == [stats.total_issued, stats.total_refreshed, stats.total_failures]
    rate = one(ask(stored, "client", 4, choice), "failure rate")
    assert rate == (None if stats.failure_rate is None else pytest.approx(100 * stats.failure_rate, abs=0.0501))
    assert (one(ask(stored, "client", 5, choice), "users") or 0) == stats.unique_users
    lifetime = stats.average_token_lifetime_seconds
    assert one(ask(stored, "client", 6, choice), "lifetime") == (None if lifetime is None else pytest.approx(lifetime))


@pytest.mark.parametrize("name", FEW_CLIENTS)
def test_a_client_over_time(name: str, stored: Stored) -> None:
    choice = CLIENTS[name]
    events = stored.within(choice)
    for panel, tag, shown in (
        (7, "action", events),
        (9, "grant_type", granted(events)),
        (10, "error", failures(events)),
    ):
        assert counted(ask(stored, "client", panel, choice), "events", "time", tag) == by_interval(shown, tag)
    number, failed = by_interval(attempts(events)), by_interval(failures(attempts(events)))
    rates = {(row["time"],): row["failure rate"] for row in ask(stored, "client", 8, choice)}
    assert rates == {at: pytest.approx(failed[at] / n, rel=1e-12) for at, n in number.items()}
    found = ask(stored, "client", 8, choice, "B")
    assert counted(found, "failures", "time") == failed
    assert counted(found, "attempts", "time") == number


@pytest.mark.parametrize("name", FEW_CLIENTS)
def test_the_latest_of_a_client(name: str, stored: Stored) -> None:
    choice = CLIENTS[name]
    events = stored.within(choice)
    for panel, field in ((11, "user_id"), (12, "ip"), (13, "user_agent")):
        newest(ask(stored, "client", panel, choice), events, 5_000, (field,))
    newest(ask(stored, "client", 14, choice), events, 100, ACTIVITY)


def test_all_clients_to_choose_from(stored: Stored) -> None:
    for choice in (
        WHOLE,
        dataclasses.replace(ODD, realm=("a/b",)),
        dataclasses.replace(ODD, client=("web",), realm=("a/b",)),
        dataclasses.replace(ODD, grant=("password", "refresh_token")),
    ):
        events = stored.counted(dataclasses.replace(choice, client=()), HOUR)
        found = ask(stored, "client", 15, choice)
        assert counted(found, "events", "client_id", "realm") == by(events, "client_tag", "realm")


@pytest.mark.parametrize("name", USERS)
def test_the_cards_of_a_user(name: str, stored: Stored) -> None:
    choice = USERS[name]
    events = stored.within(choice)
    assert events
    columns = ("events", "issued", "refreshed", "failures")
    cards = [one(ask(stored, "user", card, choice), column) for card, column in enumerate(columns, 1)]
    assert cards == [len(events), *counts(events)]
    assert one(ask(stored, "user", 5, choice), "clients") == (
        len(by((event for event in events if event["client_tag"]), "client_tag", "realm")) or None
    )
    newest_minute = max(event["time_ns"] for event in events) // MINUTE * MINUTE
    assert ask(stored, "user", 6, choice)[0]["time"] == newest_minute


@pytest.mark.parametrize("name", FEW_USERS)
def test_what_a_user_did(name: str, stored: Stored) -> None:
    choice = USERS[name]
    events = stored.within(choice)
    assert counted(ask(stored, "user", 7, choice), "events", "time", "action") == by_interval(events, "action")
    by_client = counted(ask(stored, "user", 8, choice), "events", "time", "client_id", "realm")
    assert by_client == by_interval(events, "client_tag", "realm")
    newest(ask(stored, "user", 9, choice), events, 5_000, ("ip",))
    newest(ask(stored, "user", 10, choice), events, 5_000, ("user_agent",))
    failed = failures(events)
    found = ask(stored, "user", 11, choice)
    assert len(found) == min(100, len(failed))
    if failed:
        newest(found, failed, 100, ("action", "error", "client_id", "ip", "user_agent", "error_detail", "realm"))
    newest(ask(stored, "user", 12, choice), events, 100, OF_USER)


@pytest.mark.parametrize("name", ["", "()"])
def test_nobody_is_nobody(name: str, stored: Stored) -> None:
    """Neither an empty name, nor what Grafana makes of `$__all` in a text box, is everybody: no client is the events without one."""
    for target in all_targets("user"):
        text = target.text.replace("${user:regex}", name)
        assert rows(stored.store, target._replace(text=text), WHOLE) == []
    for target in all_targets("client"):
        text = target.text.replace("${client:regex}", name)
        nobody = rows(stored.store, target, dataclasses.replace(WHOLE, client=("",)))
        assert rows(stored.store, target._replace(text=text), WHOLE) == nobody


def links(dashboard: dict[str, Any]) -> list[str]:
    found = []
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        found += [link["url"] for link in (*panel.get("links", ()), *config["defaults"].get("links", ()))]
        found += [
            link["url"]
            for override in config["overrides"]
            for entry in override["properties"]
            if entry["id"] == "links"
            for link in entry["value"]
        ]
    return found


@pytest.mark.parametrize("name", ["security", "client", "user"])
def test_names_lead_to_the_drill_downs(name: str) -> None:
    found = links(dashboards()[name])
    wanted = {"client": "/d/tokentail-client?var-client=", "user": "/d/tokentail-user?var-user="}
    for what, url in wanted.items():
        if what != name:
            assert any(link.startswith(url) for link in found), what
    assert all(":percentencode}" in link for link in found if "__value" in link or "__field" in link)


@pytest.mark.parametrize(("name", "variable"), [("client", "client"), ("user", "user"), ("security", "ip")])
def test_one_name_is_typed_or_comes_by_the_address(name: str, variable: str) -> None:
    """A list of values would lose a name that the list does not have: one beyond its budget, or of last month."""
    box = next(v for v in dashboards()[name]["templating"]["list"] if v["name"] == variable)
    assert box["type"] == "textbox"
    assert box["allValue"] == r"\$__all", "somebody may be called that"


def test_personal_data_is_called_that() -> None:
    for panel in panels(dashboards()["user"]):
        assert "Personal data" in panel["description"], panel["id"]
