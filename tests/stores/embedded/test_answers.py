"""The embedded store answers all of design section 7 as the plain-Python oracle does, to the last unit."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.model.points import SeriesTable
from ingestor.model.questions import Answers, Filters, PeakCell, Period
from ingestor.state.counters import load_series
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.embedded.events import SqliteStore
from tests.support.generated import DAYS, FILTERS, SECOND, START, Sample, points, random_samples, samples, survivors
from tests.support.oracle import Oracle

HOUR = 3600 * SECOND
ALWAYS = Period(0, 1 << 62)
BEGIN = START * SECOND
END = BEGIN + DAYS * 24 * HOUR
PERIODS = [
    ALWAYS,
    Period(BEGIN + 24 * HOUR, BEGIN + 48 * HOUR),  # whole hours, not a whole day of UTC
    Period(BEGIN + 26 * HOUR, BEGIN + 74 * HOUR),  # two whole days of UTC
    Period(BEGIN + 31 * HOUR + 17 * SECOND + 1, BEGIN + 80 * HOUR - 1),  # edges on both sides
    Period(BEGIN + 31 * HOUR + 600 * SECOND, BEGIN + 31 * HOUR + 1200 * SECOND),  # within one hour
    Period(BEGIN, BEGIN),
    Period(END, BEGIN),  # nothing, backwards
]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]


def zones(period: Period, filters: Filters) -> list[str]:
    """Every zone for some questions, and every period and every filter with some zones: all of all would take long."""
    if filters in FILTERS[:2]:
        return ZONES
    return [ZONES[(PERIODS.index(period) + FILTERS.index(filters)) % len(ZONES)]]


QUESTIONS: dict[str, Callable[[Answers, Period, Filters], Any]] = {
    "stats": lambda answers, period, filters: answers.stats(period, filters),
    "by_order": lambda answers, period, filters: [
        list(by.items())
        for stats in [answers.stats(period, filters)]
        for by in (stats.by_action, stats.by_grant_type, stats.by_client, stats.by_error)
    ],
    "events": lambda answers, period, filters: list(answers.events(period, filters)),
    "activity": lambda answers, period, filters: [
        list(answers.activity(period, filters, n)) for n in (0, 1, 7, 10_000)
    ],
    "top_clients": lambda answers, period, filters: [list(answers.top_clients(period, filters, n)) for n in (1, 3, 99)],
    "top_users": lambda answers, period, filters: [list(answers.top_users(period, filters, n)) for n in (1, 3, 99)],
    "peak": lambda answers, period, filters: [
        list(answers.peak(period, filters, zone)) for zone in zones(period, filters)
    ],
    "analytics": lambda answers, period, filters: [
        list(answers.analytics(period, filters, zone)) for zone in zones(period, filters)
    ],
}


def fill(connection: sqlite3.Connection, written: list[Sample]) -> None:
    upgrade(connection)
    table = SeriesTable()
    store = SqliteStore(connection, table)
    for start in range(0, len(written), 700):
        connection.execute("BEGIN IMMEDIATE")
        store.write(points(written[start : start + 700], table))
        connection.execute("COMMIT")
        table.new.clear()


def memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


@pytest.fixture(scope="module")
def made() -> list[Sample]:
    """Events with repeats: a replay of some of them follows."""
    return random_samples(seed=29, count=2_500)


@pytest.fixture(scope="module")
def answers(made: list[Sample]) -> Iterator[SqliteAnswers]:
    connection = memory()
    fill(connection, [*made, *made[300:900]])
    connection.execute("PRAGMA query_only=ON")
    yield SqliteAnswers(connection)
    connection.close()


@pytest.fixture(scope="module")
def oracle(made: list[Sample]) -> Oracle:
    return Oracle(sample.event() for sample in made)


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_the_oracle(question: str, answers: SqliteAnswers, oracle: Oracle) -> None:
    ask = QUESTIONS[question]
    for period, filters in itertools.product(PERIODS, FILTERS):
        assert ask(answers, period, filters) == ask(oracle, period, filters), (period, filters)


def test_the_oracle_has_something_to_say(oracle: Oracle) -> None:
    """Comparing nothing with nothing would pass: every plain filter selects some events, and not all."""
    for filters in FILTERS[:3] + FILTERS[5:12]:
        found = len(list(oracle.events(ALWAYS, filters)))
        assert (found == 2_500) == (filters == Filters())
        assert found > 20
    stats = oracle.stats(ALWAYS, Filters())
    figures = [value for key, value in stats.__class__.__dict__.items() if not key.startswith("_")]
    assert figures
    assert all(getattr(stats, name) for name in stats.__slots__)


def test_users_of_whole_days_of_utc_are_counted_once(answers: SqliteAnswers, oracle: Oracle) -> None:
    """No edges, so only the daily counters are read, where a user is in a row for each day, source and host."""
    days = Period(BEGIN + 26 * HOUR, BEGIN + 74 * HOUR)
    assert days.since % (24 * HOUR) == days.until % (24 * HOUR) == 0
    assert answers.stats(days, Filters()).unique_users == oracle.stats(days, Filters()).unique_users == 5


nanoseconds = st.builds(
    lambda half_hours, below: BEGIN + half_hours * 1800 * SECOND + below,
    st.integers(-2, DAYS * 48 + 2),
    st.sampled_from((0, 0, -1, 1, 7 * SECOND)),
)


@settings(max_examples=60, deadline=None)
@given(
    written=st.lists(samples(), max_size=25),
    edges=st.tuples(nanoseconds, nanoseconds),
    filters=st.sampled_from(FILTERS),
    zone=st.sampled_from(ZONES),
)
def test_small_stores_with_any_edges(
    written: list[Sample], edges: tuple[int, int], filters: Filters, zone: str
) -> None:
    connection = memory()
    fill(connection, written)
    answers = SqliteAnswers(connection)
    oracle = Oracle(sample.event() for sample in survivors(written))
    period = Period(*sorted(edges))
    assert answers.stats(period, filters) == oracle.stats(period, filters)
    assert list(answers.activity(period, filters, 5)) == oracle.activity(period, filters, 5)
    assert list(answers.events(period, filters)) == list(oracle.events(period, filters))
    assert list(answers.top_users(period, filters, 3)) == oracle.top_users(period, filters, 3)
    assert list(answers.top_clients(period, filters, 3)) == oracle.top_clients(period, filters, 3)
    assert list(answers.peak(period, filters, zone)) == oracle.peak(period, filters, zone)
    assert list(answers.analytics(period, filters, zone)) == oracle.analytics(period, filters, zone)
    connection.close()


def at(stamp: str, ordinal: int = 0) -> Sample:
    """Make a refresh at this time."""
    template = random_samples(seed=1, count=1)[0]
    tags = template.series._replace(action="token.refreshed", outcome="success", client_id="web")
    return Sample(int(datetime.fromisoformat(stamp).timestamp()) * SECOND + ordinal, tags, template.fields, stamp)


def test_a_clock_set_back_within_an_hour_of_utc() -> None:
    """Newfoundland's clocks went from 00:01 to 23:01 of the day before: a date that lasted one minute, then came again."""
    stamps = ["02:00:00", "02:29:59", "02:30:00", "02:30:59", "02:31:00", "02:59:59", "03:30:00"]
    written = [at(f"2010-11-07T{stamp}+00:00") for stamp in stamps]
    connection = memory()
    fill(connection, written)
    answers = SqliteAnswers(connection)
    rows = answers.analytics(ALWAYS, Filters(), "America/St_Johns")
    assert [(row.date, row.count) for row in rows] == [("2010-11-06", 4), ("2010-11-07", 3)]
    cells = answers.peak(ALWAYS, Filters(), "America/St_Johns")
    assert cells == [PeakCell(5, 23, 4), PeakCell(6, 0, 3)]
    connection.close()


def test_half_an_hour_of_summer_time() -> None:
    """Lord Howe sets its clocks by 30 minutes: 01:30 to 02:00 happens twice, in two different hours of UTC."""
    stamps = ["14:29:59", "14:30:00", "14:59:59", "15:00:00", "15:29:59", "15:30:00"]
    written = [at(f"2026-04-04T{stamp}+00:00") for stamp in stamps]
    connection = memory()
    fill(connection, written)
    cells = SqliteAnswers(connection).peak(ALWAYS, Filters(), "Australia/Lord_Howe")
    assert cells == [PeakCell(6, 1, 5), PeakCell(6, 2, 1)]
    connection.close()


def test_each_answer_comes_from_one_snapshot(tmp_path: Path) -> None:
    made = random_samples(seed=30, count=600)
    path = tmp_path / "events.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    fill(writer, made[:300])
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    answers = SqliteAnswers(reader)
    oracle = Oracle(sample.event() for sample in made[:300])

    exported = answers.events(ALWAYS, Filters())
    first = next(exported)
    table = load_series(writer)
    writer.execute("BEGIN IMMEDIATE")
    SqliteStore(writer, table).write(points(made, table))
    writer.execute("COMMIT")

    # The export was begun before the commit, so it and whatever is asked meanwhile know nothing of it.
    assert answers.stats(ALWAYS, Filters()) == oracle.stats(ALWAYS, Filters())
    assert [first, *exported] == list(oracle.events(ALWAYS, Filters()))
    whole = Oracle(sample.event() for sample in made)
    assert answers.stats(ALWAYS, Filters()) == whole.stats(ALWAYS, Filters())
    writer.close()
    reader.close()


def test_an_abandoned_export_ends_its_snapshot(answers: SqliteAnswers) -> None:
    exported = answers.events(ALWAYS, Filters())
    next(exported)
    exported.close()  # type: ignore[attr-defined]  # the protocol promises an iterator; this one is a generator
    assert len(list(answers.activity(ALWAYS, Filters(), 1))) == 1


def test_an_empty_store_answers() -> None:
    connection = memory()
    fill(connection, [])
    answers, oracle = SqliteAnswers(connection), Oracle([])
    for name, ask in QUESTIONS.items():
        assert ask(answers, ALWAYS, Filters()) == ask(oracle, ALWAYS, Filters()), name
    connection.close()


def test_values_are_bound_and_never_sql(answers: SqliteAnswers) -> None:
    for hostile in ("' OR 1=1 --", '"; DROP TABLE token_events; --', "%", "*", "\x00"):
        for filters in (Filters(client=hostile), Filters(user=hostile), Filters(ip=hostile), Filters(action=hostile)):
            assert answers.stats(ALWAYS, filters).by_action == {}
            assert list(answers.events(ALWAYS, filters)) == []
    assert answers.stats(ALWAYS, Filters()).by_action
