"""What the overview shows is what the oracle counts, on the real servers, whatever was chosen."""

import dataclasses
from collections import Counter
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from ingestor.model.questions import Filters
from parsers.text import normal_tag
from tests.grafana.panels import Choice, Row, dashboards, interpolated, panel_target, rows, targets
from tests.grafana.stored import ALWAYS, DAY, HOSTILE, MS, ODD, WHOLE, Event, Stored, user_days
from tests.grafana.test_cards import CHOICES
from tests.support.oracle import Oracle
from tests.support.servers import query

TARGETS: Final = list(targets("overview", dashboards()["overview"]))


def answer(stored: Stored, panel: int, choice: Choice, ref: str = "A") -> list[Row]:
    return rows(stored.store, panel_target("overview", panel, ref), choice)


def by(events: list[Event], *keys: str) -> Counter[tuple[str, ...]]:
    return Counter(tuple(event[key] or "" for key in keys) for event in events)


def issued(events: list[Event]) -> list[Event]:
    return [event for event in events if event["action"].startswith("token.issued.")]


def local(nanoseconds: int, zone: str) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 10**9, ZoneInfo(zone))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_query_answers(target: Any, stored: Stored) -> None:
    later = dataclasses.replace(WHOLE, since=WHOLE.until - 2 * 86_400_000, until=WHOLE.until + 7 * 86_400_000)
    assert any(rows(stored.store, target, choice) for choice in (WHOLE, CHOICES["short"], later))


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_issued_by_day(name: str, zone: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], zone=zone)
    expected = Counter(local(event["time_ns"], zone).date() for event in issued(stored.shown(choice)))
    for panel in (9, 10, 11):  # those of weeks and months add the days up
        found = {local(row["time"], zone): row["issued"] for row in answer(stored, panel, choice) if row["issued"]}
        assert {at.date(): count for at, count in found.items()} == expected
        assert all((at.hour, at.minute) == (0, 0) for at in found)


@pytest.mark.parametrize("name", CHOICES)
def test_by_grant_and_error(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    events = stored.shown(choice)
    failures = [event for event in events if event["outcome"] == "failure"]
    expected = {
        12: ("issued", ("grant_type",), by(issued(events), "grant_type")),
        14: ("failures", ("error",), by(failures, "error")),
    }
    for panel, (column, tags, counts) in expected.items():
        found = {tuple(row[tag] for tag in tags): row[column] for row in answer(stored, panel, choice)}
        assert found == counts, panel


@pytest.mark.parametrize("name", CHOICES)
def test_events_by_client(name: str, stored: Stored) -> None:
    events = by(stored.shown_by_client(CHOICES[name]), "client_tag")
    found = answer(stored, 13, CHOICES[name])
    assert sorted((row["events"] for row in found), reverse=True) == [count for _, count in events.most_common(12)]
    assert all(events[row["client_id"],] == row["events"] for row in found)


@pytest.mark.parametrize("name", CHOICES)
def test_most_active_clients(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    events = stored.shown_by_client(choice)
    columns = {
        "events": events,
        "issued": issued(events),
        "refreshed": [event for event in events if event["action"] == "token.refreshed"],
        "failures": [event for event in events if event["outcome"] == "failure"],
    }
    expected = {column: by(some, "client_tag", "realm") for column, some in columns.items()}
    counters, single = answer(stored, 17, choice, "A"), answer(stored, 17, choice, "B")
    assert not (counters and single), "every client would have two rows"
    found = counters or single
    assert sorted((row["events"] for row in found), reverse=True) == [
        count for _, count in expected["events"].most_common(50)
    ]
    for row in found:
        client = (row["client_id"], row["realm"])
        assert {column: row[column] for column in expected} == {
            column: counts[client] for column, counts in expected.items()
        }


@pytest.mark.parametrize("user", ["", "ürsula"])
def test_most_active_users_are_those_of_the_days(user: str, stored: Stored) -> None:
    choice = dataclasses.replace(ODD, user=user)
    events: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for (day, _, _, name), counter in user_days(stored.events).items():
        if choice.since * MS - DAY < day < choice.until * MS and user in ("", name):
            events[normal_tag(name)] += counter[0]
            failed[normal_tag(name)] += counter[3]
    found = answer(stored, 18, choice)
    assert {row["user_id"]: (row["events"], row["failed"]) for row in found} == {
        name: (count, failed[name]) for name, count in events.most_common(20)
    } or len(events) > 20
    assert sorted((row["events"] for row in found), reverse=True) == [count for _, count in events.most_common(20)]
    assert answer(stored, 18, dataclasses.replace(choice, client=("web",))) == []


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns"])
def test_peak_usage(name: str, zone: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], zone=zone)
    cells: Counter[tuple[int, int]] = Counter()
    for row in answer(stored, 16, choice):
        if row["events"]:
            at = local(row["time"], zone)
            cells[at.weekday(), at.hour] += row["events"]
    expected = Oracle(stored.shown(choice)).peak(ALWAYS, Filters(), zone)
    assert [(*cell, count) for cell, count in sorted(cells.items())] == [tuple(cell) for cell in expected]


@pytest.mark.parametrize("name", CHOICES)
def test_recent_activity(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    newest = sorted(stored.within(choice), key=lambda event: -event["time_ns"])[:100]
    found = answer(stored, 19, choice)
    assert [row["time"] for row in found] == [event["time_ns"] for event in newest]
    columns = ("action", "outcome", "client_id", "user_id", "ip", "error")
    shown = Counter((row["time"], *(row[column] for column in columns)) for row in found)
    there = Counter(
        (
            event["time_ns"],
            event["action"],
            event["outcome"],
            event["client_tag"],
            event["user_id"],
            event["ip"],
            event["error"],
        )
        for event in stored.within(choice)
    )
    assert shown <= there


@pytest.mark.parametrize("name", CHOICES)
def test_lifetime_by_grant_type(name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    granted = [
        event for event in stored.shown(choice) if event["action"].startswith(("token.issued.", "token.refreshed"))
    ]
    tokens = by(granted, "grant_type")
    carried = by([event for event in granted if event["expires_in"] is not None], "grant_type")
    for row in answer(stored, 21, choice):
        grant = (row["grant_type"],)
        lifetimes = [event["expires_in"] for event in granted if (event["grant_type"] or "",) == grant]
        known = [lifetime for lifetime in lifetimes if lifetime is not None]
        assert row["tokens"] == tokens.pop(grant)
        assert (row["share"] or 0) == pytest.approx(carried[grant] / len(lifetimes))
        assert (row["lifetime"] if known else row["lifetime"] in (None, -1)) == (
            sum(known) / len(known) if known else True
        )
    assert not tokens


@pytest.mark.parametrize("client", [(), ("web",), ("_other",)])
def test_an_hour_and_the_same_hour_a_week_before(client: tuple[str, ...], stored: Stored) -> None:
    week = 7 * 86_400_000
    for choice, ref, column in (
        (dataclasses.replace(ODD, client=client), "A", "this period"),
        (Choice(ODD.since + week, ODD.until + week, client=client), "B", "a week before"),
    ):
        found = {row["time"]: row[column] for row in answer(stored, 20, choice, ref) if row[column]}
        expected = Counter(
            event["time_ns"] - event["time_ns"] % (3600 * 10**9)
            for event in issued(stored.counted(dataclasses.replace(ODD, client=client)))
        )
        assert found == expected
    assert answer(stored, 20, dataclasses.replace(ODD, user="u-1")) == []


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_name_finds_its_events_alone(value: str, stored: Stored) -> None:
    for choice in (
        dataclasses.replace(WHOLE, client=(normal_tag(value),)),
        dataclasses.replace(WHOLE, client=(value, "nobody")),
        dataclasses.replace(WHOLE, user=value),
    ):
        expected = stored.stats(choice)
        assert expected.total_refreshed
        trend = answer(stored, 2, choice, "trend")
        assert sum(row["trend"] for row in trend) == expected.total_refreshed
        assert len(answer(stored, 19, choice)) == sum(expected.by_action.values())


def test_no_query_can_be_broken_out_of(stored: Stored) -> None:
    chosen = dataclasses.replace(WHOLE, client=HOSTILE, grant=HOSTILE, realm=HOSTILE)
    for number, target in enumerate(TARGETS):
        for user in HOSTILE[number % 4 :: 4]:
            written = interpolated(target.text, dataclasses.replace(chosen, user=user))
            assert len(query(stored.store, written)) == 0, target.name
    assert sum(row["events"] for row in answer(stored, 16, WHOLE)) == len(stored.events), "something was dropped"
