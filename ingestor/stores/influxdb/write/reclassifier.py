"""Moves points in InfluxDB whose lines are classified otherwise by now, so that nothing is counted twice.

Two systems cannot change in one transaction. So what is to be deleted and written goes into the state first, together with
what it changes in the counters and accounts; a move that a crash interrupts is done again from there. While a move is under
way nothing else is sent, since a deletion would meet what others write.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from ingestor.model.accounting import Account
from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.periods import DAY_NS
from ingestor.model.points import Point, Series, SeriesTable
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.counters import add_to_counters, save_series
from ingestor.state.rejected_file import RejectedLine
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.delivery import add_to
from ingestor.stores.influxdb.read.stored_lines import InfluxLines, Moved, Outdated
from ingestor.stores.influxdb.recovery.recent import Recent, Sent, kept, pack
from ingestor.stores.influxdb.setup.plan import RAW
from ingestor.stores.influxdb.write.line_protocol import Encoder
from ingestor.stores.influxdb.write.partial_write import RefusedPoint
from ingestor.stores.influxdb.write.sender import Sender
from ingestor.stores.lookup import NOWHERE, Elsewhere
from ingestor.stores.reclassified import SeveralEvents

log = logging.getLogger("tokentail")


class _Move(NamedTuple):
    """What is left to do in InfluxDB."""

    outdated: list[Outdated]
    body: bytes
    times: list[int]


class Reclassifier:
    """One move at a time."""

    def __init__(
        self,
        state: State,
        series: SeriesTable,
        lines: InfluxLines,
        sender: Sender,
        background: Background,
        raw_days: int,
        recent: Recent,
    ) -> None:
        """Take up a move that was interrupted, if there is one."""
        self.accounts: dict[str, Account] = {}
        """What the moves have changed, to be added to a total."""
        self._state = state
        self._series = series
        self._lines = lines
        self._sender = sender
        self._background = background
        self._raw_days = raw_days
        self._recent = recent
        self._encoder = Encoder(series)
        self._looking: tuple[list[Point], dict[int, Series], bool, Future[Moved]] | None = None
        self._moving: Future[Sent] | None = None
        self._listed: Callable[[int, str], RejectedLine] | None = None
        self._written: list[int] = []
        """Which of the kept points are written."""
        self.refused: list[RejectedLine] = []
        """Lines whose points InfluxDB refuses: they were stored, and are not any more."""
        if (move := _load(state.connection)) is not None:
            self._moving = background.do(lambda: self._carry_out(move))

    @property
    def busy(self) -> bool:
        """Whether a move is under way."""
        return self._looking is not None or self._moving is not None

    def begin(
        self,
        points: Sequence[Point],
        series: dict[int, Series],
        several: Sequence[SeveralEvents] = (),
        *,
        counted: bool,
        listed: Callable[[int, str], RejectedLine] | None = None,
        elsewhere: Elsewhere = NOWHERE,
    ) -> None:
        """Move the lines that make these points. ``series``: new ones among their tags; ``several``: lines of several events.

        ``elsewhere``: names under which some of them may be stored as well.

        ``listed`` gives the entry of the rejected file for one of them that InfluxDB refuses under its new tags.

        ``counted``: the lines are in the counters, as what they were. Else they may have been sent, and no checkpoint
        says so: what they were is only deleted, and the caller writes and counts them.
        """
        # What the store keeps no longer is not there to be moved, and was counted when it came.
        oldest = time.time_ns() - self._raw_days * DAY_NS
        kept = [point for point in points if point[0] >= oldest]
        if not kept:
            return
        several = [line for line in several if min(point[0] for point in line.points) >= oldest]
        places = [index for index, point in enumerate(points) if point[0] >= oldest]
        self._listed = None if listed is None else lambda index, reason: listed(places[index], reason)
        looking = self._background.do(
            lambda: self._sender.retry_until_done(lambda: self._lines.compare(kept, several, elsewhere))
        )
        self._looking = (kept, series, counted, looking)

    def advance(self) -> None:
        """Go on with the move. Raises sqlite3.Error; call it again then."""
        if self._looking is not None and self._looking[3].done():
            points, series, counted, future = self._looking
            moved = future.result()
            move = _Move(list(moved.outdated), b"", [])
            if counted:
                changed = set(moved.added)
                self._written = [index for index, point in enumerate(points) if point in changed]
                written = [points[index] for index in self._written]
                move = move._replace(body=self._encoder.encode(written), times=[point[0] for point in written])
            self._note(move, moved, series, counted=counted)
            self._looking = None
            self._moving = self._background.do(lambda: self._carry_out(move))
        if self._moving is not None and self._moving.done():
            sent = self._moving.result()
            with self._state.transaction():
                self._state.connection.execute("DELETE FROM moves")
                if sent.kept is not None:
                    self._recent.add([sent.kept])
            self._moving = None
            for refused in sent.shipment.refused:  # once, so not before what may have to be done again
                self._note_refused(refused)

    def _note(self, move: _Move, moved: Moved, series: dict[int, Series], *, counted: bool) -> None:
        """Have the state know of the move, and count it, in one transaction."""
        if not counted:
            with self._state.transaction():
                self._recent.forget(move.outdated)
            return
        tally = CounterDeltas(self._series.by_number)
        # The counters of a series that the state does not know do not hold its points.
        tally.add([point for point in moved.removed if point[1] in self._series.by_number], sign=-1)
        tally.add(moved.added)
        with self._state.transaction():
            save_series(self._state.connection, series)
            add_to_counters(self._state.connection, tally, mark=self._state.marks.new())
            self._state.save(Checkpoint(accounts=moved.accounts))
            _save(self._state.connection, move)
            self._recent.forget(move.outdated)
        add_to(self.accounts, moved.accounts)

    def _note_refused(self, refused: RefusedPoint) -> None:
        log.error("InfluxDB refuses an event under its new tags: %s", refused.reason)
        if self._listed is not None and refused.point < len(self._written):
            self.refused.append(self._listed(self._written[refused.point], refused.reason))

    def _carry_out(self, move: _Move) -> Sent:
        self._sender.retry_until_done(lambda: self._lines.delete(move.outdated))
        shipment = self._sender.send(RAW, move.body, move.times)
        return Sent(shipment, kept(move.body, pack(move.body), move.times, shipment))


def _save(connection: sqlite3.Connection, move: _Move) -> None:
    outdated = json.dumps([[list(run.tags), run.first, run.last] for run in move.outdated])
    connection.execute("REPLACE INTO moves VALUES(1,?,?,?)", (outdated, move.body, json.dumps(move.times)))


def _load(connection: sqlite3.Connection) -> _Move | None:
    row = connection.execute("SELECT outdated, body, times FROM moves").fetchone()
    if row is None:
        return None
    outdated, body, times = row
    return _Move(
        [Outdated(Series(*tags), first, last) for tags, first, last in json.loads(outdated)], body, json.loads(times)
    )
