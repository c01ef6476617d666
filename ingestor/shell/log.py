"""Follow one log through its rotations: the live file, and the rotated generations that are not read to their end.

What happened is read off the disk and off content at every rotation, not remembered from events: which candidate file
(rotated siblings oldest first, then the live file) holds which known generation, and what of them is in no file.
"""

import logging
import os
from collections.abc import Callable, Sequence

from ingestor.core.generation import Generation, Kinship, Status
from ingestor.core.rotation import is_compressed
from ingestor.settings import LogSettings, ReadSettings
from ingestor.shell.book import Book
from ingestor.shell.files import DamagedFileError, FileIdentity, LogFile, Sighting, is_as_before, look, open_log
from ingestor.shell.missing import Missing
from ingestor.shell.recognition import best_match, is_prefix, is_settled, siblings, whole_mark
from ingestor.shell.rotated import Rotated
from ingestor.shell.tail import Block, ContentChangedError, Tail, skip_to_end

log = logging.getLogger("tokentail")

ONCE_GRACE_SECONDS = 1.0
"""`--once` waits no longer than this for a file that is being compressed or moved."""


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
        once: bool = False,
        owner_of: Callable[[FileIdentity], str | None] = lambda _: None,
        left: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """Follow a path; nothing is opened yet.

        ``owner_of`` names another live path that is the same file (a hard link); such a log is not read twice.
        ``left`` gives the known sources that no log has any more.
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
        self._book = book
        self._owner_of = owner_of
        self._left = left
        self._live: Tail | None = None
        self._missing = Missing(book)
        self._rotated = Rotated(book, self._missing)
        self.reload(settings, read)
        self._first_look: bool | None = None
        self._looked = False
        self._absent_since: float | None = None

    def reload(self, settings: LogSettings, read: ReadSettings) -> None:
        """Go on with other settings."""
        self._again = "" if self._once else f"; trying again every {read.poll_interval_seconds:g} s"
        self.settings = settings
        self._read = read
        grace = read.missing_grace_seconds
        self._missing.grace_seconds = min(grace, ONCE_GRACE_SECONDS) if self._once else grace
        self._rotated.quiet_seconds = 0.0 if self._once else read.rotated_quiet_seconds

    @property
    def live_identity(self) -> FileIdentity | None:
        """The file that is open as the live one."""
        return self._live.file.identity if self._live else None

    @property
    def waiting(self) -> bool:
        """Whether a remainder is looked for, so that `--once` must not end yet."""
        return bool(self._missing)

    def unread_bytes(self, *, look_again: bool = True) -> int:
        """Return how many bytes of the plain files wait to be read. Half a line does not: nothing can be done with it yet.

        ``look_again=False``: as the last poll has seen the live file; a log that is read to its end then costs no system call.
        """
        live, remember = self._live, not look_again
        if remember and live is not None and not self._rotated.tails and live.seen == live.exhausted_at is not None:
            return 0
        plain = [
            (tail, (remember and tail is live and tail.seen) or tail.file.look())
            for tail in self._tails()
            if not tail.file.compressed
        ]
        unread = sum(
            max(0, seen.size - tail.generation.mark.offset) for tail, seen in plain if seen != tail.exhausted_at
        )
        return unread if self._live else unread + self._unreadable_bytes()

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
        sighting = live.file.look()
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
        known = [g.mark.offset for g in self._book.of(self.source) if (g.device, g.inode) == seen.identity]
        return max(0, seen.size - max(known, default=0))

    def poll(self, now: float) -> bool:
        """Look at the live path; find out about rotation and truncation. Return whether there may be something to read."""
        if self._is_idle():
            return False
        try:
            sighting = look(self.path)
            if not self._looked or self._missing or self._rotated.deleted_one or self._is_elsewhere(sighting):
                self._reconcile(now)
            self._note_absence(sighting, now)
            live = self._live
            if live is not None and sighting is not None and sighting.identity == live.file.identity:
                if live.is_cut(sighting):
                    self._live_changed(now)
                    return True
                live.seen, live.seen_at = sighting, now
                live.generation.size_seen = max(live.generation.size_seen, sighting.size)
        except OSError as error:
            self._report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
        return True

    def next_block(self, now: float) -> Block | None:
        """Return the next block, older generations first; None when there is nothing whole to read for now."""
        return self._rotated.next_block(now) or self._read_live(now)

    def close(self) -> None:
        """Release the files."""
        for tail in self._tails():
            tail.file.close()

    def _tails(self) -> list[Tail]:
        return [*self._rotated.tails, self._live] if self._live else self._rotated.tails

    def _is_idle(self) -> bool:
        """Whether all is read, nothing is looked for, and the live file is as it was then."""
        live = self._live
        if live is None or live.exhausted_at is None or not self._looked:
            return False
        if self._missing or self._rotated.deleted_one or self._rotated.tails:
            return False
        if not is_as_before(self.path, live.exhausted_at):
            return False
        live.seen = live.exhausted_at
        return True

    def _is_elsewhere(self, sighting: Sighting | None) -> bool:
        if self._live is None:
            return sighting is not None
        return sighting is None or sighting.identity != self._live.file.identity

    # Reading

    def _read_live(self, now: float) -> Block | None:
        tail = self._live
        if tail is None:
            return None
        # A poll in this very turn has looked already: what comes later is seen by the next one.
        sighting = tail.seen if tail.seen is not None and tail.seen_at == now else tail.file.look()
        if sighting == tail.exhausted_at:
            return None
        try:
            block = tail.read(final=False)
        except ContentChangedError:
            self._live_changed(now)
            return None
        except OSError as error:
            self._report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
            return None
        if block is None:
            tail.exhausted_at = sighting
            if sighting.size > tail.generation.mark.offset:
                self._book.changed(tail.generation)  # a half line is known to be there: a gap would have to say so
            return None
        self._book.changed(block.generation)
        return block

    def _live_changed(self, now: float) -> None:
        """Leave a file that was truncated or rewritten: what was unread of it may be in a copy beside it."""
        tail, self._live = self._live, None
        if tail is None:
            return
        tail.file.close()
        generation = tail.generation
        log.info("%s was truncated or rewritten after byte %d", self.path, generation.mark.offset)
        self._missing.add(generation, now, unread=generation.size_seen > generation.mark.offset)
        self._reconcile(now)

    # Finding out what is where

    def _reconcile(self, now: float) -> None:
        """Match the files on the disk with the generations of the book."""
        if self._first_look is None:
            self._first_look = self._book.first_look(self.source)
        self._rotated.deleted_one = False
        self._retire_live(now)
        if self._live is None:
            self._take_live(known_only=True)  # before a copy of it beside it is taken for it
        candidates = siblings(self.path, self.settings.archive_directories)
        for path in [*self._strays(candidates), *candidates]:
            try:
                self._take_sibling(path, now, stray=path not in candidates)
            except FileNotFoundError:
                continue  # renamed since the directory was listed: the next look sees it under its new name
            except (OSError, ValueError, DamagedFileError) as error:
                log.warning("%s cannot be read: %s", path, error)
        places = {seen.identity: place for place, path in enumerate(candidates) if (seen := look(path))}
        self._rotated.sort(places)
        if self._live is None:
            self._take_live()
        if not self._looked:
            self._miss_what_is_open(now)
            self._looked = True
        self._missing.give_up(now)

    def _retire_live(self, now: float) -> None:
        """Keep reading a file that is no longer at the live path: writers may still have it open."""
        if self._live is not None and self._is_elsewhere(look(self.path)):
            self._rotated.add(self._live, now)
            self._live = None

    def _strays(self, candidates: list[str]) -> list[str]:
        """Return where open generations were last: a symlink's former target, a log that is no longer under its name."""
        known = {*candidates, self.path, os.path.realpath(self.path)}
        attached = {tail.generation.number for tail in self._tails()}
        return [
            generation.path
            for generation in self._book.of(self.source)
            if generation.status is Status.OPEN and generation.number not in attached and generation.path not in known
        ]

    def _take_sibling(self, path: str, now: float, *, stray: bool) -> None:
        seen = look(path)
        if seen is None or self._rotated.is_known_damaged(seen):
            return
        for tail in self._tails():
            if tail.file.identity == seen.identity:
                if tail is not self._live and tail.generation.path != path:
                    tail.generation.path = path
                    self._book.changed(tail.generation)
                return
        if is_compressed(path) and self._rotated.holds_deleted():
            return  # most likely a copy of what was deleted and is still open here: looked at again when that is closed
        file = open_log(path)
        attached = False
        try:
            generation = self._recognise(file, stray=stray)
            if generation is not None:
                self._attach(generation, file, now)
                attached = True
        finally:
            if not attached:
                file.close()

    def _recognise(self, file: LogFile, *, stray: bool) -> Generation | None:
        """Return the generation to read on from a rotated file; None when there is nothing (more) to read from it."""
        known = self._book.of(self.source)
        attached = {tail.generation.number: tail for tail in self._tails()}
        if any(is_settled(file, generation) for generation in known) or any(
            is_prefix(file, tail.file) for tail in attached.values()
        ):
            return None
        match = best_match(file, known)
        if match is None:
            return None if stray else self._unknown(file)
        generation, kin = match
        if kin is Kinship.SHORTER or generation.status is Status.SKIPPED:
            return None
        if generation.number not in attached:
            return self._rest_of(generation, file)
        # A plain file that is equal up to here and different afterwards goes its own way from here. A compressed one is
        # the copy of the file that is still open, and is looked at again when that one is closed.
        more = not file.compressed and file.read_at(generation.mark.offset, 1)
        return self._book.begin(self.source, file.path, file.identity, like=generation) if more else None

    def _unknown(self, file: LogFile) -> Generation | None:
        """Begin a generation that came and was rotated between two looks; but what was there before us is not ours."""
        if self._first_look and not self._looked and not self._book.rebuilding:
            self._book.skip(self.source, file.path, file.identity, whole_mark(file))
            return None
        if not file.read_at(0, 1):
            return None  # empty: should a late writer fill it, the next look finds it
        return self._book.begin(self.source, file.path, file.identity)

    def _rest_of(self, generation: Generation, file: LogFile) -> Generation | None:
        """Return the generation if the file holds more of it than was read, or may yet grow."""
        if generation.status is Status.OPEN or file.read_at(generation.mark.offset, 1):
            return generation
        # Remember where it is now, so that it is not decompressed again at every rotation.
        generation.path, generation.device, generation.inode = file.path, *file.identity
        generation.size_seen = generation.mark.offset
        self._book.changed(generation)
        return None

    def _attach(self, generation: Generation, file: LogFile, now: float) -> None:
        if file.compressed or file.look().size > generation.mark.offset:
            log.info("Reading %s from byte %d (source %s)", file.path, generation.mark.offset, self.source)
        self._rotated.add(self._tail(generation, file, file.path), now)

    def _take_live(self, *, known_only: bool = False) -> None:
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
        self._report(None)
        generation = self._recognise_live(file)
        if generation is None and known_only:
            file.close()
            return
        if generation is None:
            generation = self._begin_live(file)
        self._live = self._tail(generation, file, os.path.realpath(self.path))

    def _recognise_live(self, file: LogFile) -> Generation | None:
        """Return the known generation at the live path. Equal content is equal points, whatever the inode says."""
        known = [generation for generation in self._book.of(self.source) if generation.status is not Status.SKIPPED]
        match = best_match(file, known)
        if match is None or match[1] is not Kinship.SAME:
            return None
        generation = match[0]
        if generation.number in {tail.generation.number for tail in self._tails()}:
            return self._book.begin(self.source, file.path, file.identity, like=generation)
        return generation

    def _begin_live(self, file: LogFile) -> Generation:
        if (former := self._former(file)) is not None:
            log.warning(
                "%s was read as source %r until byte %d, and is source %r from there on",
                self.path,
                former.source,
                former.mark.offset,
                self.source,
            )
            former.status = Status.CLOSED
            former.size_seen = former.mark.offset  # what follows is not its own to wait for
            self._book.changed(former)
            return self._book.begin(self.source, self.path, file.identity, like=former)
        generation = self._book.begin(self.source, self.path, file.identity)
        if self._first_look and not self._looked and self.settings.start == "end" and not self._book.rebuilding:
            skip_to_end(generation, file)
            self._book.changed(generation)
        return generation

    def _former(self, file: LogFile) -> Generation | None:
        """Return what the file was read as under a source that no log has any more: somebody has renamed the source."""
        if not self._first_look or self._looked:
            return None
        generations = (g for source in self._left() for g in self._book.of(source))
        known = [g for g in generations if g.status is Status.OPEN and (g.device, g.inode) == file.identity]
        match = best_match(file, known)
        return match[0] if match is not None and match[1] is Kinship.SAME else None

    def _tail(self, generation: Generation, file: LogFile, path: str) -> Tail:
        generation.path = path
        generation.device, generation.inode = file.identity
        generation.status = Status.OPEN
        if generation.mark.offset:
            self._book.changed(generation)
        self._missing.found(generation)
        return Tail(generation, file, max_line_bytes=self._read.max_line_bytes)

    def _miss_what_is_open(self, now: float) -> None:
        """After a restart: every generation that was not read to its end must be in some file."""
        attached = {tail.generation.number for tail in self._tails()}
        live_paths = {self.path, os.path.realpath(self.path)}
        for generation in self._book.of(self.source):
            if generation.status is Status.OPEN and generation.number not in attached:
                # Of what was live when we stopped nobody knows how much was written afterwards.
                unread = generation.size_seen > generation.mark.offset or generation.path in live_paths
                self._missing.add(generation, now, unread=unread)

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
        if problem is not None and problem != self.problem:
            log.warning("%s%s", problem, self._again)
        elif problem is None and self.problem is not None:
            log.info("%s can be read now", self.path)
        self.problem = problem
