"""The embedded store holds every identity once, and its counters are what a recount of its events would say."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.model.points import Point, Series, SeriesTable
from ingestor.state.counters import load_series
from ingestor.state.database import PRAGMAS
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.events import SqliteStore
from ingestor.stores.lookup import LookupResult
from ingestor.stores.recount import recount_embedded
from tests.support.generated import Sample, points, random_samples, samples, survivors

QUARTER_HOUR = 900_000_000_000
HOUR = 4 * QUARTER_HOUR
DAY = 24 * HOUR


def connect(path: Path | str = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    upgrade(connection)
    return connection


def write(connection: sqlite3.Connection, store: SqliteStore, table: SeriesTable, batch: list[Point]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    store.write(batch)
    connection.execute("COMMIT")
    table.new.clear()


def stored(connection: sqlite3.Connection) -> dict[tuple[int, Series], tuple[object, ...]]:
    """Everything in the store, by time and tags, read without the code under test."""
    series = {number: Series(*tags) for number, *tags in connection.execute("SELECT * FROM series")}
    rows = connection.execute("SELECT * FROM token_events").fetchall()
    found = {(time, series[number]): tuple(fields) for time, number, *fields in rows}
    assert len(found) == len(rows)
    return found


def expected(kept: list[Sample]) -> dict[tuple[int, Series], tuple[object, ...]]:
    table = SeriesTable()
    return {sample.identity: sample.point(table)[2:] for sample in kept}


def check_counters(connection: sqlite3.Connection, kept: list[Sample]) -> None:
    hours: Counter[tuple[object, ...]] = Counter()
    totals: Counter[tuple[object, ...]] = Counter()
    users: Counter[tuple[object, ...]] = Counter()
    for sample in kept:
        hour, day = sample.time // HOUR * HOUR, sample.time // DAY * DAY
        lifetime, user, tags = sample.fields["expires_in"], sample.fields["user_id"], sample.series
        hours[hour, tags, "events"] += 1
        hours[hour, tags, "lifetime_sum"] += lifetime or 0
        hours[hour, tags, "lifetime_count"] += lifetime is not None
        quarter, of_all = sample.time // QUARTER_HOUR * QUARTER_HOUR, tags._replace(client_id="")
        totals[quarter, of_all, "events"] += 1
        totals[quarter, of_all, "lifetime_sum"] += lifetime or 0
        totals[quarter, of_all, "lifetime_count"] += lifetime is not None
        if user is not None:
            key = (day, user, tags.source, tags.host)
            users[*key, "events"] += 1
            users[*key, "issued"] += tags.action.startswith("token.issued.")
            users[*key, "refreshed"] += tags.action == "token.refreshed"
            users[*key, "failed"] += tags.outcome == "failure"
    series = {number: Series(*tags) for number, *tags in connection.execute("SELECT * FROM series")}
    found_hours: Counter[tuple[object, ...]] = Counter()
    for time, number, events, lifetime_sum, lifetime_count in connection.execute("SELECT * FROM token_events_1h"):
        found_hours[time, series[number], "events"] = events
        found_hours[time, series[number], "lifetime_sum"] = lifetime_sum
        found_hours[time, series[number], "lifetime_count"] = lifetime_count
    of_all_clients = {
        number: Series(action, "", *tags)
        for number, action, *tags in connection.execute(
            "SELECT number, action, endpoint, error, grant_type, host, outcome, realm, source FROM total_series"
        )
    }
    assert len(set(of_all_clients.values())) == len(of_all_clients)
    found_totals: Counter[tuple[object, ...]] = Counter()
    for time, number, events, lifetime_sum, lifetime_count in connection.execute("SELECT * FROM token_totals_15m"):
        found_totals[time, of_all_clients[number], "events"] = events
        found_totals[time, of_all_clients[number], "lifetime_sum"] = lifetime_sum
        found_totals[time, of_all_clients[number], "lifetime_count"] = lifetime_count
    found_users: Counter[tuple[object, ...]] = Counter()
    for *key, events, issued, refreshed, failed in connection.execute("SELECT * FROM token_users_1d"):
        found_users[*key, "events"] = events
        found_users[*key, "issued"] = issued
        found_users[*key, "refreshed"] = refreshed
        found_users[*key, "failed"] = failed
    # A counter that fell to zero may stay as a zero: missing and zero say the same.
    assert +found_hours == +hours
    assert +found_totals == +totals
    assert +found_users == +users
    assert all(value >= 0 for counter in (found_hours, found_totals, found_users) for value in counter.values())


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = connect()
    yield connection
    connection.close()


@pytest.mark.slow
# Small batches meet the single inserts, those above GROUP the multi-row statements; few identities make repeats.
@settings(max_examples=120, deadline=None)
@given(pool=st.lists(samples(), min_size=1, max_size=12), data=st.data())
def test_any_batches_with_any_repeats(pool: list[Sample], data: st.DataObject) -> None:
    connection = connect()
    table = SeriesTable()
    store = SqliteStore(connection, table)
    written: list[Sample] = []
    # Equal identity, other contents: the same event after a change of the parser.
    contents = [
        Sample(identity.time, identity.series, fields.fields, identity.written)
        for identity in pool
        for fields in pool[:3]
    ]
    for batch in data.draw(st.lists(st.lists(st.sampled_from(contents), max_size=200), max_size=4)):
        write(connection, store, table, points(batch, table))
        written += batch
    kept = survivors(written)
    assert stored(connection) == expected(kept)
    check_counters(connection, kept)
    recount_embedded(connection, lambda: None)
    check_counters(connection, kept)
    connection.close()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(made=st.lists(samples(), min_size=1, max_size=40), data=st.data())
def test_counters_move_with_lines_that_are_read_by_other_rules(made: list[Sample], data: st.DataObject) -> None:
    connection = connect()
    table = SeriesTable()
    store = SqliteStore(connection, table)
    made = list({(sample.time, sample.series.source): sample for sample in made}.values())  # one line each
    write(connection, store, table, points(made, table))
    others = [sample for sample in made if data.draw(st.booleans())]
    moved = [
        replace(sample, series=sample.series._replace(action="token.reuse_detected", outcome="failure", error="other"))
        for sample in others
    ]
    for _ in range(2):
        connection.execute("BEGIN IMMEDIATE")
        store.rewrite(points(moved, table), recount=True)
        connection.execute("COMMIT")
        table.new.clear()
        kept = [sample for sample in made if sample not in others] + moved
        assert stored(connection) == expected(kept)
        check_counters(connection, kept)
    connection.close()


def test_a_replay_and_an_overlap_change_nothing(connection: sqlite3.Connection) -> None:
    made = random_samples(seed=1, count=2_000)
    table = SeriesTable()
    store = SqliteStore(connection, table)
    batch = points(made, table)
    for part in (batch[:1_500], batch, batch[700:900], batch + batch):
        write(connection, store, table, part)
    assert stored(connection) == expected(made)
    check_counters(connection, made)


def test_equal_points_write_no_page(connection: sqlite3.Connection) -> None:
    table = SeriesTable()
    store = SqliteStore(connection, table)
    batch = points(random_samples(seed=2, count=500), table)
    write(connection, store, table, batch)
    before = connection.total_changes
    write(connection, store, table, batch)
    assert connection.total_changes == before


def test_a_transaction_that_fails_leaves_nothing_and_can_be_tried_again(connection: sqlite3.Connection) -> None:
    made = random_samples(seed=3, count=300)
    table = SeriesTable()
    store = SqliteStore(connection, table)
    batch = points(made, table)
    connection.execute("BEGIN IMMEDIATE")
    store.write(batch)
    connection.execute("ROLLBACK")
    assert stored(connection) == {}
    assert connection.execute("SELECT count(*) FROM series").fetchone() == (0,)
    write(connection, store, table, batch)
    assert stored(connection) == expected(made)
    check_counters(connection, made)


def test_several_writes_in_one_transaction(connection: sqlite3.Connection) -> None:
    made = random_samples(seed=4, count=300)
    table = SeriesTable()
    store = SqliteStore(connection, table)
    connection.execute("BEGIN IMMEDIATE")
    store.write(points(made[:150], table))
    store.write(points(made[100:], table))
    connection.execute("COMMIT")
    assert stored(connection) == expected(made)
    check_counters(connection, made)


def test_numbering_goes_on_after_a_restart(tmp_path: Path) -> None:
    made = random_samples(seed=5, count=400)
    table = SeriesTable()
    for part in (made[:200], made[200:]):
        connection = connect(tmp_path / "events.db")
        table = load_series(connection)
        write(connection, SqliteStore(connection, table), table, points(part, table))
        connection.close()
    connection = connect(tmp_path / "events.db")
    assert stored(connection) == expected(made)
    assert load_series(connection).numbers == table.numbers
    check_counters(connection, made)
    connection.close()


def test_a_point_is_stored_different_or_missing(connection: sqlite3.Connection) -> None:
    made = random_samples(seed=6, count=400)
    table = SeriesTable()
    store = SqliteStore(connection, table)
    write(connection, store, table, points(made[:300], table))
    wanted = points(made, table)
    for column, value in ((2, "someone else"), (7, 7), (10, None), (10, "")):
        wanted[column] = (*wanted[column][:column], value, *wanted[column][column + 1 :])  # type: ignore[assignment]
    changed = [n for n, point in enumerate(points(made, table)) if point != wanted[n]]
    findings = store.look_up(wanted)
    assert [n for n, finding in enumerate(findings) if finding is LookupResult.DIFFERENT] == changed
    assert findings[300:] == [LookupResult.MISSING] * 100
    assert findings.count(LookupResult.STORED) == 300 - len(changed)


def test_looking_up_does_not_take_a_new_series_for_a_stored_one(connection: sqlite3.Connection) -> None:
    """A reader numbers a series it has never seen as a running writer numbers another one."""
    first, second = random_samples(seed=7, count=2)
    writer = SeriesTable()
    write(connection, SqliteStore(connection, writer), writer, points([first], writer))
    reader = SeriesTable()
    other = Sample(first.time, second.series, first.fields, first.written)
    assert SqliteStore(connection, reader).look_up(points([other], reader)) == [LookupResult.MISSING]


def test_no_statement_scans_the_events(connection: sqlite3.Connection) -> None:
    """A repeat is looked up by its key: SQLite answers `(time, series) IN (VALUES ...)` with a scan of the table."""
    table = SeriesTable()
    store = SqliteStore(connection, table)
    batch = points(random_samples(seed=9, count=200), table)
    statements: set[str] = set()
    connection.set_trace_callback(statements.add)
    write(connection, store, table, batch)
    write(connection, store, table, batch)
    assert store.look_up(batch) == [LookupResult.STORED] * 200
    connection.set_trace_callback(None)
    plans = [
        detail
        for statement in statements
        if not statement.startswith(("BEGIN", "COMMIT"))
        for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert "SEARCH token_events USING PRIMARY KEY (time=? AND series=?)" in plans
    assert not [plan for plan in plans if plan.startswith("SCAN token_")]


def test_a_reader_sees_whole_transactions_while_a_writer_writes(tmp_path: Path) -> None:
    made = random_samples(seed=8, count=600)
    writer = connect(tmp_path / "events.db")
    reader = sqlite3.connect(f"{(tmp_path / 'events.db').as_uri()}?mode=ro", uri=True, isolation_level=None)
    table = SeriesTable()
    store = SqliteStore(writer, table)
    write(writer, store, table, points(made[:250], table))
    writer.execute("BEGIN IMMEDIATE")
    store.write(points(made[250:], table))
    assert reader.execute("SELECT count(*) FROM token_events").fetchone() == (250,)
    writer.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM token_events").fetchone() == (600,)
    assert reader.execute("SELECT sum(events) FROM token_events_1h").fetchone() == (600,)
    assert reader.execute("SELECT sum(events) FROM token_totals_15m").fetchone() == (600,)
    reader.close()
    writer.close()
