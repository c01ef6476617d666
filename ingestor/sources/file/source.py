"""Follow every log that the settings name: discover paths, poll them, hand out blocks in turn."""

import logging
import os
import time

from ingestor.config.path_patterns import has_pattern, matches
from ingestor.config.settings import LogSettings, Settings
from ingestor.model.generation import Status
from ingestor.model.log_file import FileIdentity, shown
from ingestor.sources.block import Block
from ingestor.sources.file.beside import Beside
from ingestor.sources.file.discovery import LiveLogs, is_pattern
from ingestor.sources.file.lag import Lag
from ingestor.sources.file.place import Place
from ingestor.sources.file.strangers import Strangers
from ingestor.sources.file.tailer import LogTailer
from ingestor.sources.file.turns import Turns
from ingestor.state.generations import Generations

log = logging.getLogger("tokentail")


class FileSource:
    """All followed logs. Times are monotonic seconds."""

    def __init__(self, settings: Settings, generations: Generations, *, once: bool = False) -> None:
        self._settings = settings
        self._generations = generations
        self._once = once
        self._logs: dict[str, LogTailer] = {}
        self.found_any = False
        """Whether there was a log to follow, even if it is gone and done with by now."""
        self._live = self._live_logs(settings)
        self._sources: dict[str, LogTailer] = {}
        self._beside = Beside()
        self._beside.all_looked_at = float("-inf")
        self._strangers = Strangers(generations, self._is_live)
        self._moved: bool | None = None
        self._owners: dict[FileIdentity, LogTailer] = {}
        """Which log has a file open as its live one, as far as the last look at it tells."""
        self._turns = Turns(self._poll, self._begin_round, self._end_round)
        self._lag = Lag()
        self._unnoted: set[LogTailer] = set()
        """Logs that are not known as followed: the first look at what lies beside them is not over."""
        self._directories: set[str] = set()
        self._closed_left = False
        """Whether what was read of logs that are not named any more is closed."""
        self._refused: set[str] = set()

    @property
    def logs(self) -> list[LogTailer]:
        """The followed logs, by path."""
        return list(self._logs.values())

    @property
    def waiting(self) -> bool:
        """Whether a remainder is still looked for."""
        return self._turns.is_looking or any(followed.waiting for followed in self._logs.values())

    @property
    def busy(self) -> bool:
        """Whether there is more to pass over or to look at, though it brought no block."""
        return self._turns.is_looking or any(followed.busy for followed in self._logs.values())

    @property
    def strangers(self) -> list[str]:
        """What is to be said of files beside the logs that hold events and that nobody reads."""
        if self._turns.is_looking or not all(followed.looked for followed in self._logs.values()):
            return []
        return self._strangers.problems()

    def half_lines(self) -> dict[str, int]:
        """Return, by path, how many bytes at the end of logs are a line that has no end yet."""
        lengths = {path: followed.half_line_bytes() for path, followed in self._logs.items()}
        return {path: length for path, length in lengths.items() if length}

    def poll(self, now: float) -> None:
        """Find new logs and look at every known one; at the busy ones alone while looking at all would cost too much."""
        self._turns.poll(now, self._settings.read.poll_interval_seconds, all_logs=self._once)

    def next_block(self, now: float) -> Block | None:
        """Return a block of the next log that has one; every log gets its turn. What has none is left until the next poll.

        None also when a turn's time is over and nothing but bytes to pass over was found: ``busy`` tells.
        """
        return self._turns.next_block(now)

    def look_soon(self) -> None:
        """Look at every known log at the next poll, however lately that was done."""
        self._turns.look_soon()

    def unread_bytes(self) -> int:
        """Return how many bytes of the logs wait to be read."""
        return self._turns.unread_bytes(self._logs.values())

    def lag_since(self, *, accepted: int, acknowledged: int) -> float | None:
        """Return when the oldest byte that is unread or unacknowledged was first seen, wall clock seconds; None for none.

        ``accepted``, ``acknowledged``: bytes since the start.
        """
        seen = accepted + self.unread_bytes()
        return self._lag.since(seen, acknowledged, is_more_unseen=self._is_unread_unseen)

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: a log that is still named is followed on, one that is not is left."""
        lives = self._live_logs(settings)
        named = {path: entry for live, entry in lives for path in (*live.paths(time.monotonic()), *live.absent)}
        for path, followed in list(self._logs.items()):
            entry = named.get(path)
            if entry is not None and (entry.source or shown(path)) == followed.source:
                followed.reload(entry, settings.read)
                continue
            self._leave(followed)
        self._turns.begin_anew()
        self._directories = set()
        self._moved = None
        self._refused.clear()
        self._settings = settings
        self._live = lives
        self._closed_left = False

    def directories(self) -> set[str]:
        """Return where changes matter."""
        if not self._directories:
            paths = {*self._logs, *(entry.path for entry in self._settings.logs)}
            self._directories = {os.path.dirname(path) for path in paths}  # noqa: PTH120 - strings, as everywhere here
        return self._directories

    def close(self) -> None:
        """Release all files."""
        for followed in self._logs.values():
            followed.close()

    def _begin_round(self, now: float) -> list[LogTailer]:
        there = [(path, entry) for live, entry in self._live for path in live.paths(now)]
        for path, settings in there + [(path, entry) for live, entry in self._live for path in live.absent]:
            if path not in self._logs and path not in self._refused:
                self._follow(path, settings)
        self._leave_what_is_gone({path for path, _ in there})
        return self.logs

    def _end_round(self, now: float) -> None:
        if any(followed.looking and not followed.problem for followed in self._logs.values()):
            return
        self._beside.all_looked_at = self._turns.round_began_at
        for entry in self._settings.logs:
            self._generations.follow(entry.path)
        for followed in self._logs.values():
            followed.miss_what_is_open(now)
        self._close_what_was_left()

    def _follow(self, path: str, settings: LogSettings) -> None:
        source = settings.source or shown(path)
        rival = self._sources.get(source)
        # Files that one entry matches are one log in many files (one a day): their points are told apart by H.
        if rival is not None and rival.settings.path != settings.path:
            if path not in self._refused:
                self._refused.add(path)
                log.error(
                    "%s is not read: %s has the source name %r already. Points of two live logs must not share a source; "
                    "give each its own [[logs]] entry, or leave `source` out.",
                    path,
                    rival.path,
                    source,
                )
            return
        place = Place(
            path,
            source,
            settings,
            self._settings.read,
            self._generations,
            once=self._once,
            first=not (
                any(map(self._generations.is_followed, (source, shown(path), settings.path))) or self._was_moved()
            ),
            owner_of=self._owner_of,
            is_live=self._is_live,
            note_stranger=self._strangers.note,
        )
        followed = LogTailer(place, self._beside)
        self._logs[path] = followed
        self._unnoted.add(followed)
        self.found_any = True
        self._sources.setdefault(source, followed)
        self._directories = set()

    def _live_logs(self, settings: Settings) -> list[tuple[LiveLogs, LogSettings]]:
        return [(LiveLogs(entry, self._generations, self._is_known), entry) for entry in settings.logs]

    def _was_moved(self) -> bool:
        """Tell whether a log that was followed is gone with something unread: what lies elsewhere may be its past."""
        if self._moved is None:
            named = [entry.path for entry in self._settings.logs]
            self._moved = any(
                not has_pattern(place)
                and not os.path.lexists(place)
                and not any(place == path or matches(path, place) for path in named)
                for place in self._generations.unfinished_places()
            )
        return self._moved

    def _is_live(self, path: str) -> bool:
        return path in self._logs

    def _is_known(self, path: str) -> bool:
        return path in self._logs or self._generations.is_followed(shown(path))

    def _leave_what_is_gone(self, listed: set[str]) -> None:
        """Leave the files of a glob that were deleted and are read: one a day, for years."""
        for path, followed in list(self._logs.items()):
            if path not in listed and is_pattern(followed.settings.path) and followed.is_done_with:
                self._leave(followed)

    def _leave(self, followed: LogTailer) -> None:
        followed.close()
        del self._logs[followed.path]
        self._unnoted.discard(followed)
        for live, _ in self._live:
            live.absent.discard(followed.path)
        if self._sources.get(followed.source) is followed:
            del self._sources[followed.source]
        self._owners = {identity: owner for identity, owner in self._owners.items() if owner is not followed}
        self._turns.leave(followed)

    def _close_what_was_left(self) -> None:
        """Expect nothing more of logs that are named no more and are there, or were always empty: nobody misses them."""
        if self._closed_left or not all(followed.looked for followed in self._logs.values()):
            return
        self._closed_left = True
        for generation in self._generations.open_unread():
            is_anybodys = any(followed.has(generation) for followed in self._logs.values())
            was_empty = not generation.position.offset and not generation.size_seen
            if not is_anybodys and (was_empty or os.path.lexists(generation.path)):
                generation.status = Status.CLOSED
                self._generations.changed(generation)

    def _owner_of(self, identity: FileIdentity) -> str | None:
        owner = self._owners.get(identity)
        return owner.path if owner is not None and owner.live_identity == identity else None

    def _is_unread_unseen(self) -> bool:
        """Whether there may be bytes that ``unread_bytes`` does not count."""
        return self._turns.is_looking or any(followed.is_unread_unseen for followed in self._logs.values())

    def _poll(self, followed: LogTailer, now: float) -> bool:
        before = followed.live_identity
        ready = followed.poll(now)
        # While it is looking, what lies beside it would be taken for ours after a kill.
        if followed in self._unnoted and not followed.looking:
            self._unnoted.remove(followed)
            self._generations.follow(followed.source)
            # Where it was is known when it is not there, whatever its source.
            self._generations.follow(shown(followed.path))
        if (identity := followed.live_identity) != before:
            self._owners.pop(before, None)  # type: ignore[arg-type]  # None is never there
            if identity is not None:
                self._owners[identity] = followed
        return ready
