"""What becomes of a file beside a log: it is asked for its content, and read on from if it holds something to be read."""

import logging
import os

from ingestor.model.generation import Generation, Status
from ingestor.model.log_file import FileStat, LogFile, shown
from ingestor.model.rotation_names import is_compressed
from ingestor.sources.file.alike import Alike
from ingestor.sources.file.beside import Beside, Candidate
from ingestor.sources.file.files import DamagedFileError, open_log, stat_file
from ingestor.sources.file.leftovers import Leftovers
from ingestor.sources.file.matching import parts_from, whole_mark
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Place
from ingestor.sources.file.recognition import Content, recognise
from ingestor.sources.file.rotated import Rotated
from ingestor.sources.file.skip import skip_to_end
from ingestor.sources.file.told import Told
from ingestor.sources.file.transitions import Action, Seen, State, transition
from ingestor.sources.file.unreadable import Unreadable

log = logging.getLogger("tokentail")


class Candidates:
    """The files beside one log, each as it is asked. Times are monotonic seconds."""

    def __init__(self, place: Place, beside: Beside, rotated: Rotated, missing: MissingGenerations) -> None:
        """``rotated``: where a file is read; ``missing``: what is not looked for any more then."""
        self.has_twins = False
        """Whether a file holds what another one holds that is being read: it is asked again afterwards."""
        self.is_undecided = False
        """Whether that other one is not at its end yet: only then it can be told whether they part."""
        self.leftovers = Leftovers(place)
        self.unreadable = Unreadable(place)
        self.alike = Alike(place.generations)
        self._place = place
        self._generations = place.generations
        self._beside = beside
        self._rotated = rotated
        self._missing = missing

    def begin_look(self) -> None:
        """Forget what the last look has found; the next one finds it again."""
        self.has_twins = self.is_undecided = self.unreadable.failed = False
        self.alike.begin_look()

    def ask(self, candidate: Candidate, now: float, *, stray: bool) -> Content | None:
        """Read on from a file beside the log, if it holds something that is to be read. Return what it holds, where asked."""
        seen = None
        self._beside.asked(candidate.path)
        try:
            seen = stat_file(candidate.path)
            if seen is None or self._need_not_ask(candidate, seen):
                return None
            content = self._take(candidate, seen, now, stray=stray)
        except (FileNotFoundError, ValueError):
            return None  # renamed since the directory was listed, or a directory or pipe, which is no log
        except DamagedFileError as error:
            log.warning("%s", error)
            return None
        except OSError as error:
            if candidate.related:
                self.unreadable.note(candidate.path, error, seen)
            return None
        self.unreadable.was_read(seen.identity)
        return content

    def _need_not_ask(self, candidate: Candidate, seen: FileStat) -> bool:
        path, identity, beside = candidate.path, seen.identity, self._beside
        reader = self._generations.open_files.get(identity)
        if reader is not None:
            if reader in self._rotated.readers and reader.generation.path != path:
                reader.generation.path = path
                self._generations.changed(reader.generation)
            return True
        if is_compressed(path) and self._rotated.holds_deleted():
            self.has_twins = True
            return True  # most likely a copy of what was deleted and is still open here: asked when that is closed
        if self.alike.waits(candidate, seen):
            self.has_twins = True
            return True
        if any(_was_looked_through(path, seen, generation) for generation in self._generations.by_identity(identity)):
            beside.settled[identity] = seen
        return (
            self._place.is_live(path)
            or (self._place.may_be_live(path) and self._generations.is_followed(shown(path)))  # or will be in a moment
            or self._rotated.is_known_damaged(seen)
            or beside.settled.get(identity) == seen
            or (not candidate.related and beside.unknown.get(identity) == seen)
        )

    def _take(self, candidate: Candidate, seen: FileStat, now: float, *, stray: bool) -> Content:
        file = open_log(candidate.path)
        attached = False
        try:
            live_path = os.path.realpath(self._place.path)
            near = self._generations.near(self._place.source, live_path, file.identity) if candidate.related else ()
            content = recognise(file, self._generations, near=near)
            seen_there = self._look(file, content, candidate, stray=stray)
            generation = self._act(transition(State.BESIDE, seen_there).action, file, content)
            if generation is not None:
                self._attach(generation, file, now)
                attached = True
            elif content.same is None and content.compared is None:
                if not candidate.related and content.key is not None and seen.identity not in self._beside.unknown:
                    self._place.note_stranger(file, seen, self._place.settings)
                self._beside.unknown[seen.identity] = seen
            elif (
                content.same is not None and (reader := self._generations.readers.get(content.same.number)) is not None
            ):
                self.has_twins = True
                self.is_undecided = self.is_undecided or reader.read_to_end_at is None
                if not stray:
                    self.alike.add(candidate, seen, content.key, content.same)
            elif content.same is not None and (candidate.related or self._place.has(content.same)):
                self._beside.settled[seen.identity] = seen
                if content.same.status is Status.SKIPPED:
                    self.leftovers.watch(file, seen)
            is_settled = self._beside.settled.get(seen.identity) == seen
            if not attached and not candidate.related and not is_settled and (content.same or content.compared):
                alike = self._generations.count_by_key(content.key)
                self._beside.told(candidate.path, Told(seen, content.key, content.same or content.like, alike))
            return content
        finally:
            if not attached:
                file.close()

    def _look(self, file: LogFile, content: Content, candidate: Candidate, *, stray: bool) -> Seen:
        """Return what is seen of what a file holds. Raises OSError, DamagedFileError.

        ``stray``: it was found where a content of this log was last, not in a directory of the log.
        """
        same = content.same
        if content.compared is not None:
            ours = candidate.related or (content.like is not None and self._place.has(content.like))
            return Seen.FORMER if ours and not stray else Seen.NOT_OURS
        if same is None:
            return Seen.NEW
        ours = candidate.related or self._place.has(same)
        if not ours or self.leftovers.is_not_ours(same, file, related=candidate.related):
            return Seen.NOT_OURS
        reader = self._generations.readers.get(same.number)
        if reader is None:
            is_more = same.status is Status.OPEN or bool(file.read_at(same.position.offset, 1))
            return Seen.KNOWN if is_more else Seen.READ_TO_END
        if file.compressed or not parts_from(file, reader):
            # A compressed one is the copy of the file that is still open, and is looked at again when that one is closed.
            return Seen.READ_ELSEWHERE
        return Seen.HOLDS_MORE if self._rotated.is_copy(reader, file) else Seen.PARTS

    def _act(self, action: Action, file: LogFile, content: Content) -> Generation | None:
        """Do what the table says; return the generation to read on from the file, if one is. Raises OSError."""
        generations, same = self._generations, content.same
        if action is Action.COMPARE and (owner := content.owner(generations)) is not None:
            return content.begin(generations, owner.source, file.path, file)
        if same is None:
            return None
        if action is Action.FORK:
            return generations.begin(same.source, file.path, file.identity, like=same)
        if action is Action.TAKE_OVER:
            self._rotated.leave(same)
            return same
        if action is Action.READ_ON:
            if same.status is Status.SKIPPED:
                skip_to_end(same, file, end=same.position.offset)
            return same
        if action is Action.NOTE_PLACE:
            same.path, same.device, same.inode = file.path, *file.identity
            seen = file.stat()
            same.size_seen = seen.size if file.compressed else same.position.offset
            same.sealed_ns = seen.mtime_ns if file.compressed else 0
            generations.changed(same)
        return None

    def take_unknown(self, path: str, now: float, *, ours: bool) -> bool:
        """Begin a generation that came and was rotated between two looks; return whether it is left, since it was there before us."""
        try:
            file = open_log(path)
        except (OSError, ValueError):
            return False  # the next look sees where it is
        attached = left = False
        try:
            seen = file.stat()
            content = recognise(file, self._generations)  # what was begun meanwhile may hold the same
            if content.same is not None or content.compared is not None:
                self.has_twins = True
            elif not ours:
                self._generations.skip(self._place.source, path, file.identity, whole_mark(file), key=content.key)
                self.leftovers.watch(file, seen)
                left = True
            elif file.read_at(0, 1):  # an empty one is found when a late writer fills it
                self._missing.found_unknown(file.stat().size)
                source = self._place.source
                self._attach(self._generations.begin(source, path, file.identity, key=content.key), file, now)
                attached = True
        except (OSError, DamagedFileError) as error:
            log.warning("%s cannot be read: %s", path, error)
        finally:
            if not attached:
                file.close()
        return left

    def _attach(self, generation: Generation, file: LogFile, now: float) -> None:
        if file.compressed or file.stat().size > generation.position.offset:
            log.info("Reading %s from byte %d (source %s)", file.path, generation.position.offset, generation.source)
        generation.status = Status.OPEN
        self._missing.found(generation)
        self._rotated.add(self._place.reader(generation, file, file.path), now)


def _was_looked_through(path: str, seen: FileStat, generation: Generation) -> bool:
    """Tell whether a compressed file was read to its end before, as it looks now."""
    return (
        is_compressed(path)
        and generation.status in {Status.CLOSED, Status.SKIPPED}
        and (generation.size_seen, generation.sealed_ns) == (seen.size, seen.mtime_ns)
    )
