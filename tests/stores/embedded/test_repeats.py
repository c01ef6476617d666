"""Repeats that change an event (a release that reads a line better): the answers know nothing of what was replaced."""

import sqlite3
from collections.abc import Iterator

import pytest

from ingestor.model.points import Point, Series, SeriesTable
from ingestor.model.questions import Filters, Period
from ingestor.state.counters import GROUP
from ingestor.state.upgrades import upgrade
from ingestor.stores.embedded.answers import SqliteAnswers
from ingestor.stores.embedded.events import SqliteStore

DAY = 86_400_000_000_000
WHOLE_DAYS = Period(0, 10 * DAY)
REFRESH = Series("token.refreshed", "web", "token", "", "refresh_token", "idp-1", "success", "", "audit")


def point(time: int, user: str | None, expires_in: int | None = None) -> Point:
    return (time, 1, user, None, None, None, None, expires_in, None, None, None)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    yield connection
    connection.close()


def write(connection: sqlite3.Connection, *batches: list[Point]) -> SqliteAnswers:
    table = SeriesTable()
    assert table.number(REFRESH) == 1
    store = SqliteStore(connection, table)
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        store.write(batch)
        connection.execute("COMMIT")
        table.new.clear()
    return SqliteAnswers(connection)


def test_of_equal_identities_in_one_statement_the_last_is_stored_and_counted(connection: sqlite3.Connection) -> None:
    batch = [point(DAY + n // 2, f"u-{n}", expires_in=n) for n in range(GROUP)]
    stats = write(connection, batch).stats(WHOLE_DAYS, Filters())
    assert stats.total_refreshed == stats.unique_users == GROUP // 2
    assert stats.average_token_lifetime_seconds == sum(range(1, GROUP, 2)) / (GROUP / 2)


def test_a_user_whose_only_event_was_replaced_is_gone(connection: sqlite3.Connection) -> None:
    answers = write(connection, [point(DAY, "old", 60)], [point(DAY, "new", None)])
    stats = answers.stats(WHOLE_DAYS, Filters())
    assert (stats.total_refreshed, stats.unique_users, stats.token_lifetime_coverage) == (1, 1, 0)
    totals = connection.execute("SELECT events, lifetime_sum, lifetime_count FROM token_totals_15m").fetchall()
    assert totals == [(1, 0, 0)]
    assert [user.name for user in answers.top_users(WHOLE_DAYS, Filters(), 10)] == ["new"]
    assert not answers.activity(WHOLE_DAYS, Filters(user="old"), 10)
    assert len(answers.activity(WHOLE_DAYS, Filters(user="new"), 10)) == 1


def test_an_event_that_loses_its_user_is_still_counted(connection: sqlite3.Connection) -> None:
    answers = write(connection, [point(DAY, "old")], [point(DAY, None)])
    stats = answers.stats(WHOLE_DAYS, Filters())
    assert (stats.total_refreshed, stats.unique_users) == (1, 0)
    assert not answers.top_users(WHOLE_DAYS, Filters(), 10)


def test_the_first_hour_of_the_epoch_counts_like_any_other(connection: sqlite3.Connection) -> None:
    answers = write(connection, [point(0, "u-1"), point(1, "u-2")])
    assert connection.execute("SELECT time, events FROM token_events_1h").fetchall() == [(0, 2)]
    assert connection.execute("SELECT time, events FROM token_totals_15m").fetchall() == [(0, 2)]
    assert answers.stats(WHOLE_DAYS, Filters()).unique_users == 2
