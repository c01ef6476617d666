"""Remainders of generations that are in no file at the moment: perhaps being moved or compressed, perhaps gone."""

from typing import NamedTuple

from ingestor.model.generation import Generation, Status
from ingestor.state.generations import Generations


class MissingGeneration(NamedTuple):
    """What is looked for."""

    generation: Generation
    since: float
    """Monotonic seconds."""
    unread: bool
    """Whether there is reason to think that it holds unread bytes; else it is closed quietly in the end."""


class MissingGenerations:
    """The remainders that one log looks for, each for a time of grace; then it is a gap, which is reported."""

    def __init__(self, generations: Generations) -> None:
        self.grace_seconds = 0.0
        self._generations = generations
        self._remainders: dict[int, MissingGeneration] = {}

    def __bool__(self) -> bool:
        return bool(self._remainders)

    def add(self, generation: Generation, now: float, *, unread: bool) -> None:
        """Look for the rest of a generation. ``now``: monotonic seconds; the grace of one already missing goes on."""
        if generation.position.offset or (unread and generation.size_seen):
            self._remainders.setdefault(generation.number, MissingGeneration(generation, now, unread))
        else:
            # Nothing was read or seen of it. The state has to learn of it, or it would say for ever that all of the file
            # is unread that has this one's inode by then.
            generation.status = Status.CLOSED
            self._generations.changed(generation)

    def found(self, generation: Generation) -> None:
        """Stop looking for it: it is in a file again."""
        self._remainders.pop(generation.number, None)

    def forget(self) -> None:
        """Stop looking for anything; the next start does."""
        self._remainders.clear()

    def found_unknown(self, size: int) -> None:
        """Note that a file was found beside the log that no state knows.

        Of which nothing was read, not even the beginning, the content cannot be told: one that is as large is that file.
        """
        for remainder in list(self._remainders.values()):
            generation = remainder.generation
            if not generation.position.offset and generation.file_key is None and generation.size_seen <= size:
                self.found(generation)
                generation.status = Status.CLOSED
                self._generations.changed(generation)
                return

    def keys(self) -> set[int | None]:
        """Return by which keys the files are found that may hold what is looked for."""
        return {remainder.generation.file_key for remainder in self._remainders.values()}

    def give_up(self, now: float, all_looked_at: float) -> None:
        """Report what was missing for too long as a gap, if there is reason to think that something was unread.

        ``all_looked_at``: since then every log has looked beside it; before that nothing is given up.
        """
        for number, remainder in list(self._remainders.items()):
            if number in self._generations.readers or remainder.generation.status is not Status.OPEN:
                self.found(remainder.generation)  # another log has found it
                continue
            since = remainder.since
            if now - since < self.grace_seconds or not since <= all_looked_at or now == since:
                continue
            del self._remainders[number]
            if remainder.unread:
                self._generations.report_loss(
                    remainder.generation, "rotated, truncated or deleted before it was read to its end"
                )
            else:
                remainder.generation.status = Status.CLOSED
                self._generations.changed(remainder.generation)
