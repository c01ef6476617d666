"""What is written of the counters, from the state's tables; the server is played by a dictionary, where the last write wins."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.periods import DAY
from ingestor.core.points import Series
from ingestor.stores import counters as tables
from ingestor.stores.counters import Marks, add_to_counters, save_series
from ingestor.stores.influxdb import counters
from ingestor.stores.influxdb.counters import acknowledge, unwritten_hours, unwritten_users
from ingestor.stores.tally import Tally

SERIES = Series("token.refreshed", "web", "", "", "", "host-1", "success", "", "log")
DAY_0 = 1_793_491_200 * 10**9


class Store:
    """The tables of a state, and what InfluxDB would hold."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(tables.SCHEMA)
        save_series(self.connection, {1: SERIES})
        self.marks = Marks(self.connection)
        self.points: dict[str, str] = {}
        """Fields by measurement, tags and time."""
        self.truth: Counter[tuple[int, str]] = Counter()

    def close(self) -> None:
        self.connection.close()

    def happens(self, *users: str, day: int = 0) -> None:
        """Count an event of each."""
        tally = Tally({1: SERIES})
        tally.add([(DAY_0 + day * DAY, 1, user, None, None, None, None, None, None, None, None) for user in users])
        add_to_counters(self.connection, tally, mark=self.marks.new())
        self.truth.update((day, user) for user in users)

    def publish(self, *, lose_acknowledgements: bool = False, mark: int | None = None) -> None:
        """Write until nothing is unwritten."""
        mark = self.marks.last if mark is None else mark
        for _ in range(1000):
            parts = [unwritten_hours(self.connection, mark), *unwritten_users(self.connection, mark)]
            for part in parts:
                for line in part.lines:
                    key, fields, time = re.split(r"(?<!\\) ", line)
                    self.points[f"{key} {time}"] = fields
                if not lose_acknowledgements:
                    acknowledge(self.connection, part)
            if lose_acknowledgements or not any(part.lines for part in parts):
                return
        raise AssertionError("it has no end")

    def users(self, day: int = 0) -> dict[str, int]:
        """Events of a day by user tag."""
        events: dict[str, int] = {}
        for key, fields in self.points.items():
            if key.startswith("token_users_1d,") and key.endswith(f" {DAY_0 + day * DAY}"):
                tag = re.search(r"user_id=((?:\\.|[^ ,])*)", key)
                found = re.match(r"events=(\d+)i", fields)
                assert tag is not None
                assert found is not None
                events[re.sub(r"\\(.)", r"\1", tag[1])] = int(found[1])
        return events

    def active(self, day: int = 0) -> str:
        return self.points[f"token_active_1d,host=host-1,source=log {DAY_0 + day * DAY}"]


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "USERS_PER_SOURCE", 3)
    monkeypatch.setattr(counters, "ROWS", 2)


@pytest.mark.usefixtures("_narrow")
def test_users_beyond_the_budget_share_a_series_and_active_users_are_exact(store: Store) -> None:
    store.happens(*"abcdeff")
    store.publish()
    assert store.users() == {"a": 1, "b": 1, "c": 1, "_other": 4}
    assert store.active() == "users=6i"
    store.happens("f", "g", "a")
    store.happens("a", "z", day=1)
    store.publish()
    assert store.users() == {"a": 2, "b": 1, "c": 1, "_other": 6}
    assert store.active() == "users=7i"
    assert store.users(1) == {"a": 1, "_other": 1}


@pytest.mark.usefixtures("_narrow")
def test_nobody_is_counted_in_other_and_alone(store: Store) -> None:
    """The first page has somebody who can have no series; those on later pages still get theirs."""
    store.happens("_other", "x", "y", "z")
    store.publish()
    assert store.users() == {"_other": 1, "x": 1, "y": 1, "z": 1}


def test_users_whose_ids_are_one_as_a_tag_do_not_overwrite_each_other(store: Store) -> None:
    store.happens(
        *(["CORP\\alice"] * 3),
        *(["CORP/alice"] * 2),
        "bob\u200d",
        "bob\u200c",
        "bob\N{REPLACEMENT CHARACTER}",
        " ",
        "x" * 300,
    )
    store.publish()
    found = store.users()
    assert found.pop("CORP/alice") == 2, "the name that needs no change comes first by its bytes"
    assert sum(found.values()) == 3 + 3 + 1 + 1
    assert found["_other"] == 3 + 2 + 1
    assert store.active() == "users=7i"


def test_an_hour_is_written_with_its_tags(store: Store) -> None:
    store.happens("a", "b")
    store.publish()
    key = "token_events_1h,action=token.refreshed,client_id=web,host=host-1,outcome=success,source=log"
    assert store.points[f"{key} {DAY_0}"] == "events=2i,lifetime_sum=0i,lifetime_count=0i"


def test_what_changes_while_it_is_on_its_way_is_written_again(store: Store) -> None:
    store.happens("a")
    hours, (active, users) = (
        unwritten_hours(store.connection, store.marks.last),
        unwritten_users(store.connection, store.marks.last),
    )
    store.happens("a")
    for part in (hours, active, users):
        acknowledge(store.connection, part)
    store.publish()
    assert store.users() == {"a": 2}


def test_a_round_holds_what_had_changed_when_it_began(store: Store) -> None:
    store.happens("a")
    mark = store.marks.last
    store.happens("b")
    store.publish(mark=mark)
    assert store.users() == {"a": 1}


def test_marks_grow_over_a_restart(store: Store) -> None:
    store.happens("a")
    store.marks = Marks(store.connection)
    store.happens("a")
    unwritten = store.connection.execute("SELECT mark FROM unwritten_users").fetchall()
    assert unwritten == [(store.marks.last,)]
    assert store.marks.last == 2


USERS = st.sampled_from(
    ("a", "b", "c", "_other", "a\\", "a/", " ", "\u200d", "\N{REPLACEMENT CHARACTER}", "é", "_other ")
)
STEPS = st.tuples(st.lists(USERS, max_size=6), st.integers(0, 1), st.sampled_from(("publish", "lose", "restart", "")))


@given(st.lists(STEPS, max_size=12))
def test_whatever_is_lost_or_repeated_the_sums_are_exact_in_the_end(steps: list[tuple[list[str], int, str]]) -> None:
    store = Store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters, "USERS_PER_SOURCE", 3)
        patch.setattr(counters, "ROWS", 2)
        for users, day, then in steps:
            store.happens(*users, day=day)
            if then == "restart":
                store.marks = Marks(store.connection)
            elif then:
                store.publish(lose_acknowledgements=then == "lose")
        store.publish()
    for day in (0, 1):
        true = Counter({user: count for (of_day, user), count in store.truth.items() if of_day == day})
        found = store.users(day)
        assert sum(found.values()) == true.total()
        for user in ("a", "b", "c", "é"):
            assert found.get(user, true[user]) == true[user]
        assert len(found) <= 4
        if true:
            assert store.active(day) == f"users={len(true)}i"
    store.close()
