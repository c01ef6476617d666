"""Files that begin like one that is open and of which no event was read yet: what they hold, nobody can tell before.

A banner with a date, common to all files of a log, makes hundreds of them wait so, one for the other. Each is asked again
when it is its turn, not whenever another one was read.
"""

from collections import deque
from typing import NamedTuple

from ingestor.model.generation import Generation
from ingestor.model.log_file import FileIdentity, FileStat
from ingestor.sources.file.beside import Candidate
from ingestor.state.generations import Generations


class _Asked(NamedTuple):
    seen: FileStat
    key: int
    generation: Generation
    """The one that the file begins like."""
    offset: int
    """How far that one was read."""


class Alike:
    """Those that one log has found."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._asked: dict[FileIdentity, _Asked] = {}
        self._waiting: dict[int, deque[tuple[Candidate, _Asked]]] = {}
        """By key, as the last look came upon them."""

    def begin_look(self) -> None:
        """Forget who waits: they are come upon again."""
        self._waiting.clear()

    def add(self, candidate: Candidate, seen: FileStat, key: int | None, generation: Generation) -> None:
        """Note a file that holds what was read of a generation, if that says nothing."""
        if key is not None and (not generation.position.offset or generation.first_event is None):
            self._wait(candidate, _Asked(seen, key, generation, generation.position.offset))

    def waits(self, candidate: Candidate, seen: FileStat) -> bool:
        """Tell whether to ask a file again would tell as little; it is noted then."""
        asked = self._asked.pop(seen.identity, None)
        if asked is None or asked.seen != seen or not self._is_held_up(asked):
            return False
        self._wait(candidate, asked)
        return True

    def next(self) -> Candidate | None:
        """Take out the next file that can be asked now."""
        for waiting in self._waiting.values():
            if waiting and not self._is_held_up(waiting[0][1]) and _has_moved(waiting[0][1], self._generations):
                return waiting.popleft()[0]
        return None

    def _wait(self, candidate: Candidate, asked: _Asked) -> None:
        self._asked[asked.seen.identity] = asked
        self._waiting.setdefault(asked.key, deque()).append((candidate, asked))

    def _is_held_up(self, asked: _Asked) -> bool:
        """Whether one that begins so is still to be read: what holds it up, or another one."""
        alike = [*self._generations.unread_by_key(asked.key)]
        if not _has_moved(asked, self._generations):
            alike.append(asked.generation)
        readers = (self._generations.readers.get(generation.number) for generation in alike)
        return any(reader is not None and reader.read_to_end_at is None for reader in readers)


def _has_moved(asked: _Asked, generations: Generations) -> bool:
    """Whether the one that a file begins like was read on since, or let go."""
    return asked.generation.position.offset != asked.offset or asked.generation.number not in generations.readers
