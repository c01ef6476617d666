"""What the embedded store's answers have of their own: exact also for any edges of a few events, and each of one snapshot.

That they are those of the oracle, ``tests/stores/conformance`` says.
"""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.model.points import SeriesTable
from ingestor.model.questions import Filters, Period
from ingestor.state.counters import load_series
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.embedded.events import SqliteStore
from tests.support.generated import DAYS, FILTERS, SECOND, Sample, points, random_samples, samples, survivors
from tests.support.oracle import Oracle
from tests.support.questions import ALWAYS, BEGIN, ZONES


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


nanoseconds = st.builds(
    lambda half_hours, below: BEGIN + half_hours * 1800 * SECOND + below,
    st.integers(-2, DAYS * 48 + 2),
    st.sampled_from((0, 0, -1, 1, 7 * SECOND)),
)


@pytest.mark.slow
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
