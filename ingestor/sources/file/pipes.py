"""The logs that are pipes: each is copied into a spool in the state directory, and that is followed in its place."""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from ingestor.config.settings import STDIN, LogSettings, Settings
from ingestor.model.generation import Generation, Match, Status
from ingestor.model.log_file import LogFile, shown
from ingestor.model.trail import line_digests
from ingestor.model.words import counted
from ingestor.sources.contract import Progress
from ingestor.sources.file.files import DamagedFileError, open_log
from ingestor.sources.file.matching import kinship
from ingestor.sources.file.recognition import COMPARED_BYTES, recognise
from ingestor.sources.file.spool import Spool, ends, is_pipe, spool_name
from ingestor.state.generations import Generations
from ingestor.state.own_files import SPOOL

log = logging.getLogger("tokentail")

LOOK_SECONDS: Final = 5.0
"""How often it is looked whether a log that was named has become a pipe."""
ACKNOWLEDGE_SECONDS: Final = 0.5
"""How often it is looked how far the segments are read."""

UNREADABLE: Final = (OSError, ValueError, DamagedFileError, sqlite3.Error)
"""What looking at a segment may raise."""


class _Read(NamedTuple):
    """When a segment was found read: bytes that were accepted and acknowledged by then."""

    accepted: int
    acknowledged: int


class Pipes:
    """All pipes that are followed. They outlive the daemon that is made anew for other settings."""

    def __init__(self, state_directory: Path, *, once: bool = False) -> None:
        self.directory = state_directory / SPOOL
        self.wake: Callable[[], None] = lambda: None
        """Called, from whatever thread, when a pipe is over."""
        self._once = once
        self._spools: dict[str, Spool] = {}
        self._settings = Settings()
        self._looked_at = self._acknowledged_at = float("-inf")
        self._read: dict[Path, _Read] = {}

    def follow(self, settings: Settings) -> Settings:
        """Follow the pipes of these settings, and no others. Return the settings with spools in the pipes' places."""
        self._settings = settings
        named = {entry.path for entry in settings.logs if self._is_pipe(entry.path)}
        for path in self._spools.keys() - named:
            self._spools.pop(path).stop()
        for path in sorted(named - self._spools.keys()):
            spool = Spool(path, self.directory / spool_name(path), once=self._once, wake=self._ended)
            self._spools[path] = spool
            spool.start()
        return replace(settings, logs=tuple(map(self._in_place, settings.logs)))

    def begin(self, generations: Generations) -> None:
        """Have all segments be read, also those that were there before the first look at them; tell of what nobody reads."""
        for spool in self._spools.values():
            generations.follow(str(spool.file))
        self._tell_of_what_is_left(generations)

    def has_news(self, now: float) -> bool:
        """Tell whether a log that was named has become a pipe. ``now``: monotonic seconds."""
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        return any(entry.path not in self._spools and is_pipe(entry.path) for entry in self._settings.logs)

    def follow_again(self) -> Settings:
        """Follow the pipes as they are named now."""
        return self.follow(self._settings)

    @property
    def files(self) -> list[str]:
        """The newest segments, which are followed: all that is in them, and beside them, is ours."""
        return [str(spool.file) for spool in self._spools.values()]

    @property
    def problems(self) -> list[str]:
        """What keeps pipes from being read."""
        return [spool.problem for spool in self._spools.values() if spool.problem]

    @property
    def ended(self) -> bool:
        """Whether every pipe is over: nothing more comes."""
        return all(spool.ended for spool in self._spools.values())

    @property
    def alone(self) -> bool:
        """Whether nothing but pipes that end is followed."""
        return bool(self._spools) and all(
            entry.path in self._spools and ends(entry.path) for entry in self._settings.logs
        )

    def acknowledge(self, now: float, progress: Progress, generations: Generations) -> None:
        """Delete the segments that are read and durable; let the writers wait when too much is unread. ``now``: monotonic seconds."""
        if not self._spools or now - self._acknowledged_at < ACKNOWLEDGE_SECONDS:
            return
        self._acknowledged_at = now
        for spool in self._spools.values():
            try:
                spool.unread_bytes = sum(self._unread_of(path, progress, generations) for path in spool.segments())
                self._delete(spool.segments()[:-1], progress)
            except UNREADABLE as error:
                log.debug("%s: %s", spool.file, error)  # who reads it tells it

    def is_read(self, progress: Progress, generations: Generations) -> bool:
        """Tell whether all that the pipes brought is read and durable."""
        if not self.ended or not progress.all_durable:
            return False
        try:
            return not any(
                self._unread_of(path, progress, generations)
                for spool in self._spools.values()
                for path in spool.segments()
            )
        except UNREADABLE:
            return False

    def stop(self) -> None:
        """Take what the pipes hold, and let go of them."""
        for spool in self._spools.values():
            spool.stop()

    def _ended(self) -> None:
        self.wake()

    def _is_pipe(self, path: str) -> bool:
        was_one = path in self._spools or (self.directory / spool_name(path)).exists()
        return is_pipe(path) or (was_one and not Path(path).exists())

    def _in_place(self, entry: LogSettings) -> LogSettings:
        if entry.path not in self._spools:
            return entry
        return LogSettings(
            str(self._spools[entry.path].file), entry.source or shown(entry.path), entry.parser, mapping=entry.mapping
        )

    def _unread_of(self, path: Path, progress: Progress, generations: Generations) -> int:
        """Return how much of a segment is not read yet, and note when all of it is. Raises UNREADABLE."""
        unread = unread_of(path, generations)
        if not unread:
            self._read.setdefault(path, _Read(progress.accepted_bytes, progress.acknowledged_bytes))
        else:
            self._read.pop(path, None)
        return unread

    def _delete(self, segments: list[Path], progress: Progress) -> None:
        for path in segments:
            read = self._read.get(path)
            if read and (
                progress.all_durable or progress.acknowledged_bytes >= max(read.accepted, read.acknowledged + 1)
            ):
                path.unlink(missing_ok=True)
                del self._read[path]

    def _tell_of_what_is_left(self, generations: Generations) -> None:
        """Delete the segments of pipes that are followed no more, and tell of those that nobody has read."""
        ours = tuple(spool.file.name for spool in self._spools.values())
        left = sorted(self.directory.glob("*.log*")) if self.directory.is_dir() else []
        for path in left:
            if path.name.startswith(ours):
                continue
            try:
                unread = unread_of(path, generations)
            except UNREADABLE as error:
                log.warning("%s cannot be read: %s", path, error)
                continue
            if unread:
                source = "stdin" if path.name.startswith(spool_name(STDIN)) else "NAME"
                log.warning(
                    "%s holds %s that came through a pipe and were not read, and that pipe is not followed now. "
                    "Follow it again, or `tokentail backfill --source %s %s`.",
                    path,
                    counted(unread, "byte"),
                    source,
                    path,
                )
            elif path.suffix != ".log":  # the newest is kept, so that it is not missed when the pipe is followed again
                path.unlink(missing_ok=True)


def unread_of(path: Path, generations: Generations) -> int:
    """Return how many bytes of a segment were not read, as its content tells. Raises UNREADABLE."""
    file = open_log(str(path))
    try:
        size = file.stat().size
        if not size:
            return 0
        its_own = [
            g for g in generations.by_identity(file.identity) if g.position.offset and g.status is not Status.SKIPPED
        ]
        for generation in its_own:
            if kinship(file, generation) is Match.SAME:
                return max(0, size - generation.position.offset)
        content = recognise(file, generations)
        if content.same is not None:
            return size if content.same.status is Status.SKIPPED else max(0, size - content.same.position.offset)
        # Another file holds the same and more: its writer began anew, and repeated what is here.
        if content.compared is None:
            return size
        begin = content.like.position.offset if content.like else 0
        return size - _agreeing(file, begin, generations, generations[content.compared.former])
    finally:
        file.close()


def _agreeing(file: LogFile, begin: int, generations: Generations, former: Generation) -> int:
    """Return up to where the lines of a file, from a byte on, are those with which another one begins, as it was read."""
    trail, offset, line = generations.trail_of(former), begin, 0
    while end := (data := file.read_at(offset, COMPARED_BYTES)).rfind(b"\n") + 1:
        digests = line_digests(data[:end])
        if trail[line : line + len(digests)] != digests:
            break
        offset, line = offset + end, line + len(digests)
    return offset
