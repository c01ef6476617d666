"""Files beside a log that could not be read while they were there: what is in them is missed when they are gone."""

import time
from collections.abc import Callable, Container

from ingestor.model.log_file import FileIdentity, FileStat, shown
from ingestor.model.rotation_names import COMPRESSED_SUFFIXES
from ingestor.sources.file.place import Part, Place
from ingestor.state.checkpoint import Gap


class Unreadable:
    """Those of one log."""

    def __init__(self, place: Place) -> None:
        self.failed = False
        """Whether a file could not be asked at this look: it is asked again."""
        self._place = place
        self._generations = place.generations
        self._files: dict[FileIdentity, tuple[str, int]] = {}
        """With path and size."""

    def __bool__(self) -> bool:
        return bool(self._files)

    def note(self, path: str, error: OSError, seen: FileStat | None) -> None:
        """Report a file that cannot be read. ``seen``: how it looks, if that could be told."""
        denied = isinstance(error, PermissionError)
        self._place.report(f"{path} cannot be read: {error.strerror}", part=Part.PAST, denied=denied)
        self.failed = True
        if seen is not None and self._place.is_ours_from_the_start:
            self._files[seen.identity] = path, seen.size

    def was_read(self, identity: FileIdentity) -> None:
        """Note that a file could be read now."""
        self._files.pop(identity, None)

    def miss(self, listed: Container[str], is_there: Callable[[FileIdentity], bool]) -> None:
        """Report what is gone and could never be read; what was compressed meanwhile is not gone.

        ``listed``: the paths of the files beside the log.
        """
        for identity, (path, size) in list(self._files.items()):
            if is_there(identity):
                continue
            del self._files[identity]
            if not any(f"{path}{suffix}" in listed for suffix in COMPRESSED_SUFFIXES) and not any(
                generation.position.offset for generation in self._generations.by_identity(identity)
            ):
                why = "it could not be read while it was there"
                self._generations.report_gap(Gap(self._place.source, shown(path), 0, 0, size, time.time(), why))
        if not self.failed:
            self._place.report(None, part=Part.PAST)
