"""What InfluxDB's answers have of their own: what the raw policy has lost, chunks, requests of many statements, and InfluxQL.

That they are those of the oracle, ``tests/stores/conformance`` says.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ingestor.config.settings import RetentionSettings
from ingestor.model.points import SeriesTable
from ingestor.model.questions import Filters, Period
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read import queries
from ingestor.stores.influxdb.read.answers import InfluxAnswers
from ingestor.stores.influxdb.read.points import NO_NUMBER, stored_points
from parsers.text import clean
from tests.support.generated import FILTERS, HOSTILE, SECOND, Sample, hostile_samples, random_samples
from tests.support.influx import hourly_lines, make_database, write_lines, write_samples
from tests.support.oracle import Oracle
from tests.support.questions import ALWAYS, BEGIN, END, HOUR, ODD, QUESTIONS
from tests.support.servers import InfluxServer

KEPT = RetentionSettings(raw_days=90)


@pytest.fixture(scope="module")
def made() -> list[Sample]:
    return random_samples(seed=31, count=2_000)


@pytest.fixture(scope="module")
def oracle(made: list[Sample]) -> Oracle:
    return Oracle(sample.event() for sample in made)


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


@pytest.fixture(scope="module")
def hostile(server: InfluxServer) -> Iterator[InfluxAnswers]:
    """A store with one event of each hostile user, one of each hostile client, and one that is `_other`."""
    store = server.fresh()
    make_database(server, store)
    write_samples(store, hostile_samples())
    with contextlib.closing(InfluxHttp(store)) as http:
        yield InfluxAnswers(http, store, KEPT, lambda: END)


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


def test_answers_of_many_chunks(answers: InfluxAnswers, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ROWS_IN_A_CHUNK", 7)
    for question, ask in QUESTIONS.items():
        assert ask(answers, ODD, Filters()) == ask(oracle, ODD, Filters()), question


def test_a_century_of_changing_clocks(answers: InfluxAnswers, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Berlin's are changed twice a year: that takes more statements than one request."""
    monkeypatch.setattr(queries, "MOST_STATEMENTS", 2)  # as many as make winters of summers, were the numbers wrong
    assert answers.peak(ALWAYS, Filters(), "Europe/Berlin") == oracle.peak(ALWAYS, Filters(), "Europe/Berlin")
