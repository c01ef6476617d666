"""Follow one log through its rotations: the live file, and the rotated generations that are not read to their end.

What happened is read off the disk and off content, not remembered from events: which file beside the log (rotated ones,
copies, what lies in the archive, oldest first, then the live file) holds which known generation, and what of them is in
no file.
"""

import logging
import time
from collections.abc import Iterator
from typing import Final

from ingestor.config.settings import LogSettings, ReadSettings
from ingestor.model.generation import Generation
from ingestor.model.log_file import FileIdentity, FileStat
from ingestor.sources.block import Block
from ingestor.sources.file.beside import Beside
from ingestor.sources.file.files import ContentChangedError, DamagedFileError, is_as_before, stat_file
from ingestor.sources.file.live import LiveFile
from ingestor.sources.file.past import Past
from ingestor.sources.file.place import Place
from ingestor.sources.file.reader import GenerationReader
from ingestor.sources.file.transitions import Action, Seen, State, transition
from ingestor.sources.file.unread import Unread

log = logging.getLogger("tokentail")

ONCE_GRACE_SECONDS: Final = 1.0
"""`--once` waits no longer than this for a file that is being compressed or moved."""
TURN_SECONDS: Final = 0.2
"""How long files beside a log are looked at before it is another's turn."""
LATE_SECONDS: Final = 10.0
"""How often files that were closed lately are looked at: a writer may still have them open."""


class LogTailer:
    """One live path with its past. ``poll`` looks at the disk, ``next_block`` reads. Times are monotonic seconds."""

    def __init__(self, place: Place, beside: Beside | None = None) -> None:
        """Follow what is at a place; nothing is opened yet."""
        self.path, self.source = place.path, place.source
        self._place = place
        self._generations = place.generations
        self._beside = beside or Beside()
        self._live = LiveFile(place)
        self._past = Past(place, self._beside)
        self._unread = Unread(place, self._live, self._past.rotated, self._past.missing)
        self._look: Iterator[None] | None = None
        """A look at what is beside the log that is under way; it may take many turns."""
        self._missed = False
        self._version = -1
        self._finished = -1
        self._late_at = float("-inf")
        self._absent_since: float | None = None
        self.reload(place.settings, place.read)

    def reload(self, settings: LogSettings, read: ReadSettings) -> None:
        """Go on with other settings."""
        self._place.reload(settings, read)
        once, grace = self._place.once, read.missing_grace_seconds
        self._past.missing.grace_seconds = min(grace, ONCE_GRACE_SECONDS) if once else grace
        self._past.rotated.quiet_seconds = 0.0 if once else read.rotated_quiet_seconds

    @property
    def settings(self) -> LogSettings:
        """What the configuration says of it."""
        return self._place.settings

    @property
    def problem(self) -> str | None:
        """What keeps the log, or a rotated file of it, from being read now."""
        return self._place.problem

    @property
    def denied(self) -> bool:
        """Whether that is a missing permission."""
        return self._place.denied

    @property
    def harmless(self) -> bool:
        """Whether nothing can be unread for it."""
        return self._place.harmless

    @property
    def live_identity(self) -> FileIdentity | None:
        """The file that is open as the live one."""
        return self._live.reader.file.identity if self._live.reader else None

    @property
    def waiting(self) -> bool:
        """Whether something is looked for or waited for, so that `--once` must not end yet."""
        unknown = bool(self._past.missing) or self._past.candidates.is_undecided
        return unknown or self._look is not None or any(reader.waits for reader in self._readers())

    @property
    def busy(self) -> bool:
        """Whether reading goes on in the next turn, though this one brought no block."""
        live = self._live.reader
        return self._look is not None or (live is not None and live.busy) or self._past.rotated.busy

    @property
    def is_done_with(self) -> bool:
        """Whether its file is gone and nothing of it is left to do."""
        return self._missed and self._absent_since is not None and not self.waiting and not self._readers()

    @property
    def looked(self) -> bool:
        """Whether all that lay here at the start was looked at."""
        return self._place.looked

    @property
    def looking(self) -> bool:
        """Whether a look at what is beside it is under way."""
        return self._look is not None

    def miss_what_is_open(self, now: float) -> None:
        """Look, once after a start, for what no log has found when all of them had looked."""
        if self._place.looked and not self._missed:
            self._missed = True
            self._past.unfinished.miss_what_is_open(now)

    def has(self, generation: Generation) -> bool:
        """Tell whether a generation is this log's, by source or path."""
        return self._place.has(generation)

    def unread_bytes(self, *, look_again: bool = True) -> int:
        """Return how many bytes of the plain files wait to be read (``unread.Unread``)."""
        return self._unread.unread_bytes(look_again=look_again)

    def half_line_bytes(self) -> int:
        """Return how many bytes of the live file are a last line that has no end yet."""
        return self._unread.half_line_bytes()

    @property
    def is_unread_unseen(self) -> bool:
        """Whether bytes may wait that ``unread_bytes`` does not count."""
        return self._unread.is_more_unseen

    def poll(self, now: float) -> bool:
        """Look at the live path; find out about rotation and truncation. Return whether there may be something to read."""
        if self._is_idle(now):
            return False
        try:
            sighting = stat_file(self.path)
            self._act(self._look_at_live(sighting), now)
            self._note_absence(sighting, now)
            if self._live.state is State.LIVE and sighting is not None and self._live.where(sighting) is Seen.SAME:
                self._place.report(None)
                self._live.note(sighting, now)
        except OSError as error:
            self._place.report_error(error)
        except DamagedFileError as error:
            self._place.report(str(error))
        return True

    def next_block(self, now: float) -> Block | None:
        """Return the next block, older generations first; None when there is nothing whole to read for now."""
        end = time.monotonic() + TURN_SECONDS
        block = self._past.rotated.next_block(now)
        while block is None and not self._past.rotated.busy and self._goes_on_beside(now) and time.monotonic() < end:
            block = self._past.rotated.next_block(now)
        if block is not None or self._past.rotated.busy:
            return block
        try:
            return self._live.read(now)
        except ContentChangedError:
            self._act(Seen.CUT, now)
            return None

    def _goes_on_beside(self, now: float) -> bool:
        return self._look is None and self._past.go_on(now)

    def close(self) -> None:
        """Release the files."""
        for reader in self._readers():
            reader.close()

    def _readers(self) -> list[GenerationReader]:
        live = self._live.reader
        return [*self._past.rotated.readers, live] if live else self._past.rotated.readers

    def _is_idle(self, now: float) -> bool:
        """Whether all is read, nothing is looked for, and the live file and its neighbours are as they were then."""
        live, past = self._live.reader, self._past
        if live is None or live.read_to_end_at is None or not self._place.looked or self._look is not None:
            return False
        if self._place.problem is not None:
            return False
        if (
            past.missing
            or past.rotated.deleted_one
            or past.rotated.readers
            or past.candidates.has_twins
            or past.candidates.unreadable.failed
        ):
            return False
        if not is_as_before(self.path, live.read_to_end_at) or self._has_news_beside(now):
            return False
        live.seen = live.read_to_end_at
        return True

    def _has_news_beside(self, now: float) -> bool:
        if self._version != self._beside.version(self._place.directories(), now):
            return True
        if now - self._late_at < LATE_SECONDS:
            return False
        self._late_at = now
        return self._past.is_written_late()

    def _look_at_live(self, sighting: FileStat | None) -> Seen:
        """Return what is seen at the live path. Raises OSError."""
        seen, live = self._live.where(sighting), self._live.reader
        is_cut = live is not None and sighting is not None and seen is Seen.SAME and live.is_cut(sighting)
        return Seen.CUT if is_cut else seen

    def _act(self, seen: Seen, now: float) -> None:
        """Do what the table says of the live path. What is cut comes before a copy of it is taken for another way it goes."""
        action, _ = transition(self._live.state, seen)
        if action is Action.MISS:
            self._miss_live(now)
        elif action in {Action.ROTATE, Action.TAKE} or self._must_look_beside(now):
            self._look_beside(now)

    def _must_look_beside(self, now: float) -> bool:
        """Tell whether what lies beside the log is to be asked, whatever is at the live path."""
        past = self._past
        return (
            self._look is not None
            or not self._place.looked
            or bool(past.missing)
            or past.rotated.deleted_one
            or past.candidates.unreadable.failed
            or past.candidates.is_undecided
            or (past.candidates.has_twins and self._finished != self._generations.finished)
            or self._has_news_beside(now)
        )

    def _miss_live(self, now: float) -> None:
        """Leave a file that was truncated or rewritten: what was unread of it may be in a copy beside it."""
        reader = self._live.release()
        if reader is None:
            return
        reader.close()
        generation = reader.generation
        log.info("%s was truncated or rewritten after byte %d", self.path, generation.position.offset)
        self._past.missing.add(generation, now, unread=generation.size_seen > generation.position.offset)
        self._look = None
        self._look_beside(now)

    def _look_beside(self, now: float) -> None:
        """Match the files on the disk with the known generations, as far as one turn goes."""
        if self._look is None:
            self._look = self._match(now)
        end = time.monotonic() + TURN_SECONDS
        for _ in self._look:
            if time.monotonic() > end:
                return
        self._look = None

    def _match(self, now: float) -> Iterator[None]:
        self._version = self._beside.version(self._place.directories(), now)
        self._finished = self._generations.finished
        live = self._live.reader
        if live is not None and transition(State.LIVE, self._live.where(stat_file(self.path))).action is Action.ROTATE:
            self._past.rotated.add(live, now)  # writers may still have it open
            self._live.release()
        if self._live.reader is None:
            self._take_live(now, known_only=True)  # before a copy of it beside it is taken for it
        yield from self._past.look(now, known=self._live.is_known)
        if self._live.reader is None:
            self._take_live(now)
        self._place.looked = True
        self._past.give_up(now)

    def _take_live(self, now: float, *, known_only: bool = False) -> None:
        generation = self._live.take(self._past.rotated.readers, known_only=known_only)
        if generation is not None:
            self._past.missing.found(generation)
            self._past.unfinished.miss_predecessors(generation, now)

    def _note_absence(self, sighting: FileStat | None, now: float) -> None:
        """Complain of a log that is not there; of one that was, when it is not made again soon: most likely it was rotated."""
        if sighting is not None:
            self._absent_since = None
            return
        known = bool(self._generations.of(self.source))
        self._absent_since = now if self._absent_since is None else self._absent_since
        if not known or self._place.once or now - self._absent_since >= self._place.read.missing_grace_seconds:
            self._place.report(f"{self.path} does not exist", harmless=known)
