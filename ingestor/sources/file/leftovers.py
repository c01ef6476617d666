"""Files that lay rotated beside a log at the first look and are left to a backfill: what is written to them afterwards is read."""

import logging

from ingestor.model.generation import NOTHING_READ, Generation, Status
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.model.rotation_names import is_compressed
from ingestor.sources.file.files import is_as_before
from ingestor.sources.file.place import Place
from ingestor.sources.file.skip import skip_to_end

log = logging.getLogger("tokentail")


class Leftovers:
    """Those beside one log."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._generations = place.generations
        self._watched: dict[FileIdentity, tuple[str, FileStat]] = {}
        """Plain files, as they looked when they were left: a writer may still have them open."""

    def watch(self, file: LogFile, seen: FileStat) -> None:
        """Look now and then whether something is written to a file. ``seen``: how it looked before it was asked."""
        if not file.compressed:
            self._watched[file.identity] = file.path, seen

    def written_late(self) -> list[FileIdentity]:
        """Return the files that have changed, which are to be asked again."""
        late = [identity for identity, (path, seen) in self._watched.items() if not is_as_before(path, seen)]
        for identity in late:
            del self._watched[identity]
        return late

    def is_not_ours(self, generation: Generation, file: LogFile, *, related: bool) -> bool:
        """Tell whether a file beside the log is left to a backfill, or is found to be another log's.

        ``related``: its name says that it may be the log's past. Raises OSError, files.DamagedFileError.
        """
        if generation.status is Status.SKIPPED and not self._is_written_on(generation, file):
            return True
        return related and self._is_found_live(generation, file)

    def _is_written_on(self, generation: Generation, file: LogFile) -> bool:
        """Tell whether a file that was left to a backfill holds more than it did then: that is read, the former lines are not."""
        if is_compressed(generation.path):
            return False  # only its beginning is remembered, and nobody writes to it
        if file.read_at(generation.position.offset, 1):
            return True
        if file.compressed:  # so that it is not decompressed again at each look; the path tells what the position is of
            seen = file.stat()
            generation.device, generation.inode = file.identity
            generation.size_seen, generation.sealed_ns = seen.size, seen.mtime_ns
            self._generations.changed(generation)
        return False

    def _is_found_live(self, generation: Generation, file: LogFile) -> bool:
        """Tell whether a file that is matched as a log, and that was taken for the past of this one, grows: it is live itself.

        Names tell live logs (``idp-1.log`` beside ``idp.log``) from rotated ones by nothing. It is followed from now on.
        """
        place = self._place
        if (
            not place.may_be_live(file.path)
            or generation.status is Status.OPEN
            or generation.number in self._generations.readers
            or not file.read_at(generation.position.offset, 1)
        ):
            return False
        log.info(
            "%s is written, so it is no rotated file of %s: it is followed as a log of its own", file.path, place.path
        )
        if generation.status is Status.SKIPPED:
            if place.settings.start == "end":
                skip_to_end(generation, file, end=generation.position.offset)
            else:  # as any log under the glob it is read from its beginning
                generation.position = NOTHING_READ
            generation.status = Status.CLOSED
            self._generations.changed(generation)
        self._generations.follow(shown(file.path))
        return True
