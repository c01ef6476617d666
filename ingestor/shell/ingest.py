"""From blocks to the store: parse, place, collect a batch, and commit it with the positions behind it.

A batch that cannot be committed (disk full, store away) is kept and tried again as it is; nothing is read meanwhile, so
memory stays bounded and the log files are the buffer.
"""

import gc
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingestor.core.accounting import Account
from ingestor.core.admission import Admission
from ingestor.core.generation import Generation
from ingestor.core.placing import Placed, place
from ingestor.core.points import Point
from ingestor.settings import Settings
from ingestor.shell.book import Book
from ingestor.shell.rejected import RejectedFile, RejectedLine, read_rejected, rejected_line
from ingestor.shell.state import Checkpoint, State
from ingestor.shell.tail import Block
from ingestor.stores.sqlite import SqliteStore, load_series
from parsers import find
from parsers.event import BLANK, Outcome, Parser, Reason, Rejection

log = logging.getLogger("tokentail")

BATCH_POINTS = 20_000
"""Points a transaction: large enough that the two fsyncs of a commit do not count, small enough for a flat memory."""


def relax_collector() -> None:
    """Have the cyclic garbage collector look at batches less often: nothing in them is a cycle, and it walks them all.

    For the whole process, so for its entry point to call. Worth about a tenth of reading, parsing and encoding.
    """
    gc.set_threshold(50_000, 20, 20)


@dataclass(slots=True)
class Batch:
    """What was read since the last checkpoint."""

    points: list[Point] = field(default_factory=list)
    repeats: list[Point] = field(default_factory=list)
    """Points of lines that were counted before."""
    accounts: dict[str, Account] = field(default_factory=dict)
    rejected: list[RejectedLine] = field(default_factory=list)
    replayed: list[tuple[int, int]] = field(default_factory=list)
    """(generation, offset) of lines in the rejected file that are something else now."""
    bytes_read: int = 0


class Ingest:
    """Takes blocks, commits batches. One per process: it owns the series table and the admissions."""

    def __init__(self, settings: Settings, state: State) -> None:
        """Load what the state knows. Raises sqlite3.Error, OSError."""
        self.settings = settings
        self.state = state
        meta = state.meta()
        followed = [key.removeprefix("followed:") for key in meta if key.startswith("followed:")]
        self.book = Book(state.generations(), followed, rebuilding=meta.get("rebuilding") == "1")
        self.accounts = state.accounts()
        self.bytes_read = 0
        """Bytes accepted and acknowledged by this process."""
        self._series = load_series(state.connection)
        self._store = SqliteStore(state.connection, self._series)
        self._admissions: dict[str, Admission] = {}
        self._parsers: dict[str, Parser] = {}
        self._parser_names = {entry.source or entry.path: entry.parser for entry in settings.logs}
        self._rejected = RejectedFile(state.directory, meta.get("rejected_mark", ""))
        self._batch = Batch()

    @property
    def full(self) -> bool:
        """Whether the batch should be committed before more is read."""
        batch = self._batch
        return len(batch.points) + len(batch.repeats) >= BATCH_POINTS or len(batch.rejected) >= BATCH_POINTS

    @property
    def has_pending(self) -> bool:
        """Whether anything waits for a commit."""
        return bool(self._batch.accounts or self._batch.points or self._batch.repeats) or self.book.has_changes

    @property
    def pending_bytes(self) -> int:
        """Bytes that are accepted and not yet acknowledged."""
        return self._batch.bytes_read

    def parser(self, name: str) -> Parser:
        """Return the parser of that name, with the options of the settings."""
        if name not in self._parsers:
            self._parsers[name] = find(name, errors=self.settings.errors, trusted_proxies=self.settings.trusted_proxies)
        return self._parsers[name]

    def parser_of(self, source: str) -> Parser:
        """Return the parser of a source."""
        return self.parser(self._parser_names.get(source, "auto"))

    def admission(self, source: str) -> Admission:
        """Return the client and realm budgets of a source."""
        if source not in self._admissions:
            budgets = self.settings.budgets
            self._admissions[source] = Admission(
                source,
                self.state.host,
                self._series,
                clients=budgets.clients,
                failing_clients=budgets.failing_clients,
                realms=budgets.realms,
                admitted=self.state.admitted(source),
            )
        return self._admissions[source]

    def take(self, block: Block) -> None:
        """Parse a block of lines that are read for the first time, and add it to the batch."""
        generation = block.generation
        parser = self.parser_of(generation.source)
        self.book.advance(generation, block.ordinal)
        outcomes = self._outcomes(block, parser)
        placed = self._place(generation, block.ordinal, outcomes, repeat=False)
        batch = self._batch
        batch.points += placed.points
        batch.bytes_read += block.too_long.length if block.too_long else len(block.data)
        account = batch.accounts.setdefault(generation.source, Account())
        account.read += len(outcomes) - placed.blank
        account.stored += len(placed.points)
        account.ignored += placed.ignored
        for _, rejection in placed.rejections:
            account.rejected[rejection.reason] += 1
        if placed.rejections:
            batch.rejected += self._rejected_lines(block, placed, generation, parser)

    def take_again(self, block: Block, listed: Mapping[int, RejectedLine]) -> None:
        """Parse a block of lines that were counted before; their points replace what was stored of them.

        ``listed``: the lines of this generation that are in the rejected file, by ordinal.
        """
        generation = block.generation
        outcomes = self._outcomes(block, self.parser_of(generation.source))
        for index in range(len(outcomes)):
            entry = listed.get(block.ordinal + index)
            if entry is not None and not isinstance(outcomes[index], Rejection) and outcomes[index] is not BLANK:
                self.add_replayed(generation, entry, outcomes[index])
                outcomes[index] = BLANK
        self._batch.repeats += self._place(generation, block.ordinal, outcomes, repeat=True).points

    def listed(self) -> Iterator[RejectedLine]:
        """Yield the rejected lines, as far as they are committed."""
        return read_rejected(self.state.directory, self.state.replayed())

    def add_replayed(self, generation: Generation, entry: RejectedLine, outcome: Outcome) -> None:
        """Add a rejected line that has become something else: rejected goes down, stored or ignored goes up."""
        placed = self._place(generation, entry.ordinal, [outcome], repeat=True)
        batch = self._batch
        batch.points += placed.points
        batch.replayed.append((entry.generation, entry.offset))
        account = batch.accounts.setdefault(generation.source, Account())
        account.rejected[entry.reason] -= 1
        account.stored += len(placed.points)
        account.ignored += placed.ignored

    def commit(self, *, meta: dict[str, str] | None = None) -> None:
        """Make the batch and the positions behind it durable, in one transaction.

        Raises sqlite3.Error or OSError; the batch is kept then, and commit may be called again.
        """
        batch = self._batch
        checkpoint = Checkpoint(replayed=batch.replayed, meta=meta or {})
        if batch.rejected:
            checkpoint.rejected_mark = self._rejected.append(batch.rejected)
        self.book.copy_changes(checkpoint)
        checkpoint.admitted = [
            (source, entry) for source, admission in self._admissions.items() for entry in admission.new
        ]
        checkpoint.meta["heartbeat"] = repr(time.time())
        with self.state.transaction():
            if batch.points:
                self._store.write(batch.points)
            checkpoint.accounts = self._corrected(batch.accounts, self._store.rewrite(batch.repeats))
            self.state.save(checkpoint)
        self._series.new.clear()
        self.book.forget_changes()
        for admission in self._admissions.values():
            admission.new.clear()
        if checkpoint.rejected_mark is not None:
            self._rejected.settle(checkpoint.rejected_mark)
        for source, account in checkpoint.accounts.items():
            self.accounts.setdefault(source, Account()).add(account)
        self.bytes_read += batch.bytes_read
        self._batch = Batch()

    def close(self) -> None:
        """Release the rejected file. What was not committed is read again next time."""
        self._rejected.close()

    def _place(self, generation: Generation, ordinal: int, outcomes: Sequence[Outcome], *, repeat: bool) -> Placed:
        return place(
            outcomes,
            h=generation.h or 0,
            ordinal=ordinal,
            admission=self.admission(generation.source),
            sequence_of=generation.sequence_of,
            repeat=repeat,
        )

    def _corrected(self, accounts: Mapping[str, Account], fresh: Sequence[Point]) -> dict[str, Account]:
        """Return the accounts with what a repeat has stored of lines that had made no point: these had been ignored."""
        corrected = dict(accounts)
        for source, events in Counter(self._series.by_number[point[1]].source for point in fresh).items():
            corrected[source] = Account(stored=events, ignored=-events)
            corrected[source].add(accounts.get(source, Account()))
        return corrected

    def _outcomes(self, block: Block, parser: Parser) -> list[Outcome]:
        if block.too_long:
            limit = self.settings.read.max_line_bytes
            return [Rejection(Reason.LINE_TOO_LONG, f"{block.too_long.length} bytes, at most {limit} are read")]
        return parser.parse(block.data, time.time_ns() // 1_000_000)

    def _rejected_lines(
        self, block: Block, placed: Placed, generation: Generation, parser: Parser
    ) -> list[RejectedLine]:
        lines = [block.data] if block.too_long else block.data.split(b"\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        entries = []
        for index, rejection in placed.rejections:
            entry = rejected_line(
                lines[index],
                reason=rejection.reason,
                detail=rejection.detail,
                file=generation.path,
                offset=block.offset + starts[index],
                ordinal=block.ordinal + index,
                source=generation.source,
                host=self.state.host,
                generation=generation.number,
                text=parser.redact(lines[index]),
            )
            if block.too_long:
                entry = entry._replace(length=block.too_long.length, sha256=block.too_long.sha256)
            entries.append(entry)
        return entries
