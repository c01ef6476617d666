"""Remainders of generations that are in no file at the moment: perhaps being moved or compressed, perhaps gone."""

from collections.abc import Callable
from typing import NamedTuple

from ingestor.model.generation import Generation, Status
from ingestor.sources.file.transitions import Action, Seen, State, look_for_rest, transition
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
            self._act(transition(State.MISSING, Seen.GONE_READ).action, generation)

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
                self._act(transition(State.MISSING, Seen.FOUND_AS_NEW).action, generation)
                return

    def keys(self) -> set[int | None]:
        """Return by which keys the files are found that may hold what is looked for."""
        return {remainder.generation.file_key for remainder in self._remainders.values()}

    def give_up(self, now: float, all_looked_at: float, is_read_as_another: Callable[[Generation], bool]) -> None:
        """Report what was missing for too long as a gap, if there is reason to think that something was unread.

        ``all_looked_at``: since then every log has looked beside it; before that nothing is given up. ``is_read_as_another`` is
        asked at the end: a file into which it was joined is known by what was read of that file meanwhile.
        """
        for remainder in list(self._remainders.values()):
            generation, since = remainder.generation, remainder.since
            waited_enough = self.grace_seconds <= now - since != 0 and since <= all_looked_at
            seen = look_for_rest(
                is_found=generation.number in self._generations.readers or generation.status is not Status.OPEN,
                waited_enough=waited_enough,
                unread=waited_enough and remainder.unread and not is_read_as_another(generation),
            )
            self._act(transition(State.MISSING, seen).action, generation)

    def _act(self, action: Action, generation: Generation) -> None:
        if action is not Action.REST:
            self.found(generation)
        if action is Action.REPORT_GAP:
            self._generations.report_loss(generation, "rotated, truncated or deleted before it was read to its end")
        elif action is Action.CLOSE:
            generation.status = Status.CLOSED
            self._generations.changed(generation)
