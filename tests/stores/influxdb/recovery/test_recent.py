"""What InfluxDB acknowledged lately, as the state keeps it."""

import sqlite3
import time

import pytest

from ingestor.model.periods import HOUR_NS, QUARTER_HOUR
from ingestor.model.points import Point, Series, SeriesTable
from ingestor.model.questions import Period
from ingestor.state.upgrades import upgrade
from ingestor.stores.influxdb.read.stored_lines import Outdated
from ingestor.stores.influxdb.recovery import recent
from ingestor.stores.influxdb.recovery.recent import Kept, Recent, kept, pack
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.influxdb.write.partial_write import PartialWrite, RefusedPoint

SERIES = [Series("token.refreshed", client, "", "", "", "h", "success", "", "a b") for client in ("web", "web app")]
TABLE = SeriesTable()
NUMBERS = [TABLE.number(series) for series in SERIES]


def points(*times: int, series: int = 0) -> list[Point]:
    return [
        (moment, NUMBERS[series], "u", None, "an agent, x=1", None, None, None, None, f"e {moment}", None)
        for moment in times
    ]


def sent(some: list[Point], shipment: PartialWrite | None = None) -> Kept:
    body, times = Encoder(TABLE).encode(some), [point[0] for point in some]
    request = kept(body, pack(body), times, shipment or PartialWrite(times))
    assert request is not None
    return request


@pytest.fixture
def table() -> Recent:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection)
    return Recent(connection)


def lines(table: Recent) -> list[bytes]:
    rows = [table.row(number) for number in table.within([Period(0, 1 << 62)])]
    return [line for row in rows if row for line in row.lines.splitlines(keepends=True)]


def test_lines_come_back_as_they_were_sent(table: Recent) -> None:
    some = points(5, 7, HOUR_NS)
    table.add([sent(some)])
    (number,) = table.within([Period(6, 8)])
    row = table.row(number)
    assert row is not None
    assert (row.lines, row.times) == (Encoder(TABLE).encode(some), [5, 7, HOUR_NS])
    assert table.within([Period(HOUR_NS + 1, 2 * HOUR_NS)]) == []
    assert table.periods(QUARTER_HOUR) == [Period(0, HOUR_NS + QUARTER_HOUR)]


def test_what_is_refused_or_too_old_is_not_kept(table: Recent) -> None:
    some = points(1, 2, 3, 4)
    shipment = PartialWrite([1, 2, 3, 4])
    shipment.refused.append(RefusedPoint(1, "no"))
    shipment.expired.append(0)
    table.add([sent(some, shipment)])
    assert b"".join(lines(table)) == Encoder(TABLE).encode(points(3, 4))
    shipment.expired += [2, 3]
    body = Encoder(TABLE).encode(some)
    assert kept(body, pack(body), [1, 2, 3, 4], shipment) is None


def test_a_log_of_one_line_a_second_costs_no_row_a_line(table: Recent) -> None:
    for moment in range(300):
        table.add([sent(points(moment))])
    assert b"".join(lines(table)) == Encoder(TABLE).encode(points(*range(300)))
    assert len(table.within([Period(0, 1 << 62)])) == 1


def test_it_is_bounded_by_size_and_by_age(table: Recent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "SMALL_BYTES", 0)
    size = len(sent(points(0)).lines)
    monkeypatch.setattr(recent, "MOST_BYTES", 3 * size)
    for moment in range(5):
        table.add([sent(points(moment))])
    assert len(lines(table)) == 3
    assert lines(table)[-1].endswith(b" 4\n"), "the newest ones stay"
    table.published([HOUR_NS + 1, HOUR_NS + 2])
    assert table.hours() == [HOUR_NS]
    monkeypatch.setattr(recent, "MOST_SECONDS", 0.0)
    time.sleep(0.01)
    table.add([])
    assert (lines(table), table.hours()) == ([], [])


def test_what_was_sent_again_counts_as_new(table: Recent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "SMALL_BYTES", 0)
    for moment in range(2):
        table.add([sent(points(moment))])
    table.renew(table.within([Period(0, 1)])[0])
    monkeypatch.setattr(recent, "MOST_BYTES", len(sent(points(0)).lines))
    table.add([])
    assert [line[-3:] for line in lines(table)] == [b" 0\n"]


def test_what_is_deleted_in_influxdb_never_comes_back(table: Recent) -> None:
    some = [*points(1, 2, 3), *points(1, 2, series=1)]
    table.add([sent(some)])
    table.forget([Outdated(SERIES[0], 2, 3)])
    assert b"".join(lines(table)) == Encoder(TABLE).encode([*points(1), *points(1, 2, series=1)])
    table.forget([Outdated(SERIES[0], 0, 9), Outdated(SERIES[1], 0, 9)])
    assert lines(table) == []
