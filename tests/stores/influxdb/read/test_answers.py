"""InfluxDB answers all of design section 7 as the embedded store and the plain-Python oracle do, to the last unit."""

import contextlib
import dataclasses
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingestor.config.settings import RetentionSettings
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Answers, Filters, Period
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.embedded.events import SqliteStore
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read import queries
from ingestor.stores.influxdb.read.answers import InfluxAnswers
from ingestor.stores.influxdb.read.points import NO_NUMBER, stored_points
from parsers.text import clean, normal_tag
from tests.support.generated import DAYS, FILTERS, SECOND, START, Sample, points, random_samples, survivors
from tests.support.influx import hourly_lines, make_database, write_lines, write_samples
from tests.support.oracle import Oracle
from tests.support.servers import InfluxServer

HOUR = 3600 * SECOND
BEGIN = START * SECOND
END = BEGIN + DAYS * 24 * HOUR
ALWAYS = Period(0, 1 << 62)
ODD = Period(BEGIN + 31 * HOUR + 17 * SECOND + 1, BEGIN + 80 * HOUR - 1)
BEYOND = Period(-(1 << 70), 1 << 70)
PERIODS = [
    ALWAYS,
    Period(BEGIN + 24 * HOUR, BEGIN + 48 * HOUR),
    ODD,
    Period(BEGIN + 31 * HOUR + 600 * SECOND, BEGIN + 31 * HOUR + 1200 * SECOND),  # within one hour
    Period(BEGIN, BEGIN),
    Period(END, BEGIN),  # nothing, backwards
]
# Berlin's summer time ends within the events.
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]
KEPT = RetentionSettings(raw_days=90)


def zones(period: Period, filters: Filters) -> list[str]:
    """Every zone for some questions, and every period and every filter with some zones."""
    if period == BEYOND:
        return ["Asia/Kathmandu"]
    if period == ODD and filters in FILTERS[:2]:
        return ZONES
    if period == ALWAYS:  # a century has 200 changes of the clocks
        return [("UTC", "Asia/Kathmandu")[FILTERS.index(filters) % 2]]
    return [ZONES[(PERIODS.index(period) + FILTERS.index(filters)) % len(ZONES)]]


QUESTIONS: dict[str, Callable[[Answers, Period, Filters], Any]] = {
    "stats": lambda answers, period, filters: [
        (stats, *(list(by.items()) for by in (stats.by_action, stats.by_grant_type, stats.by_client, stats.by_error)))
        for stats in [answers.stats(period, filters)]
    ],
    "events": lambda answers, period, filters: list(answers.events(period, filters)),
    "activity": lambda answers, period, filters: [list(answers.activity(period, filters, n)) for n in (0, 7, 4_000)],
    "top_clients": lambda answers, period, filters: [list(answers.top_clients(period, filters, n)) for n in (1, 99)],
    "top_users": lambda answers, period, filters: [list(answers.top_users(period, filters, n)) for n in (1, 99)],
    "peak": lambda answers, period, filters: [
        list(answers.peak(period, filters, zone)) for zone in zones(period, filters)
    ],
    "analytics": lambda answers, period, filters: [
        list(answers.analytics(period, filters, zone)) for zone in zones(period, filters)
    ],
}


@pytest.fixture(scope="module")
def made() -> list[Sample]:
    return random_samples(seed=31, count=2_000)


@pytest.fixture(scope="module")
def others(made: list[Sample]) -> Iterator[dict[str, Answers]]:
    """Who else answers."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    table = SeriesTable()
    SqliteStore(connection, table).write(points(made, table))
    yield {"oracle": Oracle(sample.event() for sample in made), "sqlite": SqliteAnswers(connection)}
    connection.close()


@pytest.fixture(scope="module", params=[1, 2], ids=["influxdb1", "influxdb2"])
def server(request: pytest.FixtureRequest) -> InfluxServer:
    found: InfluxServer | str = request.getfixturevalue(f"influxdb{request.param}_or_why")
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="module")
def answers(server: InfluxServer, made: list[Sample]) -> Iterator[InfluxAnswers]:
    store = server.fresh()
    make_database(server, store)
    write_samples(store, made)
    write_samples(store, made[300:900])  # a repeat changes nothing
    with contextlib.closing(InfluxHttp(store)) as http:
        yield InfluxAnswers(http, store, KEPT, lambda: END)


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_the_oracle_and_of_the_embedded_store(
    question: str, answers: InfluxAnswers, others: dict[str, Answers]
) -> None:
    ask = QUESTIONS[question]
    for period, filters in itertools.product(PERIODS, FILTERS):
        answer = ask(answers, period, filters)
        assert answer == ask(others["oracle"], period, filters), (period, filters)
        assert answer == ask(others["sqlite"], period, filters), (period, filters)


@pytest.fixture(scope="module")
def aged(server: InfluxServer, made: list[Sample]) -> Iterator[tuple[InfluxAnswers, Oracle]]:
    """The answers of a store whose raw policy has lost what is older than a day, and the oracle of what they must be."""
    store = server.fresh()
    make_database(server, store)
    write_lines(store, "rollup", hourly_lines(made))
    write_samples(store, [sample for sample in made if sample.time >= RAW_SINCE])
    expected = [counted(sample.event()) if sample.time < FIRST_WHOLE_HOUR else sample.event() for sample in made]
    with contextlib.closing(InfluxHttp(store)) as http:
        answers = InfluxAnswers(http, store, RetentionSettings(raw_days=1), lambda: RAW_SINCE + 24 * HOUR)
        yield answers, Oracle(expected)


RAW_SINCE = BEGIN + 50 * HOUR + 1234 * SECOND + 7
FIRST_WHOLE_HOUR = BEGIN + 51 * HOUR
AGED = [
    ALWAYS,
    Period(BEGIN + 20 * HOUR, BEGIN + 70 * HOUR + 1),
    Period(BEGIN + 20 * HOUR, BEGIN + 40 * HOUR),  # of counters alone
    Period(BEGIN + 50 * HOUR, BEGIN + 60 * HOUR),  # the first hour is partly raw
    Period(FIRST_WHOLE_HOUR, END),  # of events alone
]


def counted(event: dict[str, Any]) -> dict[str, Any]:
    """What the counters still know of an event."""
    hour = event["time_ns"] - event["time_ns"] % HOUR
    return {**event, "time_ns": hour, "client_id": event["client_tag"], "user_id": None}


@pytest.mark.parametrize("period", AGED)
@pytest.mark.parametrize("filters", [f for f in FILTERS if f.user is None and f.ip is None])
def test_what_raw_has_lost_is_answered_by_the_counters_and_nothing_twice(
    period: Period, filters: Filters, aged: tuple[InfluxAnswers, Oracle]
) -> None:
    answers, oracle = aged
    users = answers.stats(period, filters).unique_users
    assert answers.stats(period, filters) == dataclasses.replace(oracle.stats(period, filters), unique_users=users)
    assert answers.top_clients(period, filters, 9) == oracle.top_clients(period, filters, 9)
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu") if period != ALWAYS else ("UTC",):
        assert answers.peak(period, filters, zone) == oracle.peak(period, filters, zone)
        assert answers.analytics(period, filters, zone) == oracle.analytics(period, filters, zone)


def test_users_are_those_that_raw_still_holds(aged: tuple[InfluxAnswers, Oracle], made: list[Sample]) -> None:
    answers, _ = aged
    raw = Oracle(sample.event() for sample in made if sample.time >= RAW_SINCE)
    for filters in FILTERS:
        assert answers.stats(ALWAYS, filters).unique_users == raw.stats(ALWAYS, filters).unique_users
        assert answers.top_users(ALWAYS, filters, 9) == raw.top_users(ALWAYS, filters, 9)
        assert list(answers.events(ALWAYS, filters)) == list(raw.events(ALWAYS, filters))
        if filters.user is not None or filters.ip is not None:
            assert answers.stats(ALWAYS, filters) == raw.stats(ALWAYS, filters)
            assert answers.peak(ALWAYS, filters, "UTC") == raw.peak(ALWAYS, filters, "UTC")


def test_equal_times_are_ordered_by_tags(server: InfluxServer) -> None:
    made = survivors(
        Sample(BEGIN + number % 3, sample.series, {**sample.fields, "fraction": None}, "2026-10-23T22:00:00.000Z")
        for number, sample in enumerate(random_samples(5, 150))
    )
    oracle = Oracle(sample.event() for sample in made)
    store = server.fresh()
    make_database(server, store)
    write_samples(store, made)
    with contextlib.closing(InfluxHttp(store)) as http:
        answers = InfluxAnswers(http, store, KEPT, lambda: END)
        assert list(answers.events(ALWAYS, Filters())) == list(oracle.events(ALWAYS, Filters()))
        for limit in range(1, len(made) + 2, 7):
            assert answers.activity(ALWAYS, Filters(), limit) == oracle.activity(ALWAYS, Filters(), limit)


HOSTILE = [
    "'",
    "\\",
    "\\'",
    "' OR 1=1 --",
    "' OR ''='",
    '"; DROP DATABASE x; --',
    "'; DROP MEASUREMENT token_events; SELECT '",
    "%27",
    "$x",
    "/.*/",
    "a,b=c d",
    'quo"te',
    "back\\slash\\",
    "😀 größe",
    "-- comment",
    "/* comment */",
    "\N{REPLACEMENT CHARACTER}n",
]


@pytest.fixture(scope="module")
def hostile(server: InfluxServer) -> Iterator[InfluxAnswers]:
    """A store with one event of each hostile user, one of each hostile client, and one that is `_other`."""
    template = random_samples(seed=1, count=1)[0]
    written = []
    for number, value in enumerate(HOSTILE):
        tag, plain = template.series._replace(client_id=normal_tag(value)), template.series._replace(client_id="web")
        other = template.series._replace(client_id="_other")
        at = template.time + number
        written += [
            dataclasses.replace(template, time=at, series=tag, fields={**template.fields, "client": None}),
            dataclasses.replace(
                template, time=at, series=plain, fields={**template.fields, "user_id": value, "ip": value}
            ),
            dataclasses.replace(template, time=at, series=other, fields={**template.fields, "client": f"{value}?"}),
        ]
    store = server.fresh()
    make_database(server, store)
    write_samples(store, written)
    with contextlib.closing(InfluxHttp(store)) as http:
        yield InfluxAnswers(http, store, KEPT, lambda: END)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_finds_its_event_alone(value: str, hostile: InfluxAnswers) -> None:
    for filters in (
        Filters(user=value),
        Filters(ip=value),
        Filters(client=normal_tag(value)),
        Filters(client=f"{value}?"),
    ):
        found = list(hostile.events(ALWAYS, filters))
        assert len(found) == 1
        assert hostile.stats(ALWAYS, filters).by_action == {found[0].action: 1}
        assert value in (found[0].user_id, found[0].client_id, found[0].client_id[:-1]) or "\\" in value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text() | st.text(alphabet="'\"\\;-/*\n\r\0 OR1="))
def test_no_value_is_ever_read_as_influxql(value: str, hostile: InfluxAnswers) -> None:
    assume(clean(value) not in HOSTILE)
    for filters in (Filters(user=value), Filters(action=value), Filters(realm=value, error=value)):
        if value:  # an empty text is an absent tag
            assert list(hostile.events(ALWAYS, filters)) == []


def test_stored_points_are_those_that_were_written(answers: InfluxAnswers, made: list[Sample]) -> None:
    http = answers._queries._http
    store = answers._queries._store
    found = list(stored_points(http, store, ODD, "backup", "idp-1"))
    table = SeriesTable()
    expected = {
        (sample.series, (sample.time, NO_NUMBER, *sample.point(table)[2:]))
        for sample in made
        if sample.series.source == "backup" and sample.series.host == "idp-1" and ODD.since <= sample.time < ODD.until
    }
    assert len(found) == len(expected) > 100
    assert set(found) == expected
    assert [stored.point[0] for stored in found] == sorted(stored.point[0] for stored in found)
    assert list(stored_points(http, store, ODD, "backup'", "idp-1")) == []


def test_an_abandoned_export_leaves_the_connection_usable(answers: InfluxAnswers, made: list[Sample]) -> None:
    exported = answers.events(ALWAYS, Filters())
    next(exported)
    exported.close()  # type: ignore[attr-defined]  # the protocol promises an iterator; this one is a generator
    assert sum(answers.stats(ALWAYS, Filters()).by_action.values()) == len(made)


def test_answers_of_many_chunks(
    answers: InfluxAnswers, others: dict[str, Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "ROWS_IN_A_CHUNK", 7)
    for question, ask in QUESTIONS.items():
        assert ask(answers, ODD, Filters()) == ask(others["oracle"], ODD, Filters()), question


def test_a_century_of_changing_clocks(
    answers: InfluxAnswers, others: dict[str, Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Berlin's are changed twice a year: that takes more statements than one request."""
    monkeypatch.setattr(queries, "MOST_STATEMENTS", 2)  # as many as make winters of summers, were the numbers wrong
    oracle = others["oracle"]
    assert answers.peak(ALWAYS, Filters(), "Europe/Berlin") == oracle.peak(ALWAYS, Filters(), "Europe/Berlin")


def test_a_period_beyond_the_calendar(answers: InfluxAnswers, others: dict[str, Answers]) -> None:
    for question, ask in QUESTIONS.items():
        assert ask(answers, BEYOND, Filters()) == ask(others["oracle"], BEYOND, Filters()), question
