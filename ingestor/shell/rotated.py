"""Read the rotated generations of one log to their end; the newest one is followed on, since writers may still hold it."""

import logging

from ingestor.core.generation import Status
from ingestor.shell.book import Book
from ingestor.shell.files import DamagedFileError, FileIdentity, Sighting
from ingestor.shell.missing import Missing
from ingestor.shell.tail import Block, ContentChangedError, Tail

log = logging.getLogger("tokentail")


class Rotated:
    """The rotated files of one log that are open, oldest first."""

    def __init__(self, book: Book, missing: Missing) -> None:
        self.quiet_seconds = 0.0
        """A file that has not grown for so long is closed, so its half line is final."""
        self.tails: list[Tail] = []
        self.deleted_one = False
        """A plain file was deleted and read to its end: a compressed copy of it may hold what came after our last read."""
        self._book = book
        self._missing = missing
        self._damaged: dict[FileIdentity, Sighting] = {}
        """Compressed files that could not be read to their end, as they were then."""

    def add(self, tail: Tail, now: float) -> None:
        """Follow a file that was rotated. ``now``: monotonic seconds."""
        tail.moved_at = now
        tail.exhausted_at = None
        self.tails.append(tail)

    def sort(self, places: dict[FileIdentity, int]) -> None:
        """Put the tails into the order of their files, oldest first; what is under no name any more is older than all."""
        self.tails.sort(key=lambda tail: places.get(tail.file.identity, -1))

    def next_block(self, now: float) -> Block | None:
        """Return the next block of the oldest that has one."""
        for tail in list(self.tails):
            if block := self._read(tail, now):
                return block
        return None

    def holds_deleted(self) -> bool:
        """Whether a deleted file is still open here: a compressed one that turns up is most likely its copy."""
        return any(tail.file.look().links == 0 for tail in self.tails)

    def is_known_damaged(self, seen: Sighting) -> bool:
        """Whether a file could not be read to its end, and has not changed since."""
        return self._damaged.get(seen.identity) == seen

    def _read(self, tail: Tail, now: float) -> Block | None:
        """Read on. A file is closed once nothing can follow: deleted, compressed, or quiet and not the newest."""
        newest = tail is self.tails[-1]
        sighting = tail.file.look()  # fstat of an open file
        quiet = now - tail.moved_at >= self.quiet_seconds
        gone = tail.file.compressed or sighting.links == 0
        if sighting == tail.exhausted_at and not gone and (newest or not quiet):
            return None
        try:
            block = tail.read(final=False)
            if block is None and tail.file.damaged:
                raise DamagedFileError(f"{tail.file.path} is truncated or damaged")  # noqa: TRY301 - one place mends it
            if block is None and (gone or quiet):
                block = tail.read(final=True)
                if block is None and (gone or not newest):
                    self._finish(tail, Status.CLOSED)
                    return None
        except (ContentChangedError, DamagedFileError) as error:
            self._finish(tail, Status.OPEN)
            if isinstance(error, DamagedFileError):
                log.warning("%s", error)
                self._damaged[tail.file.identity] = sighting
            self._missing.add(tail.generation, now, unread=True)
            return None
        except OSError as error:
            log.warning("%s cannot be read: %s", tail.file.path, error.strerror)
            return None
        if block is None:
            tail.exhausted_at = sighting if quiet else None
            return None
        tail.moved_at = now
        self._book.changed(block.generation)
        return block

    def _finish(self, tail: Tail, status: Status) -> None:
        self.tails.remove(tail)
        generation = tail.generation
        generation.status = status
        if not tail.file.compressed:
            self.deleted_one = True
            if status is Status.CLOSED:
                generation.size_seen = generation.mark.offset
        self._book.changed(generation)
        tail.file.close()
