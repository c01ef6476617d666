"""The book of generations: what is known of every content that was ever read, and what of it is not yet saved.

It is one for all sources. A file is asked for its content first, whatever it is called and wherever it was found
(``sources.file.matching``); only what the book does not know begins a generation.
"""

import dataclasses
import logging
import time
from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Protocol

from ingestor.model.generation import Comparison, Generation, Position, Status, Stretch, digest
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.model.rotation_names import possible_live_names
from ingestor.model.trail import DIGEST_BYTES, PART_LINES, Trail
from ingestor.state.state import Checkpoint, Gap
from ingestor.state.trails import Trails

log = logging.getLogger("tokentail")

NEAR: Final = 3
"""Of a log that lost its beginning so many of its last contents are looked through."""
STRANGER: Final = "stranger:"
"""Key of ``meta``, with a path: a file that nobody knows, as it looked (``sources.file.strangers``)."""
REST: Final = "rest:"
"""Key of ``meta``, with the number of a generation: the half line behind its mark, see ``Generations.note_rest``."""
BEGINNING_LINES: Final = 64
"""So many first lines tell most contents apart; only of those that agree in all of them the whole trail is loaded."""


class Reader(Protocol):
    """Whoever reads a generation from an open file (``sources.file.reader.Tail``)."""

    generation: Generation
    file: LogFile
    read_to_end_at: FileStat | None


class Generations:
    """All generations, by number, by source, and by how their content begins."""

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
        self.rebuilding = rebuilding
        self.host = host
        self.looked_at = time.time() if looked_at is None else looked_at
        self.strangers = {path: kept for path, kept in (strangers or {}).items() if kept}
        """Files that nobody knows, by path, as they looked."""
        self._changed_strangers: dict[str, str] = {}
        self.readers: dict[int, Reader] = {}
        """By generation: who reads it now. Another file with the same content waits for that one to come to its end."""
        self.open_files: dict[FileIdentity, Reader] = {}
        self.twins: dict[int, str] = {}
        """By generation that is read: the path of a live log that was found to hold the same."""
        self.finished = 0
        """How often a reader has let go of a file: what waited for it can be asked again."""
        self._trails = trails or Trails()
        self._beginnings: dict[int, bytes] = {}
        self._by_number: dict[int, Generation] = {}
        self._by_source: dict[str, list[Generation]] = {}
        self._by_head: dict[tuple[int, bytes], dict[int, Generation]] = {}
        self._heads: dict[int, tuple[int, bytes]] = {}
        self._head_lengths: dict[int, int] = {}
        self._by_key: dict[int, dict[int, Generation]] = {}
        self._unread_by_key: dict[int, dict[int, Generation]] = {}
        self._by_identity: dict[FileIdentity, dict[int, Generation]] = {}
        self._open: dict[int, Generation] = {}
        self._identities: dict[int, FileIdentity] = {}
        self._by_path: dict[str, dict[int, Generation]] = {}
        self._paths: dict[int, str] = {}
        self._followed_by: dict[int, set[int]] = {}
        self._last_number = 0
        self._read_last: dict[str, tuple[int, int]] = {}
        """By source: the number of the generation that was read last, and the sequence number that is free next."""
        self._followed = set(followed)
        self._changed: dict[int, Generation] = {}
        self._gaps: list[Gap] = []
        self._gaps_found_at = list(gaps_found_at)
        self._rests = dict(rests or {})
        self._changed_rests: set[int] = set()
        self._newly_followed: list[str] = []
        for generation in generations:
            self._add(generation)

    def __iter__(self) -> Iterator[Generation]:
        return iter(self._by_number.values())

    def __getitem__(self, number: int) -> Generation:
        return self._by_number[number]

    def get(self, number: int) -> Generation | None:
        """Return a generation by its number; None for one that is not known."""
        return self._by_number.get(number)

    def of(self, source: str) -> list[Generation]:
        """Return the generations of a source, oldest first."""
        return self._by_source.get(source, [])

    @property
    def sources(self) -> list[str]:
        """Every source with a generation."""
        return list(self._by_source)

    @property
    def head_lengths(self) -> list[int]:
        """How long the beginnings are by which generations are found."""
        return list(self._head_lengths)

    def by_head(self, head: bytes) -> Iterable[Generation]:
        """Return the generations of which these are the first bytes that were read."""
        return self._by_head.get((len(head), digest(head)), {}).values()

    def by_key(self, key: int) -> Iterable[Generation]:
        """Return the generations whose file begins alike, through the first line with a date."""
        return self._by_key.get(key, {}).values()

    def count_by_key(self, key: int | None) -> int:
        """Return how many they are."""
        return 0 if key is None else len(self._by_key.get(key, ()))

    def unread_by_key(self, key: int) -> Iterable[Generation]:
        """Return those of them of which nothing was read yet."""
        return self._unread_by_key.get(key, {}).values()

    def by_identity(self, identity: FileIdentity) -> Iterable[Generation]:
        """Return the generations that were last seen in a file of this device and inode."""
        return self._by_identity.get(identity, {}).values()

    def open_unread(self) -> list[Generation]:
        """Return the generations that were not read to their end, and that nobody reads now."""
        return [g for g in self._open.values() if g.status is Status.OPEN and g.number not in self.readers]

    def near(self, source: str, path: str, identity: FileIdentity) -> tuple[Generation, ...]:
        """Return the last generations of a source, and those last seen at a path or in a file: a log goes on with one of these."""
        found = {g.number: g for g in self.of(source)[-NEAR:]}
        found.update(list(self._by_path.get(path, {}).items())[-NEAR:])
        found.update(list(self._by_identity.get(identity, {}).items())[-NEAR:])
        return tuple(found.values())

    def is_succeeded(self, generation: Generation) -> bool:
        """Tell whether a file that held a generation was found to have gone back, or another way, since.

        Not where all of it was found in a file, with something before it or behind: that was joined.
        """
        numbers, lines = self._followed_by.get(generation.number, ()), generation.trail.lines
        return any(not self._by_number[number].holds_all_of(generation.number, lines) for number in numbers)

    def readers_with(self, generation: Generation) -> list[Reader]:
        """Return who reads a file in which lines of a generation were found that is another one's."""
        numbers = self._followed_by.get(generation.number, ())
        return [self.readers[number] for number in numbers if number in self.readers]

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

        ``like``: the file is read as that one until its mark, and its lines are another generation's from there on. Under
        another source or host they go on with H and ordinals, as the bytes do; under the same, where the file of the other
        goes another way, they have an H of their own. So they have where another one of that name goes on so already.
        ``compared``: its lines may be those of a former content; with ``like`` from the mark on.
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
        trail = generation.trail
        full = b"".join(digests for _, digests in trail.full_parts)
        return self._trails.of(generation.number, trail.lines, full + bytes(trail.last_part))

    def beginning_of(self, generation: Generation) -> bytes:
        """Return the first ``BEGINNING_LINES`` digests of a trail, or all that there are. Raises sqlite3.Error.

        They are kept: of many files that share a banner each is compared with the beginnings of all others.
        """
        length = DIGEST_BYTES * min(generation.trail.lines, BEGINNING_LINES)
        known = self._beginnings.get(generation.number, b"")
        if len(known) != length:
            known = self._beginnings[generation.number] = self._first_part(generation)[:length].ljust(length, b"\0")
        return known

    def _first_part(self, generation: Generation) -> bytes:
        trail = generation.trail
        if trail.lines < PART_LINES and trail.last_part:
            return bytes(trail.last_part)
        unsaved = (digests for part, digests in trail.full_parts if not part)
        return next(unsaved, b"") or self._trails.part(generation.number, 0)

    def resume_trail(self, generation: Generation) -> None:
        """Have the trail go on where it was saved, before more is read. Raises sqlite3.Error."""
        trail = generation.trail
        if not trail.last_part and trail.lines % PART_LINES:
            trail.resume(self._trails.part(generation.number, trail.lines // PART_LINES))

    def forget_last_line(self, generation: Generation) -> None:
        """Take the last line out of a trail: what was read of it was not all. Raises sqlite3.Error."""
        generation.trail.forget_last()
        self.resume_trail(generation)

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

    def mark_classified(self, generation: Generation, rules: str) -> None:
        """Note that all its lines have been read by these rules now."""
        if generation.rules != rules:
            generation.rules = rules
            self.changed(generation)

    def _free_sequence(self, source: str) -> int:
        return 1 + max((generation.last_sequence() for generation in self.of(source)), default=0)

    def skip(
        self, source: str, path: str, identity: FileIdentity, mark: Position, *, key: int | None = None
    ) -> Generation:
        """Remember a generation that was there before this log was first seen."""
        generation = self.begin(source, path, identity, key=key)
        generation.position, generation.status, generation.size_seen = mark, Status.SKIPPED, mark.offset
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
            self._newly_followed.append(place)

    def note_stranger(self, path: str, kept: str) -> None:
        """Remember a file that nobody knows, as it looks; empty: forget it."""
        self.strangers[path] = self._changed_strangers[path] = kept
        if not kept:
            del self.strangers[path]

    @property
    def newly_followed(self) -> bool:
        """Whether a place was looked at for the first time, and no checkpoint says so."""
        return bool(self._newly_followed)

    def changed(self, generation: Generation) -> None:
        """Note that a generation must be saved with the next checkpoint."""
        self._changed[generation.number] = generation
        self._index(generation)

    def note_rest(self, generation: Generation, rest: bytes) -> None:
        """Remember the half line behind the mark, by where it is and a digest: a copy of the file is known by it."""
        self._rests[generation.number] = f"{generation.position.offset} {generation.size_seen} {digest(rest).hex()}"
        self._changed_rests.add(generation.number)
        self.changed(generation)

    def rest_of(self, generation: Generation) -> bytes | None:
        """Return the digest of the half line that was seen last behind the mark; None when it is not known."""
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
        self._gaps.append(gap)
        self._gaps_found_at.append(gap.found_at)

    def gaps_since(self, moment: float) -> int:
        """Return how many gaps were found since a moment: wall clock, seconds."""
        return sum(found_at > moment for found_at in self._gaps_found_at)

    def move_changes(self, checkpoint: Checkpoint) -> None:
        """Move what is unsaved into a checkpoint, as it is now."""
        for number, generation in self._changed.items():
            parts = {(number, part): digests for part, digests in generation.trail.take_changed()}
            self._trails.handed_over(parts)
            checkpoint.trails.update(parts)
            checkpoint.generations[number] = dataclasses.replace(
                generation,
                segments=list(generation.segments),
                stretches=list(generation.stretches),
                trail=Trail(generation.trail.lines),
            )
        checkpoint.gaps += self._gaps
        checkpoint.meta.update({f"followed:{place}": "1" for place in self._newly_followed})
        checkpoint.meta.update({f"{STRANGER}{shown(path)}": kept for path, kept in self._changed_strangers.items()})
        checkpoint.meta.update({f"{REST}{number}": self._rests[number] for number in self._changed_rests})
        self._changed_rests.clear()
        self._changed_strangers.clear()
        self._changed.clear()
        self._gaps.clear()
        self._newly_followed.clear()

    @property
    def has_changes(self) -> bool:
        """Whether something is unsaved."""
        return bool(self._changed or self._gaps or self._newly_followed or self._changed_strangers)

    # Indexes

    def _add(self, generation: Generation) -> None:
        self._by_number[generation.number] = generation
        self._by_source.setdefault(generation.source, []).append(generation)
        self._last_number = max(self._last_number, generation.number)
        self._index(generation)

    def _index(self, generation: Generation) -> None:
        number, mark = generation.number, generation.position
        if generation.status is Status.OPEN:
            self._open[number] = generation
        else:
            self._open.pop(number, None)
        head = (mark.head_length, mark.head_digest)
        if mark.offset and self._heads.get(number) != head:
            self._drop_head(generation)
            self._heads[number] = head
            self._by_head.setdefault(head, {})[number] = generation
            self._head_lengths[mark.head_length] = self._head_lengths.get(mark.head_length, 0) + 1
        if generation.file_key is not None:
            self._by_key.setdefault(generation.file_key, {})[number] = generation
            if not mark.offset:
                self._unread_by_key.setdefault(generation.file_key, {})[number] = generation
            else:
                self._unread_by_key.get(generation.file_key, {}).pop(number, None)
        for earlier in generation.formers:
            self._followed_by.setdefault(earlier, set()).add(number)
        identity = FileIdentity(generation.device, generation.inode)
        former = self._identities.get(number)
        if former != identity:
            if former is not None:
                self._by_identity.get(former, {}).pop(number, None)
            self._identities[number] = identity
            self._by_identity.setdefault(identity, {})[number] = generation
        if self._paths.get(number) != generation.path:
            self._by_path.get(self._paths.get(number, ""), {}).pop(number, None)
            self._paths[number] = generation.path
            self._by_path.setdefault(generation.path, {})[number] = generation

    def _drop_head(self, generation: Generation) -> None:
        head = self._heads.pop(generation.number, None)
        if head is not None:
            self._by_head.get(head, {}).pop(generation.number, None)
            self._head_lengths[head[0]] -= 1
            if not self._head_lengths[head[0]]:
                del self._head_lengths[head[0]]
