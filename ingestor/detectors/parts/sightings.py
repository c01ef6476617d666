"""On which day something was seen last, of very many: users with their addresses, clients. 24 bytes each, by hashes."""

import functools
import struct
from array import array
from collections.abc import Callable
from typing import Final

from xxhash import xxh3_64_intdigest

from ingestor.detectors.contract import Memory, MemoryChanges
from ingestor.detectors.parts.origin import network_of, product_of

NEVER: Final = -1_000_000
"""The day of what was not seen: longer ago than anything may be remembered."""
MOST: Final = 65_536
"""Sightings. One for each day on which something was seen."""

_PAGE: Final = 512
_DAY_BITS: Final = 16
"""Until 2149."""
_LAST_DAY: Final = (1 << _DAY_BITS) - 1


def key_of(*parts: str) -> int:
    """Return 48 bits for something. Two things share them with a chance of 1 in 10^14."""
    return xxh3_64_intdigest("\0".join(parts).encode()) >> _DAY_BITS


def keys(kind: str, told_apart: Callable[[str], str] = str, *, most: int = 8192) -> Callable[[str], int]:
    """Return what gives 48 bits for texts of one kind, fast for those that come often. ``told_apart`` makes the same text of what is no other one.

    The key of several things together is ``^`` of their keys, which are of different kinds.
    """
    return functools.lru_cache(most)(lambda text: key_of(kind, told_apart(text)))


realm_key: Final = keys("realm", most=256)
client_key: Final = keys("client", most=4096)
user_key: Final = keys("user")
network_key: Final = keys("network", network_of)
agent_key: Final = keys("agent", product_of, most=4096)


class Sightings:
    """The newest sightings, in the order in which they came. When there are too many, the oldest quarter is forgotten at once.

    They are pages of numbers, of which only the last one is written: so a dump costs what was seen for the first time on its day.
    """

    def __init__(self, prefix: str, most: int = MOST) -> None:
        """``prefix``: of the names of its pieces. ``most``: a power of two, at least 2,048."""
        self.forgotten = 0
        """Sightings, since the start."""
        self._prefix = prefix
        self._most_pages = most // _PAGE
        self._last_number = 0
        self._last_page = array("Q")
        self._pages: dict[int, array[int]] = {0: self._last_page}
        """By number, oldest first. The upper bits of a record are the key, the lower ones the day."""
        self._changed: dict[int, None] = {}
        """Numbers of other pages than the last one."""
        self._saved = 0
        """Of the last page so many records are saved."""
        self._mask = 2 * most - 1
        self._slots = self._no_slots()
        """The newest record of each key: a hash table of which half is empty, or more."""

    def last(self, key: int) -> int:
        """Return the day on which something was seen last (days since the Unix epoch), ``NEVER`` when it was not."""
        slots, mask, at = self._slots, self._mask, key & self._mask
        while record := slots[at]:
            if record >> _DAY_BITS == key:
                return record & _LAST_DAY
            at = (at + 1) & mask
        return NEVER

    def see(self, key: int, day: int, every: int = 1) -> int:
        """Note that it was seen on a day; return on which day it was before, at the latest.

        ``every``: it is noted only after so many days, which makes room for others. It was seen up to so much later than is said then.
        """
        slots, mask, at, before = self._slots, self._mask, key & self._mask, NEVER
        while record := slots[at]:  # as ``last``, whose call costs as much again
            if record >> _DAY_BITS == key:
                before = record & _LAST_DAY
                break
            at = (at + 1) & mask
        if day - before >= every:
            slots[at] = record = key << _DAY_BITS | day
            page = self._last_page
            page.append(record)
            if len(page) == _PAGE:
                self._turn_over()
        return before

    def dump(self) -> MemoryChanges:
        """Return the pages that have changed."""
        changed, self._changed = self._changed, {}
        if len(self._last_page) > self._saved:
            changed[self._last_number] = None
            self._saved = len(self._last_page)
        return {self._prefix + str(number): self._piece(number) for number in changed}

    def restore(self, memory: Memory) -> None:
        """Take up its pages of a detector's memory."""
        start = len(self._prefix)
        pages = {int(name[start:]): piece for name, piece in memory.items() if name.startswith(self._prefix)}
        if pages:
            self._pages = {}
        for number in sorted(pages):
            self._last_number, self._last_page = number, _page_of(pages[number])
            self._pages[number] = self._last_page
        self._saved = len(self._last_page)
        if self._saved == _PAGE:
            self._turn_over()
        self._build()

    def _turn_over(self) -> None:
        """Begin a page."""
        if len(self._last_page) > self._saved:
            self._changed[self._last_number] = None
        self._saved = 0
        self._last_number += 1
        self._last_page = self._pages[self._last_number] = array("Q")
        if len(self._pages) > self._most_pages:
            self._forget()

    def _forget(self) -> None:
        for number in list(self._pages)[: self._most_pages // 4]:
            self.forgotten += len(self._pages.pop(number))
            self._changed[number] = None
        self._build()

    def _build(self) -> None:
        self._slots = slots = self._no_slots()
        mask = self._mask
        for page in self._pages.values():
            for record in page:
                key = record >> _DAY_BITS
                at = key & mask
                while (there := slots[at]) and there >> _DAY_BITS != key:
                    at = (at + 1) & mask
                slots[at] = record

    def _no_slots(self) -> "array[int]":
        return array("Q", bytes(8 * (self._mask + 1)))

    def _piece(self, number: int) -> bytes | None:
        page = self._pages.get(number)
        return None if page is None else struct.pack(f"<{len(page)}Q", *page)


def _page_of(piece: bytes) -> "array[int]":
    return array("Q", struct.unpack(f"<{len(piece) // 8}Q", piece))
