"""From the embedded store to InfluxDB, when the config names InfluxDB for a state that holds events.

The events are sent in the order of their keys, beside what the logs bring; how far that is stands in the state. Sending
some of them again changes nothing. When all are there, the embedded events go.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, NamedTuple

import orjson

from ingestor.config.settings import Settings
from ingestor.model.accounting import Account
from ingestor.model.points import POINT_COLUMNS, Point, SeriesTable
from ingestor.model.records import record
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.database import DATABASE, save_meta
from ingestor.state.findings import mark_all
from ingestor.state.rejected_file import RejectedLine, rejected_line
from ingestor.state.state import State
from ingestor.stores.holder import EMBEDDED, INFLUXDB, check_holder, has_embedded_events
from ingestor.stores.influxdb.recovery.recent import Recent, Sent
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.notes import MOVING, STORE
from parsers.contract import Reason

log = logging.getLogger("tokentail")

TARGET: Final = "migrating_to"
"""Key of ``meta``: the server and database that the cursor is about."""
CURSOR: Final = "migrated_to"
"""Key of ``meta``: ``time:series`` of the last event that is in InfluxDB."""
IN_FLIGHT: Final = 2
POINTS: Final = 5_000


class _Part(NamedTuple):
    points: list[Point]
    sent: "Future[Sent]"


class Claim(NamedTuple):
    """That a state belongs to a store."""

    held: bool
    """Whether embedded events must be sent there first."""
    notes: dict[str, str]
    """What ``meta`` must say of it, in the transaction of the first thing that the store has taken; empty from then on.

    Not before: whoever tries an InfluxDB that is not there may go back to the embedded store.
    """


def claim(settings: Settings, state: State) -> Claim:
    """Have the state belong to InfluxDB, once that has taken something. Raises ConfigError, sqlite3.Error."""
    check_holder(state, INFLUXDB, takes_over={EMBEDDED})
    meta = state.meta()
    held = has_embedded_events(state)
    target = f"{settings.store.url} {settings.store.database}"
    noted = {STORE: MOVING if held else INFLUXDB}
    if held and meta.get(TARGET) != target:
        noted |= {TARGET: target, CURSOR: ""}  # what another one has got, this one has not
    return Claim(held, dict(noted.items() - meta.items()))


class Migration:
    """Sends the embedded events. ``write`` takes lines and their times."""

    def __init__(
        self,
        state: State,
        series: SeriesTable,
        write: "Callable[[bytes, list[int]], Future[Sent]]",
        notes: dict[str, str],
    ) -> None:
        """Send nothing yet. ``notes``: of the claim."""
        self.done = False
        self.refused: list[RejectedLine] = []
        """Events that InfluxDB refuses."""
        self._state = state
        self._series = series
        self._write = write
        self._encoder = Encoder(series)
        self._sending: deque[_Part] = deque()
        self._notes = notes
        time, _, number = notes.get(CURSOR, state.meta().get(CURSOR, "")).partition(":")
        self._cursor = (int(time), int(number)) if time else (-(1 << 63), 0)
        self._said = False

    def advance(self) -> None:
        """Take what has come back, and send what is next. Raises sqlite3.Error; call it again then."""
        while self._sending and self._sending[0].sent.done():
            self._acknowledge(self._sending[0])
            self._sending.popleft()
        while len(self._sending) < IN_FLIGHT:
            points = self._next()
            if not points:
                break
            if not self._said:
                self._said = True
                log.info("Sending the events of the embedded store to InfluxDB, beside what the logs bring")
            times = [point[0] for point in points]
            self._sending.append(_Part(points, self._write(self._encoder.encode(points), times)))
            self._cursor = points[-1][:2]
        if not self._sending:
            self._finish()

    def _next(self) -> list[Point]:
        return self._state.connection.execute(
            f"SELECT {','.join(POINT_COLUMNS)} FROM token_events WHERE (time, series) > (?, ?) ORDER BY time, series"
            f" LIMIT {POINTS}",
            self._cursor,
        ).fetchall()

    def _acknowledge(self, part: _Part) -> None:
        shipment, kept = part.sent.result()
        accounts: dict[str, Account] = {}
        for index in shipment.expired:
            account = accounts.setdefault(self._source(part.points[index]), Account())
            account.stored -= 1
            account.expired += 1
        time, number = part.points[-1][:2]
        with self._state.transaction():
            self._state.save(Checkpoint(accounts=accounts, meta={**self._notes, CURSOR: f"{time}:{number}"}))
            if kept is not None:
                Recent(self._state.connection).add([kept])
        self._notes.clear()
        for refused in shipment.refused:  # once, so not before what may have to be done again
            log.error("InfluxDB refuses an event of the embedded store: %s", refused.reason)
            self.refused.append(self._listed(part.points[refused.point], refused.reason))

    def _listed(self, point: Point, reason: str) -> RejectedLine:
        """Return the entry of the rejected file for an event whose line may be in no file any more: it holds the event."""
        event = orjson.dumps(record(self._series.by_number[point[1]], point)._asdict())
        return rejected_line(
            event,
            reason=Reason.STORE_REFUSED,
            detail=reason,
            file=str(self._state.directory / DATABASE),
            offset=0,
            ordinal=0,
            source=self._source(point),
            host=self._state.host,
            generation=0,
            text=event.decode(),
        )

    def _source(self, point: Point) -> str:
        return self._series.by_number[point[1]].source

    def _finish(self) -> None:
        """Drop the embedded events and have the counters written; what they say is true of both stores."""
        execute, mark = self._state.connection.execute, self._state.marks.new()
        with self._state.transaction():
            execute("REPLACE INTO unwritten_hours SELECT time, series, ? FROM token_events_1h", (mark,))
            execute("REPLACE INTO unwritten_totals SELECT time, series, ? FROM token_totals_15m", (mark,))
            execute("REPLACE INTO unwritten_users SELECT time, user_id, source, host, ? FROM token_users_1d", (mark,))
            mark_all(self._state.connection, mark)
            execute("DELETE FROM token_events")
            save_meta(self._state.connection, {STORE: INFLUXDB, CURSOR: ""})
        self.done = True
        if self._said:
            log.info("All events of the embedded store are in InfluxDB")
