"""What is written of the counters, from the state's tables; the server is played by a dictionary, where the last write wins."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Point, Series
from ingestor.state.counters import Revisions, add_to_counters, save_series
from ingestor.state.upgrades import upgrade
from ingestor.stores.influxdb.write import counters
from ingestor.stores.influxdb.write.counters import acknowledge, unwritten

SERIES = Series("token.refreshed", "web", "", "", "", "host-1", "success", "", "log")
MANY = {
    1: SERIES,
    2: Series("token.refreshed", "api", "", "", "", "host-1", "success", "", "log"),
    3: Series("token.refreshed", "web", "", "", "", "host-1", "success", "tenant, one", "log"),
    4: Series("token.issued.password", "web", "token", "", "password", "host-1", "success", "", "log"),
    5: Series("token.validation_failed", "web", "token", "invalid_grant", "", "host-1", "failure", "", "log"),
    6: Series("token.validation_failed", "api", "token", "invalid_grant", "", "host-1", "failure", "", "log"),
    7: Series("token.authorization_pending", "api", "device", "", "", "host-1", "pending", "", "log"),
    8: Series("token.refreshed", "web", "", "", "", "host-2", "success", "", "other log"),
    9: Series("token.refreshed", "_other", "", "", "", "host-1", "success", "", "log"),
}
"""Some are one without their clients, some have one client."""
DAY_0 = 1_793_491_200 * 10**9

Event = tuple[int, int, int | None]
"""Quarter of an hour, series, lifetime."""
Sums = Counter[tuple[str, int, frozenset[tuple[str, str]], str]]
"""By measurement, time, tags and field; what is zero is as good as absent."""


class Store:
    """The tables of a state, and what InfluxDB would hold."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        upgrade(self.connection)
        save_series(self.connection, MANY)
        self.marks = Revisions(self.connection)
        self.points: dict[str, str] = {}
        """Fields by measurement, tags and time."""
        self.truth: Counter[tuple[int, str]] = Counter()

    def close(self) -> None:
        self.connection.close()

    def happens(self, *users: str, day: int = 0) -> None:
        """Count an event of each."""
        tally = CounterDeltas({1: SERIES})
        tally.add([(DAY_0 + day * DAY_NS, 1, user, None, None, None, None, None, None, None, None) for user in users])
        add_to_counters(self.connection, tally, mark=self.marks.new())
        self.truth.update((day, user) for user in users)

    def counts(self, *events: Event, sign: int = 1) -> None:
        """Count events of nobody, or take them off."""
        tally = CounterDeltas(MANY)
        tally.add([_point(*event) for event in events], sign)
        add_to_counters(self.connection, tally, mark=self.marks.new())

    def publish(self, *, lose_acknowledgements: bool = False, mark: int | None = None, parts_only: int = 99) -> None:
        """Write until nothing is unwritten, or until a crash after so many parts."""
        mark = self.marks.last if mark is None else mark
        for _ in range(1000):
            parts = unwritten(self.connection, mark)
            for part in parts[:parts_only]:
                assert len(part.lines) == len(part.times) <= counters.ROWS + 1  # and what the others share
                for line in part.lines:
                    key, fields, time = re.split(r"(?<!\\) ", line)
                    self.points[f"{key} {time}"] = fields
                if not lose_acknowledgements:
                    acknowledge(self.connection, part)
            if lose_acknowledgements or parts_only < len(parts) or not any(part.lines for part in parts):
                return
        raise AssertionError("it has no end")

    def sums(self) -> Sums:
        """What the server holds of all clients and of each."""
        sums: Sums = Counter()
        for key, fields in self.points.items():
            series, time = re.split(r"(?<!\\) ", key)
            measurement, *tags = re.split(r"(?<!\\),", series)
            if measurement in {"token_totals_15m", "token_clients_1h"}:
                assert tags == sorted(tags)
                pairs = frozenset((tag.partition("=")[0], _plain(tag.partition("=")[2])) for tag in tags)
                assert len(pairs) == len(tags)
                for field in fields.split(","):
                    name, _, value = field.partition("=")
                    sums[measurement, int(time), pairs, name] = int(value.removesuffix("i"))
        return +sums

    def users(self, day: int = 0) -> dict[str, int]:
        """Events of a day by user tag."""
        events: dict[str, int] = {}
        for key, fields in self.points.items():
            if key.startswith("token_users_1d,") and key.endswith(f" {DAY_0 + day * DAY_NS}"):
                tag = re.search(r"user_id=((?:\\.|[^ ,])*)", key)
                found = re.match(r"events=(\d+)i", fields)
                assert tag is not None
                assert found is not None
                events[re.sub(r"\\(.)", r"\1", tag[1])] = int(found[1])
        return events

    def active(self, day: int = 0) -> str:
        return self.points[f"token_active_1d,host=host-1,source=log {DAY_0 + day * DAY_NS}"]


def _point(quarter: int, series: int, lifetime: int | None) -> Point:
    time = DAY_0 + quarter * QUARTER_HOUR + quarter % 7
    return (time, series, None, None, None, None, None, lifetime, None, None, None)


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)


def true_sums(events: Iterable[Event]) -> Sums:
    """Count these events by hand."""
    sums: Sums = Counter()
    for quarter, number, lifetime in events:
        series = MANY[number]
        tags = {key: value for key, value in series._asdict().items() if value}
        of_all = frozenset((key, value) for key, value in tags.items() if key != "client_id")
        total = ("token_totals_15m", DAY_0 + quarter * QUARTER_HOUR, of_all)
        sums[*total, "events"] += 1
        sums[*total, "lifetime_sum"] += lifetime or 0
        sums[*total, "lifetime_count"] += lifetime is not None
        of_client = frozenset(
            (key, value) for key, value in tags.items() if key in {"client_id", "host", "realm", "source"}
        )
        client = ("token_clients_1h", DAY_0 + quarter // 4 * HOUR_NS, of_client)
        sums[*client, "events"] += 1
        sums[*client, "issued"] += series.action.startswith("token.issued.")
        sums[*client, "refreshed"] += series.action == "token.refreshed"
        sums[*client, "failed"] += series.outcome == "failure"
    return +sums


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
    parts = unwritten(store.connection, store.marks.last)
    store.happens("a")
    for part in parts:
        acknowledge(store.connection, part)
    store.publish()
    assert store.users() == {"a": 2}
    assert store.sums() == true_sums([(0, 1, None)] * 2)


def test_all_clients_together_and_each_are_written_with_their_tags(store: Store) -> None:
    events: list[Event] = [(0, 1, 60), (0, 2, None), (1, 1, 60), (1, 4, 3600), (3, 5, None), (3, 3, 5), (4, 5, None)]
    store.counts(*events)
    store.publish()
    key = "action=token.refreshed,host=host-1,outcome=success,source=log"
    assert store.points[f"token_totals_15m,{key} {DAY_0}"] == "events=2i,lifetime_sum=60i,lifetime_count=1i"
    assert store.points[f"token_totals_15m,{key} {DAY_0 + QUARTER_HOUR}"] == (
        "events=1i,lifetime_sum=60i,lifetime_count=1i"
    )
    key = "client_id=web,host=host-1,source=log"
    assert store.points[f"token_clients_1h,{key} {DAY_0}"] == "events=4i,issued=1i,refreshed=2i,failed=1i"
    assert store.points[f"token_clients_1h,{key} {DAY_0 + HOUR_NS}"] == "events=1i,issued=0i,refreshed=0i,failed=1i"
    key = r"client_id=web,host=host-1,realm=tenant\,\ one,source=log"
    assert store.points[f"token_clients_1h,{key} {DAY_0}"] == "events=1i,issued=0i,refreshed=1i,failed=0i"
    assert store.sums() == true_sums(events)


def test_a_client_is_written_whole_though_one_of_its_series_has_changed(store: Store) -> None:
    store.counts((0, 1, None), (0, 5, None), (0, 2, None))
    store.publish()
    store.points.clear()
    store.counts((1, 5, None))
    store.publish()
    assert store.points == {
        f"token_clients_1h,client_id=web,host=host-1,source=log {DAY_0}": "events=3i,issued=0i,refreshed=1i,failed=2i",
        "token_events_1h,action=token.validation_failed,client_id=web,endpoint=token,error=invalid_grant,"
        f"host=host-1,outcome=failure,source=log {DAY_0}": "events=2i,lifetime_sum=0i,lifetime_count=0i",
        "token_totals_15m,action=token.validation_failed,endpoint=token,error=invalid_grant,"
        f"host=host-1,outcome=failure,source=log {DAY_0 + QUARTER_HOUR}": "events=1i,lifetime_sum=0i,lifetime_count=0i",
    }


def test_what_is_taken_off_is_written_as_nothing(store: Store) -> None:
    store.counts((0, 4, 60), (0, 5, None))
    store.publish()
    store.counts((0, 4, 60), sign=-1)
    store.counts((0, 5, None), sign=-1)
    store.publish()
    assert store.sums() == Counter()
    assert store.points[f"token_clients_1h,client_id=web,host=host-1,source=log {DAY_0}"] == (
        "events=0i,issued=0i,refreshed=0i,failed=0i"
    )
    assert store.connection.execute("SELECT count(*) FROM unwritten_totals").fetchone() == (0,)


def test_clients_are_read_by_the_keys_of_their_counters(store: Store) -> None:
    """Not by hours: one of them may hold tens of thousands of series, and those of 5,000 may be due."""
    statements: list[str] = []
    store.counts((0, 1, None))
    store.connection.set_trace_callback(statements.append)
    unwritten(store.connection, store.marks.last)
    store.connection.set_trace_callback(None)
    plans = [
        [detail for *_, detail in store.connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        for statement in statements
    ]
    assert (
        len([plan for plan in plans if "SEARCH token_events_1h USING PRIMARY KEY (time=? AND series=?)" in plan]) == 2
    )
    assert not [detail for plan in plans for detail in plan if detail.startswith("SCAN token_")]
    assert not [detail for plan in plans for detail in plan if detail.endswith("PRIMARY KEY (time=?)")]


def test_a_round_holds_what_had_changed_when_it_began(store: Store) -> None:
    store.happens("a")
    mark = store.marks.last
    store.happens("b")
    store.publish(mark=mark)
    assert store.users() == {"a": 1}


def test_marks_grow_over_a_restart(store: Store) -> None:
    store.happens("a")
    store.marks = Revisions(store.connection)
    store.happens("a")
    marks = store.connection.execute("SELECT mark FROM unwritten_users").fetchall()
    assert marks == [(store.marks.last,)]
    assert store.marks.last == 2


@pytest.mark.parametrize("table", ["unwritten_hours", "unwritten_totals", "unwritten_users"])
def test_marks_grow_whichever_counters_are_left(store: Store, table: str) -> None:
    store.happens("a")
    store.happens("a")
    for other in {"unwritten_hours", "unwritten_totals", "unwritten_users"} - {table}:
        store.connection.execute(f"DELETE FROM {other}")
    assert Revisions(store.connection).last == 2


USERS = st.sampled_from(
    ("a", "b", "c", "_other", "a\\", "a/", " ", "\u200d", "\N{REPLACEMENT CHARACTER}", "é", "_other ")
)
STEPS = st.tuples(st.lists(USERS, max_size=6), st.integers(0, 1), st.sampled_from(("publish", "lose", "restart", "")))


@pytest.mark.slow
@given(st.lists(STEPS, max_size=12))
def test_whatever_is_lost_or_repeated_the_sums_are_exact_in_the_end(steps: list[tuple[list[str], int, str]]) -> None:
    store = Store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters, "USERS_PER_SOURCE", 3)
        patch.setattr(counters, "ROWS", 2)
        for users, day, then in steps:
            store.happens(*users, day=day)
            if then == "restart":
                store.marks = Revisions(store.connection)
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


EVENTS = st.tuples(st.integers(0, 9), st.sampled_from(sorted(MANY)), st.sampled_from((None, 0, 60, 2**31 - 1)))
CHANGES = st.tuples(
    st.lists(EVENTS, max_size=6),
    st.integers(0, 4),
    st.sampled_from(("publish", "lose", "restart", "", *range(1, 6))),
)


@pytest.mark.slow
@given(st.lists(CHANGES, max_size=12))
def test_whatever_is_lost_or_repeated_all_clients_and_each_are_exact_in_the_end(
    steps: list[tuple[list[Event], int, str | int]],
) -> None:
    """Events come, some of those that came are taken off, and rounds end at any of their parts."""
    store = Store()
    there: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters, "ROWS", 3)
        for events, fewer, then in steps:
            store.counts(*events)
            there += events
            if gone := there[:fewer]:
                store.counts(*gone, sign=-1)
                there = there[fewer:]
            if then == "restart":
                store.marks = Revisions(store.connection)
            elif isinstance(then, int):
                store.publish(parts_only=then)
            elif then:
                store.publish(lose_acknowledgements=then == "lose")
        store.publish()
    assert store.sums() == true_sums(there)
    store.close()
