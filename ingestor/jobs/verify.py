"""Proof, not trust: recompute every point of a file and look it up in the store (promise 1)."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingestor.config.settings import Settings
from ingestor.jobs.backfill import Progress, content_of, open_for_reading, source_of
from ingestor.model.generation import Generation
from ingestor.model.log_file import LogFile
from ingestor.model.points import Point, SeriesTable
from ingestor.model.trail import Trail
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.classifier import parser_of
from ingestor.pipeline.outcomes import outcomes_of
from ingestor.pipeline.points import lines_of_events, to_points
from ingestor.pipeline.several import several_events
from ingestor.sources.block import Block
from ingestor.sources.file.files import ContentChangedError, DamagedFileError
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.recognition import Content
from ingestor.state.counters import load_series
from ingestor.state.generations import Generations
from ingestor.state.state import State
from ingestor.state.trails import Trails
from ingestor.stores.contract import LookUp
from ingestor.stores.lookup import LookupResult, Place
from ingestor.stores.registry import store_of
from parsers.contract import Parser

SHOWN_FAULTS = 20

LOOK_UP_POINTS = 5_000
"""Points that are looked up together: a question costs InfluxDB much, whatever little is asked for."""


class Fault(NamedTuple):
    """A line that is not in the store as it should be."""

    path: str
    line: int
    """Counted from 1."""
    offset: int
    what: str
    """``missing``, ``different``, ``other tags``, ``twice``, ``left over`` or ``not read``."""


@dataclasses.dataclass(slots=True)
class Verified:
    """What was found of one file."""

    path: str
    source: str
    known: bool
    """Whether the state knows this content."""
    events: int = 0
    stored: int = 0
    rejected: int = 0
    ignored: int = 0
    missing: int = 0
    different: int = 0
    other_tags: int = 0
    """Events that were classified otherwise when they were stored."""
    twice: int = 0
    """Events that are stored so and otherwise as well."""
    left_over: int = 0
    """Events that are stored of lines that make fewer now."""
    unread: int = 0
    """Events behind the position that was read to."""
    expired: int = 0
    """Events that are older than the store keeps, so no fault."""
    problem: str = ""
    faults: list[Fault] = dataclasses.field(default_factory=list)
    """The first few."""

    @property
    def good(self) -> bool:
        """Whether every event of the file that the store keeps is stored exactly so."""
        faults = self.missing + self.different + self.other_tags + self.twice + self.left_over + self.unread
        return not (faults or self.problem)


def verify(
    settings: Settings,
    state: State,
    paths: Sequence[str],
    *,
    source: str | None = None,
    progress: Progress = lambda *_: None,
) -> list[Verified]:
    """Verify files against the store that a state belongs to. Changes nothing; a daemon may be running.

    Raises TokentailError when a file cannot be opened.
    """
    series = load_series(state.connection)
    generations = Generations(state.generations(), host=state.host, trails=Trails(state.connection))
    with contextlib.ExitStack() as stack:
        store = store_of(settings)
        look_up = stack.enter_context(store.open_look_up(state, series))
        kept_since = store.complete_since(time.time_ns())
        verifier = _Verifier(settings, state, series, generations, look_up, kept_since)
        return [verifier.verify(path, source, progress) for path in paths]


class _Expected(NamedTuple):
    """What the store should hold of a block."""

    block: Block
    lines: list[int]
    """The index of the line of each point."""
    points: list[Point]
    empty: list[tuple[int, Place]]
    """Where lines, by index, may have had more events by other rules, and have none."""


class _Verifier:
    def __init__(
        self,
        settings: Settings,
        state: State,
        series: SeriesTable,
        generations: Generations,
        look_up: LookUp,
        kept_since: int,
    ) -> None:
        """``kept_since``: the store keeps no event that is older, nanoseconds."""
        self._settings = settings
        self._state = state
        self._series = series
        self._generations = generations
        self._look_up = look_up
        self._kept_since = kept_since
        self._parsers: dict[str, Parser] = {}
        self._admissions: dict[str, Admission] = {}

    def verify(self, path: str, source: str | None, progress: Progress) -> Verified:
        file = open_for_reading(path)
        try:
            try:
                content = content_of(self._generations, file, source)
            except DamagedFileError as error:
                named = source or source_of(path, self._settings)
                return Verified(path, named, known=False, problem=str(error))
            known = content.same is not None and bool(content.same.position.offset)
            generation = content.same or self._unknown(content, file, path, source)
            found = Verified(path, generation.source, known=known)
            # From nothing, with a copy: the real position is not ours to move.
            generation = dataclasses.replace(
                generation, trail=Trail(generation.trail.lines), stretches=list(generation.stretches), skipped=(0, 0)
            )
            read_to, (skipped_from, skipped_to) = (
                generation.position.offset,
                self._generations[generation.number].skipped,
            )
            try:
                self._verify(
                    file,
                    generation,
                    lambda offset: offset >= read_to or skipped_from <= offset < skipped_to,
                    found,
                    progress,
                )
            except DamagedFileError as error:
                found.problem = str(error)
            except ContentChangedError:
                found.problem = f"{path} changes while it is read"
        finally:
            file.close()
        progress(path, 1.0, found.events)
        return found

    def _unknown(self, content: Content, file: LogFile, path: str, source: str | None) -> Generation:
        owner = content.owner(self._generations)
        name = source or (owner.source if owner else source_of(path, self._settings))
        return content.begin(self._generations, name, path, file)

    def _verify(
        self,
        file: LogFile,
        generation: Generation,
        not_read: Callable[[int], bool],
        found: Verified,
        progress: Progress,
    ) -> None:
        tail = GenerationReader(
            generation, file, self._generations, max_line_bytes=self._settings.read.max_line_bytes, from_start=True
        )
        waiting: list[_Expected] = []
        while True:
            block = tail.read(final=False)
            if block is None and not tail.busy and not file.damaged:
                block = tail.read(final=True)
            if block is None and tail.busy:
                continue
            if block is None:
                break
            owner = block.generation
            limit, now_ms = self._settings.read.max_line_bytes, time.time_ns() // 1_000_000
            outcomes = outcomes_of(block, self._parser(owner.source), max_line_bytes=limit, now_ms=now_ms)
            placed = to_points(
                outcomes,
                h=owner.h or 0,
                ordinal=block.ordinal,
                host=owner.host,
                admission=self._admission(owner.source),
                sequence_of=owner.sequence_of if owner.segments else int,
                repeat=True,
            )
            found.rejected += len(placed.rejections)
            found.ignored += placed.ignored
            found.events += len(placed.points)
            if placed.points:
                lines = lines_of_events(outcomes, placed)
                several = several_events(placed.points, lines, owner, block.ordinal)
                empty = [(index, place) for index, line in several for place in line.empty]
                waiting.append(_Expected(block, lines, placed.points, empty))
            if sum(len(expected.points) for expected in waiting) >= LOOK_UP_POINTS:
                self._judge(waiting, not_read, found)
                waiting.clear()
            progress(found.path, file.progress(tail.offset), found.events)
        self._judge(waiting, not_read, found)
        if file.damaged:
            found.problem = f"{found.path} is truncated or damaged"

    def _parser(self, source: str) -> Parser:
        if source not in self._parsers:
            self._parsers[source] = parser_of(source, self._settings)
        return self._parsers[source]

    def _admission(self, source: str) -> Admission:
        # No budgets: what was counted admits nobody new.
        if source not in self._admissions:
            admitted = self._state.admitted(source)
            self._admissions[source] = Admission(source, self._state.host, self._series, admitted=admitted)
        return self._admissions[source]

    def _judge(self, waiting: Sequence[_Expected], not_read: Callable[[int], bool], found: Verified) -> None:
        """Look up the points of some blocks, and note what is wrong with them."""
        if not waiting:
            return
        points = [point for expected in waiting for point in expected.points]
        findings = self._look_up(points, [place for expected in waiting for _, place in expected.empty])
        of_points, of_places = iter(findings[: len(points)]), iter(findings[len(points) :])
        for block, lines, placed, empty in waiting:
            judged = [(i, next(of_points), p[0] < self._kept_since) for i, p in zip(lines, placed, strict=True)]
            judged += [
                (i, found_there, False) for i, _ in empty if (found_there := next(of_places)) is LookupResult.LEFT_OVER
            ]
            faulty = [entry for entry in judged if entry[1] is not LookupResult.STORED]
            found.stored += len(judged) - len(faulty)
            if faulty:
                self._list_faults(block, not_read, faulty, found)

    @staticmethod
    def _list_faults(
        block: Block,
        not_read: Callable[[int], bool],
        faulty: Sequence[tuple[int, LookupResult, bool]],
        found: Verified,
    ) -> None:
        starts = [block.offset]
        for line in block.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        for index, finding, is_old in faulty:
            what = _count(found, finding, unread=not_read(starts[index]), old=is_old)
            if what and len(found.faults) < SHOWN_FAULTS:
                found.faults.append(Fault(found.path, block.ordinal + index + 1, starts[index], what))


def _count(found: Verified, finding: LookupResult, *, unread: bool, old: bool) -> str:
    """Count what was found of an event; return what is wrong with it, if anything. ``old``: the store keeps none so old."""
    match finding:
        case LookupResult.STORED:
            return ""
        case LookupResult.MISSING if unread:
            found.unread += 1
            return "not read"
        case LookupResult.MISSING if old:
            found.expired += 1
            return ""
        case LookupResult.MISSING:
            found.missing += 1
        case LookupResult.DIFFERENT:
            found.different += 1
        case LookupResult.OTHER_TAGS:
            found.other_tags += 1
        case LookupResult.TWICE:
            found.twice += 1
        case LookupResult.LEFT_OVER:
            found.left_over += 1
    what: str = finding.value
    return what
