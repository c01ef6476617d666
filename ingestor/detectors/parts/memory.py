"""What a detector remembers of many subjects: bounded, and dumped by what has changed."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeAlias, TypeVar

import orjson

from ingestor.detectors.contract import Memory, MemoryChanges

V = TypeVar("V")
Key: TypeAlias = tuple[str, ...]

MOST: Final = 20_000
"""Subjects that a detector remembers unless it says otherwise. Anybody can invent a million."""


class BoundedMemory(Generic[V]):
    """A value for each subject. The one that has not changed for longest is forgotten first, after a restart as before it.

    A value is changed by ``put``, or in place and told by ``mark``. As a piece it is JSON: its turn, and what ``to_json`` makes of it.
    """

    def __init__(
        self, to_json: Callable[[V], Any], of_json: Callable[[Any], V], *, most: int = MOST, prefix: str = ""
    ) -> None:
        """``most``: subjects. ``prefix``: of the names of its pieces, where a detector has several memories."""
        self.forgotten = 0
        """Subjects, since the start."""
        self._to_json = to_json
        self._of_json = of_json
        self._most = most
        self._prefix = prefix
        self._values: OrderedDict[Key, V] = OrderedDict()
        """The one that is forgotten next is first; a plain dict has to search for its first key, behind all that are gone."""
        self._turns: dict[Key, int] = {}
        self._turn = 0
        self._changed: dict[Key, None] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def get(self, key: Key) -> V | None:
        """Return what is remembered of a subject."""
        return self._values.get(key)

    def put(self, key: Key, value: V) -> None:
        """Remember this of a subject."""
        self._turn += 1
        self._values[key] = value
        self._values.move_to_end(key)
        self._turns[key] = self._turn
        self._changed[key] = None
        if len(self._values) > self._most:
            self.forgotten += 1
            self.forget(next(iter(self._values)))

    def mark(self, key: Key) -> None:
        """Have what is remembered of a subject be dumped again; it is forgotten as early as before."""
        self._changed[key] = None

    def forget(self, key: Key) -> None:
        """Forget a subject."""
        if self._values.pop(key, None) is not None:
            del self._turns[key]
            self._changed[key] = None

    def dump(self) -> MemoryChanges:
        """Return the pieces that have changed, as ``Detector.dump`` does."""
        changed, self._changed = self._changed, {}
        return {self._prefix + orjson.dumps(list(key)).decode(): self._piece(key) for key in changed}

    def restore(self, memory: Memory) -> None:
        """Take up its pieces of a detector's memory."""
        start = len(self._prefix)
        pieces = [
            (name[start:], orjson.loads(piece)) for name, piece in memory.items() if name.startswith(self._prefix)
        ]
        for name, (turn, value) in sorted(pieces, key=lambda piece: piece[1][0]):
            key = tuple(orjson.loads(name))
            self._values[key], self._turns[key] = self._of_json(value), turn
            self._turn = turn

    def _piece(self, key: Key) -> bytes | None:
        if key not in self._values:
            return None
        return orjson.dumps([self._turns[key], self._to_json(self._values[key])])
