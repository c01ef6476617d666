"""From blocks to batches: parse, place, keep account, and hand over to the delivery with the positions behind."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import orjson

from ingestor.config.settings import Settings
from ingestor.model.generation import Generation
from ingestor.model.identity import generation_hash
from ingestor.model.log_file import shown
from ingestor.model.snapshot import SourceSnapshot
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.classifier import new_parser, tell
from ingestor.pipeline.points import BlockResult, to_points
from ingestor.sources.file.configured import log_of
from ingestor.sources.file.reader import Block
from ingestor.sources.file.strangers import KEY
from ingestor.state.database import save_meta
from ingestor.state.generations import REST, Generations
from ingestor.state.rejected_file import RejectedFile, RejectedLine, read_rejected, rejected_line
from ingestor.state.state import State
from ingestor.state.trails import Trails, forget_oldest
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import Delivery
from ingestor.stores.embedded.delivery import EmbeddedDelivery
from ingestor.stores.embedded.events import load_series
from ingestor.stores.influxdb.ownership.former_names import FormerNames
from ingestor.stores.influxdb.ownership.rebuilding import REBUILDING, look_before_reading
from ingestor.stores.influxdb.write.delivery import InfluxDelivery
from parsers.contract import BLANK, IGNORED, Outcome, Parser, Reason, Rejection

PERHAPS_SENT_POINTS = 400_000
PERHAPS_SENT_BYTES = 256 << 20
"""Safely more than is ever sent of one source without a checkpoint behind it (``remote.MOST_UNSAVED`` batches)."""


class Pipeline:
    """Takes blocks, makes batches. One per process: it owns the series table and the admissions."""

    def __init__(self, settings: Settings, state: State, tick: Callable[[], None] = lambda: None) -> None:
        """Load what the state knows. ``tick`` is called while a store is waited for. Raises sqlite3.Error, OSError."""
        self.settings = settings
        self.state = state
        look_before_reading(settings, state, tick)
        meta = state.meta()
        followed = [key.removeprefix("followed:") for key in meta if key.startswith("followed:")]
        forget_oldest(state.connection)
        self.book = Generations(
            state.generations(),
            followed,
            rebuilding=meta.get(REBUILDING) == "1",
            host=state.host,
            trails=Trails(state.connection),
            strangers={key.removeprefix(KEY): kept for key, kept in meta.items() if key.startswith(KEY)},
            looked_at=float(meta["heartbeat"]) if "heartbeat" in meta else None,
            rests={int(key.removeprefix(REST)): kept for key, kept in meta.items() if key.startswith(REST)},
            gaps_found_at=[gap.found_at for gap in state.gaps()],
        )
        self._series = load_series(state.connection)
        self._rejected = RejectedFile(state.directory, meta.get("rejected_mark", ""), new="heartbeat" not in meta)
        self._batch = Batch()
        self._replayed: set[tuple[int, int]] = set()
        """Rejected lines that are something else now, and perhaps not yet durably so."""
        self._accepted_bytes = 0
        self.taken: Counter[str] = Counter()
        """Lines that were parsed since the start, counted before or not, by ``event``, ``rejected`` and ``ignored``."""
        self._former: FormerNames | None = None
        self._parsers: dict[str, Parser] = {}
        self.delivery = self._new_delivery()
        self._forget_settings()

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

    def record_classifier(self, sources: Iterable[str]) -> None:
        """Have the state know by which rules the points of these sources are made, before any is sent.

        A store that is no part of the state may hold points that are in no checkpoint. They are sent again, and if the
        rules have changed in between, under other tags: then their lines are looked for. Raises sqlite3.Error.
        """
        unknown = set(sources) - self._announced if self.delivery.can_reject_points else set()
        if not unknown:
            return
        self.delivery.claim(unknown)
        meta = self.state.meta()
        notes: dict[str, str] = {}
        if self._former is None:
            sent = [key.removeprefix("sent_by:") for key, rules in meta.items() if key.startswith("sent_by:") and rules]
            self._former = FormerNames(meta, sent, self.settings.logs, self.state.host)
            notes |= {key: value for key, value in self._former.notes.items() if meta.get(key) != value}
        for source in unknown:
            key, current = f"sent_by:{source}", self._sent_by(source)
            known = set(filter(None, meta.get(key, "").split(",")))
            if known - {current}:
                self._perhaps_sent[source] = (PERHAPS_SENT_POINTS, PERHAPS_SENT_BYTES)
            if current not in known:
                notes[key] = ",".join(sorted(known | {current}))
        if notes:
            with self.state.transaction():
                save_meta(self.state.connection, notes)
        self._announced |= unknown

    def forget_former_names(self) -> None:
        """Note that all is read that was there when something was renamed, and durable. Raises sqlite3.Error."""
        if self._former:
            with self.state.transaction():
                save_meta(self.state.connection, self._former.forget())

    def reload(self, settings: Settings) -> None:
        """Go on with other settings, the store's excepted. Everything that was taken must be durable."""
        self.settings = settings
        self._forget_settings()

    def counts(self) -> dict[str, int]:
        """Return what the parsers left out since the start: ``addresses_invalid``, ``redacted_<kind>``."""
        total = Counter(self._counted)
        for parser in self._parsers.values():
            total.update(parser.counts)
        return dict(total)

    def sources(self) -> dict[str, SourceSnapshot]:
        """Return the figures of every source, as far as they are durable."""
        figures = {}
        for source, account in self.delivery.accounts.items():
            admission = self._admissions.get(source)
            clients, overflowing = (admission.clients, admission.overflowing) if admission else (0, False)
            figures[source] = SourceSnapshot(account, clients, overflowing)
        return figures

    def parser_of(self, source: str) -> Parser:
        """Return the parser of a source."""
        if source not in self._parser_names:
            self._parser_names[source] = log_of(source, self.settings.logs).parser
        return self.parser(self._parser_names[source])

    def parser(self, name: str) -> Parser:
        """Return the parser of that name, with the options of the settings."""
        if name not in self._parsers:
            self._parsers[name] = new_parser(name, self.settings, tell)
        return self._parsers[name]

    def rules_of(self, source: str) -> str:
        """Return a digest of everything that decides what a line of this source becomes, besides the line.

        An option that is not set decides nothing, so one that a later release brings changes no digest.
        """
        if source not in self._rules:
            parser = self.parser_of(source)
            options = {name: value for name, value in self.settings.parser_options.items() if value}
            decides = {name: value for name, value in options.items() if name in parser.options}
            rules = [parser.name, parser.version, self.settings.read.max_line_bytes, decides]
            encoded = orjson.dumps(rules)  # in their order: the first pattern of [errors] that fits decides
            self._rules[source] = hashlib.blake2b(encoded, digest_size=8).hexdigest()
        return self._rules[source]

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
                failing_realms=budgets.failing_realms,
                admitted=self.state.admitted(source),
            )
        return self._admissions[source]

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
        batch.may_be_stored = self._is_perhaps_sent(generation.source, placed, block) or batch.may_be_stored
        # The order of admission may be another one than before the state was lost: so may be the tags.
        batch.may_be_stored = batch.may_be_stored or (self.book.rebuilding and self.delivery.can_reject_points)
        if self._former and placed.points:
            for name in self._former.of(generation, block.ordinal, self.book):
                batch.may_be_stored_under.setdefault(name, set()).update(point[0] for point in placed.points)
        if placed.points and self.delivery.can_reject_points:
            events = [index for index, outcome in enumerate(outcomes) if outcome.__class__ is tuple]
            batch.origins.append((len(batch.points), partial(self._refused_line, block, generation, events)))
        batch.points += placed.points
        batch.bytes_read += block.too_long.length if block.too_long else len(block.data)
        account = batch.account(generation.source)
        account.read += len(outcomes) - placed.blank
        account.stored += len(placed.points)
        account.ignored += placed.ignored
        for _, rejection in placed.rejections:
            account.rejected[rejection.reason] += 1
        self._count(len(placed.points), len(placed.rejections), placed.ignored)
        if placed.rejections:
            batch.rejected += self._rejected_lines(block, placed, generation, parser)

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
            origin = partial(self._refused_line, block, generation, events)
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
        for source, admission in self._admissions.items():
            batch.checkpoint.admitted += [(source, entry) for entry in admission.new]
            admission.new.clear()
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

    def _new_delivery(self) -> Delivery:
        if self.settings.store.type == "influxdb":
            return InfluxDelivery(self.settings, self.state, self._series, self._rejected)
        return EmbeddedDelivery(self.settings, self.state, self._series, self._rejected)

    def _forget_settings(self) -> None:
        """Drop what was made by the settings; it is made anew when it is asked for."""
        self._counted = self.counts() if self._parsers else {}
        self._parsers.clear()
        self._parser_names: dict[str, str] = {}
        self._rules: dict[str, str] = {}
        self._announced: set[str] = set()
        self._former = None
        self._perhaps_sent: dict[str, tuple[int, int]] = {}
        """Of a source: how many of its next points, and bytes of lines, may be in the store under other rules."""
        self._admissions: dict[str, Admission] = {}

    def _is_perhaps_sent(self, source: str, placed: BlockResult, block: Block) -> bool:
        """Tell whether lines may be in the store under other rules, and count them off."""
        if source not in self._perhaps_sent:
            return False
        points, size = self._perhaps_sent[source]
        points, size = points - len(placed.points), size - len(block.data)
        self._perhaps_sent[source] = points, size
        if points <= 0 or size <= 0:
            del self._perhaps_sent[source]
            self._batch.checkpoint.meta[f"sent_by:{source}"] = self._sent_by(source)
        return True

    def _sent_by(self, source: str) -> str:
        """Return a digest of everything that decides what point a line makes, besides the line."""
        budgets = self.settings.budgets
        decides = orjson.dumps([self.rules_of(source), budgets])
        return hashlib.blake2b(decides, digest_size=8).hexdigest()

    def _place(self, generation: Generation, ordinal: int, outcomes: Sequence[Outcome], *, repeat: bool) -> BlockResult:
        return to_points(
            outcomes,
            h=generation.h or 0,
            ordinal=ordinal,
            host=generation.host,
            admission=self.admission(generation.source),
            sequence_of=generation.sequence_of,
            repeat=repeat,
        )

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

    def _refused_line(
        self, block: Block, generation: Generation, events: Sequence[int], number: int, reason: str
    ) -> RejectedLine:
        """Return the entry of an event of a block that the store refuses. ``events``: the indexes of those among the lines."""
        placed = BlockResult(rejections=[(events[number], Rejection(Reason.STORE_REFUSED, reason))])
        return self._rejected_lines(block, placed, generation, self.parser_of(generation.source))[0]

    def _rejected_lines(
        self, block: Block, placed: BlockResult, generation: Generation, parser: Parser
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
                file=shown(generation.path),
                offset=block.offset + starts[index],
                ordinal=block.ordinal + index,
                source=generation.source,
                host=generation.host,
                generation=generation.number,
                text=parser.redact(lines[index]),
            )
            if block.too_long:
                entry = entry._replace(length=block.too_long.length, sha256=block.too_long.sha256)
            entries.append(entry)
        return entries
