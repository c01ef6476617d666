"""Read the rotated generations of one log to their end; the newest one is followed on, since writers may still hold it."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Final

from ingestor.model.generation import Generation, Status
from ingestor.model.log_file import FileIdentity, FileStat, LogFile
from ingestor.sources.block import Block
from ingestor.sources.file.files import ContentChangedError, DamagedFileError, is_as_before, open_log
from ingestor.sources.file.matching import begins_with_rest, key_of
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Part, Place
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.transitions import (
    AT_ONCE,
    Action,
    Seen,
    State,
    end_of_rotated,
    outcome,
    transition,
)
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
        self.readers: list[GenerationReader] = []
        self.deleted_one = False
        """A plain file was read to its end and let go: a copy of it may hold what came after our last read."""
        self._place = place
        self._generations = place.generations
        self.missing = missing
        self._damaged: dict[FileIdentity, FileStat] = {}
        """Compressed files that could not be read to their end, as they were then."""
        self._closed: dict[str, FileStat] = {}

    @property
    def full(self) -> bool:
        """Whether no more files should be opened now."""
        return len(self.readers) >= MOST_OPEN

    def add(self, reader: GenerationReader, now: float) -> None:
        """Follow a file that was rotated. ``now``: monotonic seconds."""
        reader.moved_at = now
        reader.read_to_end_at = None
        reader.is_past = True
        self.readers.append(reader)

    def sort(self, places: dict[FileIdentity, int]) -> None:
        """Put the readers into the order of their files, oldest first; what is under no name any more is older than all."""
        self.readers.sort(key=lambda reader: places.get(reader.file.identity, -1))

    def next_block(self, now: float) -> Block | None:
        """Return the next block of the oldest that has one."""
        for reader in list(self.readers):
            if block := self._read(reader, now):
                return block
            if reader.busy:
                return None
        return None

    def is_copy(self, found: Reader, file: LogFile) -> bool:
        """Tell whether a rotated file that is read is at its end, and a plain one holds the same and more. Raises OSError."""
        reader = next((reader for reader in self.readers if reader is found), None)
        if reader is None or reader.file.compressed or file.compressed:
            return False
        return not reader.file.read_at(reader.generation.position.offset, 1)

    def leave(self, generation: Generation) -> None:
        """Let go of the file that a generation is read from: it goes on in another one."""
        for reader in [reader for reader in self.readers if reader.generation is generation]:
            self._finish(reader, Status.OPEN)

    @property
    def busy(self) -> bool:
        """Whether one of them goes on in the next turn without a block in this one."""
        return any(reader.busy for reader in self.readers)

    def holds_deleted(self) -> bool:
        """Whether a deleted file is still open here: a compressed one that turns up is most likely its copy."""
        return any(reader.file.stat().links == 0 for reader in self.readers)

    def is_known_damaged(self, seen: FileStat) -> bool:
        """Whether a file could not be read to its end, and has not changed since."""
        return self._damaged.get(seen.identity) == seen

    def written_late(self) -> Iterator[str]:
        """Yield the files that were closed lately and have changed since: a late writer."""
        for path, before in list(self._closed.items()):
            if not is_as_before(path, before):
                del self._closed[path]
                yield path

    def _read(self, reader: GenerationReader, now: float) -> Block | None:
        """Look at a file and do what the table says, until it says that the next turn goes on."""
        state, block, sighting = State.ROTATED, None, None
        try:
            sighting = reader.file.stat()  # fstat of an open file
            end = self._end_of(reader, sighting, now)
            while True:
                seen, block = self._look(state, end, reader, sighting)
                action, state = transition(state, seen)
                self._act(action, reader, sighting, now)
                if state not in AT_ONCE:
                    break
        except OSError as error:
            self._place.report(f"{reader.file.path} cannot be read: {error.strerror}", part=Part.ROTATED)
            return None
        if state is not State.MISSING:
            self._place.report(None, part=Part.ROTATED)
        return block

    def _end_of(self, reader: GenerationReader, sighting: FileStat, now: float) -> Seen:
        return end_of_rotated(
            quiet=now - reader.moved_at >= self.quiet_seconds,
            newest=reader is self.readers[-1],
            deleted=sighting.links == 0,
            compressed=reader.file.compressed,
        )

    def _look(self, state: State, end: Seen, reader: GenerationReader, sighting: FileStat) -> tuple[Seen, Block | None]:
        """Return what is seen of a file in a state, and the lines that were read. Raises OSError.

        ``end``: what it means that no whole line is left.
        """
        if state is State.HALF_LINE:
            return self._where_it_goes_on(reader, sighting), None
        if state is State.ROTATED and sighting == reader.read_to_end_at and end is not Seen.END_OVER:
            return Seen.AS_BEFORE, None
        try:
            block = reader.read(final=state is State.LAST_LINE)
        except ContentChangedError:
            return Seen.CUT, None
        except DamagedFileError:
            return Seen.DAMAGED, None
        is_block, is_damaged = block is not None, reader.file.damaged
        return outcome(end, block=is_block, damaged=is_damaged, busy=reader.busy, waits=reader.waits), block

    def _act(self, action: Action, reader: GenerationReader, sighting: FileStat, now: float) -> None:
        match action:
            case Action.HAND_OUT:
                reader.moved_at = now
            case Action.LOOK_AGAIN:
                reader.read_to_end_at = None
            case Action.NOTE_END:
                reader.read_to_end_at = sighting
            case Action.LEAVE:
                self._finish(reader, Status.OPEN)
            case Action.CLOSE:
                self._finish(reader, Status.CLOSED)
            case Action.MISS | Action.MISS_DAMAGED:
                self._finish(reader, Status.OPEN)
                if action is Action.MISS_DAMAGED:
                    log.warning("%s is truncated or damaged", reader.file.path)
                    self._damaged[reader.file.identity] = sighting
                self.missing.add(reader.generation, now, unread=True)

    def _where_it_goes_on(self, reader: GenerationReader, sighting: FileStat) -> Seen:
        """Tell whether a half line is no last line, since it is in a live log as well.

        That log is this very file under another name, or one that was put in its place and holds the same, and more. Where
        nothing but a header was read the content does not tell that they are one: then all of this file is in the other one.
        """
        generation = reader.generation
        start = generation.position.offset
        if reader.file.compressed or not 0 < sighting.size - start <= self._place.read.max_line_bytes:
            return Seen.ENDS
        twin = self._generations.twins.get(generation.number)
        if twin is None and (generation.file_key is not None or generation.first_event is not None):
            return Seen.ENDS
        try:
            with contextlib.closing(open_log(twin or self._place.path)) as live:
                if twin is not None:
                    goes_on = live.identity == reader.file.identity or begins_with_rest(live, reader.file, start)
                    return Seen.GOES_ON if goes_on else Seen.ENDS
                goes_on = live.identity != reader.file.identity and begins_with_rest(live, reader.file, 0)
                return Seen.GOES_ON_ELSEWHERE if goes_on else Seen.ENDS
        except (OSError, ValueError, DamagedFileError):
            return Seen.ENDS  # it is gone again

    def _finish(self, reader: GenerationReader, status: Status) -> None:
        self.readers.remove(reader)
        generation = reader.generation
        generation.status = status
        if status is Status.CLOSED:
            self._seal(reader)
        self._generations.changed(generation)
        reader.close()

    def _seal(self, reader: GenerationReader) -> None:
        """Remember how the file looks that was read to its end."""
        generation, file = reader.generation, reader.file
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
