"""Where one followed log is: its live path, its source, what the settings say of it, and what was found wrong there."""

import fnmatch
import logging
import os
from collections.abc import Callable, Collection
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from ingestor.config.path_patterns import matches
from ingestor.config.settings import LogSettings, ReadSettings
from ingestor.model.generation import Generation
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.model.rotation_names import may_be_live
from ingestor.sources.file.beside import places_of
from ingestor.sources.file.reader import GenerationReader
from ingestor.state.generations import Generations

log = logging.getLogger("tokentail")


class Part(Enum):
    """What of a log a problem is about."""

    PATH = "what is at the live path"
    CONTENT = "what is in the live file"
    PAST = "a file beside it"
    ROTATED = "a rotated file that is open"


class _Problem(NamedTuple):
    what: str
    denied: bool
    harmless: bool


class Place:
    """Shared by those who look at a log: at the live file (``sources.file.live``) and at its past (``sources.file.past``)."""

    def __init__(
        self,
        path: str,
        source: str,
        settings: LogSettings,
        read: ReadSettings,
        generations: Generations,
        *,
        once: bool = False,
        first: bool = True,
        owner_of: Callable[[FileIdentity], str | None] = lambda _: None,
        is_live: Callable[[str], bool] = lambda _: False,
        note_stranger: Callable[[LogFile, FileStat, LogSettings], None] = lambda *_: None,
    ) -> None:
        """``first``: it was never looked at before, so what was rotated here is not ours.

        ``owner_of`` names another live path that is the same file (a hard link); such a log is not read twice. ``is_live``
        tells the live paths of all logs. ``note_stranger``: told of a file beside it that nobody knows, with the log's settings.
        """
        self.path = path
        self.source = source
        self.generations = generations
        self.once = once
        self.first = first
        self.owner_of = owner_of
        self.is_live = is_live
        self.note_stranger = note_stranger
        self.looked = False
        """Whether all that lay here at the start was looked at."""
        self._problems: dict[Part, _Problem] = {}
        self.reload(settings, read)

    @property
    def problem(self) -> str | None:
        """What keeps the log, or a part of it, from being read now."""
        return "; ".join(problem.what for problem in self._problems.values()) or None

    @property
    def denied(self) -> bool:
        """Whether a missing permission is among that."""
        return any(problem.denied for problem in self._problems.values())

    @property
    def harmless(self) -> bool:
        """Whether nothing can be unread for it."""
        return all(problem.harmless for problem in self._problems.values())

    def reload(self, settings: LogSettings, read: ReadSettings) -> None:
        """Go on with other settings."""
        self.settings, self.read = settings, read
        self._again = "" if self.once else f"; trying again every {read.poll_interval_seconds:g} s"
        self._directories: dict[str, str] = {}

    @property
    def is_ours_from_the_start(self) -> bool:
        """Whether what lies here unknown came while it was looked after, or is to be read after a loss of the state."""
        return not self.first or self.looked or self.generations.rebuilding

    def directories(self) -> dict[str, str]:
        """Return the directories where the log's past may be, each with the log's name there."""
        if not self._directories or os.path.islink(self.path):  # noqa: PTH114 - strings: asked for every log in every turn
            self._directories = places_of(self.path, self.settings.archive_directories)
        return self._directories

    def live_paths(self) -> set[str]:
        """Return the live path, also without what means nothing in it (``//``), and as what it links to."""
        return {self.path, str(Path(self.path)), os.path.realpath(self.path)}

    def has(self, generation: Generation, live_paths: Collection[str] = ()) -> bool:
        """Tell whether a generation is this log's: by its source, or since its file was here when it was last seen.

        Also one of a file that the same glob matches and that is there no more: that of yesterday. ``live_paths``: those of
        this log, where many are asked for.
        """
        path = generation.path
        if generation.source == self.source or path in (live_paths or self.live_paths()):
            return True
        pattern = self.settings.path  # of a log that is named, it is no pattern, whatever characters are in it
        return pattern != self.path != path and fnmatch.fnmatch(path, pattern) and not self.is_live(path)

    def may_be_live(self, path: str) -> bool:
        """Tell whether a file that may be this log's past may be a live log as well: the glob matches it, and its name ends alike."""
        pattern = self.settings.path
        return pattern != self.path and may_be_live(self.path, path) and matches(pattern, path)

    def reader(self, generation: Generation, file: LogFile, path: str) -> GenerationReader:
        """Begin to read a generation from a file. Raises OSError, sqlite3.Error."""
        generation.path = path
        generation.device, generation.inode = file.identity
        if generation.position.offset:
            self.generations.changed(generation)
        else:
            self.generations.seen(generation)
            generation.size_seen = 0 if file.compressed else file.stat().size
        reader = GenerationReader(generation, file, self.generations, max_line_bytes=self.read.max_line_bytes)
        self.generations.opened(reader)
        return reader

    def report(
        self, problem: str | None, *, part: Part = Part.PATH, denied: bool = False, harmless: bool = False
    ) -> None:
        """Tell what keeps a part of the log from being read, or that nothing does (any more)."""
        former = self._problems.pop(part, None)
        if problem is not None:
            found = self._problems[part] = _Problem(shown(problem), denied=denied, harmless=harmless)
            if former is None or former.what != found.what:
                log.warning("%s%s", found.what, self._again)
        elif former is not None:
            log.info("%s can be read now", self.path)

    def report_error(self, error: OSError, *, part: Part = Part.PATH) -> None:
        """Tell that the live file cannot be looked at or read."""
        denied = isinstance(error, PermissionError)
        self.report(f"{self.path} cannot be read: {error.strerror}", part=part, denied=denied)
