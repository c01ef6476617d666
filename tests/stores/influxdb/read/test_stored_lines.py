"""What InfluxDB holds of lines that lie far apart: found without what lies between, and deleted without it."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.config.settings import StoreSettings
from ingestor.model.points import Point, Series, SeriesTable
from ingestor.model.questions import Period
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read import stored_lines as lines_module
from ingestor.stores.influxdb.read.points import StoredPoint, stored_points
from ingestor.stores.influxdb.read.stored_lines import MOST_QUERIES, WIDEST_GAP, InfluxLines, clusters, runs
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.lookup import LookupResult
from tests.support.influx import write_lines
from tests.support.servers import InfluxServer, query

SECOND = 10**9
START = 1_793_491_200 * SECOND
OLD = Series("token.refreshed", "web", "", "", "", "host-1", "success", "", "log")
NEW = OLD._replace(action="token.expired")


def point(time: int, series: int) -> Point:
    return (time, series, None, None, None, None, None, None, "", f"e-{time}", None)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The times of the rows that are read."""
    read: list[int] = []

    def reading(
        http: InfluxHttp, store: StoreSettings, period: Period, source: str, host: str
    ) -> Iterator[StoredPoint]:
        for row in stored_points(http, store, period, source, host):
            read.append(row.point[0])
            yield row

    monkeypatch.setattr(lines_module, "stored_points", reading)
    return read


@pytest.mark.slow
def test_what_lies_between_is_neither_read_nor_held_nor_deleted(influxdb: InfluxServer, rows: list[int]) -> None:
    store, table = influxdb.make(), SeriesTable()
    old, new = table.number(OLD), table.number(NEW)
    # Two lines of a second at noon and two at one, each of a second that holds a thousand others of that series.
    hours = [START, START + 3600 * SECOND]
    wanted = [time for hour in hours for time in (hour, hour + SECOND)]
    others = [time for hour in hours for time in range(hour + 1, hour + SECOND, SECOND // 1000)]
    far = [START + minute * 60 * SECOND for minute in range(10, 50)]
    written = [point(time, old) for time in (*wanted, *others, *far)]
    write_lines(store, "raw", Encoder(table).encode(written))
    lines = InfluxLines(InfluxHttp(store), store, table)
    assert lines.look_up([point(time, new) for time in wanted]) == [LookupResult.OTHER_TAGS] * 4
    assert sorted(rows) == sorted((*wanted, *others)), "nothing of the fifty minutes between"
    _, _, around = lines.stored_at([(time, new) for time in wanted])
    assert len(around) == 4 + 2, "one of a thousand is enough to end a run"
    moved = lines.compare([point(time, new) for time in wanted])
    assert sorted(moved.outdated) == [(OLD, time, time) for time in wanted]
    lines.delete(moved.outdated)
    left = query(store, f'SELECT event_id, events FROM "{store.database}"."raw"."token_events"')[0]["values"]
    assert sorted(row[0] for row in left) == sorted((*others, *far))


def test_lines_that_lie_far_apart_are_deleted_apart() -> None:
    times = [START, START + 1, START + WIDEST_GAP + 1, START + 2 * WIDEST_GAP + 2]
    outdated = [point(time, 1) for time in times]
    found = runs(outdated, {(time, 1) for time in times}, {1: OLD})
    assert [run[1:] for run in found] == [(times[0], times[2]), (times[3], times[3])]


TIMES = st.lists(st.integers(0, 200), min_size=1, max_size=300).map(
    lambda steps: sorted({sum(steps[: number + 1]) * SECOND for number in range(len(steps))})
)


@given(TIMES)
def test_clusters_hold_every_time_and_only_wide_gaps_are_between(times: list[int]) -> None:
    found = list(clusters(times))
    assert len(found) <= MOST_QUERIES
    assert all(sum(first <= time <= last for first, last in found) == 1 for time in times)
    assert all(after[0] - before[1] > WIDEST_GAP for before, after in pairwise(found))
    wide = sum(after - before > WIDEST_GAP for before, after in pairwise(times))
    assert len(found) == min(MOST_QUERIES, wide + 1)
