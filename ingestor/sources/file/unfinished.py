"""Generations that were not read to their end and that nobody reads: which of them a log looks for, and with what reason."""

import os

from ingestor.model.generation import Generation, Match, Status
from ingestor.model.log_file import FileIdentity, shown
from ingestor.sources.file.matching import holds_all_seen, kinship
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Place


class Unfinished:
    """Those of one log. Times are monotonic seconds."""

    def __init__(self, place: Place, missing: MissingGenerations) -> None:
        """``missing``: where they are looked for from then on."""
        self._place = place
        self._generations = place.generations
        self._missing = missing

    def miss_what_is_open(self, now: float) -> None:
        """After a restart: every generation that was not read to its end must be in some file."""
        live_paths = self._place.live_paths()
        for generation in self._generations.open_unread():
            succeeded = self._generations.is_succeeded(generation)
            if self._place.has(generation, live_paths) or succeeded or self._was_moved_away(generation):
                # Of what was live when we stopped nobody knows how much was written afterwards.
                was_live = generation.path in live_paths or self._generations.is_followed(shown(generation.path))
                unread = succeeded or generation.size_seen > generation.position.offset or was_live
                self._missing.add(generation, now, unread=unread and not self.is_read_as_another(generation))

    def miss_predecessors(self, generation: Generation, now: float) -> None:
        """Look for the rest of what was in the live file before: it went back to a former beginning, or was begun anew.

        Nobody knows what was written to it between the last look and then.
        """
        predecessors = [
            former for number in generation.formers if (former := self._generations.get(number)) is not None
        ]
        predecessors += self._generations.by_identity(FileIdentity(generation.device, generation.inode))
        for former in predecessors:
            if (
                former is not generation
                and former.status is Status.OPEN
                and former.position.offset
                and former.number not in self._generations.readers
            ):
                self._missing.add(former, now, unread=not self.is_read_as_another(former))

    def _was_moved_away(self, generation: Generation) -> bool:
        """Tell whether a log is no longer followed where it was, and not there any more: its directory was moved, perhaps to here."""
        path = generation.path
        was_followed = self._generations.is_followed(shown(path)) and not self._place.is_live(path)
        return was_followed and not os.path.lexists(path)

    def is_read_as_another(self, generation: Generation) -> bool:
        """Tell whether nothing that tells was read of a generation, and all that was is in a file that is read as another one.

        Also whether all of it stands in a file into which several were joined. A header without a date tells nothing: neither a
        copy of the file nor its next content can be told to be the same.
        """
        if not generation.position.offset:
            identity = FileIdentity(generation.device, generation.inode)
            if any(g.position.offset for g in self._generations.by_identity(identity)):
                return True
            return bool(generation.size_seen) and self._is_in_a_file(generation)
        if self._is_joined(generation):
            return True
        return generation.file_key is None and self._is_in_a_file(generation)

    def _is_in_a_file(self, generation: Generation) -> bool:
        """Tell whether all that was read of a generation, and seen of it, is in a file of this log that is read."""
        rest = self._generations.rest_of(generation)
        readers = [reader for reader in self._generations.readers.values() if self._place.has(reader.generation)]
        return any(holds_all_seen(reader.file, generation, rest) for reader in readers)

    def _is_joined(self, generation: Generation) -> bool:
        """Tell whether a file that is read holds all that was read of a generation, at its beginning or behind another one.

        And what was seen of it, and more, was read there.
        """
        return any(
            reader.generation.position.offset >= at + generation.size_seen
            and kinship(reader.file, generation, at) is Match.SAME
            for reader in self._generations.readers_with(generation)
            for at in (0, *reader.generation.begins_of(generation.number))  # of what it goes on with the beginning, too
        )
