"""What InfluxDB has taken and no checkpoint holds yet: sums, not points, however many batches that are."""

from collections.abc import Iterable, Mapping, Sequence

from ingestor.model.accounting import Account
from ingestor.model.counter_deltas import CounterDeltas
from ingestor.model.points import Series, SeriesTable
from ingestor.state.checkpoint import Checkpoint
from ingestor.state.rejected_file import RejectedLine
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import merged
from ingestor.stores.influxdb.write.partial_write import PartialWrite
from parsers.contract import Reason


class Uncheckpointed:
    """Grows by batches, in order, and becomes durable as a whole."""

    def __init__(self, table: SeriesTable) -> None:
        """Begin with nothing. ``table`` numbers the series of the points that will come."""
        self._table = table
        self.tally = CounterDeltas(table.by_number)
        self.checkpoint = Checkpoint()
        self.series: dict[int, Series] = {}
        self.rejected: list[RejectedLine] = []
        self.bytes_read = 0
        self.batches = 0

    def add(self, batch: Batch, shipment: PartialWrite, *, counting: bool) -> dict[str, list[int]]:
        """Add a batch whose points are in the store, or refused, or too old; return the times of these by source.

        ``counting``: whether its events are added to the counters.
        """
        new = len(batch.points)  # what stands behind these was counted before
        refused = {point.point: point.reason for point in shipment.refused if point.point < new}
        too_old: dict[str, list[int]] = {}
        for index in shipment.expired:
            if index < new:
                too_old.setdefault(self._source(batch, index), []).append(batch.points[index][0])
        listed = [batch.refused_line(index, reason) for index, reason in refused.items()]
        again = {entry.place for entry in listed}.intersection(batch.checkpoint.replayed)
        if again:  # a replay came to nothing: its line stays listed as it was
            batch.checkpoint.replayed = [place for place in batch.checkpoint.replayed if place not in again]
        if counting:
            self.tally.add(
                [point for index, point in enumerate(batch.points) if index not in refused] if refused else batch.points
            )
        self.checkpoint.add(batch.checkpoint)
        accounts = merged(batch.accounts, self._corrections(batch, refused, too_old))
        self.checkpoint.accounts = merged(self.checkpoint.accounts, accounts)
        self.series.update(batch.series)
        self.rejected += batch.rejected
        self.rejected += [entry for entry in listed if entry.place not in again]
        self.bytes_read += batch.bytes_read
        self.batches += 1
        return too_old

    def add_refused(self, lines: Sequence[RejectedLine]) -> None:
        """Add lines that were stored, and that the store refuses now."""
        corrections: dict[str, Account] = {}
        for line in lines:
            account = corrections.setdefault(line.source, Account())
            account.stored -= 1
            account.rejected[Reason.STORE_REFUSED] += 1
        self.checkpoint.accounts = merged(self.checkpoint.accounts, corrections)
        self.rejected += lines
        self.batches += 1

    def _corrections(
        self, batch: Batch, refused: Iterable[int], too_old: Mapping[str, list[int]]
    ) -> dict[str, Account]:
        """Return what the store's answer changes in the increments of a batch: all its points are ``stored`` in them."""
        corrections: dict[str, Account] = {}
        for index in refused:
            account = corrections.setdefault(self._source(batch, index), Account())
            account.stored -= 1
            account.rejected[Reason.STORE_REFUSED] += 1
        for source, times in too_old.items():
            account = corrections.setdefault(source, Account())
            account.stored -= len(times)
            account.expired += len(times)
        return corrections

    def _source(self, batch: Batch, index: int) -> str:
        return self._table.by_number[batch.points[index][1]].source
