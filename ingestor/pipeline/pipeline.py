"""From blocks to batches: parse, place, keep account, and hand over to the delivery with the positions behind."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ingestor.config.settings import Settings
from ingestor.model.generation import MIXED, Generation
from ingestor.model.identity import generation_hash
from ingestor.model.snapshot import SourceSnapshot
from ingestor.pipeline.admissions import Admissions
from ingestor.pipeline.classifier import SourceParsers
from ingestor.pipeline.detection import Detection
from ingestor.pipeline.generations import load_generations
from ingestor.pipeline.maybe_stored import MaybeStored
from ingestor.pipeline.outcomes import outcomes_of
from ingestor.pipeline.points import BlockResult, events_in, lines_of_events, to_points
from ingestor.pipeline.providers import Providers
from ingestor.pipeline.rejected_lines import refused_line, rejected_lines
from ingestor.pipeline.several import several_events
from ingestor.sources.block import Block
from ingestor.sources.contract import Progress
from ingestor.state.counters import load_series
from ingestor.state.rejected_file import RejectedFile, RejectedLine, read_rejected
from ingestor.state.state import State
from ingestor.state.trails import forget_oldest
from ingestor.stores.batch import Batch
from ingestor.stores.registry import store_of
from parsers.contract import BLANK, IGNORED, Outcome, Parser, Reason, Rejection, events_of


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
        self.generations = load_generations(state, meta)
        self._series = load_series(state.connection)
        self._rejected = RejectedFile(state.directory, meta.get("rejected_mark", ""), new="heartbeat" not in meta)
        self._batch = Batch()
        self._replayed: set[tuple[int, int]] = set()
        """Rejected lines that are something else now, and perhaps not yet durably so."""
        self._accepted_bytes = 0
        self.taken: Counter[str] = Counter()
        """What was parsed since the start, counted before or not: each ``event``, and lines ``rejected`` and ``ignored``."""
        self._counted: Counter[str] = Counter()
        """By parsers that were made by former settings."""
        self.delivery = store.new_delivery(state, self._series, self._rejected)
        self._detection = Detection.of(state, settings.detectors)
        self._take_settings()

    @property
    def full(self) -> bool:
        """Whether the batch should be handed over before more is read."""
        return self._batch.size >= self.delivery.batch_points or self._batch.bytes_read >= self.delivery.batch_bytes

    @property
    def has_pending(self) -> bool:
        """Whether anything waits to be handed over."""
        return bool(self._batch.accounts or self._batch.size) or self.generations.has_changes

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
        """Go on with other settings, the store's excepted. Everything that was taken must be durable. Raises sqlite3.Error."""
        if settings.detectors != self.settings.detectors:
            failures, self._detection = self._detection.failures, Detection.of(self.state, settings.detectors)
            self._detection.failures += failures
        self.settings = settings
        self._counted += self._parsers.counts()
        self._take_settings()

    def counts(self) -> dict[str, int]:
        """Return what the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""
        return dict(self._parsers.counts() + self._counted)

    @property
    def detector_failures(self) -> int:
        """Times that a detector could not observe some events, since the start."""
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
        self.generations.advance(generation, block.ordinal, self.rules_of(generation.source))
        outcomes = self._outcomes(block, parser)
        if block.finishes is not None:
            self._take_back(block, block.finishes, outcomes)
        if generation.h is None:
            self._settle_h(generation, block, outcomes)
        placed = self._place(generation, block.ordinal, outcomes, repeat=False)
        if generation.first_event is None and placed.points:
            generation.first_event = generation.trail.lines - block.lines + lines_of_events(outcomes, placed)[0]
        self._maybe_stored.mark(batch, block, outcomes, placed, self.generations)
        self._providers.note(block, outcomes, batch.checkpoint)
        self._note_several(generation, placed)
        if placed.points and self.delivery.can_reject_points:
            lines = lines_of_events(outcomes, placed)
            batch.origins.append((len(batch.points), partial(refused_line, block, lines, self.parser_of)))
        batch.points += placed.points
        self._observe(generation.source, outcomes)
        batch.bytes_read += block.too_long.length if block.too_long else len(block.data)
        account = batch.account(generation.source)
        account.read += placed.counted
        account.stored += len(placed.points)
        account.ignored += placed.ignored
        account.rejected.update(rejection.reason for _, rejection in placed.rejections)
        self.taken.update(event=len(placed.points), rejected=len(placed.rejections), ignored=placed.ignored)
        if placed.rejections:
            batch.rejected += rejected_lines(block, placed, parser)

    def reprocess(self, block: Block, listed: Mapping[tuple[int, int], Sequence[RejectedLine]]) -> None:
        """Parse a block of lines that were counted before; their points replace what was stored of them.

        ``listed``: the lines that are in the rejected file, by generation and ordinal. Raises what ``commit`` raises.
        """
        generation = block.generation
        self.delivery.claim([generation.source])
        outcomes = self._outcomes(block, self.parser_of(generation.source))
        rejected = sum(isinstance(outcome, Rejection) for outcome in outcomes)
        events = sum(len(o) if o.__class__ is list else o.__class__ is tuple for o in outcomes)
        self.taken.update(event=events, rejected=rejected, ignored=outcomes.count(IGNORED))
        for index in range(len(outcomes)):
            entries = listed.get((generation.number, block.ordinal + index), ())
            if entries and not isinstance(outcomes[index], Rejection) and outcomes[index] is not BLANK:
                for entry in entries:
                    self.add_replayed(generation, entry, outcomes[index])
                outcomes[index] = BLANK
        same = generation.rules == self.rules_of(generation.source)
        if not same and self.generations.mark_classified(generation, MIXED):
            self.commit()  # before a line moves: should this end half-way, no rules are those of all lines
        placed = self._place(generation, block.ordinal, outcomes, repeat=True)
        if same:
            self._batch.rewrites += placed.points
            return
        lines = lines_of_events(outcomes, placed)
        origin = partial(refused_line, block, lines, self.parser_of)
        self._batch.reclassified_origins.append((len(self._batch.reclassified), origin))
        self._batch.reclassified += placed.points
        self._batch.several += [line for _, line in several_events(placed.points, lines, generation, block.ordinal)]
        self._note_several(generation, placed)

    def _take_back(self, block: Block, half: tuple[int, int], outcomes: list[Outcome]) -> None:
        """Have the first line of a block be the same as its first part, which was rejected when there was no more of it."""
        batch = self._batch
        unsaved = [entry for entry in batch.rejected if entry.place == half]
        entry = next((entry for entry in (*unsaved, *self.listed()) if entry.place == half), None)
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
        """Add a rejected line that has become something else: rejected goes down, stored or ignored goes up.

        Of several events of a line the store may have refused one: it alone is added then.
        """
        if entry.place in self._replayed:
            return  # on its way since an earlier attempt
        self._replayed.add(entry.place)
        placed = self._place(generation, entry.ordinal, [outcome], repeat=True)
        points = placed.points if entry.event is None else placed.points[entry.event : entry.event + 1]

        def refused(number: int, reason: str) -> RejectedLine:
            event = number if len(points) > 1 else entry.event
            return entry._replace(reason=Reason.STORE_REFUSED, detail=reason, event=event)

        batch = self._batch
        batch.origins.append((len(batch.points), refused))
        batch.points += points
        self._observe(generation.source, [outcome] if entry.event is None else events_of(outcome)[entry.event :][:1])
        batch.checkpoint.replayed.append(entry.place)
        account = batch.account(generation.source)
        account.rejected[entry.reason] -= 1
        account.stored += len(points)
        account.ignored += placed.ignored
        account.read += len(points) + placed.ignored - 1
        self._note_several(generation, placed)

    def listed(self) -> Iterator[RejectedLine]:
        """Yield the rejected lines, as far as they are durable."""
        return read_rejected(self.state.directory, self.state.replayed())

    def submit(self, now: float) -> None:
        """Hand the batch over, even an empty one; the delivery must have room. ``now``: monotonic seconds."""
        batch, self._batch = self._batch, Batch()
        self._accepted_bytes += batch.bytes_read
        self.generations.move_changes(batch.checkpoint)
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
        counted = self.delivery.recount(sorted({*self.generations.sources, *self.delivery.accounts}), tick)
        self.delivery.flush()
        return counted

    def close(self) -> None:
        """Release files. What is not durable is read again next time."""
        self.delivery.close()
        self._rejected.close()

    def _take_settings(self) -> None:
        """Begin anew with what is made by the settings."""
        self._parsers, self._providers = SourceParsers(self.settings), Providers(self.settings)
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
        """Have the detectors be shown what has just been placed."""
        if self._detection:
            self._detection.gather(source, self.state.host, events_in(outcomes), self._admissions.of(source).tags)

    def _note_several(self, generation: Generation, placed: BlockResult) -> None:
        most = max(placed.several.values(), default=1)
        if most > generation.most_events:
            generation.most_events = most
            self.generations.changed(generation)

    @staticmethod
    def _settle_h(generation: Generation, block: Block, outcomes: Sequence[Outcome]) -> None:
        """Have H when the first event is there, should none of the lines until then look as if it held a date."""
        for line, outcome in zip(block.data.split(b"\n"), outcomes, strict=False):
            if events_of(outcome):
                generation.h = generation_hash(line)
                return

    def _outcomes(self, block: Block, parser: Parser) -> list[Outcome]:
        limit = self.settings.read.max_line_bytes
        return outcomes_of(block, parser, max_line_bytes=limit, now_ms=time.time_ns() // 1_000_000)
