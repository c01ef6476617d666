r"""The trail of a generation: a short digest of each of its lines, in order.

A log can go back to a beginning that it had before: a power cut, a snapshot, a backup copied over it, `sed -i`. The bytes
are gone then; the trail tells which lines of the new content were counted before. Digests of eight bytes: thousands of
new lines are looked for among half a million former ones, and with four bytes one of them would be found by accident in
every third such search, and never be counted. XXH3 takes a twentieth of the time of the checksums that Python brings along,
which for each line that is ever read would be a twentieth of all the work.
"""

import sys
from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from xxhash import xxh3_64_digest

DIGEST_BYTES: Final = 8
"""Of one line."""
PART_LINES: Final = 1024
"""Lines of one part, the piece in which a trail is saved: little enough to be written again with every checkpoint."""
UNMATCHED_LINES: Final = 4096
"""After so many lines in a row that are not in a former content nothing of it is expected any more."""
SHORT_BYTES: Final = 48
"""Lines as short as this are no events: blank ones, banners, broken ones, which come again and again. Their digests are even."""
INDEX_LINES: Final = 1 << 19
"""How far ahead of its place a line is looked for in a former content; it bounds memory, about 50 MiB."""

_ODD: Final = bytes(number | 1 for number in range(256))


def line_digests(data: bytes) -> bytes:
    r"""Return the digest of each line of ``data``, which are whole lines (the last one perhaps without ``\n``).

    NULs around a line are a hole in the file, not the line.
    """
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if b"\0" in data:
        lines = [line.strip(b"\0") for line in lines]
    # The library gives them with the highest byte first, which takes less time than as integers; a trail has the lowest first.
    found = array("Q", b"".join(map(xxh3_64_digest, lines)))
    found.byteswap()
    digests = bytearray(found.tobytes())
    digests[::DIGEST_BYTES] = digests[::DIGEST_BYTES].translate(_ODD)
    if lines and min(map(len, lines)) <= SHORT_BYTES:
        for number, line in enumerate(lines):
            if len(line) <= SHORT_BYTES:
                digests[DIGEST_BYTES * number] &= 0xFE
    return bytes(digests)


def long_line_digest(sha256: str) -> bytes:
    """Return the digest of a line of which only its SHA-256 is at hand (hexadecimal)."""
    digest = bytes.fromhex(sha256[: 2 * DIGEST_BYTES])
    return bytes((digest[0] | 1, *digest[1:]))


def numbers(digests: bytes) -> "array[int]":
    """Return digests as numbers. Raises ValueError for bytes that are no whole digests."""
    found: array[int] = array("Q")
    found.frombytes(digests)
    if sys.byteorder == "big":
        found.byteswap()
    return found


@dataclass(slots=True)
class Trail:
    """The digests of the lines that were read lately, until they are saved."""

    lines: int = 0
    """Of the whole generation, saved or not."""
    last_part: bytearray = field(default_factory=bytearray)
    """Digests of the part that is not full. Empty after a start, until ``resume`` brings what was saved of it."""
    full_parts: list[tuple[int, bytes]] = field(default_factory=list)
    """(number, digests) of the parts that became full since they were taken last."""
    changed: bool = False

    def add(self, digests: bytes) -> None:
        """Add the digests of the next lines."""
        self.last_part += digests
        self.lines += len(digests) // DIGEST_BYTES
        self.changed = True
        size = DIGEST_BYTES * PART_LINES
        while len(self.last_part) >= size:
            # The part that is not full begins at a multiple of PART_LINES, so the full ones are counted back from it.
            first = self.lines - len(self.last_part) // DIGEST_BYTES
            self.full_parts.append((first // PART_LINES, bytes(self.last_part[:size])))
            del self.last_part[:size]

    def resume(self, saved: bytes) -> None:
        """Take up the part that was not full at the last start: ``saved`` is what the state holds of it."""
        missing = self.lines % PART_LINES * DIGEST_BYTES
        self.last_part[:0] = saved.ljust(missing, b"\0")[:missing]

    def forget_last(self) -> None:
        """Take out the last line; of a part that was saved when it became full ``resume`` brings the others back."""
        self.lines -= 1
        if not self.last_part and self.full_parts:
            self.last_part += self.full_parts.pop()[1]
        del self.last_part[-DIGEST_BYTES:]

    def take_changed(self) -> list[tuple[int, bytes]]:
        """Return the (number, digests) of the parts that must be saved, and forget that they must."""
        parts, self.full_parts = self.full_parts, []
        if self.changed and self.last_part:
            parts.append((self.lines // PART_LINES, bytes(self.last_part)))
        self.changed = False
        return parts


class Run(NamedTuple):
    """Lines in a row that are all new, or all former ones in a row."""

    lines: int
    former: int | None
    """The place, in the former content, of the first of them; None: they are new."""


class Alignment:
    """Tells, line by line, what of a content stood in a former one. What it says depends on the lines, not on how they come.

    In order: a line is a former one if it is the next of the former content, or if it is no short one and stands once further
    on (lines were removed between). Everything else is new.
    """

    def __init__(self, former: bytes, position: int = 0, unmatched: int = 0, breaks: Collection[int] = ()) -> None:
        """``former``: the trail. ``position``, ``unmatched``: where an earlier comparison was.

        ``breaks``: places in the former content before which a run ends.
        """
        self._former = numbers(former)
        self._breaks = frozenset(breaks)
        self.position = position
        """The place in the former content that is next."""
        self.unmatched = unmatched
        """New lines in a row until now."""
        self._index = _Index(self._former)

    @property
    def lines(self) -> int:
        """How many lines of the former content are known."""
        return len(self._former)

    @property
    def all_met(self) -> bool:
        """Whether nothing of the former content follows its place."""
        return self.position >= len(self._former)

    @property
    def ended(self) -> bool:
        """Whether nothing of the former content is expected any more: what follows is new."""
        return self.all_met or self.unmatched >= UNMATCHED_LINES

    def first_run(self, digests: bytes) -> Run:
        """Return the first run of the next lines, and move behind it."""
        count, first = 0, None
        for digest in numbers(digests):
            place = self._place(digest)
            if not count:
                first = place
            elif first is None and place is None:
                pass
            elif first is None or place != self.position or place in self._breaks:
                break
            count += 1
            if place is None:
                self.unmatched += 1
            else:
                self.position, self.unmatched = place + 1, 0
        return Run(count, first)

    def _place(self, digest: int) -> int | None:
        if self.ended:
            return None
        if self._former[self.position] == digest:
            return self.position
        return self._index.only_place(digest, self.position)


class _Index:
    """The places of lines in a former content, as far as ``INDEX_LINES`` ahead of the place that is next."""

    def __init__(self, former: "array[int]") -> None:
        self._former = former
        self._begin = self._end = 0
        """Which places are in it. It is made only when a line is looked for."""
        self._last: dict[int, int] = {}
        self._last_but_one: dict[int, int] = {}
        """Of lines that stand more than once."""

    def only_place(self, digest: int, position: int) -> int | None:
        """Return where a line stands that is no short one, and stands once from ``position`` on. Positions never go back."""
        if not digest & 1:
            return None
        self._move(position)
        place = self._last.get(digest, -1)
        return place if place >= position > self._last_but_one.get(digest, -1) else None

    def _move(self, position: int) -> None:
        if position - self._begin >= INDEX_LINES or not self._end:
            self._begin = self._end = position
            self._last.clear()
            self._last_but_one.clear()
        last, end = self._last, position + INDEX_LINES
        for place, digest in enumerate(self._former[self._end : end], self._end):
            if digest in last:
                self._last_but_one[digest] = last[digest]
            last[digest] = place
        self._end = max(self._end, min(end, len(self._former)))


def rejoins(former: bytes, lines: bytes) -> int | None:
    """Return the place in a former content at which a log goes on with it that lost or changed its first lines; else None.

    ``lines``: the digests of the log's first lines. Two of them, no short ones, must stand there once each, in this order:
    an event that happens twice in a second, once at the end of a log and once at the beginning of the next, is two events.
    """
    first = None
    for at in range(0, len(lines), DIGEST_BYTES):
        place = _only_place(former, lines[at : at + DIGEST_BYTES]) if lines[at] & 1 else None
        if place is not None and first is not None and place > first:
            return first
        first = place if first is None else first
    return None


def _only_place(trail: bytes, digest: bytes) -> int | None:
    places: list[int] = []
    at = trail.find(digest)
    while at >= 0 and len(places) < 2:
        if not at % DIGEST_BYTES:
            places.append(at // DIGEST_BYTES)
        at = trail.find(digest, at + 1)
    return places[0] if len(places) == 1 else None


def agreement(one: bytes, other: bytes) -> int:
    """Return how many lines at the beginning of two trails are equal."""
    both = min(len(one), len(other)) // DIGEST_BYTES
    if one[: both * DIGEST_BYTES] == other[: both * DIGEST_BYTES]:
        return both
    low, high = 0, both  # binary search on equal beginnings: slices are compared by memcmp
    while low < high:
        middle = (low + high + 1) // 2
        if one[: middle * DIGEST_BYTES] == other[: middle * DIGEST_BYTES]:
            low = middle
        else:
            high = middle - 1
    return low
