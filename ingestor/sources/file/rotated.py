"""Read the rotated generations of one log to their end; the newest one is followed on, since writers may still hold it."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Final

from ingestor.model.generation import Status
from ingestor.model.log_file import FileIdentity, FileStat, LogFile
from ingestor.sources.block import Block
from ingestor.sources.file.files import DamagedFileError, is_as_before, open_log
from ingestor.sources.file.matching import begins_with_rest, key_of
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Part, Place
from ingestor.sources.file.reader import ContentChangedError, GenerationReader
from ingestor.state.generations import Reader

log = logging.getLogger("tokentail")

MOST_OPEN: Final = 64
"""Files that are open at a time; what else waits is opened when one of them is read to its end."""
WATCHED: Final = 8
"""Files that were closed lately, in which a late writer is noticed."""


class Rotated:
    """The rotated files of one log that are open, oldest first."""

    def __init__(self, place: Place, missing: MissingGenerations) -> None:
        self.quiet_seconds = 0.0
        """A file that has not grown for so long is closed, so its half line is final."""
        self.tails: list[GenerationReader] = []
        self.deleted_one = False
        """A plain file was read to its end and let go: a copy of it may hold what came after our last read."""
        self._place = place
        self._book = place.book
        self.missing = missing
        self._damaged: dict[FileIdentity, FileStat] = {}
        """Compressed files that could not be read to their end, as they were then."""
        self._closed: dict[str, FileStat] = {}

    @property
    def full(self) -> bool:
        """Whether no more files should be opened now."""
        return len(self.tails) >= MOST_OPEN

    def add(self, tail: GenerationReader, now: float) -> None:
        """Follow a file that was rotated. ``now``: monotonic seconds."""
        tail.moved_at = now
        tail.read_to_end_at = None
        tail.is_past = True
        self.tails.append(tail)

    def sort(self, places: dict[FileIdentity, int]) -> None:
        """Put the tails into the order of their files, oldest first; what is under no name any more is older than all."""
        self.tails.sort(key=lambda tail: places.get(tail.file.identity, -1))

    def next_block(self, now: float) -> Block | None:
        """Return the next block of the oldest that has one."""
        for tail in list(self.tails):
            if block := self._read(tail, now):
                return block
            if tail.busy:
                return None
        return None

    def leave_copy(self, reader: Reader, file: LogFile) -> bool:
        """Let go of a rotated file that is at its end, for one that holds the same and more: it was a copy of that one."""
        for tail in self.tails:
            if tail is reader and not tail.file.compressed and not file.compressed:
                if tail.file.read_at(tail.generation.position.offset, 1):
                    return False
                self._finish(tail, Status.OPEN)
                return True
        return False

    @property
    def busy(self) -> bool:
        """Whether one of them goes on in the next turn without a block in this one."""
        return any(tail.busy for tail in self.tails)

    def holds_deleted(self) -> bool:
        """Whether a deleted file is still open here: a compressed one that turns up is most likely its copy."""
        return any(tail.file.stat().links == 0 for tail in self.tails)

    def is_known_damaged(self, seen: FileStat) -> bool:
        """Whether a file could not be read to its end, and has not changed since."""
        return self._damaged.get(seen.identity) == seen

    def written_late(self) -> Iterator[str]:
        """Yield the files that were closed lately and have changed since: a late writer."""
        for path, before in list(self._closed.items()):
            if not is_as_before(path, before):
                del self._closed[path]
                yield path

    def _read(self, tail: GenerationReader, now: float) -> Block | None:
        """Read on; a file that cannot be read on is let go, and what it may hold is missed."""
        sighting = None
        try:
            sighting = tail.file.stat()  # fstat of an open file
            block = self._read_on(tail, sighting, now)
        except (ContentChangedError, DamagedFileError) as error:
            self._finish(tail, Status.OPEN)
            if isinstance(error, DamagedFileError) and sighting is not None:
                log.warning("%s", error)
                self._damaged[tail.file.identity] = sighting
            self.missing.add(tail.generation, now, unread=True)
            return None
        except OSError as error:
            self._place.report(f"{tail.file.path} cannot be read: {error.strerror}", part=Part.ROTATED)
            return None
        self._place.report(None, part=Part.ROTATED)
        return block

    def _read_on(self, tail: GenerationReader, sighting: FileStat, now: float) -> Block | None:
        """Return the next block. A file is closed once nothing can follow: compressed, or quiet and deleted or not the newest."""
        newest = tail is self.tails[-1]
        quiet = now - tail.moved_at >= self.quiet_seconds
        gone = tail.file.compressed or (sighting.links == 0 and quiet)
        if sighting == tail.read_to_end_at and not gone and (newest or not quiet):
            return None
        block = tail.read(final=False)
        if block is None and tail.file.damaged:
            raise DamagedFileError(f"{tail.file.path} is truncated or damaged")
        if block is None and not tail.busy and not tail.waits and (gone or quiet):
            if (status := self._goes_on_in_live_log(tail, sighting)) is not None:
                self._finish(tail, status)
                return None
            block = tail.read(final=True)
            if block is None and (gone or not newest):
                self._finish(tail, Status.CLOSED)
                return None
        if block is not None:
            tail.moved_at = now
        elif not tail.busy:
            tail.read_to_end_at = sighting if quiet and not tail.waits else None
        return block

    def _goes_on_in_live_log(self, tail: GenerationReader, sighting: FileStat) -> Status | None:
        """Tell what becomes of a half line that is no last line, since it is in a live log as well; None: it is one.

        That log is this very file under another name, or one that was put in its place and holds the same, and more. Where
        nothing but a header was read the content does not tell that they are one: then all of this file is in the other one.
        """
        generation = tail.generation
        start = generation.position.offset
        if tail.file.compressed or not 0 < sighting.size - start <= self._place.read.max_line_bytes:
            return None
        twin = self._book.twins.get(generation.number)
        if twin is None and (generation.file_key is not None or generation.first_event is not None):
            return None
        try:
            with contextlib.closing(open_log(twin or self._place.path)) as live:
                if twin is not None:
                    goes_on = live.identity == tail.file.identity or begins_with_rest(live, tail.file, start)
                    return Status.OPEN if goes_on else None
                goes_on = live.identity != tail.file.identity and begins_with_rest(live, tail.file, 0)
                return Status.CLOSED if goes_on else None
        except (OSError, ValueError, DamagedFileError):
            return None  # it is gone again

    def _finish(self, tail: GenerationReader, status: Status) -> None:
        self.tails.remove(tail)
        generation = tail.generation
        generation.status = status
        if status is Status.CLOSED:
            self._seal(tail)
        self._book.changed(generation)
        tail.close()

    def _seal(self, tail: GenerationReader) -> None:
        """Remember how the file looks that was read to its end."""
        generation, file = tail.generation, tail.file
        seen = file.stat()
        if file.compressed:
            generation.size_seen, generation.sealed_ns = seen.size, seen.mtime_ns
            return
        self.deleted_one = True
        generation.size_seen = generation.position.offset
        if generation.file_key is None:
            generation.file_key = key_of(file, closed=True)
        if seen.links:
            self._closed[file.path] = seen
            while len(self._closed) > WATCHED:
                del self._closed[next(iter(self._closed))]
