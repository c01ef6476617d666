"""Trails as those who compare ask for them: what a generation still holds, and behind it what is saved."""

from typing import Final

from ingestor.model.generation import Generation
from ingestor.model.trail import DIGEST_BYTES, PART_LINES
from ingestor.state.trails import Trails

BEGINNING_LINES: Final = 64
"""So many first lines tell most contents apart; only of those that agree in all of them the whole trail is loaded."""


class GenerationTrails:
    """The trails of known generations."""

    def __init__(self, trails: Trails) -> None:
        self.saved = trails
        self._beginnings: dict[int, bytes] = {}

    def of(self, generation: Generation) -> bytes:
        """Return the digests of all lines of the file that a generation was read from. Raises sqlite3.Error."""
        trail = generation.trail
        full = b"".join(digests for _, digests in trail.full_parts)
        return self.saved.of(generation.number, trail.lines, full + bytes(trail.last_part))

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
        return next(unsaved, b"") or self.saved.part(generation.number, 0)

    def forget_last_line(self, generation: Generation) -> None:
        """Take the last line out of a trail: what was read of it was not all. Raises sqlite3.Error."""
        generation.trail.forget_last()
        self._beginnings.pop(generation.number, None)
        self.resume(generation)

    def resume(self, generation: Generation) -> None:
        """Have the trail go on where it was saved, before more is read. Raises sqlite3.Error."""
        trail = generation.trail
        if not trail.last_part and trail.lines % PART_LINES:
            trail.resume(self.saved.part(generation.number, trail.lines // PART_LINES))
