"""The file at a log's live path: which generation it holds, whether it still is that one, and its next lines."""

import logging
import os

from ingestor.model.generation import Generation, Status
from ingestor.model.log_file import FileStat, LogFile
from ingestor.sources.block import Block
from ingestor.sources.file.files import DamagedFileError, open_log, stat_file
from ingestor.sources.file.matching import key_of, parts_from
from ingestor.sources.file.place import Part, Place
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.recognition import Content, recognise
from ingestor.sources.file.skip import skip_to_end
from ingestor.sources.file.transitions import Action, Seen, State, Step, outcome, transition

log = logging.getLogger("tokentail")


class LiveFile:
    """What is open at the live path. Times are monotonic seconds."""

    def __init__(self, place: Place) -> None:
        self.reader: GenerationReader | None = None
        self._place = place
        self._generations = place.generations
        self._twin: tuple[FileStat, int, int] | None = None
        """How the file looked that holds what another one holds, which generation that is, and where its position was."""

    @property
    def is_known(self) -> bool:
        """Whether the file at the live path was told by its content."""
        return self.reader is not None or self._twin is not None

    @property
    def state(self) -> State:
        """Where what is at the live path is in the table of following."""
        if self.reader is not None:
            return State.LIVE
        return State.NOTHING if self._twin is None else State.COPY

    def where(self, sighting: FileStat | None) -> Seen:
        """Return what is at the live path, compared with what was there. ``sighting``: how it looks; None: nothing is there."""
        if sighting is None:
            return Seen.ABSENT
        if self.reader is not None:
            return Seen.SAME if sighting.identity == self.reader.file.identity else Seen.OTHER
        return Seen.SAME if self._twin is not None and self._is_still_twin(sighting, *self._twin) else Seen.OTHER

    def _is_still_twin(self, sighting: FileStat, seen: FileStat, number: int, asked_at: int) -> bool:
        """Tell whether asking the file again would tell the same: neither it nor the other one has changed."""
        reader = self._generations.readers.get(number)
        if seen != sighting or reader is None:
            return False
        return reader.read_to_end_at is None or reader.generation.position.offset == asked_at

    def release(self) -> GenerationReader | None:
        """Hand over the open file, which is no longer the live one."""
        reader, self.reader = self.reader, None
        return reader

    def note(self, sighting: FileStat, now: float) -> None:
        """Remember what was seen, so that it is missed when it is gone; of what was not read also how it begins.

        The file was asked before whether it holds what was read of it (``GenerationReader.is_cut``).
        """
        reader = self.reader
        if reader is None:
            return
        reader.seen, reader.seen_at = sighting, now
        generation = reader.generation
        generation.size_seen = max(generation.size_seen, sighting.size)
        if not generation.position.offset and generation.file_key is None and sighting.size:
            generation.file_key = key_of(reader.file)
            if generation.file_key is not None:
                self._generations.seen(generation)

    def read(self, now: float) -> Block | None:
        """Return the next block. Raises ContentChangedError; what else goes wrong is told as the log's problem."""
        reader = self.reader
        if reader is None:
            return None
        try:
            # A poll in this very turn has looked already: what comes later is seen by the next one.
            sighting = reader.seen if reader.seen is not None and reader.seen_at == now else reader.file.stat()
            seen, block = _look(reader, sighting)
        except OSError as error:
            self._place.report_error(error, part=Part.CONTENT)
            return None
        action, _ = transition(State.LIVE, seen)
        if action is Action.REST:
            return None
        if block is None and reader.file.damaged:
            report = f"{reader.file.path} is truncated or damaged: what can be read of it is stored"
            self._place.report(report, part=Part.CONTENT)
            reader.read_to_end_at = sighting
            return None
        self._place.report(None, part=Part.CONTENT)
        if action is Action.NOTE_END:
            self._note_end(reader, sighting)
        return block

    def _note_end(self, reader: GenerationReader, sighting: FileStat) -> None:
        reader.read_to_end_at = sighting
        generation = reader.generation
        start = generation.position.offset
        if sighting.size > start:
            # A half line is known to be there: a gap would have to say so.
            generation.size_seen = max(generation.size_seen, sighting.size)
            length = generation.size_seen - start
            known = length <= self._place.read.max_line_bytes  # a longer one costs too much to tell it by its bytes
            self._generations.note_rest(generation, reader.file.read_at(start, length) if known else b"")

    def take(self, readers: list[GenerationReader], *, known_only: bool = False) -> Generation | None:
        """Take up the file at the live path; return the generation that it holds. ``readers``: rotated ones, one of which it may be.

        ``known_only``: not if nothing is known of its content yet.
        """
        path = self._place.path
        sighting = stat_file(path)
        back = next((r for r in readers if sighting is not None and r.file.identity == sighting.identity), None)
        if back is not None:
            transition(State.ASKED, Seen.ROTATED_ONE)
            readers.remove(back)
            self.reader = back
            back.is_past = False
            self._place.report(None)
            return back.generation
        file = self._open()
        if file is None:
            return None
        attached = False
        try:
            near = self._generations.near(self._place.source, os.path.realpath(path), file.identity)
            content = recognise(file, self._generations, near=near)
            self._twin = None
            seen = self._ask(file, content, known_only=known_only)
            generation = self._act(transition(State.ASKED, seen), file, content)
            if generation is not None:
                generation.status = Status.OPEN
                self._place.report(None)
                self.reader = self._place.reader(generation, file, os.path.realpath(path))
                self.reader.near = near
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

    def _ask(self, file: LogFile, content: Content, *, known_only: bool) -> Seen:
        """Return what is seen of what the file at the live path holds. Raises OSError, DamagedFileError."""
        place, generations, same = self._place, self._generations, content.same
        if content.compared is not None:
            return Seen.FORMER
        if same is None or same.status is Status.SKIPPED:
            return Seen.NEW_YET if known_only else Seen.NEW
        reader = generations.readers.get(same.number)
        if reader is not None:
            return Seen.PARTS if parts_from(file, reader) else Seen.READ_ELSEWHERE
        if (same.source, same.host) == (place.source, generations.host) or not same.position.offset:
            return Seen.KNOWN
        return Seen.OF_ANOTHER_SOURCE

    def _act(self, step: Step, file: LogFile, content: Content) -> Generation | None:
        """Do what the table says; return the generation to read from the file, if it is to be read. Raises OSError."""
        place, begin, same = self._place, self._generations.begin, content.same
        generation = None
        match step.action:
            case Action.BEGIN:
                generation = self._begin(file, content)
            case Action.COMPARE:
                generation = content.begin(self._generations, place.source, place.path, file)
            case Action.READ_ON:
                generation = same
            case Action.FORK:
                generation = begin(place.source, place.path, file.identity, like=same)
            case Action.READ_ON_AS_ANOTHER if same is not None:
                generation = self._go_on_as_another(same, file)
            case Action.REST if step.state is State.COPY and same is not None:
                self._note_copy(same, file)
        return generation

    def _note_copy(self, same: Generation, file: LogFile) -> None:
        path, other = self._place.path, self._generations.readers[same.number].file.path
        self._twin = file.stat(), same.number, same.position.offset
        self._generations.twins[same.number] = path
        self._place.report(f"{path} holds the same as {other}, which is read already", harmless=True)

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
        self._generations.changed(same)
        return self._generations.begin(source, path, file.identity, like=same)

    def _begin(self, file: LogFile, content: Content) -> Generation:
        place = self._place
        generation = self._generations.begin(place.source, place.path, file.identity, key=content.key)
        if place.settings.start == "end" and not place.is_ours_from_the_start:
            skip_to_end(generation, file)
            self._generations.changed(generation)
        return generation


def _look(reader: GenerationReader, sighting: FileStat) -> tuple[Seen, Block | None]:
    if sighting == reader.read_to_end_at:
        return Seen.AS_BEFORE, None
    try:
        block = reader.read(final=False)
    except DamagedFileError:
        block = None  # the file says so itself; what came before was handed out
    end, is_block = Seen.END_GROWING, block is not None
    return outcome(end, block=is_block, damaged=False, busy=reader.busy, waits=reader.waits), block
