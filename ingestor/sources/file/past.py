"""What lies beside a log: which file holds which known generation, what is to be read of it, and what is in no file."""

import logging
import os
import time
from collections.abc import Container, Iterator

from ingestor.model.generation import Generation, Match, Status
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.model.rotation_names import COMPRESSED_SUFFIXES, is_compressed
from ingestor.model.words import some_of
from ingestor.sources.file.alike import Alike
from ingestor.sources.file.beside import Asker, Beside, Candidate, Told, look_or_none
from ingestor.sources.file.files import DamagedFileError, open_log, stat_file
from ingestor.sources.file.leftovers import Leftovers
from ingestor.sources.file.matching import Content, holds_all_seen, kinship, parts_from, recognise, whole_mark
from ingestor.sources.file.missing import MissingGenerations
from ingestor.sources.file.place import Part, Place
from ingestor.sources.file.rotated import Rotated
from ingestor.sources.file.skip import skip_to_end
from ingestor.state.state import Gap

log = logging.getLogger("tokentail")


class Past:
    """The past of one log. Times are monotonic seconds."""

    def __init__(self, place: Place, beside: Beside) -> None:
        self.missing = MissingGenerations(place.generations)
        self.rotated = Rotated(place, self.missing)
        self.has_twins = False
        """Whether a file beside the log holds what another one holds that is being read: it is asked again afterwards."""
        self.is_undecided = False
        """Whether that other one is not at its end yet: only then it can be told whether they part."""
        self.failed = False
        """Whether a file beside the log could not be asked: it is asked again."""
        self._leftovers = Leftovers(place)
        self._unreadable: dict[FileIdentity, tuple[str, int]] = {}
        """Files that could not be read, with path and size: what is in them is missed when they are gone."""
        self._alike = Alike(place.generations)
        self._ages: dict[FileIdentity, int] = {}
        """The order of the files beside the log at the last look."""
        self._place = place
        self._generations = place.generations
        self._beside = beside

    def look(self, now: float, *, known: bool) -> Iterator[None]:
        """Match the files beside the log with the known generations, a file at a time.

        ``known``: the live file is known, so this log was here before.
        """
        self.rotated.deleted_one = self.has_twins = self.is_undecided = self.failed = False
        self._alike.begin_look()
        unknown: list[str] = []
        everything = bool(self.missing) or not self._place.looked
        pattern = self._place.settings.path if self._place.settings.path != self._place.path else ""
        asker = self._asker() if everything else None
        directories, live = self._place.directories(), self._place.live_paths()
        candidates = self._beside.candidates(directories, live, now, asker=asker, pattern=pattern)
        known = known or (everything and self._beside.holds_known(directories))
        listed = [candidate.path for candidate in candidates]
        strays = [
            Candidate(path, related=True)
            for path in set(self._strays()).difference(listed)
            if asker is None or not self._beside.lists(path)
        ]
        for candidate in (*strays, *candidates):
            if self.rotated.full:
                self.rotated.deleted_one = True  # what is left is opened when one of them is read
                break
            content = self._ask(candidate, now, stray=candidate in strays)
            if content is not None:
                is_new = content.same is None and content.compared is None
                known = known or not is_new
                if candidate.related and is_new:
                    unknown.append(candidate.path)
            yield
        left: list[str] = []
        for path in unknown:
            if self._take_unknown(path, now, ours=known or self._place.is_ours_from_the_start):
                left.append(shown(path))
            yield
        if left:
            log.info("Left to backfill, since rotated before the first look at %s: %s", self._place.path, some_of(left))
        self._ages = {seen.identity: age for age, path in enumerate(listed) if (seen := look_or_none(path))}
        self.rotated.sort(self._ages)
        self._miss_the_unreadable(now, set(listed))

    def _asker(self) -> Asker:
        """Say which of the files that another log has asked are of use to this one: what it has, or looks for."""
        place, live_paths, keys = self._place, self._place.live_paths(), self.missing.keys()
        return Asker(
            place.is_live,
            lambda told: (told.generation is not None and place.has(told.generation, live_paths)) or told.key in keys,
            lambda told: told.alike == self._generations.count_by_key(told.key),
            {reader.file.identity for reader in self.rotated.readers},
        )

    def go_on(self, now: float) -> bool:
        """Open the next file that waited for one alike, now that this one is read; return whether there was any."""
        count = len(self.rotated.readers)
        while not self.rotated.full and (candidate := self._alike.next()) is not None:
            self._ask(candidate, now, stray=False)
            if len(self.rotated.readers) > count:
                self.rotated.sort(self._ages)
                return True
        return False

    def miss_what_is_open(self, now: float) -> None:
        """After a restart: every generation that was not read to its end must be in some file."""
        live_paths = self._place.live_paths()
        for generation in self._generations.open_unread():
            succeeded = self._generations.is_succeeded(generation)
            if self._place.has(generation, live_paths) or succeeded or self._was_moved_away(generation):
                # Of what was live when we stopped nobody knows how much was written afterwards.
                was_live = generation.path in live_paths or self._generations.is_followed(shown(generation.path))
                unread = succeeded or generation.size_seen > generation.position.offset or was_live
                self.missing.add(generation, now, unread=unread and not self._is_read_as_another(generation))

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
                self.missing.add(former, now, unread=not self._is_read_as_another(former))

    def is_written_late(self) -> bool:
        """Tell whether a file that was closed lately, or left to a backfill, has grown; it is asked again then."""
        late = {seen.identity for path in self.rotated.written_late() if (seen := look_or_none(path)) is not None}
        late.update(self._leftovers.written_late())
        for identity in late:
            self._beside.settled.pop(identity, None)
        self.rotated.deleted_one = self.rotated.deleted_one or bool(late)
        return bool(late)

    def _was_moved_away(self, generation: Generation) -> bool:
        """Tell whether a log is no longer followed where it was, and not there any more: its directory was moved, perhaps to here."""
        path = generation.path
        was_followed = self._generations.is_followed(shown(path)) and not self._place.is_live(path)
        return was_followed and not os.path.lexists(path)

    def _is_read_as_another(self, generation: Generation) -> bool:
        """Tell whether nothing that tells was read of a generation, and all that was is in a file that is read as another one.

        Nor of one that is whole in a file into which several were joined. A header without a date tells nothing: neither a copy of the file nor its next content can be told to be the same.
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
        """Tell whether a file that is read holds all that was read of a generation, at its beginning or behind another one."""
        return any(
            kinship(reader.file, generation, at) is Match.SAME
            for reader in self._generations.readers_with(generation)
            for at in reader.generation.begins_of(generation.number)
        )

    def _strays(self) -> list[str]:
        """Return where open generations were last: a symlink's former target, a log that is no longer under its name."""
        known = self._place.live_paths()
        return [
            generation.path
            for generation in self._generations.of(self._place.source)
            if generation.status is Status.OPEN
            and generation.number not in self._generations.readers
            and generation.path not in known
            and not self._place.is_live(generation.path)
        ]

    def _ask(self, candidate: Candidate, now: float, *, stray: bool) -> Content | None:
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
                self._tell(candidate, error, seen)
            return None
        self._unreadable.pop(seen.identity, None)
        return content

    def _tell(self, candidate: Candidate, error: OSError, seen: FileStat | None) -> None:
        denied = isinstance(error, PermissionError)
        self._place.report(f"{candidate.path} cannot be read: {error.strerror}", part=Part.PAST, denied=denied)
        self.failed = True
        if seen is not None and self._place.is_ours_from_the_start:
            self._unreadable[seen.identity] = candidate.path, seen.size

    def _miss_the_unreadable(self, now: float, listed: Container[str]) -> None:
        """Report what is gone and could never be read; what was compressed meanwhile is not gone."""
        for identity, (path, size) in list(self._unreadable.items()):
            if identity in self._ages or self._beside.is_there(identity, now):
                continue
            del self._unreadable[identity]
            if not any(f"{path}{suffix}" in listed for suffix in COMPRESSED_SUFFIXES) and not any(
                generation.position.offset for generation in self._generations.by_identity(identity)
            ):
                self._generations.report_gap(
                    Gap(
                        self._place.source,
                        shown(path),
                        0,
                        0,
                        size,
                        time.time(),
                        "it could not be read while it was there",
                    )
                )
        if not self.failed:
            self._place.report(None, part=Part.PAST)

    def give_up(self, now: float) -> None:
        """Report as gaps what is missing for too long; not while it may be in a file that cannot be read."""
        if not self._unreadable:
            self.missing.give_up(now, self._beside.all_looked_at)
        elif self._place.once:
            self.missing.forget()

    def _need_not_ask(self, candidate: Candidate, seen: FileStat) -> bool:
        path, identity, beside = candidate.path, seen.identity, self._beside
        reader = self._generations.open_files.get(identity)
        if reader is not None:
            if reader in self.rotated.readers and reader.generation.path != path:
                reader.generation.path = path
                self._generations.changed(reader.generation)
            return True
        if is_compressed(path) and self.rotated.holds_deleted():
            self.has_twins = True
            return True  # most likely a copy of what was deleted and is still open here: asked when that is closed
        if self._alike.waits(candidate, seen):
            self.has_twins = True
            return True
        if any(_was_looked_through(path, seen, generation) for generation in self._generations.by_identity(identity)):
            beside.settled[identity] = seen
        return (
            self._place.is_live(path)
            or (self._place.may_be_live(path) and self._generations.is_followed(shown(path)))  # or will be in a moment
            or self.rotated.is_known_damaged(seen)
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
            generation = self._to_read(file, content, candidate, stray=stray)
            if generation is not None:
                self._attach(generation, file, now)
                attached = True
            elif content.same is None and content.compared is None:
                if not candidate.related and content.key is not None and seen.identity not in self._beside.unknown:
                    self._place.note_stranger(file, seen, self._place.settings.parser)
                self._beside.unknown[seen.identity] = seen
            elif (
                content.same is not None and (reader := self._generations.readers.get(content.same.number)) is not None
            ):
                self.has_twins = True
                self.is_undecided = self.is_undecided or reader.read_to_end_at is None
                if not stray:
                    self._alike.add(candidate, seen, content.key, content.same)
            elif content.same is not None and (candidate.related or self._place.has(content.same)):
                self._beside.settled[seen.identity] = seen
                if content.same.status is Status.SKIPPED:
                    self._leftovers.watch(file, seen)
            is_settled = self._beside.settled.get(seen.identity) == seen
            if not attached and not candidate.related and not is_settled and (content.same or content.compared):
                alike = self._generations.count_by_key(content.key)
                self._beside.told(candidate.path, Told(seen, content.key, content.same, alike))
            return content
        finally:
            if not attached:
                file.close()

    def _to_read(self, file: LogFile, content: Content, candidate: Candidate, *, stray: bool) -> Generation | None:
        """Return the generation to read on from a file beside the log; None when there is nothing (more) to read from it."""
        if content.compared is not None:
            ours = candidate.related or (content.like is not None and self._place.has(content.like))
            if not ours or stray:
                return None
            like, compared = content.like, content.compared
            source = (like or self._generations[compared.former]).source
            return self._generations.begin(
                source, file.path, file.identity, key=content.key, like=like, compared=compared
            )
        same = content.same
        if (
            same is None
            or not (candidate.related or self._place.has(same))
            or self._leftovers.is_not_ours(same, file, related=candidate.related)
        ):
            return None
        reader = self._generations.readers.get(same.number)
        if reader is None:
            return self._rest_of(same, file)
        if file.compressed or not parts_from(file, reader):
            return None
        return same if self.rotated.leave_copy(reader, file) else self._fork(same, file)

    def _fork(self, same: Generation, file: LogFile) -> Generation:
        # A plain file that is equal up to here and different afterwards goes its own way from here. A compressed one is
        # the copy of the file that is still open, and is looked at again when that one is closed.
        return self._generations.begin(same.source, file.path, file.identity, like=same)

    def _rest_of(self, generation: Generation, file: LogFile) -> Generation | None:
        """Return the generation if the file holds more of it than was read, or may yet grow."""
        if generation.status is Status.OPEN or file.read_at(generation.position.offset, 1):
            if generation.status is Status.SKIPPED:
                skip_to_end(generation, file, end=generation.position.offset)
            return generation
        # Remember where it is now, so that it is not decompressed again at every rotation.
        generation.path, generation.device, generation.inode = file.path, *file.identity
        seen = file.stat()
        generation.size_seen = seen.size if file.compressed else generation.position.offset
        generation.sealed_ns = seen.mtime_ns if file.compressed else 0
        self._generations.changed(generation)
        return None

    def _take_unknown(self, path: str, now: float, *, ours: bool) -> bool:
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
                self._leftovers.watch(file, seen)
                left = True
            elif file.read_at(0, 1):  # an empty one is found when a late writer fills it
                self.missing.found_unknown(file.stat().size)
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
        self.missing.found(generation)
        self.rotated.add(self._place.reader(generation, file, file.path), now)


def _was_looked_through(path: str, seen: FileStat, generation: Generation) -> bool:
    """Tell whether a compressed file was read to its end before, as it looks now."""
    return (
        is_compressed(path)
        and generation.status in {Status.CLOSED, Status.SKIPPED}
        and (generation.size_seen, generation.sealed_ns) == (seen.size, seen.mtime_ns)
    )
