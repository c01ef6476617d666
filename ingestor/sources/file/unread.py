"""How many bytes of a log wait to be read: what the figures say, and what they cannot know."""

from ingestor.model.log_file import FileStat
from ingestor.sources.file.files import stat_file
from ingestor.sources.file.live import LiveFile
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Place
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.rotated import Rotated


class Unread:
    """What of one log waits."""

    def __init__(self, place: Place, live: LiveFile, rotated: Rotated, missing: MissingGenerations) -> None:
        self._place = place
        self._live = live
        self._rotated = rotated
        self._missing = missing

    def unread_bytes(self, *, look_again: bool = True) -> int:
        """Return how many bytes of the plain files wait to be read. Half a line does not: nothing can be done with it yet.

        ``look_again=False``: as the last poll has seen the live file; a log that is read to its end then costs no system call.
        """
        live, remember = self._live.reader, not look_again
        if remember and live is not None and not self._rotated.readers and live.seen == live.read_to_end_at is not None:
            return 0
        unread = 0
        for reader in self._rotated.readers if live is None else [*self._rotated.readers, live]:
            if reader.file.compressed or reader.waits:
                continue
            seen = (reader.seen if remember and reader is live else None) or _look_at(reader)
            if seen is not None and seen != reader.read_to_end_at:
                unread += max(0, seen.size - reader.generation.position.offset)
        return unread if live else unread + self._unreadable_bytes()

    def half_line_bytes(self) -> int:
        """Return how many bytes of the live file are a last line that has no end yet."""
        live = self._live.reader
        if live is None or live.file.compressed:  # which is written whole
            return 0
        seen = _look_at(live)
        return 0 if seen is None else max(0, seen.size - live.generation.position.offset)

    @property
    def is_more_unseen(self) -> bool:
        """Whether bytes may wait that ``unread_bytes`` does not count: in a compressed file, or in one that is looked for.

        Also in the copy of a log that was truncated, which only reading finds out about: perhaps after an outage.
        """
        if self._missing or any(reader.file.compressed for reader in self._rotated.readers):
            return True
        live = self._live.reader
        if live is None:
            return False
        seen = _look_at(live)
        return seen is None or seen.size < live.generation.position.offset or live.is_cut(seen)

    def _unreadable_bytes(self) -> int:
        """Return how much lies in a log that may be looked at and not be read."""
        if not self._place.denied:
            return 0
        try:
            seen = stat_file(self._place.path)
        except OSError:
            return 0
        if seen is None:
            return 0
        known = [g.position.offset for g in self._place.generations.by_identity(seen.identity)]
        return max(0, seen.size - max(known, default=0))


def _look_at(reader: GenerationReader) -> FileStat | None:
    """Return how an open file looks; None when that cannot be told, which is the log's problem where it is read."""
    try:
        return reader.file.stat()
    except OSError:
        return None
