"""The cards of the overview: the number that `tokentail stats` gives, its trend, and the change against the period before."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

from ingestor.model.questions import Stats
from parsers.text import normal_tag
from tests.grafana.cards import Value, evaluate
from tests.grafana.panels import Choice, dashboards, interpolated, panel_target, rows
from tests.grafana.stored import DAY, END, LONG, LONG_OF_CARDS, MS, ODD, WHOLE, Stored, before, user_days
from tests.support.grafana_servers import GrafanaServer
from tests.support.influx import write_lines

CHOICES: Final = {
    "all": WHOLE,
    "odd": ODD,
    "short": dataclasses.replace(ODD, until=ODD.since + LONG, interval="30m"),
    "long": dataclasses.replace(ODD, until=ODD.since + LONG + 1, interval="30m"),
    "day": dataclasses.replace(ODD, until=ODD.since + LONG_OF_CARDS, interval="30m"),
    "over a day": dataclasses.replace(ODD, until=ODD.since + LONG_OF_CARDS + 1, interval="30m"),
    "client": dataclasses.replace(ODD, client=("web",)),
    "other": dataclasses.replace(WHOLE, client=("evil",)),  # beyond the budget: the field alone names it
    "clients": dataclasses.replace(WHOLE, client=("web", "<b>", "a/b")),
    "grant": dataclasses.replace(WHOLE, grant=("password", "refresh_token")),
    "realm": dataclasses.replace(ODD, realm=("a/b",)),
    "user": dataclasses.replace(WHOLE, user="ürsula"),
    "all of it": dataclasses.replace(WHOLE, client=("web", "api"), grant=("password", "refresh_token"), user="u-1"),
}
CARDS: Final[dict[int, tuple[str, Callable[[Stats], float | None]]]] = {
    1: ("issued", lambda stats: stats.total_issued),
    2: ("refreshed", lambda stats: stats.total_refreshed),
    4: ("failures", lambda stats: stats.total_failures),
    5: ("rate", lambda stats: stats.failure_rate),
    6: ("rate", lambda stats: stats.refresh_usage_rate),
    7: ("lifetime", lambda stats: stats.average_token_lifetime_seconds),
    8: ("userinfo", lambda stats: stats.userinfo_accesses),
}
COUNTS: Final = (1, 2, 4, 8)
RATES: Final = (5, 6)
PANELS: Final = {panel["id"]: panel for panel in dashboards()["overview"]["panels"]}
USERS: Final = 3


def shown(card: int, choice: Choice, stored: Stored) -> dict[str, Value]:
    """Return what the card is made of, its number as "number"."""
    values = evaluate(stored.store, PANELS[card], choice)
    return {**values, "number": values[CARDS[card][0]]}


def nothing_of(card: int, figure: float | None) -> bool:
    """Whether the card has no row to show and says in words that there is none."""
    return not figure if card in (*COUNTS, *RATES) else figure is None


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("card", CARDS)
def test_a_card_shows_what_stats_says(card: int, name: str, stored: Stored) -> None:
    choice = CHOICES[name]
    figure = CARDS[card][1](stored.stats_shown(choice))
    found = shown(card, choice, stored)["number"]
    if found is None:
        assert nothing_of(card, figure)
        assert PANELS[card]["fieldConfig"]["defaults"]["noValue"] in {
            "none",
            "no failures",
            "no refreshes",
            "not written",
        }
    else:
        assert found == figure


def test_short_periods_and_whole_quarters_of_an_hour_are_exact(stored: Stored) -> None:
    quarters = Choice(ODD.since - ODD.since % 900_000, ODD.until - ODD.until % 900_000)
    short = dataclasses.replace(ODD, until=ODD.since + LONG_OF_CARDS)
    assert [stored.stats_shown(choice) for choice in (quarters, short)] == [
        stored.stats(choice) for choice in (quarters, short)
    ]
    assert stored.stats_shown(ODD) != stored.stats(ODD), "this period begins within a quarter"


@pytest.mark.parametrize("name", CHOICES)
def test_unique_users_are_those_of_stats(name: str, stored: Stored) -> None:
    expected = stored.stats(CHOICES[name]).unique_users
    found = rows(stored.store, panel_target("overview", USERS), CHOICES[name])
    assert [row["users"] for row in found] == ([expected] if expected else [])
    assert rows(stored.store, panel_target("overview", USERS, "D"), CHOICES[name]) == []


def test_unique_users_of_long_periods_are_those_of_whole_days(stored: Stored) -> None:
    days = user_days(stored.events)
    longer = dataclasses.replace(ODD, until=ODD.since + 8 * 86_400_000 + 1)
    for choice in (dataclasses.replace(WHOLE, since=WHOLE.since - 30 * 86_400_000), longer):
        assert rows(stored.store, panel_target("overview", USERS), choice) == []
        users = {normal_tag(user) for (day, _, _, user) in days if choice.since * MS - DAY < day < choice.until * MS}
        assert rows(stored.store, panel_target("overview", USERS, "D"), choice)[0]["users"] == len(users)
        for chosen in CHOICES.values():
            if chosen.client or chosen.grant or chosen.realm or chosen.user:
                narrowed = dataclasses.replace(chosen, since=choice.since, until=choice.until)
                assert rows(stored.store, panel_target("overview", USERS, "D"), narrowed) == []
                found = rows(stored.store, panel_target("overview", USERS), narrowed)
                assert [row["users"] for row in found] == [stored.stats(narrowed).unique_users]


def test_users_beyond_the_budget_are_more_than_can_be_told_apart(stored: Stored) -> None:
    choice = Choice(WHOLE.until + 20 * 86_400_000, WHOLE.until + 30 * 86_400_000)
    day = choice.since * MS
    lines = f"token_users_1d,host=h,source=s,user_id=_other events=9i {day}\ntoken_users_1d,host=h,source=s,user_id=u events=1i {day}"
    write_lines(stored.store, "raw", lines.encode())
    (row,) = rows(stored.store, panel_target("overview", USERS, "D"), choice)
    assert row["users"] == 1_000_000_001
    (mapping,) = PANELS[USERS]["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"]["from"] == 1_000_000_000
    assert mapping["options"]["result"]["text"] == "over 50,000"


@pytest.mark.parametrize("name", CHOICES)
def test_the_trends_of_counts_add_up_to_the_cards(name: str, stored: Stored) -> None:
    for card in COUNTS:
        values = shown(card, CHOICES[name], stored)
        trend = values["trend"]
        if trend is None:
            assert values["number"] is None
        else:
            assert isinstance(trend, dict)
            assert len(trend) > 5
            assert sum(filter(None, trend.values())) == values["number"]


def test_the_trend_of_a_rate_is_the_rate_of_each_interval(stored: Stored) -> None:
    trend = shown(5, WHOLE, stored)["trend"]
    assert isinstance(trend, dict)
    hours6 = 6 * 3_600_000
    told = 0
    for time, rate in trend.items():
        start = time // MS
        interval = Choice(max(start, WHOLE.since), min(start + hours6, WHOLE.until))
        expected = stored.stats(interval).failure_rate  # intervals and period are whole quarters of an hour
        told += 1
        assert rate == expected, (
            "an interval without attempts has no rate: what is not a number would be drawn as a slope"
        )
    assert told > 5


@pytest.mark.parametrize("client", [(), ("api",)])
def test_the_change_is_against_the_counters_of_the_period_before(client: tuple[str, ...], stored: Stored) -> None:
    choice = Choice(WHOLE.since + 3 * 86_400_000, WHOLE.until - 86_400_000, client=client)
    then = Stored(stored.store, tuple(stored.counted(before(choice)))).stats(dataclasses.replace(WHOLE, since=0))
    for card, (_, value) in CARDS.items():
        a, b = value(stored.stats(choice)), value(then)
        assert a is not None
        assert b
        expected = 100 * (a - b) if card in RATES else 100 * (a / b - 1)
        assert shown(card, choice, stored)["change"] == pytest.approx(expected, abs=0.0501), card


def test_the_change_of_users_is_that_of_the_daily_numbers(stored: Stored) -> None:
    choice = Choice(WHOLE.since + 3 * 86_400_000, WHOLE.until - 86_400_000)
    days = Counter(day for day, *_ in user_days(stored.events))
    a, b = (
        sum(users for day, users in days.items() if c.since * MS <= day < c.until * MS)
        for c in (choice, before(choice))
    )
    target = panel_target("overview", USERS, "B")
    (row,) = rows(stored.store, target, choice)
    assert row["change"] == pytest.approx(100 * (a / b - 1), abs=0.0501)
    assert rows(stored.store, target, dataclasses.replace(choice, client=("web",))) == []


def test_without_a_period_before_the_change_says_so(stored: Stored) -> None:
    first = Choice(WHOLE.since, END)  # the last day of the period has events
    for card in CARDS:
        change = shown(card, first, stored)["change"]
        assert isinstance(change, float)
        assert not math.isfinite(change), card
        mappings = next(
            override["properties"][0]["value"]
            for override in PANELS[card]["fieldConfig"]["overrides"]
            if override["matcher"]["options"] == "change"
        )
        assert mappings[0]["options"] == {
            "pattern": "/^-?(Infinity|NaN)$/",
            "result": {"text": "no period before", "color": "text", "index": 0},
        }


def test_a_card_of_a_choice_that_meets_nothing_has_nothing_to_show(stored: Stored) -> None:
    for card in CARDS:
        assert shown(card, dataclasses.replace(WHOLE, client=("nobody",)), stored)["number"] is None


@pytest.mark.parametrize("card", CARDS)
def test_grafana_computes_the_same(card: int, stored: Stored, grafana: GrafanaServer) -> None:
    source = grafana.new_data_source(stored.store)
    for choice in (WHOLE, Choice(WHOLE.since + 3 * 86_400_000, WHOLE.until - 86_400_000), CHOICES["client"]):
        queries = [_query(target, choice, source) for target in PANELS[card]["targets"]]
        body = {"queries": queries, "from": str(choice.since), "to": str(choice.until)}
        results = grafana.ask("POST", "/api/ds/query", body)["results"]
        expected = shown(card, choice, stored)
        for ref in (CARDS[card][0], "change"):
            frames = results[ref]["frames"]
            columns = frames[0]["data"]["values"] if frames else []
            wanted = expected[ref]
            if not columns:
                assert wanted is None
            elif columns[0][0] is None:  # JSON has no infinity
                assert isinstance(wanted, float)
                assert not math.isfinite(wanted)
            else:
                assert columns[0][0] == pytest.approx(wanted)


def _query(target: dict[str, Any], choice: Choice, source: str) -> dict[str, Any]:
    if "query" not in target:
        return target
    text = interpolated(target["query"], choice)
    return {**target, "query": text, "datasource": {"type": "influxdb", "uid": source}, "maxDataPoints": 100}
