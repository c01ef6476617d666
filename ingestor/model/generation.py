"""A generation: one content of a log, from its first byte to its last, whatever file holds it at the moment.

Rename, copy and compression keep the generation; truncation and re-creation begin another. It is recognised by content
(head and the bytes before the offset), because inode numbers are reused within seconds, heads can be equal across files
and a short tail is equal after regrowth (reliability T7-T15). Digests only: a log's text is personal data.

A file may hold lines of several generations: one that was its former self up to a point and is something else after it
begins another generation there. ``Generation.stretches`` says which lines of the file are whose.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple, Self

from ingestor.model.trail import Trail

HEAD_BYTES = 1024
TAIL_BYTES = 4096
MIXED = "mixed"
"""``Generation.rules`` when not all of its lines were classified by the same."""


class Status(Enum):
    """What is still to be done with a generation."""

    OPEN = "open"
    """Followed, or its remainder is looked for."""
    CLOSED = "closed"
    """Read to its end."""
    SKIPPED = "skipped"
    """Was there before this log was first seen: not ours unless a backfill says so."""
    LOST = "lost"
    """Its remainder is in no file; a gap was reported."""


class Match(Enum):
    """What a file's content is to a generation."""

    SAME = "same"
    """It holds every byte that was read, and perhaps more."""
    PREFIX = "prefix"
    """It begins alike but ends before the offset: a copy under way, or a damaged one."""
    OTHER = "other"


def digest(data: bytes) -> bytes:
    """Return the 16-byte BLAKE2b of ``data``."""
    return blake2b(data, digest_size=16).digest()


class Position(NamedTuple):
    """What is remembered of the bytes before ``offset``: the first ones and the last ones, as digests."""

    offset: int = 0
    head_length: int = 0
    head_digest: bytes = b""
    tail_length: int = 0
    tail_digest: bytes = b""

    @classmethod
    def at(cls, offset: int, head: bytes, tail: bytes) -> Self:
        """Return the fingerprint of a file at ``offset``; ``head`` are its first bytes, ``tail`` the last before the offset."""
        head, tail = head[: min(HEAD_BYTES, offset)], tail[-TAIL_BYTES:]
        return cls(offset, len(head), digest(head), len(tail), digest(tail))

    def kinship(self, size: int, head: bytes, tail: bytes) -> Match:
        """Compare with a file of ``size`` bytes (of a compressed file: what it holds, or anything beyond the offset).

        ``head``: its first ``head_length`` bytes; ``tail``: its ``tail_length`` bytes before the offset (both shorter
        when the file is).
        """
        if len(head) < self.head_length or digest(head) != self.head_digest:
            return Match.SAME if not self.offset else Match.OTHER
        if size < self.offset:
            return Match.PREFIX
        return Match.SAME if digest(tail) == self.tail_digest else Match.OTHER


NOTHING_READ = Position()


class Stretch(NamedTuple):
    """Lines in a row of a file that belong to one generation; it ends where the next one begins."""

    offset: int
    """Of its first byte in the file."""
    line: int
    """Of its first line in the file, from 0."""
    generation: int
    """Whose lines these are, by number."""
    ordinal: int
    """Of the first of them in that generation."""


class Comparison(NamedTuple):
    """How far a file has been compared with a former content that begins alike (``model.trail.Alignment``)."""

    former: int
    """The number of the generation that holds it."""
    position: int
    unmatched: int


@dataclass(slots=True)
class Generation:
    """One generation and how far it has been read and counted. Every line before ``position.offset`` is in the accounting."""

    number: int
    """Order of first reading within the state; admission positions compare by it."""
    source: str
    path: str
    """Where it was last seen."""
    device: int
    inode: int
    h: int | None = None
    """Hash of its beginning (``model.identity``); None until a line with a date is whole."""
    position: Position = NOTHING_READ
    """How far the file is read, in bytes of the file."""
    ordinal: int = 0
    r"""Number of ``\n`` before the offset, in lines of its own."""
    size_seen: int = 0
    """The largest size seen, bytes: what a gap's end is said to be."""
    status: Status = Status.OPEN
    segments: list[tuple[int, int]] = field(default_factory=list)
    """(first ordinal, sequence number of that line), by ordinal: one for each time that the source's reading came here."""
    rules: str = ""
    """What its counted lines were classified by (``Pipeline.rules_of``), or MIXED."""
    skipped: tuple[int, int] = (0, 0)
    """From and to which byte lines were passed over uncounted (``start = "end"``), until a backfill brings them."""
    host: str = ""
    """The tag ``host`` of its points."""
    file_key: int | None = None
    """Hash of how its file begins: H where all of the file's lines are its own. Files that begin alike are found by it."""
    stretches: list[Stretch] = field(default_factory=list)
    """Of the file that it is in, as far as it is read; empty: all lines are its own, from ordinal 0 on."""
    compared: Comparison | None = None
    """While lines of the file may be those of a former content, which are not counted again."""
    trail: Trail = field(default_factory=Trail)
    """Of the file, as far as it is read."""
    first_event: int | None = None
    """The line of the file, from 0, that holds the first event of it. Files that agree up to there have but a header in common."""
    sealed_ns: int = 0
    """Modification time of the compressed file that was found to hold no more than this; 0: unknown."""
    most_events: int = 1
    """So many events one of its lines has become at most."""

    @property
    def begins_at(self) -> int | None:
        """Return from which byte of the file on lines are its own; None when there is none yet."""
        if not self.stretches:
            return 0
        return next((stretch.offset for stretch in self.stretches if stretch.generation == self.number), None)

    @property
    def formers(self) -> set[int]:
        """The numbers of other generations whose lines were found in its file, or are looked for there."""
        found = {stretch.generation for stretch in self.stretches}
        return (found | {self.compared.former} if self.compared else found) - {self.number}

    def holds_all_of(self, number: int, lines: int) -> bool:
        """Tell whether all so many lines of another generation stand in its file in a row."""
        ends = [*(stretch.line for stretch in self.stretches[1:]), self.trail.lines]
        return any(
            (stretch.generation, stretch.ordinal) == (number, 0) and end - stretch.line >= lines
            for stretch, end in zip(self.stretches, ends, strict=False)
        )

    def begins_of(self, number: int) -> list[int]:
        """Return from which bytes of the file on another generation's lines stand, from its first one on."""
        found = [stretch.offset for stretch in self.stretches if stretch.generation == number and not stretch.ordinal]
        is_next = self.compared is not None and (self.compared.former, self.compared.position) == (number, 0)
        return [*found, self.position.offset] if is_next else found

    def owner_of_line(self, line: int) -> Stretch:
        """Return whose line of the file this is: a stretch of which it is the first line (the offset is the stretch's)."""
        if not self.stretches:
            return Stretch(0, line, self.number, line)
        stretch = self.stretches[max(0, bisect_right(self.stretches, line, key=lambda entry: entry.line) - 1)]
        return stretch._replace(line=line, ordinal=stretch.ordinal + line - stretch.line)

    def stretch_at(self, offset: int) -> tuple[Stretch, int | None]:
        """Return the stretch that a byte of the file is in, and where the next one begins (None: there is no next one)."""
        if not self.stretches:
            return Stretch(0, 0, self.number, 0), None
        following = bisect_right(self.stretches, offset, key=lambda entry: entry.offset)
        end = self.stretches[following].offset if following < len(self.stretches) else None
        return self.stretches[max(0, following - 1)], end

    def extend(self, stretch: Stretch) -> None:
        """Note whose the lines from here on are, if they do not simply go on with those before."""
        if self.stretches:
            last = self.stretches[-1]
            if (last.generation, last.ordinal + stretch.line - last.line) == (stretch.generation, stretch.ordinal):
                return
        elif (stretch.generation, stretch.ordinal) == (self.number, stretch.line):
            return
        else:
            self.stretches.append(Stretch(0, 0, self.number, 0))
            if not stretch.line:
                self.stretches.clear()
        self.stretches.append(stretch)

    def sequence_of(self, ordinal: int) -> int:
        """Return the number that a line has in the order in which its source was first read.

        Generations are mostly read one after the other, but a late writer, a reopened file or a backfill goes back to an
        earlier one.
        """
        first_ordinal, sequence = self.segments[max(0, bisect_right(self.segments, (ordinal, 1 << 62)) - 1)]
        return sequence + ordinal - first_ordinal

    def last_sequence(self) -> int:
        """Return the largest number that any line of this generation has, or may get when it was skipped; 0 for none."""
        ends = [*(first for first, _ in self.segments[1:]), self.ordinal]
        return max((number + end - first for (first, number), end in zip(self.segments, ends, strict=False)), default=0)
