"""Follow one log through its rotations: the live file, and the rotated generations that are not read to their end.

What happened is read off the disk and off content, not remembered from events: which file beside the log (rotated ones,
copies, what lies in the archive, oldest first, then the live file) holds which known generation, and what of them is in
no file.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from typing import Final

from ingestor.core.generation import Generation, Status
from ingestor.core.rotation import is_compressed
from ingestor.settings import LogSettings, ReadSettings
from ingestor.shell.beside import Beside, Candidate, places_of
from ingestor.shell.book import Book
from ingestor.shell.files import DamagedFileError, FileIdentity, LogFile, Sighting, is_as_before, look, open_log, shown
from ingestor.shell.missing import Missing
from ingestor.shell.recognition import Content, key_of, recognise, whole_mark
from ingestor.shell.rotated import Rotated
from ingestor.shell.tail import Block, ContentChangedError, Tail, skip_to_end

log = logging.getLogger("tokentail")

ONCE_GRACE_SECONDS: Final = 1.0
"""`--once` waits no longer than this for a file that is being compressed or moved."""
TURN_SECONDS: Final = 0.2
"""How long files beside a log are looked at before it is another's turn."""
LATE_SECONDS: Final = 10.0
"""How often files that were closed lately are looked at: a writer may still have them open."""
NEAR: Final = 3
"""Of a log that lost its beginning so many of its last contents are looked through."""


class FollowedLog:
    """One live path with its past. ``poll`` looks at the disk, ``next_block`` reads. Times are monotonic seconds."""

    def __init__(
        self,
        path: str,
        source: str,
        settings: LogSettings,
        read: ReadSettings,
        book: Book,
        *,
        beside: Beside | None = None,
        once: bool = False,
        first: bool = True,
        owner_of: Callable[[FileIdentity], str | None] = lambda _: None,
        is_live: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Follow a path; nothing is opened yet.

        ``first``: this place was never looked at before, so what was rotated here is not ours. ``owner_of`` names another
        live path that is the same file (a hard link); such a log is not read twice. ``is_live`` tells the other live paths.
        """
        self.path = path
        self.source = source
        self.problem: str | None = None
        """What keeps the log from being read now."""
        self.denied = False
        """Whether that is a missing permission."""
        self.harmless = False
        """Whether nothing can be unread for it."""
        self._once = once
        self._first = first
        self._book = book
        self._beside = beside or Beside()
        self._owner_of = owner_of
        self._is_live = is_live
        self._live: Tail | None = None
        self._twin: tuple[Sighting, int, int] | None = None
        """How the live file looked that holds what another one holds, which generation that is, and where its mark was."""
        self._twins_beside = False
        self._missing = Missing(book)
        self._rotated = Rotated(book, self._missing)
        self._look: Iterator[None] | None = None
        """A look at what is beside the log that is under way; it may take many turns."""
        self._looked = False
        self._version = -1
        self._finished = -1
        self._late_at = float("-inf")
        self._absent_since: float | None = None
        self.reload(settings, read)

    def reload(self, settings: LogSettings, read: ReadSettings) -> None:
        """Go on with other settings."""
        self._again = "" if self._once else f"; trying again every {read.poll_interval_seconds:g} s"
        self.settings = settings
        self._read = read
        self._places: dict[str, str] = {}
        grace = read.missing_grace_seconds
        self._missing.grace_seconds = min(grace, ONCE_GRACE_SECONDS) if self._once else grace
        self._rotated.quiet_seconds = 0.0 if self._once else read.rotated_quiet_seconds

    @property
    def live_identity(self) -> FileIdentity | None:
        """The file that is open as the live one."""
        return self._live.file.identity if self._live else None

    @property
    def waiting(self) -> bool:
        """Whether something is looked for or waited for, so that `--once` must not end yet."""
        return bool(self._missing) or self._look is not None or any(tail.waits for tail in self._tails())

    @property
    def busy(self) -> bool:
        """Whether reading goes on in the next turn, though this one brought no block."""
        return self._look is not None or (self._live is not None and self._live.busy) or self._rotated.busy

    @property
    def is_done_with(self) -> bool:
        """Whether its file is gone and nothing of it is left to do."""
        return self._looked and self._absent_since is not None and not self.waiting and not self._tails()

    def unread_bytes(self, *, look_again: bool = True) -> int:
        """Return how many bytes of the plain files wait to be read. Half a line does not: nothing can be done with it yet.

        ``look_again=False``: as the last poll has seen the live file; a log that is read to its end then costs no system call.
        """
        live, remember = self._live, not look_again
        if remember and live is not None and not self._rotated.tails and live.seen == live.exhausted_at is not None:
            return 0
        unread = 0
        for tail in self._tails():
            if tail.file.compressed or tail.waits:
                continue
            try:
                seen = (remember and tail is live and tail.seen) or tail.file.look()
            except OSError:
                continue  # told as the log's problem where it is read
            if seen != tail.exhausted_at:
                unread += max(0, seen.size - tail.generation.mark.offset)
        return unread if self._live else unread + self._unreadable_bytes()

    def half_line_bytes(self) -> int:
        """Return how many bytes of the live file are a last line that has no end yet."""
        live = self._live
        if live is None:
            return 0
        try:
            return max(0, live.file.look().size - live.generation.mark.offset)
        except OSError:
            return 0

    @property
    def is_unread_unseen(self) -> bool:
        """Whether bytes may wait that ``unread_bytes`` does not count: in a compressed file, or in one that is looked for.

        Also in the copy of a log that was truncated, which only reading finds out about: perhaps after an outage.
        """
        if self._missing or any(tail.file.compressed for tail in self._rotated.tails):
            return True
        live = self._live
        if live is None:
            return False
        try:
            sighting = live.file.look()
        except OSError:
            return True
        return sighting.size < live.generation.mark.offset or live.is_cut(sighting)

    def _unreadable_bytes(self) -> int:
        """Return how much lies in a log that may be looked at and not be read."""
        if not self.denied:
            return 0
        try:
            seen = look(self.path)
        except OSError:
            return 0
        if seen is None:
            return 0
        known = [g.mark.offset for g in self._book.by_identity(seen.identity)]
        return max(0, seen.size - max(known, default=0))

    def poll(self, now: float) -> bool:
        """Look at the live path; find out about rotation and truncation. Return whether there may be something to read."""
        if self._is_idle(now):
            return False
        try:
            sighting = look(self.path)
            if self._must_look_beside(sighting, now):
                self._look_beside(now)
            self._note_absence(sighting, now)
            live = self._live
            if live is not None and sighting is not None and sighting.identity == live.file.identity:
                if live.is_cut(sighting):
                    self._live_changed(now)
                    return True
                live.seen, live.seen_at = sighting, now
                self._note_size(live, sighting)
        except OSError as error:
            self._report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
        return True

    def next_block(self, now: float) -> Block | None:
        """Return the next block, older generations first; None when there is nothing whole to read for now."""
        block = self._rotated.next_block(now)
        if block is None and not self._rotated.busy:
            block = self._read_live(now)
        return block

    def close(self) -> None:
        """Release the files."""
        for tail in self._tails():
            tail.close()

    def _tails(self) -> list[Tail]:
        return [*self._rotated.tails, self._live] if self._live else self._rotated.tails

    def _is_idle(self, now: float) -> bool:
        """Whether all is read, nothing is looked for, and the live file and its neighbours are as they were then."""
        live = self._live
        if live is None or live.exhausted_at is None or not self._looked or self._look is not None:
            return False
        if self._missing or self._rotated.deleted_one or self._rotated.tails or self._twins_beside:
            return False
        if not is_as_before(self.path, live.exhausted_at):
            return False
        if self._version != self._beside.version(self._directories(), now) or self._is_written_late(now):
            return False
        live.seen = live.exhausted_at
        return True

    def _is_written_late(self, now: float) -> bool:
        if now - self._late_at < LATE_SECONDS:
            return False
        self._late_at = now
        late = list(self._rotated.written_late())
        for path in late:
            if (seen := look(path)) is not None:
                self._beside.settled.pop(seen.identity, None)
        self._rotated.deleted_one = self._rotated.deleted_one or bool(late)
        return bool(late)

    def _must_look_beside(self, sighting: Sighting | None, now: float) -> bool:
        return (
            self._look is not None
            or not self._looked
            or bool(self._missing)
            or self._rotated.deleted_one
            or self._is_elsewhere(sighting)
            or self._version != self._beside.version(self._directories(), now)
            or (self._twins_beside and self._finished != self._book.finished)
            or self._is_written_late(now)
        )

    def _is_elsewhere(self, sighting: Sighting | None) -> bool:
        if self._live is not None:
            return sighting is None or sighting.identity != self._live.file.identity
        if sighting is None:
            return False
        if self._twin is None:
            return True
        seen, number, asked_at = self._twin
        reader = self._book.readers.get(number)
        if seen != sighting or reader is None:
            return True
        return reader.exhausted_at is not None and reader.generation.mark.offset != asked_at

    def _note_size(self, live: Tail, sighting: Sighting) -> None:
        """Remember what was seen, so that it is missed when it is gone; of what was not read also how it begins."""
        generation = live.generation
        generation.size_seen = max(generation.size_seen, sighting.size)
        if not generation.mark.offset and generation.file_key is None and sighting.size:
            generation.file_key = key_of(live.file)
            if generation.file_key is not None:
                self._book.seen(generation)

    def _directories(self) -> dict[str, str]:
        if not self._places or os.path.islink(self.path):  # noqa: PTH114 - strings: asked for every log in every turn
            self._places = places_of(self.path, self.settings.archive_directories)
        return self._places

    # Reading

    def _read_live(self, now: float) -> Block | None:
        tail = self._live
        if tail is None:
            return None
        try:
            # A poll in this very turn has looked already: what comes later is seen by the next one.
            sighting = tail.seen if tail.seen is not None and tail.seen_at == now else tail.file.look()
            if sighting == tail.exhausted_at:
                return None
            block = tail.read(final=False)
        except ContentChangedError:
            self._live_changed(now)
            return None
        except OSError as error:
            self._report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
            return None
        self._report(None)
        if block is None and not tail.busy and not tail.waits:
            tail.exhausted_at = sighting
            if sighting.size > tail.generation.mark.offset:
                self._book.changed(tail.generation)  # a half line is known to be there: a gap would have to say so
        return block

    def _live_changed(self, now: float) -> None:
        """Leave a file that was truncated or rewritten: what was unread of it may be in a copy beside it."""
        tail, self._live = self._live, None
        if tail is None:
            return
        tail.close()
        generation = tail.generation
        log.info("%s was truncated or rewritten after byte %d", self.path, generation.mark.offset)
        self._missing.add(generation, now, unread=generation.size_seen > generation.mark.offset)
        self._look = None
        self._look_beside(now)

    # Finding out what is where

    def _look_beside(self, now: float) -> None:
        """Match the files on the disk with the generations of the book, as far as one turn goes."""
        if self._look is None:
            self._look = self._match(now)
        end = time.monotonic() + TURN_SECONDS
        for _ in self._look:
            if time.monotonic() > end:
                return
        self._look = None

    def _match(self, now: float) -> Iterator[None]:
        directories = self._directories()
        self._version, self._finished = self._beside.version(directories, now), self._book.finished
        self._rotated.deleted_one = self._twins_beside = False
        self._retire_live(now)
        if self._live is None:
            self._take_live(now, known_only=True)  # before a copy of it beside it is taken for it
        known = self._live is not None or self._twin is not None
        everything = bool(self._missing) or not self._looked
        candidates = self._beside.candidates(directories, now, everything=everything)
        unknown: list[str] = []
        listed = {candidate.path for candidate in candidates}
        strays = [Candidate(path, related=True) for path in self._strays() if path not in listed]
        for candidate in [*strays, *candidates]:
            if self._rotated.full:
                self._rotated.deleted_one = True  # what is left is opened when one of them is read
                break
            try:
                content = self._take(candidate, now, stray=candidate in strays)
            except FileNotFoundError:
                continue  # renamed since the directory was listed: the next look sees it under its new name
            except (OSError, ValueError, DamagedFileError) as error:
                if candidate.related:
                    log.warning("%s cannot be read: %s", candidate.path, getattr(error, "strerror", None) or error)
                continue
            known = known or (content is not None and content.same is not None)
            if candidate.related and content is not None and content.same is None and content.compared is None:
                unknown.append(candidate.path)
            yield
        for path in unknown:
            self._take_unknown(path, now, ours=known or not self._first or self._looked or self._book.rebuilding)
            yield
        places = {seen.identity: place for place, candidate in enumerate(candidates) if (seen := _look(candidate.path))}
        self._rotated.sort(places)
        if self._live is None:
            self._take_live(now)
        if not self._looked:
            self._miss_what_is_open(now)
            self._looked = True
        self._missing.give_up(now)

    def _retire_live(self, now: float) -> None:
        """Keep reading a file that is no longer at the live path: writers may still have it open."""
        if self._live is not None and self._is_elsewhere(look(self.path)):
            self._rotated.add(self._live, now)
            self._live = None

    def _strays(self) -> list[str]:
        """Return where open generations were last: a symlink's former target, a log that is no longer under its name."""
        known = {self.path, os.path.realpath(self.path)}
        return [
            generation.path
            for generation in self._book.of(self.source)
            if generation.status is Status.OPEN
            and generation.number not in self._book.readers
            and generation.path not in known
            and not self._is_live(generation.path)
        ]

    def _take(self, candidate: Candidate, now: float, *, stray: bool) -> Content | None:
        """Read on from a file beside the log, if it holds something that is to be read. Return what it holds, where asked."""
        path = candidate.path
        seen = look(path)
        if seen is None or self._rotated.is_known_damaged(seen) or self._is_live(path):
            return None
        reader = self._book.open_files.get(seen.identity)
        if reader is not None:
            if reader is not self._live and reader.generation.path != path and reader in self._rotated.tails:
                reader.generation.path = path
                self._book.changed(reader.generation)
            return None
        if self._beside.settled.get(seen.identity) == seen:
            return None
        if not candidate.related and self._beside.unknown.get(seen.identity) == seen:
            return None
        if is_compressed(path) and self._rotated.holds_deleted():
            self._twins_beside = True
            return None  # most likely a copy of what was deleted and is still open here: looked at again when that is closed
        if any(is_settled_as(seen, generation, path) for generation in self._book.by_identity(seen.identity)):
            self._beside.settled[seen.identity] = seen
            return None
        file = open_log(path)
        attached = False
        try:
            content = recognise(file, self._book)
            generation = self._to_read(file, content, candidate, stray=stray)
            if generation is not None:
                self._attach(generation, file, now)
                attached = True
            elif content.same is None and content.compared is None:
                self._beside.unknown[seen.identity] = seen
            elif content.same is not None and content.same.number in self._book.readers:
                self._twins_beside = True  # asked again when the other one is read
            elif content.same is not None and (candidate.related or self._is_ours(content.same)):
                self._beside.settled[seen.identity] = seen
            return content
        finally:
            if not attached:
                file.close()

    def _to_read(self, file: LogFile, content: Content, candidate: Candidate, *, stray: bool) -> Generation | None:
        """Return the generation to read on from a file beside the log; None when there is nothing (more) to read from it."""
        if content.compared is not None:
            if not candidate.related or stray:
                return None
            source = self._book[content.compared.former].source
            return self._book.begin(source, file.path, file.identity, key=content.key, compared=content.compared)
        same = content.same
        if same is None or same.status is Status.SKIPPED or not (candidate.related or self._is_ours(same)):
            return None
        reader = self._book.readers.get(same.number)
        if reader is None:
            return self._rest_of(same, file)
        if file.compressed or reader.exhausted_at is None or not file.read_at(same.mark.offset, 1):
            return None
        # A plain file that is equal up to here and different afterwards goes its own way from here. A compressed one is
        # the copy of the file that is still open, and is looked at again when that one is closed.
        return self._book.begin(same.source, file.path, file.identity, like=same)

    def _is_ours(self, generation: Generation) -> bool:
        return generation.source == self.source or generation.path in {self.path, os.path.realpath(self.path)}

    def _take_unknown(self, path: str, now: float, *, ours: bool) -> None:
        """Begin a generation that came and was rotated between two looks; but what was there before us is not ours."""
        try:
            file = open_log(path)
        except (OSError, ValueError):
            return  # the next look sees where it is
        attached = False
        try:
            content = recognise(file, self._book)  # what was begun meanwhile may be a copy of it
            if content.same is not None or content.compared is not None:
                self._twins_beside = True
                return
            if not ours:
                self._book.skip(self.source, path, file.identity, whole_mark(file), key=content.key)
                return
            if not file.read_at(0, 1):
                return  # empty: should a late writer fill it, the next look finds it
            self._missing.found_unknown(file.look().size)
            self._attach(self._book.begin(self.source, path, file.identity, key=content.key), file, now)
            attached = True
        except (OSError, DamagedFileError) as error:
            log.warning("%s cannot be read: %s", path, error)
        finally:
            if not attached:
                file.close()

    def _rest_of(self, generation: Generation, file: LogFile) -> Generation | None:
        """Return the generation if the file holds more of it than was read, or may yet grow."""
        if generation.status is Status.OPEN or file.read_at(generation.mark.offset, 1):
            return generation
        # Remember where it is now, so that it is not decompressed again at every rotation.
        generation.path, generation.device, generation.inode = file.path, *file.identity
        seen = file.look()
        generation.size_seen = seen.size if file.compressed else generation.mark.offset
        generation.sealed_ns = seen.mtime_ns if file.compressed else 0
        self._book.changed(generation)
        return None

    def _attach(self, generation: Generation, file: LogFile, now: float) -> None:
        if file.compressed or file.look().size > generation.mark.offset:
            log.info("Reading %s from byte %d (source %s)", file.path, generation.mark.offset, generation.source)
        self._rotated.add(self._tail(generation, file, file.path), now)

    def _take_live(self, now: float, *, known_only: bool = False) -> None:
        seen = look(self.path)
        for tail in self._rotated.tails:
            if seen is not None and tail.file.identity == seen.identity:
                self._rotated.tails.remove(tail)  # renamed back
                self._live = tail
                self._report(None)
                return
        try:
            file = open_log(self.path)
        except FileNotFoundError:
            self._twin = None
            return  # told by `_note_absence`
        except OSError as error:
            self._report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
            return
        except ValueError as error:
            self._report(str(error))
            return
        if owner := self._owner_of(file.identity):
            file.close()
            self._report(f"{self.path} is the same file as {owner}, which is followed already", harmless=True)
            return
        attached = False
        try:
            content = recognise(file, self._book, near=tuple(self._book.of(self.source)[-NEAR:]))
            generation = self._known_live(file, content)
            if generation is None and not known_only and self._twin is None:
                generation = self._begin_live(file, content)
            if generation is not None:
                self._report(None)
                self._live = self._tail(generation, file, os.path.realpath(self.path))
                attached = True
        except DamagedFileError as error:
            self._report(f"{self.path} cannot be read: {error}")
        finally:
            if not attached:
                file.close()

    def _known_live(self, file: LogFile, content: Content) -> Generation | None:
        """Return the generation to go on with at the live path, if it holds what is known; note when another file does, too."""
        self._twin = None
        if content.compared is not None:
            return self._book.begin(self.source, self.path, file.identity, key=content.key, compared=content.compared)
        same = content.same
        if same is None or same.status is Status.SKIPPED:
            return None
        reader = self._book.readers.get(same.number)
        if reader is not None:
            if reader.exhausted_at is not None and file.read_at(same.mark.offset, 1):
                return self._book.begin(self.source, self.path, file.identity, like=same)
            self._twin = file.look(), same.number, same.mark.offset
            self._report(f"{self.path} holds the same as {reader.file.path}, which is read already", harmless=True)
            return None
        if (same.source, same.host) == (self.source, self._book.host) or not same.mark.offset:
            return same
        log.warning(
            "%s was read as source %r until byte %d, and is source %r from there on",
            self.path,
            same.source,
            same.mark.offset,
            self.source,
        )
        same.status = Status.CLOSED
        same.size_seen = same.mark.offset  # what follows is not its own to wait for
        self._missing.found(same)
        self._book.changed(same)
        return self._book.begin(self.source, self.path, file.identity, like=same)

    def _begin_live(self, file: LogFile, content: Content) -> Generation:
        generation = self._book.begin(self.source, self.path, file.identity, key=content.key)
        if self._first and not self._looked and self.settings.start == "end" and not self._book.rebuilding:
            skip_to_end(generation, file)
            self._book.changed(generation)
        return generation

    def _tail(self, generation: Generation, file: LogFile, path: str) -> Tail:
        generation.path = path
        generation.device, generation.inode = file.identity
        generation.status = Status.OPEN
        if generation.mark.offset:
            self._book.changed(generation)
        else:
            self._book.seen(generation)
            generation.size_seen = 0 if file.compressed else file.look().size
        self._missing.found(generation)
        tail = Tail(generation, file, self._book, max_line_bytes=self._read.max_line_bytes)
        self._book.opened(tail)
        return tail

    def _miss_what_is_open(self, now: float) -> None:
        """After a restart: every generation that was not read to its end must be in some file."""
        live_paths = {self.path, os.path.realpath(self.path)}
        for generation in list(self._book):
            if (
                generation.status is Status.OPEN
                and self._is_ours(generation)
                and generation.number not in self._book.readers
            ):
                # Of what was live when we stopped nobody knows how much was written afterwards.
                unread = generation.size_seen > generation.mark.offset or generation.path in live_paths
                self._missing.add(generation, now, unread=unread and not self._is_read_as_another(generation))

    def _is_read_as_another(self, generation: Generation) -> bool:
        """Tell whether nothing was read of a generation whose file was read as another one since."""
        identity = FileIdentity(generation.device, generation.inode)
        return not generation.mark.offset and any(g.mark.offset for g in self._book.by_identity(identity))

    def _note_absence(self, sighting: Sighting | None, now: float) -> None:
        """Complain of a log that is not there; of one that was, when it is not made again soon: most likely it was rotated."""
        if sighting is not None:
            self._absent_since = None
            return
        known = bool(self._book.of(self.source))
        self._absent_since = now if self._absent_since is None else self._absent_since
        if not known or self._once or now - self._absent_since >= self._read.missing_grace_seconds:
            self._report(f"{self.path} does not exist", harmless=known)

    def _report(self, problem: str | None, *, denied: bool = False, harmless: bool = False) -> None:
        self.denied, self.harmless = denied, harmless
        problem = problem and shown(problem)
        if problem is not None and problem != self.problem:
            log.warning("%s%s", problem, self._again)
        elif problem is None and self.problem is not None:
            log.info("%s can be read now", self.path)
        self.problem = problem


def is_settled_as(seen: Sighting, generation: Generation, path: str) -> bool:
    """Tell whether a compressed file was looked through before, as it looks now, and nothing of it is left to read."""
    return (
        is_compressed(path)
        and generation.status in {Status.CLOSED, Status.SKIPPED}
        and (generation.size_seen, generation.sealed_ns) == (seen.size, seen.mtime_ns)
    )


def _look(path: str) -> Sighting | None:
    try:
        return look(path)
    except OSError:
        return None
