"""From blocks to batches: parse, place, keep account, and hand over to the delivery with the positions behind."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import cast

from ingestor.config.settings import Settings
from ingestor.model.generation import Generation
from ingestor.model.identity import generation_hash
from ingestor.model.snapshot import SourceSnapshot
from ingestor.pipeline.admissions import Admissions
from ingestor.pipeline.book import load_book
from ingestor.pipeline.classifier import SourceParsers
from ingestor.pipeline.detection import Detection
from ingestor.pipeline.maybe_stored import MaybeStored
from ingestor.pipeline.points import BlockResult, to_points
from ingestor.pipeline.rejected_lines import refused_line, rejected_lines
from ingestor.sources.block import Block
from ingestor.sources.contract import Progress
from ingestor.state.counters import load_series
from ingestor.state.rejected_file import RejectedFile, RejectedLine, read_rejected
from ingestor.state.state import State
from ingestor.state.trails import forget_oldest
from ingestor.stores.batch import Batch
from ingestor.stores.registry import store_of
from parsers.contract import BLANK, IGNORED, EventRow, Outcome, Parser, Reason, Rejection


class Pipeline:
    """Takes blocks, makes batches. One per process: it owns the series table and the admissions."""

    def __init__(self, settings: Settings, state: State, tick: Callable[[], None] = lambda: None) -> None:
        """Load what the state knows. ``tick`` is called while a store is waited for. Raises sqlite3.Error, OSError."""
        self.settings = settings
        self.state = state
        store = store_of(settings)
        self._store_is_apart = not store.in_state
        """Whether the store may hold points that are in no checkpoint."""
        store.before_reading(state, tick)
        meta = state.meta()
        forget_oldest(state.connection)
        self.book = load_book(state, meta)
        self._series = load_series(state.connection)
        self._rejected = RejectedFile(state.directory, meta.get("rejected_mark", ""), new="heartbeat" not in meta)
        self._batch = Batch()
        self._replayed: set[tuple[int, int]] = set()
        """Rejected lines that are something else now, and perhaps not yet durably so."""
        self._accepted_bytes = 0
        self.taken: Counter[str] = Counter()
        """Lines that were parsed since the start, counted before or not, by ``event``, ``rejected`` and ``ignored``."""
        self._counted: Counter[str] = Counter()
        """By parsers that were made by former settings."""
        self.delivery = store.new_delivery(state, self._series, self._rejected)
        self._detection = Detection.of(state)
        self._take_settings()

    @property
    def full(self) -> bool:
        """Whether the batch should be handed over before more is read."""
        return self._batch.size >= self.delivery.batch_points or self._batch.bytes_read >= self.delivery.batch_bytes

    @property
    def has_pending(self) -> bool:
        """Whether anything waits to be handed over."""
        return bool(self._batch.accounts or self._batch.size) or self.book.has_changes

    @property
    def accepted_bytes(self) -> int:
        """Bytes that were read since the start, durable or not."""
        return self._accepted_bytes + self._batch.bytes_read

    @property
    def progress(self) -> Progress:
        """How far what was read has come."""
        delivery = self.delivery
        all_durable = delivery.idle and not self.has_pending
        return Progress(self.accepted_bytes, delivery.acknowledged_bytes, all_durable)

    def record_classifier(self, sources: Iterable[str]) -> None:
        """Have the state know by which rules the points of these sources are made, before any is sent. Raises sqlite3.Error."""
        self._maybe_stored.record_classifier(sources)

    def forget_former_names(self) -> None:
        """Note that all is read that was there when something was renamed, and durable. Raises sqlite3.Error."""
        self._maybe_stored.forget_former_names()

    def reload(self, settings: Settings) -> None:
        """Go on with other settings, the store's excepted. Everything that was taken must be durable."""
        self.settings = settings
        self._counted += self._parsers.counts()
        self._take_settings()

    def counts(self) -> dict[str, int]:
        """Return what the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""
        return dict(self._parsers.counts() + self._counted)

    @property
    def detector_failures(self) -> int:
        """Blocks of lines that a detector could not observe, since the start."""
        return self._detection.failures

    def sources(self) -> dict[str, SourceSnapshot]:
        """Return the figures of every source, as far as they are durable."""
        return self._admissions.snapshots(self.delivery.accounts)

    def parser_of(self, source: str) -> Parser:
        """Return the parser of a source."""
        return self._parsers.of(source)

    def rules_of(self, source: str) -> str:
        """Return a digest of everything that decides what a line of this source becomes, besides the line."""
        return self._parsers.rules_of(source)

    def process(self, block: Block) -> None:
        """Parse a block of lines that are read for the first time, and add it to the batch."""
        generation, batch = block.generation, self._batch
        self.record_classifier([generation.source])
        parser = self.parser_of(generation.source)
        self.book.advance(generation, block.ordinal, self.rules_of(generation.source))
        outcomes = self._outcomes(block, parser)
        if block.finishes is not None:
            self._take_back(block, block.finishes, outcomes)
        if generation.h is None:
            self._settle_h(generation, block, outcomes)
        placed = self._place(generation, block.ordinal, outcomes, repeat=False)
        if generation.first_event is None and placed.points:
            before = generation.trail.lines - block.data.count(b"\n") - (not block.data.endswith(b"\n"))
            generation.first_event = before + next(
                i for i, outcome in enumerate(outcomes) if outcome.__class__ is tuple
            )
        self._maybe_stored.mark(batch, block, placed, self.book)
        if placed.points and self.delivery.can_reject_points:
            events = [index for index, outcome in enumerate(outcomes) if outcome.__class__ is tuple]
            batch.origins.append((len(batch.points), partial(refused_line, block, events, self.parser_of)))
        batch.points += placed.points
        self._observe(generation.source, outcomes)
        batch.bytes_read += block.too_long.length if block.too_long else len(block.data)
        account = batch.account(generation.source)
        account.read += len(outcomes) - placed.blank
        account.stored += len(placed.points)
        account.ignored += placed.ignored
        for _, rejection in placed.rejections:
            account.rejected[rejection.reason] += 1
        self._count(len(placed.points), len(placed.rejections), placed.ignored)
        if placed.rejections:
            batch.rejected += rejected_lines(block, placed, parser)

    def reprocess(self, block: Block, listed: Mapping[tuple[int, int], RejectedLine]) -> None:
        """Parse a block of lines that were counted before; their points replace what was stored of them.

        ``listed``: the lines that are in the rejected file, by generation and ordinal.
        """
        generation = block.generation
        self.delivery.claim([generation.source])
        outcomes = self._outcomes(block, self.parser_of(generation.source))
        rejected = sum(isinstance(outcome, Rejection) for outcome in outcomes)
        ignored, blank = outcomes.count(IGNORED), outcomes.count(BLANK)
        self._count(len(outcomes) - rejected - ignored - blank, rejected, ignored)
        for index in range(len(outcomes)):
            entry = listed.get((generation.number, block.ordinal + index))
            if entry is not None and not isinstance(outcomes[index], Rejection) and outcomes[index] is not BLANK:
                self.add_replayed(generation, entry, outcomes[index])
                outcomes[index] = BLANK
        same = generation.rules == self.rules_of(generation.source)
        points = self._place(generation, block.ordinal, outcomes, repeat=True).points
        if same:
            self._batch.rewrites += points
        else:
            events = [index for index, outcome in enumerate(outcomes) if outcome.__class__ is tuple]
            origin = partial(refused_line, block, events, self.parser_of)
            self._batch.reclassified_origins.append((len(self._batch.reclassified), origin))
            self._batch.reclassified += points

    def _take_back(self, block: Block, half: tuple[int, int], outcomes: list[Outcome]) -> None:
        """Have the first line of a block be the same as its first part, which was rejected when there was no more of it."""
        batch = self._batch
        unsaved = [entry for entry in batch.rejected if (entry.generation, entry.offset) == half]
        entry = next((entry for entry in (*unsaved, *self.listed()) if (entry.generation, entry.offset) == half), None)
        if entry is None:
            return
        if entry.generation == block.generation.number and isinstance(outcomes[0], Rejection):
            outcomes[0] = BLANK  # it is listed
            return
        if unsaved:
            batch.rejected.remove(entry)
        else:
            batch.checkpoint.replayed.append(half)
        account = batch.account(entry.source)
        account.read -= 1
        account.rejected[entry.reason] -= 1

    def add_replayed(self, generation: Generation, entry: RejectedLine, outcome: Outcome) -> None:
        """Add a rejected line that has become something else: rejected goes down, stored or ignored goes up."""
        place_of_line = (entry.generation, entry.offset)
        if place_of_line in self._replayed:
            return  # on its way since an earlier attempt
        self._replayed.add(place_of_line)
        placed = self._place(generation, entry.ordinal, [outcome], repeat=True)
        batch = self._batch
        refused = entry._replace(reason=Reason.STORE_REFUSED)
        batch.origins.append((len(batch.points), lambda _, reason: refused._replace(detail=reason)))
        batch.points += placed.points
        self._observe(generation.source, [outcome])
        batch.checkpoint.replayed.append(place_of_line)
        account = batch.account(generation.source)
        account.rejected[entry.reason] -= 1
        account.stored += len(placed.points)
        account.ignored += placed.ignored

    def listed(self) -> Iterator[RejectedLine]:
        """Yield the rejected lines, as far as they are durable."""
        return read_rejected(self.state.directory, self.state.replayed())

    def submit(self, now: float) -> None:
        """Hand the batch over, even an empty one; the delivery must have room. ``now``: monotonic seconds."""
        batch, self._batch = self._batch, Batch()
        self._accepted_bytes += batch.bytes_read
        self.book.move_changes(batch.checkpoint)
        self._admissions.move_new(batch.checkpoint)
        self._detection.move_changes(batch.checkpoint)
        batch.series = self._series.take_new()
        self.delivery.submit(batch, now)

    def commit(self) -> None:
        """Make everything that was taken durable before this returns. Raises what ``Delivery.flush`` raises."""
        self.delivery.flush()
        self.submit(time.monotonic())
        self.delivery.flush()
        self._replayed.clear()

    def recount(self, tick: Callable[[], None] = lambda: None) -> int:
        """Count all counters anew from the stored events; return how many these are. Raises what the delivery raises."""
        self.commit()
        counted = self.delivery.recount(sorted({*self.book.sources, *self.delivery.accounts}), tick)
        self.delivery.flush()
        return counted

    def close(self) -> None:
        """Release files. What is not durable is read again next time."""
        self.delivery.close()
        self._rejected.close()

    def _take_settings(self) -> None:
        """Begin anew with what is made by the settings."""
        self._parsers = SourceParsers(self.settings)
        self._maybe_stored = MaybeStored(
            self.settings, self.state, self.delivery, self.rules_of, store_is_apart=self._store_is_apart
        )
        self._admissions = Admissions(self.settings.budgets, self.state, self._series)

    def _place(self, generation: Generation, ordinal: int, outcomes: Sequence[Outcome], *, repeat: bool) -> BlockResult:
        return to_points(
            outcomes,
            h=generation.h or 0,
            ordinal=ordinal,
            host=generation.host,
            admission=self._admissions.of(generation.source),
            sequence_of=generation.sequence_of,
            repeat=repeat,
        )

    def _observe(self, source: str, outcomes: Iterable[Outcome]) -> None:
        """Show the detectors what has just been placed."""
        if self._detection:
            events = [cast("EventRow", outcome) for outcome in outcomes if outcome.__class__ is tuple]
            self._detection.observe(source, self.state.host, events, self._admissions.of(source).tags)

    @staticmethod
    def _settle_h(generation: Generation, block: Block, outcomes: Sequence[Outcome]) -> None:
        """Have H when the first event is there, should none of the lines until then look as if it held a date."""
        for line, outcome in zip(block.data.split(b"\n"), outcomes, strict=False):
            if outcome.__class__ is tuple:
                generation.h = generation_hash(line)
                return

    def _count(self, events: int, rejected: int, ignored: int) -> None:
        self.taken["event"] += events
        self.taken["rejected"] += rejected
        self.taken["ignored"] += ignored

    def _outcomes(self, block: Block, parser: Parser) -> list[Outcome]:
        if block.too_long:
            limit = self.settings.read.max_line_bytes
            return [Rejection(Reason.LINE_TOO_LONG, f"{block.too_long.length} bytes, at most {limit} are read")]
        return parser.parse(block.data, time.time_ns() // 1_000_000)
