"""What is written of the counters when the clock is wrong, or events come later than InfluxDB keeps what they count for."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from ingestor.config.settings import RetentionSettings
from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.periods import DAY_NS, HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Series
from ingestor.state.counters import add_to_counters, save_series
from ingestor.state.state import State
from ingestor.stores.influxdb.write.counter_publisher import REQUESTS_AT_ONCE, CounterPublisher
from ingestor.stores.influxdb.write.partial_write import PartialWrite

SERIES = Series("token.refreshed", "web", "", "", "", "host-1", "success", "", "log")
NOW = 1_793_491_200 * 10**9
RETENTION = RetentionSettings(raw_days=10, rollup_days=100)


class Published:
    """A state whose counters are written to a server that takes everything; the last write wins."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.fields: dict[str, str] = {}
        """By measurement and time."""
        save_series(state.connection, {1: SERIES})
        self.restart()

    def restart(self) -> None:
        self._publisher = CounterPublisher(self.state, RETENTION, self._send)

    def happens(self, *times: int) -> None:
        tally = CounterDeltas({1: SERIES})
        tally.add([(time, 1, "u-1", None, None, None, None, None, None, None, None) for time in times])
        with self.state.transaction():
            add_to_counters(self.state.connection, tally, mark=self.state.marks.new())

    def round(self) -> None:
        self._publisher.publish_now()
        while not self._publisher.idle:
            self._publisher.advance(0.0)

    def hour(self, time: int) -> str | None:
        return self.fields.get(f"token_events_1h {time}")

    def client(self, time: int) -> str | None:
        return self.fields.get(f"token_clients_1h {time}")

    def quarter(self, time: int) -> str | None:
        return self.fields.get(f"token_totals_15m {time}")

    def day(self, time: int) -> str | None:
        return self.fields.get(f"token_users_1d {time}")

    def unwritten(self) -> int:
        rows = (
            "SELECT (SELECT count(*) FROM unwritten_hours) + (SELECT count(*) FROM unwritten_totals)"
            " + (SELECT count(*) FROM unwritten_users)"
        )
        count: int = self.state.connection.execute(rows).fetchone()[0]
        return count

    def _send(self, _: str, body: bytes, times: list[int]) -> "Future[PartialWrite]":
        for line in body.decode().splitlines():
            key, fields, at = line.split(" ")
            self.fields[f"{key.partition(',')[0]} {at}"] = fields.split(",")[0]
        future: Future[PartialWrite] = Future()
        future.set_result(PartialWrite(times))
        return future


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    monkeypatch.setattr(time, "time_ns", lambda: NOW + HOUR_NS)
    state = State.open(tmp_path, "host-1")
    yield Published(state)
    state.close()


def test_a_clock_that_is_years_ahead_has_nothing_counted_from_nothing(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.happens(NOW, NOW - 5 * DAY_NS, NOW - 5 * DAY_NS, NOW - 50 * DAY_NS, NOW - 50 * DAY_NS)
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: NOW + 3000 * DAY_NS)
        published.round()
    published.happens(NOW, NOW - 5 * DAY_NS, NOW - 50 * DAY_NS)
    published.round()
    assert [published.hour(NOW - days * DAY_NS) for days in (0, 5, 50)] == ["events=2i", "events=3i", "events=3i"]
    assert [published.quarter(NOW - days * DAY_NS) for days in (0, 5, 50)] == ["events=2i", "events=3i", "events=3i"]
    assert [published.client(NOW - days * DAY_NS) for days in (0, 5, 50)] == ["events=2i", "events=3i", "events=3i"]
    assert [published.day(NOW - days * DAY_NS) for days in (0, 5)] == ["events=2i", "events=3i"]


def test_what_was_forgotten_is_not_written_again(published: Published) -> None:
    """InfluxDB may keep it longer than the settings say, and knows more."""
    old, kept = NOW - 110 * DAY_NS, NOW - 101 * DAY_NS
    published.happens(NOW, old, old, kept, kept)
    published.round()
    counted = published.state.connection.execute("SELECT time FROM token_events_1h ORDER BY time").fetchall()
    assert counted == [(kept,), (NOW,)]
    for _ in range(2):
        published.happens(NOW, old, kept)
        published.round()
        published.restart()
    assert (published.hour(old), published.day(old)) == ("events=2i", "events=2i")
    assert (published.hour(kept), published.hour(NOW)) == ("events=4i", "events=3i")
    assert published.unwritten() == 0


@pytest.mark.parametrize("minutes", [0, 1, 16, 31, 46, 59])
def test_an_hour_is_forgotten_with_all_its_quarters(
    published: Published, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """Wherever in an hour the bound falls. An event that comes late would begin its quarter from nothing."""
    monkeypatch.setattr(time, "time_ns", lambda: NOW + minutes * 60 * 10**9)
    bound = NOW - (100 + 2) * DAY_NS
    old, kept = bound - HOUR_NS, bound
    quarters = [hour + number * QUARTER_HOUR for hour in (old, kept) for number in range(4)]
    # The forgotten hour has no event in its last two quarters yet.
    published.happens(NOW, *quarters[:2], *quarters[:2], *quarters[4:], *quarters[4:])
    published.round()
    counted = published.state.connection.execute("SELECT time FROM token_totals_15m ORDER BY time").fetchall()
    assert counted == [(quarter,) for quarter in (*quarters[4:], NOW)]
    for _ in range(2):
        published.happens(*quarters)
        published.round()
        published.restart()
    assert published.unwritten() == 0
    assert [published.quarter(quarter) for quarter in quarters[:4]] == ["events=2i", "events=2i", None, None]
    assert [published.quarter(quarter) for quarter in quarters[4:]] == ["events=4i"] * 4
    assert (published.hour(old), published.hour(kept)) == ("events=4i", "events=16i")
    assert (published.client(old), published.client(kept)) == ("events=4i", "events=16i")


def test_quarters_whose_hour_never_was_are_forgotten_too(published: Published) -> None:
    """What is taken off in one quarter of an hour and counted in another leaves the hour as it was: it has no row."""
    old = NOW - 110 * DAY_NS
    published.happens(NOW)
    tally = CounterDeltas({1: SERIES})
    tally.add([(old, 1, None, None, None, None, None, None, None, None, None)], sign=-1)
    tally.add([(old + QUARTER_HOUR, 1, None, None, None, None, None, None, None, None, None)])
    with published.state.transaction():
        add_to_counters(published.state.connection, tally, mark=published.state.marks.new())
    published.round()
    published.fields.clear()
    published.happens(old, old + HOUR_NS - 1)
    published.round()
    assert (published.hour(old), published.client(old)) == (None, None)
    assert [published.quarter(old + number * QUARTER_HOUR) for number in range(4)] == [None] * 4
    assert published.unwritten() == 0


def test_a_client_is_sent_before_the_hours_that_tell_that_it_is_due(published: Published) -> None:
    published.happens(NOW)
    published.round()
    order = [key.partition(" ")[0] for key in published.fields]
    assert order == ["token_clients_1h", "token_events_1h", "token_totals_15m", "token_active_1d", "token_users_1d"]
    assert len(order) == REQUESTS_AT_ONCE
