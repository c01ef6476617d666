"""The file at a log's live path: which generation it holds, whether it still is that one, and its next lines."""

import logging
import os

from ingestor.model.generation import Generation, Status
from ingestor.model.log_file import FileStat, LogFile
from ingestor.sources.block import Block
from ingestor.sources.file.files import DamagedFileError, open_log, stat_file
from ingestor.sources.file.matching import Content, key_of, parts_from, recognise
from ingestor.sources.file.place import Part, Place
from ingestor.sources.file.reader import GenerationReader, skip_to_end

log = logging.getLogger("tokentail")


class LiveFile:
    """What is open at the live path. Times are monotonic seconds."""

    def __init__(self, place: Place) -> None:
        self.tail: GenerationReader | None = None
        self._place = place
        self._book = place.book
        self._twin: tuple[FileStat, int, int] | None = None
        """How the file looked that holds what another one holds, which generation that is, and where its mark was."""

    @property
    def is_known(self) -> bool:
        """Whether the file at the live path was told by its content."""
        return self.tail is not None or self._twin is not None

    def is_elsewhere(self, sighting: FileStat | None) -> bool:
        """Tell whether another file is at the live path than the one that is open, or one that must be asked anew."""
        if self.tail is not None:
            return sighting is None or sighting.identity != self.tail.file.identity
        if sighting is None:
            return False
        if self._twin is None:
            return True
        seen, number, asked_at = self._twin
        reader = self._book.readers.get(number)
        if seen != sighting or reader is None:
            return True
        return reader.read_to_end_at is not None and reader.generation.position.offset != asked_at

    def release(self) -> GenerationReader | None:
        """Hand over the open file, which is no longer the live one."""
        tail, self.tail = self.tail, None
        return tail

    def note(self, sighting: FileStat, now: float) -> None:
        """Remember what was seen, so that it is missed when it is gone; of what was not read also how it begins.

        The file was asked before whether it holds what was read of it (``GenerationReader.is_cut``).
        """
        tail = self.tail
        if tail is None:
            return
        tail.seen, tail.seen_at = sighting, now
        generation = tail.generation
        generation.size_seen = max(generation.size_seen, sighting.size)
        if not generation.position.offset and generation.file_key is None and sighting.size:
            generation.file_key = key_of(tail.file)
            if generation.file_key is not None:
                self._book.seen(generation)

    def read(self, now: float) -> Block | None:
        """Return the next block. Raises tail.ContentChangedError; what else goes wrong is told as the log's problem."""
        tail = self.tail
        if tail is None:
            return None
        try:
            # A poll in this very turn has looked already: what comes later is seen by the next one.
            sighting = tail.seen if tail.seen is not None and tail.seen_at == now else tail.file.stat()
            if sighting == tail.read_to_end_at:
                return None
            block = tail.read(final=False)
        except OSError as error:
            self._place.report_error(error, part=Part.CONTENT)
            return None
        self._place.report(None, part=Part.CONTENT)
        if block is None and not tail.busy and not tail.waits:
            tail.read_to_end_at = sighting
            if sighting.size > tail.generation.position.offset:
                # A half line is known to be there: a gap would have to say so.
                tail.generation.size_seen = max(tail.generation.size_seen, sighting.size)
                start, length = (
                    tail.generation.position.offset,
                    tail.generation.size_seen - tail.generation.position.offset,
                )
                known = length <= self._place.read.max_line_bytes  # a longer one costs too much to tell it by its bytes
                self._book.note_rest(tail.generation, tail.file.read_at(start, length) if known else b"")
        return block

    def take(self, tails: list[GenerationReader], *, known_only: bool = False) -> Generation | None:
        """Take up the file at the live path; return the generation that it holds. ``tails``: rotated ones, one of which it may be.

        ``known_only``: not if nothing is known of its content yet.
        """
        path = self._place.path
        seen = stat_file(path)
        for tail in tails:
            if seen is not None and tail.file.identity == seen.identity:
                tails.remove(tail)  # renamed back
                self.tail = tail
                tail.is_past = False
                self._place.report(None)
                return tail.generation
        file = self._open()
        if file is None:
            return None
        attached = False
        try:
            near = self._book.near(self._place.source, os.path.realpath(path), file.identity)
            content = recognise(file, self._book, near=near)
            generation = self._known(file, content)
            if generation is None and not known_only and self._twin is None:
                generation = self._begin(file, content)
            if generation is not None:
                generation.status = Status.OPEN
                self._place.report(None)
                self.tail = self._place.tail(generation, file, os.path.realpath(path))
                self.tail.near = near
                attached = True
        except DamagedFileError as error:
            self._place.report(f"{path} cannot be read: {error}")
            return None
        finally:
            if not attached:
                file.close()
        return generation

    def _open(self) -> LogFile | None:
        path, report = self._place.path, self._place.report
        try:
            file = open_log(path)
        except FileNotFoundError:
            self._twin = None
            return None  # that it is absent is told when it stays so
        except OSError as error:
            self._place.report_error(error)
            return None
        except ValueError as error:
            report(str(error))
            return None
        if owner := self._place.owner_of(file.identity):
            file.close()
            report(f"{path} is the same file as {owner}, which is followed already", harmless=True)
            return None
        return file

    def _known(self, file: LogFile, content: Content) -> Generation | None:
        """Return the generation to go on with, if the file holds what is known; note when another file does, too."""
        place, book = self._place, self._book
        self._twin = None
        if content.compared is not None:
            key, like, compared = content.key, content.like, content.compared
            return book.begin(place.source, place.path, file.identity, key=key, like=like, compared=compared)
        same = content.same
        if same is None or same.status is Status.SKIPPED:
            return None
        reader = book.readers.get(same.number)
        if reader is not None:
            if parts_from(file, reader):
                return book.begin(place.source, place.path, file.identity, like=same)
            self._twin = file.stat(), same.number, same.position.offset
            book.twins[same.number] = place.path
            place.report(f"{place.path} holds the same as {reader.file.path}, which is read already", harmless=True)
            return None
        if (same.source, same.host) == (place.source, book.host) or not same.position.offset:
            return same
        return self._go_on_as_another(same, file)

    def _go_on_as_another(self, same: Generation, file: LogFile) -> Generation:
        """Have what follows be of another source or host than what was read: somebody has changed the configuration."""
        path, source = self._place.path, self._place.source
        log.warning(
            "%s was read as source %r until byte %d, and is source %r from there on",
            path,
            same.source,
            same.position.offset,
            source,
        )
        same.status = Status.CLOSED
        same.size_seen = same.position.offset  # what follows is not its own to wait for
        self._book.changed(same)
        return self._book.begin(source, path, file.identity, like=same)

    def _begin(self, file: LogFile, content: Content) -> Generation:
        place = self._place
        generation = self._book.begin(place.source, place.path, file.identity, key=content.key)
        if place.settings.start == "end" and not place.is_ours_from_the_start:
            skip_to_end(generation, file)
            self._book.changed(generation)
        return generation
