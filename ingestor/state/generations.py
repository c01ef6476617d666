"""The generations: what is known of every content that was ever read, and what of it is not yet saved.

It is one for all sources. A file is asked for its content first, whatever it is called and wherever it was found
(``sources.file.recognition``); only what is not known begins a generation.
"""

import logging
import time
from bisect import insort
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from ingestor.model.generation import MIXED, Comparison, Generation, Position, Status, Stretch, digest
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.model.rotation_names import possible_live_names
from ingestor.state.checkpoint import Checkpoint, Gap
from ingestor.state.generation_index import GenerationIndex
from ingestor.state.generation_trails import GenerationTrails
from ingestor.state.trails import Trails
from ingestor.state.unsaved import Unsaved

log = logging.getLogger("tokentail")


class Reader(Protocol):
    """Whoever reads a generation from an open file (``sources.file.reader.GenerationReader``)."""

    generation: Generation
    file: LogFile
    read_to_end_at: FileStat | None


class Generations(GenerationIndex):
    """All generations, who reads them now, and what was looked at for them."""

    def __init__(
        self,
        generations: Iterable[Generation] = (),
        followed: Iterable[str] = (),
        *,
        rebuilding: bool = False,
        host: str = "",
        trails: Trails | None = None,
        looked_at: float | None = None,
        strangers: Mapping[str, str] | None = None,
        gaps_found_at: Iterable[float] = (),
        rests: Mapping[int, str] | None = None,
    ) -> None:
        """``followed``: the places that were looked at before. ``rebuilding``: the state was lost, so everything is read.

        ``host``: the tag of the points of generations that begin now. ``looked_at``: wall clock, seconds, when somebody
        last looked beside the logs before the start; None: nobody has. ``strangers``: see ``sources.file.strangers``.
        ``gaps_found_at``: when gaps were found, wall clock, seconds. ``rests``: see ``note_rest``, by generation.
        """
        super().__init__(generations)
        self.rebuilding = rebuilding
        self.host = host
        self.looked_at = time.time() if looked_at is None else looked_at
        self.strangers = {path: kept for path, kept in (strangers or {}).items() if kept}
        """Files that nobody knows, by path, as they looked."""
        self.readers: dict[int, Reader] = {}
        """By generation: who reads it now. Another file with the same content waits for that one to come to its end."""
        self.open_files: dict[FileIdentity, Reader] = {}
        self.twins: dict[int, str] = {}
        """By generation that is read: the path of a live log that was found to hold the same."""
        self.finished = 0
        """How often a reader has let go of a file: what waited for it can be asked again."""
        self._trails = GenerationTrails(trails or Trails())
        self._read_last: dict[str, tuple[int, int]] = {}
        """By source: the number of the generation that was read last, and the sequence number that is free next."""
        self._followed = set(followed)
        self._unsaved = Unsaved()
        self._gaps_found_at = list(gaps_found_at)
        self._rests = dict(rests or {})

    def open_unread(self) -> list[Generation]:
        """Return the generations that were not read to their end, and that nobody reads now."""
        return [g for g in self._open.values() if g.status is Status.OPEN and g.number not in self.readers]

    def is_succeeded(self, generation: Generation) -> bool:
        """Tell whether a file that held a generation was found to have gone back, or another way, since.

        Not where all of it was found in a file, with something before it or behind: that was joined.
        """
        number, lines = generation.number, generation.trail.lines
        return any(not successor.holds_all_of(number, lines) for successor in self._successors(number))

    def readers_with(self, generation: Generation) -> list[Reader]:
        """Return who reads a file in which lines of a generation were found that is another one's."""
        successors = self._successors(generation.number)
        return [self.readers[successor.number] for successor in successors if successor.number in self.readers]

    def begin(
        self,
        source: str,
        path: str,
        identity: FileIdentity,
        *,
        key: int | None = None,
        like: Generation | None = None,
        compared: Comparison | None = None,
    ) -> Generation:
        """Add a generation. ``key``: the hash of how the file begins; None when that cannot be told yet.

        ``like``: the file is read as that one until its position, and its lines are another generation's from there on. Under
        another source or host they go on with H and ordinals, as the bytes do; under the same, where the file of the other
        goes another way, they have an H of their own. So they have where another one of that name goes on so already.
        ``compared``: its lines may be those of a former content; with ``like`` from the position on.
        """
        self._last_number += 1
        generation = Generation(self._last_number, source, path, *identity, host=self.host, compared=compared)
        generation.file_key = key
        if like is not None:
            generation.position, generation.file_key = like.position, like.file_key
            generation.first_event, generation.skipped = like.first_event, like.skipped
            generation.trail.add(self.trail_of(like))
            generation.stretches = list(like.stretches) or [Stretch(0, 0, like.number, 0)]
            elsewhere = (source, self.host) != (like.source, like.host)
            if compared is None and elsewhere and not self._has_gone_on(like, source):
                generation.h, generation.ordinal = like.h, like.ordinal
        elif compared is None:
            generation.h = key
        self._add(generation)
        return generation

    def _has_gone_on(self, like: Generation, source: str) -> bool:
        """Tell whether lines with these H and ordinals are, or may yet be, another content's under a source."""
        return like.h is not None and any(
            g.h == like.h
            and (g.source, g.host) == (source, self.host)
            and (g.status is Status.OPEN or g.ordinal > like.ordinal)
            for g in self.of(source)
        )

    def opened(self, reader: Reader) -> None:
        """Note who reads a generation, and from which file."""
        self.readers[reader.generation.number] = reader
        self.open_files[reader.file.identity] = reader

    def closed(self, reader: Reader) -> None:
        """Note that a reader has let go of its file."""
        if self.readers.get(reader.generation.number) is reader:
            del self.readers[reader.generation.number]
            self.twins.pop(reader.generation.number, None)
        if self.open_files.get(reader.file.identity) is reader:
            del self.open_files[reader.file.identity]
        self.finished += 1

    def trail_of(self, generation: Generation) -> bytes:
        """Return the digests of all lines of the file that a generation was read from. Raises sqlite3.Error."""
        return self._trails.of(generation)

    def beginning_of(self, generation: Generation) -> bytes:
        """Return the first ``BEGINNING_LINES`` digests of a trail, or all that there are. Raises sqlite3.Error."""
        return self._trails.beginning_of(generation)

    def resume_trail(self, generation: Generation) -> None:
        """Have the trail go on where it was saved, before more is read. Raises sqlite3.Error."""
        self._trails.resume(generation)

    def forget_last_line(self, generation: Generation) -> None:
        """Take the last line out of a trail: what was read of it was not all. Raises sqlite3.Error."""
        self._trails.forget_last_line(generation)

    def advance(self, generation: Generation, ordinal: int, rules: str) -> None:
        """Note that lines of a generation were read for the first time, from ``ordinal`` up to where it is now."""
        if rules != generation.rules:
            generation.rules = MIXED if generation.segments else rules
        last, free = self._read_last.get(generation.source) or (0, self._free_sequence(generation.source))
        if last != generation.number or not generation.segments or ordinal < generation.segments[0][0]:
            insort(generation.segments, (ordinal, free))
        # One more than lines: the last line of a closed generation may have no end, hence no ordinal of its own.
        free = max(free, generation.last_sequence() + 1)
        self._read_last[generation.source] = (generation.number, free)
        self.changed(generation)

    def mark_classified(self, generation: Generation, rules: str) -> bool:
        """Note by which rules all its lines have been read now, or MIXED; return whether these are others than before."""
        if generation.rules == rules:
            return False
        generation.rules = rules
        self.changed(generation)
        return True

    def _free_sequence(self, source: str) -> int:
        return 1 + max((generation.last_sequence() for generation in self.of(source)), default=0)

    def skip(
        self, source: str, path: str, identity: FileIdentity, position: Position, *, key: int | None = None
    ) -> Generation:
        """Remember a generation that was there before this log was first seen."""
        generation = self.begin(source, path, identity, key=key)
        generation.position, generation.status, generation.size_seen = position, Status.SKIPPED, position.offset
        self.changed(generation)
        return generation

    def is_followed(self, place: str) -> bool:
        """Tell whether a place (a source, a path, a glob) was looked at before."""
        return place in self._followed

    @property
    def followed(self) -> Collection[str]:
        """Every place that was looked at before."""
        return self._followed

    def unfinished_places(self) -> list[str]:
        """Return the paths that were looked at before, and of which nothing was ever read, or not all that there may be."""
        was_in = {shown(generation.path) for generation in self}
        was_in.update(
            f"{directory}/{live}"
            for directory, _, name in [path.rpartition("/") for path in was_in]
            for live in possible_live_names(name)
        )
        unfinished = {
            name for entry in self if entry.status is Status.OPEN for name in (entry.source, shown(entry.path))
        }
        return [
            place
            for place in self._followed
            if place.startswith("/") and (place in unfinished or not (self.of(place) or place in was_in))
        ]

    def follow(self, place: str) -> None:
        """Remember that a place is looked at now."""
        if place not in self._followed:
            self._followed.add(place)
            self._unsaved.followed.append(place)

    def note_stranger(self, path: str, kept: str) -> None:
        """Remember a file that nobody knows, as it looks; empty: forget it."""
        self.strangers[path] = self._unsaved.strangers[path] = kept
        if not kept:
            del self.strangers[path]

    @property
    def newly_followed(self) -> bool:
        """Whether a place was looked at for the first time, and no checkpoint says so."""
        return bool(self._unsaved.followed)

    def changed(self, generation: Generation) -> None:
        """Note that a generation must be saved with the next checkpoint."""
        self._unsaved.generations[generation.number] = generation
        self._index(generation)

    def note_rest(self, generation: Generation, rest: bytes) -> None:
        """Remember the half line behind the position, by where it is and a digest: a copy of the file is known by it."""
        kept = f"{generation.position.offset} {generation.size_seen} {digest(rest).hex()}"
        self._rests[generation.number] = self._unsaved.rests[generation.number] = kept
        self.changed(generation)

    def rest_of(self, generation: Generation) -> bytes | None:
        """Return the digest of the half line that was seen last behind the position; None when it is not known."""
        offset, _, rest = self._rests.get(generation.number, "").partition(" ")
        size, _, found = rest.partition(" ")
        return (
            bytes.fromhex(found)
            if (offset, size) == (str(generation.position.offset), str(generation.size_seen))
            else None
        )

    def seen(self, generation: Generation) -> None:
        """Note that a generation of which nothing was read is in another file, or that its beginning is known now."""
        self._index(generation)

    def report_loss(self, generation: Generation, why: str) -> None:
        """Give up the remainder of a generation and report the gap."""
        first = generation.position.offset
        last = generation.size_seen if generation.size_seen > first else None
        self.report_gap(
            Gap(generation.source, shown(generation.path), generation.number, first, last, time.time(), why)
        )
        generation.status = Status.LOST
        self.changed(generation)

    def report_gap(self, gap: Gap) -> None:
        """Have a gap told now and kept with the next checkpoint."""
        log.error("Gap: %s", gap)
        self._unsaved.gaps.append(gap)
        self._gaps_found_at.append(gap.found_at)

    def gaps_since(self, moment: float) -> int:
        """Return how many gaps were found since a moment: wall clock, seconds."""
        return sum(found_at > moment for found_at in self._gaps_found_at)

    def move_changes(self, checkpoint: Checkpoint) -> None:
        """Move what is unsaved into a checkpoint, as it is now."""
        self._unsaved.move_to(checkpoint, self._trails.saved)

    @property
    def has_changes(self) -> bool:
        """Whether something is unsaved."""
        return bool(self._unsaved)
