"""Where the trails of generations are kept: a table of the state, and in front of it what is not durable yet."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from ingestor.model.trail import DIGEST_BYTES, PART_LINES

MOST_BYTES: Final = 64 << 20
"""Trails of all generations together: 8 million lines. Beyond it the ones that were read longest ago are forgotten."""
_MOST_UNSAVED: Final = 256
"""Parts that are remembered without a look at what of them is in the table by now."""


class Trails:
    """The trails of all generations."""

    def __init__(self, connection: sqlite3.Connection | None = None) -> None:
        """Without a connection nothing is known of earlier starts."""
        self._connection = connection
        self._unsaved: dict[tuple[int, int], bytes] = {}
        self._most_unsaved = _MOST_UNSAVED

    def handed_over(self, parts: Mapping[tuple[int, int], bytes]) -> None:
        """Remember parts that are on their way into the table; a store that is away keeps them from it for long."""
        self._unsaved.update(parts)
        if len(self._unsaved) > self._most_unsaved:
            self._unsaved = {key: digests for key, digests in self._unsaved.items() if self._saved(*key) != digests}
            self._most_unsaved = max(_MOST_UNSAVED, 2 * len(self._unsaved))  # one checkpoint may bring thousands

    def part(self, generation: int, number: int) -> bytes:
        """Return one part; empty when nothing is known of it."""
        unsaved = self._unsaved.get((generation, number))
        return self._saved(generation, number) if unsaved is None else unsaved

    def of(self, generation: int, lines: int, last_part: bytes = b"") -> bytes:
        """Return the digests of the first lines of a generation, zero where nothing is known. Raises sqlite3.Error.

        ``last_part``: those that nobody else knows of.
        """
        parts = self._all_saved(generation)
        parts.update({part: digests for (number, part), digests in self._unsaved.items() if number == generation})
        size, whole = DIGEST_BYTES * PART_LINES, bytearray(DIGEST_BYTES * lines)
        for part, digests in parts.items():
            if part * size < len(whole):
                whole[part * size : part * size + len(digests)] = digests
        if last_part:
            whole[DIGEST_BYTES * lines - len(last_part) : DIGEST_BYTES * lines] = last_part
        return bytes(whole[: DIGEST_BYTES * lines])

    def _saved(self, generation: int, number: int) -> bytes:
        if self._connection is None:
            return b""
        row = self._connection.execute(
            "SELECT digests FROM trails WHERE generation = ? AND part = ?", (generation, number)
        ).fetchone()
        return row[0] if row else b""

    def _all_saved(self, generation: int) -> dict[int, bytes]:
        if self._connection is None:
            return {}
        rows = self._connection.execute("SELECT part, digests FROM trails WHERE generation = ?", (generation,))
        return dict(rows.fetchall())


def forget_oldest(connection: sqlite3.Connection, *, most_bytes: int = MOST_BYTES) -> None:
    """Delete the trails of the generations that were begun first, until the others fit. Raises sqlite3.Error."""
    sizes = connection.execute("SELECT generation, sum(length(digests)) FROM trails GROUP BY generation").fetchall()
    total = sum(size for _, size in sizes)
    for generation, size in sizes:
        if total <= most_bytes:
            break
        connection.execute("DELETE FROM trails WHERE generation = ?", (generation,))
        total -= size
