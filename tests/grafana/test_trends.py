"""What the trends show is what the oracle counts over whole hours, on the real servers, whatever was chosen."""

import dataclasses
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from tests.grafana.panels import Choice, Row, dashboards, interpolated, panel_target, rows, targets
from tests.grafana.stored import HOSTILE, MS, ODD, WHOLE, Event, Stored, user_days
from tests.support.influx import HOUR
from tests.support.servers import query

TARGETS: Final = list(targets("trends", dashboards()["trends"]))
CHOICES: Final = {
    "all": WHOLE,
    "odd": ODD,
    "client": dataclasses.replace(ODD, client=("web",)),
    "clients": dataclasses.replace(WHOLE, client=("_other", "a/b")),
    "grant": dataclasses.replace(WHOLE, grant=("password", "refresh_token")),
    "realm": dataclasses.replace(WHOLE, realm=("a/b",)),
    "user": dataclasses.replace(WHOLE, user="u-1"),  # whom the counters do not know
}
ZONES: Final = ["UTC", "Europe/Berlin", "Asia/Kathmandu"]
"""The counters of all clients know quarters of an hour, which every zone consists of; those of single clients hours of UTC."""


def answer(stored: Stored, panel: int, choice: Any) -> list[Row]:
    return rows(stored.store, panel_target("trends", panel), choice)


def day_of(nanoseconds: int, zone: str) -> Any:
    return datetime.fromtimestamp(nanoseconds // 10**9, ZoneInfo(zone)).date()


def dated(stored: Stored, choice: Choice) -> list[Event]:
    """Return the events that are counted, those of single clients as of the beginning of their hour."""
    events = stored.counted(choice)
    if not choice.client:
        return events
    return [{**event, "time_ns": event["time_ns"] - event["time_ns"] % HOUR} for event in events]


def issued(event: Event) -> bool:
    return bool(event["action"].startswith("token.issued."))


def failed(event: Event) -> bool:
    return bool(event["outcome"] == "failure")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_query_answers_from_the_counters(target: Any, stored: Stored) -> None:
    assert rows(stored.store, target, WHOLE)
    assert '"rollup".' in target.text
    assert '"raw".' not in target.text


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("zone", ZONES)
def test_days(name: str, zone: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], zone=zone)
    events = dated(stored, choice)
    for some, column, numbers in ((issued, "issued", (1, 2, 3)), (failed, "failures", (7, 8))):
        expected = Counter(day_of(event["time_ns"], zone) for event in events if some(event))
        for panel in numbers:  # those of weeks and months add the days up
            found = {day_of(row["time"], zone): row[column] for row in answer(stored, panel, choice) if row[column]}
            assert found == expected, panel


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("zone", ZONES)
def test_days_by_grant_type_and_by_error(name: str, zone: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], zone=zone)
    events = dated(stored, choice)
    for panel, some, column, tag in ((4, issued, "issued", "grant_type"), (6, failed, "failures", "error")):
        expected = Counter((day_of(event["time_ns"], zone), event[tag] or "") for event in events if some(event))
        found = {
            (day_of(row["time"], zone), row[tag]): row[column] for row in answer(stored, panel, choice) if row[column]
        }
        assert found == expected, panel


@pytest.mark.parametrize("name", CHOICES)
def test_the_ten_busiest_clients_of_a_week(name: str, stored: Stored) -> None:
    weeks: dict[Any, Counter[str]] = {}
    for event in stored.counted(CHOICES[name], HOUR):
        day = datetime.fromtimestamp(event["time_ns"] // 10**9, UTC).date()
        weeks.setdefault(day - timedelta(days=day.weekday()), Counter())[event["client_tag"] or ""] += 1
    found: dict[Any, dict[str, int]] = {}
    for row in answer(stored, 5, CHOICES[name]):
        found.setdefault(day_of(row["time"], "UTC"), {})[row["client_id"]] = row["events"]
    assert found.keys() == weeks.keys()
    for week, clients in found.items():
        assert clients.items() <= weeks[week].items()
        assert sorted(clients.values(), reverse=True) == [count for _, count in weeks[week].most_common(10)]


@pytest.mark.parametrize("choice", [WHOLE, ODD], ids=["all", "odd"])
def test_active_users(choice: Any, stored: Stored) -> None:
    expected = Counter(day for day, *_ in user_days(stored.events) if choice.since * MS <= day < choice.until * MS)
    assert {row["time"]: row["users"] for row in answer(stored, 9, choice) if row["users"]} == expected
    for narrowed in ({"client": ("web",)}, {"user": "u-1"}, {"realm": ("a/b",)}, {"grant": ("password",)}):
        assert answer(stored, 9, dataclasses.replace(choice, **narrowed)) == []


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("zone", ZONES)
def test_failure_rate(name: str, zone: str, stored: Stored) -> None:
    choice = dataclasses.replace(CHOICES[name], zone=zone)
    failures: Counter[Any] = Counter()
    attempts: Counter[Any] = Counter()
    for event in dated(stored, choice):
        if event["endpoint"] in (None, "token"):
            day = day_of(event["time_ns"], zone)
            failures[day] += failed(event)
            attempts[day] += failed(event) or issued(event) or event["action"] == "token.refreshed"
    expected = {day: float(Fraction(failures[day], count)) for day, count in attempts.items() if count}
    assert {day_of(row["time"], zone): row["rate"] for row in answer(stored, 10, choice)} == expected


def test_no_query_can_be_broken_out_of(stored: Stored) -> None:
    for target in TARGETS:
        for value in HOSTILE:
            chosen = dataclasses.replace(WHOLE, client=(value, "'"), grant=HOSTILE, realm=(value,), user=value)
            assert query(stored.store, interpolated(target.text, chosen)) == [], target.name
    found = answer(stored, 4, WHOLE)
    assert sum(row["issued"] for row in found) == sum(map(issued, stored.events)), "something was dropped"
