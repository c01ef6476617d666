"""What one log has asked of a file, and what another one would do with the answer: no file is asked twice in a turn."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from ingestor.model.generation import Generation
from ingestor.model.log_file import FileIdentity, FileStat


class Told(NamedTuple):
    """What a file was found to hold that is no other log's past by its name. Who asks makes no difference to that."""

    seen: FileStat
    key: int | None
    generation: Generation | None
    alike: int
    """How many generations began alike then: with another one it may hold something else."""


class Asker(NamedTuple):
    """A log that looks at everything beside it."""

    is_live: Callable[[str], bool]
    wants: Callable[[Told], bool]
    """Whether what a file holds is of use to it."""
    is_true: Callable[[Told], bool]
    """Whether that still is what the file holds."""
    open_files: Collection[FileIdentity]
    """Rotated ones of its own: where they are is wanted."""
