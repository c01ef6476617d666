"""What has to be moved: lines whose tags have changed, before their batch is sent, and the events of an embedded store."""

from collections.abc import Callable
from concurrent.futures import Future

from ingestor.config.settings import Settings
from ingestor.model.points import SeriesTable
from ingestor.state.rejected_file import RejectedLine
from ingestor.state.state import State
from ingestor.stores.background import Background
from ingestor.stores.batch import Batch, refused_line
from ingestor.stores.influxdb.client.http import InfluxHttp
from ingestor.stores.influxdb.read.stored_lines import InfluxLines
from ingestor.stores.influxdb.recovery.recent import Recent, Sent
from ingestor.stores.influxdb.write.migration import Migration, claim
from ingestor.stores.influxdb.write.reclassifier import Reclassifier
from ingestor.stores.influxdb.write.sender import Sender


class Moves:
    """Holds at most one batch. Whoever has it calls ``advance`` again and again, ``go_on`` when nothing is on its way."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        series: SeriesTable,
        http: InfluxHttp,
        sender: Sender,
        background: Background,
        recent: Recent,
        write_events: "Callable[[bytes, list[int]], Future[Sent]]",
    ) -> None:
        """Move nothing yet. Raises ConfigError for a state whose events are elsewhere, sqlite3.Error."""
        self.held: Batch | None = None
        """A batch that is sent only when what its lines were is moved."""
        self.refused: list[RejectedLine] = []
        """What InfluxDB refuses of what was moved."""
        lines, raw_days = InfluxLines(http, settings.store, series), settings.retention.raw_days
        self.mover = Reclassifier(state, series, lines, sender, background, raw_days, recent)
        has_events, self.notes = claim(settings, state)
        self._migration = Migration(state, series, write_events, self.notes) if has_events else None

    @property
    def idle(self) -> bool:
        """Whether no batch is held, and no line on the move; the events of an embedded store are not waited for."""
        return self.held is None and not self.mover.busy

    @property
    def migrating(self) -> bool:
        """Whether events of an embedded store are on their way."""
        return self._migration is not None

    def advance(self) -> bool:
        """Take what has come back; return whether the last event of the embedded store has. Raises sqlite3.Error."""
        self.mover.advance()
        self._take(self.mover.refused)
        if self._migration is None:
            return False
        self._migration.advance()
        self._take(self._migration.refused)
        if not self._migration.done:
            return False
        self._migration = None
        return True

    def expect_stored(self) -> None:
        """Have what is held be looked for in the store: another state has written the same lines."""
        if self.held is not None and self.held.points:
            self.held.may_be_stored = True  # under other tags: clients may have come in another order

    def go_on(self) -> Batch | None:
        """Begin the next move; return the batch, and hold it no longer, when none is left to make."""
        batch = self.held
        if batch is None or self.mover.busy or self.migrating:
            return None  # while embedded events are on their way, what is compared is not all there yet
        if batch.reclassified:
            origins = batch.reclassified_origins
            self.mover.begin(
                batch.reclassified,
                batch.series,
                batch.several,
                counted=True,
                listed=lambda point, reason: refused_line(origins, point, reason),
            )
            batch.reclassified = []
        elif batch.may_be_stored or batch.may_be_stored_under:
            self.mover.begin(
                batch.points, batch.series, batch.may_be_several, counted=False, elsewhere=batch.may_be_stored_under
            )
            batch.may_be_stored, batch.may_be_stored_under = False, {}
        else:
            self.held = None
            return batch
        return None

    def _take(self, lines: list[RejectedLine]) -> None:
        self.refused += lines
        lines.clear()
