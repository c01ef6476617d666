"""What has come before, of very many: bounded, and cheap for what is known."""

from typing import Final

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges
from ingestor.detectors.parts.memory import Key

MOST_KNOWN: Final = 10_000
"""Of a generation: so many are known at least, and twice as many at most."""


class Known:
    """What came lately, in two generations. Who comes moves to the newer one; when that is full, the older one is forgotten at once.

    So a piece changes once a generation, and not with each event.
    """

    def __init__(self, prefix: str = "known", most: int = MOST_KNOWN) -> None:
        """``prefix``: of the names of its pieces."""
        self._prefix = prefix
        self._most = most
        self._generation = 0
        self._newer: dict[Key, int] = {}
        self._older: dict[Key, int] = {}
        self._changed: dict[Key, None] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._newer or key in self._older

    def since(self, key: Key) -> int | None:
        """Return when something came first (milliseconds since the Unix epoch); None when it is not known."""
        return self._newer.get(key, self._older.get(key))

    def note(self, key: Key, time_ms: int) -> None:
        """Have it be known."""
        if key in self._newer:
            return
        if len(self._newer) >= self._most:
            self._changed.update(dict.fromkeys(self._older))
            self._newer, self._older = {}, self._newer
            self._generation += 1
        self._newer[key] = self._older.pop(key, time_ms)
        self._changed[key] = None

    def dump(self) -> MemoryChanges:
        """Return what has come, moved or gone, by names that are JSON."""
        changed, self._changed = self._changed, {}
        return {self._prefix + orjson.dumps(list(key)).decode(): self._piece(key) for key in changed}

    def restore(self, memory: Memory) -> None:
        """Take up its pieces of a detector's memory."""
        start = len(self._prefix)
        pieces = [
            (tuple(orjson.loads(name[start:])), *orjson.loads(piece))
            for name, piece in memory.items()
            if name.startswith(self._prefix)
        ]
        self._generation = max((generation for _, generation, _ in pieces), default=0)
        for key, generation, since in pieces:
            (self._newer if generation == self._generation else self._older)[key] = since

    def _piece(self, key: Key) -> bytes | None:
        if key in self._newer:
            return orjson.dumps([self._generation, self._newer[key]])
        return orjson.dumps([self._generation - 1, self._older[key]]) if key in self._older else None
