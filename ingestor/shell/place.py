"""Where one followed log is: its live path, its source, what the settings say of it, and what was found wrong there."""

import fnmatch
import logging
import os
from collections.abc import Callable

from ingestor.core.generation import Generation
from ingestor.settings import LogSettings, ReadSettings
from ingestor.shell.beside import places_of
from ingestor.shell.book import Book
from ingestor.shell.files import FileIdentity, LogFile, shown
from ingestor.shell.tail import Tail

log = logging.getLogger("tokentail")


class Place:
    """Shared by those who look at a log: at the live file (``shell.live``) and at its past (``shell.past``)."""

    def __init__(
        self,
        path: str,
        source: str,
        settings: LogSettings,
        read: ReadSettings,
        book: Book,
        *,
        once: bool = False,
        first: bool = True,
        owner_of: Callable[[FileIdentity], str | None] = lambda _: None,
        is_live: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """``first``: it was never looked at before, so what was rotated here is not ours.

        ``owner_of`` names another live path that is the same file (a hard link); such a log is not read twice. ``is_live``
        tells the live paths of all logs.
        """
        self.path = path
        self.source = source
        self.book = book
        self.once = once
        self.first = first
        self.owner_of = owner_of
        self.is_live = is_live
        self.looked = False
        """Whether all that lay here at the start was looked at."""
        self.problem: str | None = None
        """What keeps the log from being read now."""
        self.denied = False
        """Whether that is a missing permission."""
        self.harmless = False
        """Whether nothing can be unread for it."""
        self.reload(settings, read)

    def reload(self, settings: LogSettings, read: ReadSettings) -> None:
        """Go on with other settings."""
        self.settings, self.read = settings, read
        self._again = "" if self.once else f"; trying again every {read.poll_interval_seconds:g} s"
        self._directories: dict[str, str] = {}

    @property
    def is_ours_from_the_start(self) -> bool:
        """Whether what lies here unknown came while it was looked after, or is to be read after a loss of the state."""
        return not self.first or self.looked or self.book.rebuilding

    def directories(self) -> dict[str, str]:
        """Return the directories where the log's past may be, each with the log's name there."""
        if not self._directories or os.path.islink(self.path):  # noqa: PTH114 - strings: asked for every log in every turn
            self._directories = places_of(self.path, self.settings.archive_directories)
        return self._directories

    def live_paths(self) -> set[str]:
        """Return the live path, also as what it links to."""
        return {self.path, os.path.realpath(self.path)}

    def has(self, generation: Generation) -> bool:
        """Tell whether a generation is this log's: by its source, or since its file was here when it was last seen.

        Also one of a file that the same glob matches and that is there no more: that of yesterday.
        """
        path = generation.path
        if generation.source == self.source or path in self.live_paths():
            return True
        pattern = self.settings.path  # of a log that is named, it is no pattern, whatever characters are in it
        return pattern != self.path != path and fnmatch.fnmatch(path, pattern) and not self.is_live(path)

    def tail(self, generation: Generation, file: LogFile, path: str) -> Tail:
        """Begin to read a generation from a file. Raises OSError, sqlite3.Error."""
        generation.path = path
        generation.device, generation.inode = file.identity
        if generation.mark.offset:
            self.book.changed(generation)
        else:
            self.book.seen(generation)
            generation.size_seen = 0 if file.compressed else file.look().size
        tail = Tail(generation, file, self.book, max_line_bytes=self.read.max_line_bytes)
        self.book.opened(tail)
        return tail

    def report(self, problem: str | None, *, denied: bool = False, harmless: bool = False) -> None:
        """Tell what keeps the log from being read, or that nothing does (any more)."""
        self.denied, self.harmless = denied, harmless
        problem = problem and shown(problem)
        if problem is not None and problem != self.problem:
            log.warning("%s%s", problem, self._again)
        elif problem is None and self.problem is not None:
            log.info("%s can be read now", self.path)
        self.problem = problem

    def report_error(self, error: OSError) -> None:
        """Tell that the live file cannot be looked at or read."""
        self.report(f"{self.path} cannot be read: {error.strerror}", denied=isinstance(error, PermissionError))
