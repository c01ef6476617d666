"""The book of generations: what is known of every content that was ever read, and what of it is not yet saved."""

import dataclasses
import logging
import time
from bisect import insort
from collections.abc import Iterable

from ingestor.core.generation import Fingerprint, Generation, Status
from ingestor.shell.files import FileIdentity
from ingestor.shell.state import Checkpoint, Gap

log = logging.getLogger("tokentail")


class Book:
    """All generations by source, in order of first reading."""

    def __init__(
        self, generations: Iterable[Generation] = (), followed: Iterable[str] = (), *, rebuilding: bool = False
    ) -> None:
        """``followed``: the sources that were looked at before. ``rebuilding``: the state was lost, so everything is read."""
        self.rebuilding = rebuilding
        self._by_source: dict[str, list[Generation]] = {}
        self._last_number = 0
        self._read_last: dict[str, tuple[int, int]] = {}
        """By source: the number of the generation that was read last, and the sequence number that is free next."""
        self._followed = set(followed)
        self._changed: dict[int, Generation] = {}
        self._gaps: list[Gap] = []
        self._newly_followed: list[str] = []
        for generation in generations:
            self._by_source.setdefault(generation.source, []).append(generation)
            self._last_number = max(self._last_number, generation.number)

    def of(self, source: str) -> list[Generation]:
        """Return the generations of a source, oldest first."""
        return self._by_source.get(source, [])

    @property
    def sources(self) -> list[str]:
        """Every source with a generation."""
        return list(self._by_source)

    def begin(self, source: str, path: str, identity: FileIdentity, *, like: Generation | None = None) -> Generation:
        """Add a generation. ``like``: its content begins with all that was counted of that one, so it goes on from there."""
        self._last_number += 1
        generation = Generation(self._last_number, source, path, *identity)
        if like is not None:
            generation.h, generation.mark, generation.ordinal = like.h, like.mark, like.ordinal
            generation.segments, generation.rules = list(like.segments), like.rules
        self._by_source.setdefault(source, []).append(generation)
        return generation

    def advance(self, generation: Generation, ordinal: int, rules: str) -> None:
        """Note that lines of a generation were read for the first time, from ``ordinal`` up to where it is now."""
        if rules != generation.rules:
            generation.rules = "mixed" if generation.segments else rules
        last, free = self._read_last.get(generation.source) or (0, self._free_sequence(generation.source))
        if last != generation.number or not generation.segments or ordinal < generation.segments[0][0]:
            insort(generation.segments, (ordinal, free))
        # One more than lines: the last line of a closed generation may have no end, hence no ordinal of its own.
        free = max(free, generation.last_sequence() + 1)
        self._read_last[generation.source] = (generation.number, free)
        self.changed(generation)

    def judged(self, generation: Generation, rules: str) -> None:
        """Note that all its lines have been read by these rules now."""
        if generation.rules != rules:
            generation.rules = rules
            self.changed(generation)

    def _free_sequence(self, source: str) -> int:
        return 1 + max((generation.last_sequence() for generation in self.of(source)), default=0)

    def skip(self, source: str, path: str, identity: FileIdentity, mark: Fingerprint) -> None:
        """Remember a generation that was there before this log was first seen."""
        generation = self.begin(source, path, identity)
        generation.mark, generation.status, generation.size_seen = mark, Status.SKIPPED, mark.offset
        self.changed(generation)

    def first_look(self, source: str) -> bool:
        """Tell whether this source was never looked at before, and remember that it is now."""
        if source in self._followed:
            return False
        self._followed.add(source)
        self._newly_followed.append(source)
        return True

    @property
    def newly_followed(self) -> bool:
        """Whether a source was looked at for the first time, and no checkpoint says so."""
        return bool(self._newly_followed)

    def changed(self, generation: Generation) -> None:
        """Note that a generation must be saved with the next checkpoint."""
        self._changed[generation.number] = generation

    def lose(self, generation: Generation, why: str) -> None:
        """Give up the remainder of a generation and report the gap."""
        first = generation.mark.offset
        last = generation.size_seen if generation.size_seen > first else None
        gap = Gap(generation.source, generation.path, generation.number, first, last, time.time(), why)
        log.error("Gap: %s", gap)
        self._gaps.append(gap)
        generation.status = Status.LOST
        self.changed(generation)

    def move_changes(self, checkpoint: Checkpoint) -> None:
        """Move what is unsaved into a checkpoint, as it is now."""
        for number, generation in self._changed.items():
            checkpoint.generations[number] = dataclasses.replace(generation)
        checkpoint.gaps += self._gaps
        checkpoint.meta.update({f"followed:{source}": "1" for source in self._newly_followed})
        self._changed.clear()
        self._gaps.clear()
        self._newly_followed.clear()

    @property
    def has_changes(self) -> bool:
        """Whether something is unsaved."""
        return bool(self._changed or self._gaps or self._newly_followed)
