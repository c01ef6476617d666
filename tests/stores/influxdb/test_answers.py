"""InfluxDB answers all of design section 7 as the embedded store and the plain-Python oracle do, to the last unit."""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ingestor.core.points import SeriesTable
from ingestor.core.questions import Answers, Filters, Period
from ingestor.settings import RetentionSettings
from ingestor.stores import sqlite as embedded
from ingestor.stores.influxdb.answers import InfluxAnswers
from ingestor.stores.influxdb.http import InfluxHttp
from ingestor.stores.sqlite import SqliteStore
from ingestor.stores.sqlite_answers import SqliteAnswers
from tests.generated import DAYS, SECOND, START, Sample, points, random_samples
from tests.influx import make_database, write_samples
from tests.oracle import Oracle
from tests.servers import InfluxServer

HOUR = 3600 * SECOND
BEGIN = START * SECOND
END = BEGIN + DAYS * 24 * HOUR
ALWAYS = Period(0, 1 << 62)
ODD = Period(BEGIN + 31 * HOUR + 17 * SECOND + 1, BEGIN + 80 * HOUR - 1)
PERIODS = [
    ALWAYS,
    Period(-(1 << 63), 1 << 63),
    Period(BEGIN + 24 * HOUR, BEGIN + 48 * HOUR),
    ODD,
    Period(BEGIN + 31 * HOUR + 600 * SECOND, BEGIN + 31 * HOUR + 1200 * SECOND),  # within one hour
    Period(BEGIN, BEGIN),
    Period(END, BEGIN),  # nothing, backwards
]
FILTERS = [
    Filters(),
    Filters(client="web"),  # the tag, and the field of events from before its admission
    Filters(client="evil"),  # the field alone
    Filters(client="_other"),
    Filters(client="nobody"),
    Filters(realm="a/b"),
    Filters(user="ürsula"),
    Filters(user="u-1", client="web"),
    Filters(action="token.validation_failed"),
    Filters(outcome="success"),
    Filters(outcome="failure", error="invalid_grant"),
    Filters(ip="2001:db8::1"),
    Filters(ip="203.0.113.9", client="_other", realm="master"),
    Filters(client="<b>", outcome="failure"),
    Filters("web", "master", "u-2", "token.refreshed", "success", "other", "203.0.113.9"),
]
# Berlin's summer time ends within the events.
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]
KEPT = RetentionSettings(raw_days=90)


def zones(period: Period, filters: Filters) -> list[str]:
    """Every zone for some questions, and every period and every filter with some zones."""
    if period == ODD and filters in FILTERS[:2]:
        return ZONES
    if period in PERIODS[:2]:  # a century has 200 changes of the clocks
        return [("UTC", "Asia/Kathmandu")[FILTERS.index(filters) % 2]]
    return [ZONES[(PERIODS.index(period) + FILTERS.index(filters)) % len(ZONES)]]


QUESTIONS: dict[str, Callable[[Answers, Period, Filters], Any]] = {
    "stats": lambda answers, period, filters: answers.stats(period, filters),
    "by_order": lambda answers, period, filters: [
        list(by.items())
        for stats in [answers.stats(period, filters)]
        for by in (stats.by_action, stats.by_grant_type, stats.by_client, stats.by_error)
    ],
    "events": lambda answers, period, filters: list(answers.events(period, filters)),
    "activity": lambda answers, period, filters: [list(answers.activity(period, filters, n)) for n in (0, 1, 7, 4_000)],
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
    connection.executescript(embedded.SCHEMA)
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
        if abs(period.since) < 1 << 63:  # SQLite's integers end there
            assert answer == ask(others["sqlite"], period, filters), (period, filters)
