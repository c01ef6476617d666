"""What is known of generations and of the places that are followed, and is in no checkpoint yet."""

import dataclasses
from typing import Final

from ingestor.model.generation import Generation
from ingestor.model.log_file import shown
from ingestor.model.trail import Trail
from ingestor.state.checkpoint import Checkpoint, Gap
from ingestor.state.trails import Trails

STRANGER: Final = "stranger:"
"""Key of ``meta``, with a path: a file that nobody knows, as it looked (``sources.file.strangers``)."""
REST: Final = "rest:"
"""Key of ``meta``, with the number of a generation: the half line behind its position, see ``Generations.note_rest``."""


class Unsaved:
    """Gathers what the next checkpoint must say."""

    def __init__(self) -> None:
        self.generations: dict[int, Generation] = {}
        """Those that have changed, by number."""
        self.gaps: list[Gap] = []
        self.followed: list[str] = []
        """Places that were looked at for the first time."""
        self.strangers: dict[str, str] = {}
        """Files that nobody knows, by path, as they look; empty: it is forgotten."""
        self.rests: dict[int, str] = {}
        """See ``Generations.note_rest``, by generation. Each of these is in ``generations``, too."""

    def __bool__(self) -> bool:
        return bool(self.generations or self.gaps or self.followed or self.strangers)

    def move_to(self, checkpoint: Checkpoint, trails: Trails) -> None:
        """Move all of it into a checkpoint, as it is now; the trails learn which of their parts are on their way."""
        for number, generation in self.generations.items():
            parts = {(number, part): digests for part, digests in generation.trail.take_changed()}
            trails.handed_over(parts)
            checkpoint.trails.update(parts)
            checkpoint.generations[number] = dataclasses.replace(
                generation,
                segments=list(generation.segments),
                stretches=list(generation.stretches),
                trail=Trail(generation.trail.lines),
            )
        checkpoint.gaps += self.gaps
        checkpoint.meta.update({f"followed:{place}": "1" for place in self.followed})
        checkpoint.meta.update({f"{STRANGER}{shown(path)}": kept for path, kept in self.strangers.items()})
        checkpoint.meta.update({f"{REST}{number}": rest for number, rest in self.rests.items()})
        self.rests.clear()
        self.strangers.clear()
        self.generations.clear()
        self.gaps.clear()
        self.followed.clear()
