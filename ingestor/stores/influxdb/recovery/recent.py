"""What InfluxDB has acknowledged lately, in the state: the lines themselves, packed, and which counters were published.

InfluxDB can lose what it acknowledged (docs/guarantees.md). A log is no buffer for that: what was read may be rotated away by
then, come from a pipe, or be read by other rules. So the lines are kept as they were sent, and go into the state in the
transaction of the position behind them. They are bounded by age and by size, whichever is less: by what a server can hold in its
write-ahead log, 25 MB of cache a shard, until a shard of a week is written to no more.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import zstandard

from ingestor.model.periods import HOUR_NS, start_of
from ingestor.model.points import MEASUREMENT
from ingestor.model.questions import Period
from ingestor.stores.influxdb.write.line_protocol import tag_set
from ingestor.stores.influxdb.write.partial_write import PartialWrite

if TYPE_CHECKING:
    from ingestor.stores.influxdb.read.stored_lines import Outdated

MOST_BYTES: Final = 64 << 20
"""Of packed lines: about a million events. What a shard holds unsafe, 25 MB of cache, is about a hundred thousand."""
MOST_SECONDS: Final = 8 * 86_400.0
"""A shard spans a week where events are kept for 28 days or more. One that nobody writes to is safe after ten minutes."""
SMALL_BYTES: Final = 16 << 10
"""A row below this takes in what comes next: a log of one line a second must not cost a row a line."""
_LEVEL: Final = 1


class Kept(NamedTuple):
    """Lines of one acknowledged request."""

    first: int
    last: int
    points: int
    lines: bytes
    """Packed."""


class Sent(NamedTuple):
    """What became of a request of events."""

    shipment: PartialWrite
    kept: Kept | None


class Row(NamedTuple):
    """Lines that can be sent again."""

    number: int
    lines: bytes
    times: list[int]


def pack(body: bytes) -> bytes:
    """Return lines packed; beside other threads, as the library lets go of the interpreter."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(body)


def kept(body: bytes, packed: bytes, times: Sequence[int], shipment: PartialWrite) -> Kept | None:
    """Return what is to be kept of a request: not what InfluxDB refuses, or keeps no longer; None when that is nothing."""
    left_out = {refused.point for refused in shipment.refused}.union(shipment.expired)
    if left_out:
        lines = body.splitlines(keepends=True)
        taken = [point for point in range(len(times)) if point not in left_out]
        times, packed = [times[point] for point in taken], pack(b"".join(lines[point] for point in taken))
    return Kept(min(times), max(times), len(times), packed) if times else None


class Recent:
    """The two tables. Everything that writes is called inside the caller's transaction, of the thread that has the state."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, requests: Iterable[Kept]) -> None:
        """Keep lines that were acknowledged, and drop the oldest ones."""
        now = time.time()
        for request in requests:
            self._add(request, now)
        self._drop(now)

    def published(self, times: Iterable[int]) -> None:
        """Note that counters of these times were acknowledged."""
        now = time.time()
        hours = sorted({start_of(moment, HOUR_NS) for moment in times})
        self._connection.executemany("REPLACE INTO recently_published VALUES(?,?)", [(hour, now) for hour in hours])

    @property
    def empty(self) -> bool:
        """Whether nothing is kept, and nothing was published."""
        tables = ("recently_acknowledged", "recently_published")
        return not any(self._connection.execute(f"SELECT EXISTS(SELECT 1 FROM {t})").fetchone()[0] for t in tables)

    def periods(self, unit: int) -> list[Period]:
        """Return the times of all lines that are kept, in whole units of time, joined."""
        spans = self._connection.execute("SELECT first, last FROM recently_acknowledged ORDER BY first")
        return list(_merged((start_of(first, unit), start_of(last, unit) + unit) for first, last in spans))

    def hours(self) -> list[int]:
        """Return the hours of which counters were published."""
        return [hour for (hour,) in self._connection.execute("SELECT hour FROM recently_published ORDER BY hour")]

    def within(self, periods: Sequence[Period]) -> list[int]:
        """Return the numbers of the rows that have lines in one of these periods, perhaps."""
        numbers: dict[int, None] = {}
        for period in periods:
            found = self._connection.execute(
                "SELECT number FROM recently_acknowledged WHERE first < ? AND last >= ? ORDER BY number",
                (period.until, period.since),
            )
            numbers.update((number, None) for (number,) in found)
        return list(numbers)

    def row(self, number: int) -> Row | None:
        """Return one row; None when it is there no more."""
        found = self._connection.execute(
            "SELECT lines FROM recently_acknowledged WHERE number = ?", (number,)
        ).fetchone()
        if found is None:
            return None
        lines = _unpack(found[0])
        return Row(number, lines, [_time_of(line) for line in lines.splitlines()])

    def renew(self, number: int) -> None:
        """Note that a row was acknowledged anew."""
        self._connection.execute(
            "UPDATE recently_acknowledged SET number = (SELECT max(number) FROM recently_acknowledged) + 1, at = ?"
            " WHERE number = ?",
            (time.time(), number),
        )

    def forget(self, outdated: "Iterable[Outdated]") -> None:
        """Drop lines of points that are deleted in InfluxDB, so that they never come back."""
        for run in outdated:
            prefix = f"{MEASUREMENT}{tag_set(run.tags._asdict())} ".encode()
            for number in self.within([Period(run.first, run.last + 1)]):
                self._drop_lines(number, prefix, run)

    def _drop_lines(self, number: int, prefix: bytes, run: "Outdated") -> None:
        row = self.row(number)
        if row is None:
            return
        lines = [
            (line, moment)
            for line, moment in zip(row.lines.splitlines(keepends=True), row.times, strict=True)
            if not (line.startswith(prefix) and run.first <= moment <= run.last)
        ]
        if len(lines) == len(row.times):
            return
        packed = pack(b"".join(line for line, _ in lines))
        self._connection.execute(
            "UPDATE recently_acknowledged SET lines = ?, size = ?, points = ? WHERE number = ?",
            (packed, len(packed), len(lines), number),
        )

    def _add(self, request: Kept, now: float) -> None:
        last = self._connection.execute(
            "SELECT number, first, last, points, lines FROM recently_acknowledged"
            " WHERE number = (SELECT max(number) FROM recently_acknowledged) AND size < ? AND at > ?",
            (SMALL_BYTES, now - MOST_SECONDS / 100),
        ).fetchone()
        number = None
        if last is not None and len(request.lines) < SMALL_BYTES:
            number, first, until, points, lines = last
            packed = pack(_unpack(lines) + _unpack(request.lines))
            request = Kept(min(first, request.first), max(until, request.last), points + request.points, packed)
        self._connection.execute(
            "REPLACE INTO recently_acknowledged(number, at, first, last, points, size, lines) VALUES(?,?,?,?,?,?,?)",
            (number, now, *request[:3], len(request.lines), request.lines),
        )

    def _drop(self, now: float) -> None:
        for table in ("recently_acknowledged", "recently_published"):
            self._connection.execute(f"DELETE FROM {table} WHERE at < ?", (now - MOST_SECONDS,))
        (size,) = self._connection.execute("SELECT coalesce(sum(size), 0) FROM recently_acknowledged").fetchone()
        while size > MOST_BYTES:
            number, gone = self._connection.execute(
                "SELECT number, size FROM recently_acknowledged ORDER BY number LIMIT 1"
            ).fetchone()
            self._connection.execute("DELETE FROM recently_acknowledged WHERE number = ?", (number,))
            size -= gone


def _unpack(packed: bytes) -> bytes:
    lines: bytes = zstandard.ZstdDecompressor().decompress(packed)
    return lines


def _time_of(line: bytes) -> int:
    return int(line[line.rindex(b" ") :])


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[Period]:
    """Join spans, given by their starts, that touch or overlap."""
    current: Period | None = None
    for since, until in spans:
        if current is not None and since <= current.until:
            current = Period(current.since, max(current.until, until))
            continue
        if current is not None:
            yield current
        current = Period(since, until)
    if current is not None:
        yield current
