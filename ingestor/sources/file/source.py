"""Follow every log that the settings name: discover paths, poll them, hand out blocks in turn."""

import contextlib
import fnmatch
import glob
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from ingestor.config.settings import LogSettings, Settings
from ingestor.model.generation import Status
from ingestor.model.log_file import FileIdentity, shown
from ingestor.model.rotation_names import is_compressed, may_be_live, possible_live_names
from ingestor.sources.block import Block
from ingestor.sources.file.absent import AbsentLogs
from ingestor.sources.file.beside import RELIST_SECONDS, SETTLED_NS, Beside
from ingestor.sources.file.path_patterns import has_pattern, matches
from ingestor.sources.file.place import Place
from ingestor.sources.file.strangers import Strangers
from ingestor.sources.file.tailer import LogTailer
from ingestor.state.generations import Generations

log = logging.getLogger("tokentail")

MOST_SIGHTINGS = 1000
"""Of unread bytes, each with the time when it was first seen."""
FULL_LOOK_SHARE: Final = 1 / 20
"""How much of the time a look at all logs may take. With a few logs every turn is such a look; with thousands only the ones
that were written lately are looked at in every turn, and all of them at least once in a poll interval."""
LATELY_SECONDS: Final = 10.0
"""How long a log that was written counts as busy."""
FIGURES_SECONDS: Final = 1.0
"""Figures are computed from looks that are younger; else files are looked at for them."""


TURN_SECONDS: Final = 0.5
"""How long logs are read, and holes and long lines passed over, before the daemon shows again that it lives."""


def is_pattern(path: str) -> bool:
    """Tell whether a path names files by a pattern. One that is there under just that name is that file."""
    return has_pattern(path) and not os.path.lexists(path)


def live_paths(pattern: str, is_known: Callable[[str], bool] = lambda _: False) -> list[str]:
    """Return the live logs that a path or glob names.

    A file that looks like a rotated one of another file is that one's past, but only if there is such a log: it is on the
    disk, or ``is_known``. Dates, numbers and addresses stand in names of live logs too; what was followed as a log stays one.
    """
    if not is_pattern(pattern):
        return [pattern]
    paths = matched_files(pattern)
    matched, found = set(paths), set()
    for path in paths:
        directory, name = os.path.split(path)
        lives = (os.path.join(directory, base) for base in possible_live_names(name))  # noqa: PTH118 - as above
        live = next(
            (live for live in lives if live in matched or (is_known(live) and fnmatch.fnmatch(live, pattern))), None
        )
        if live is not None and not (may_be_live(live, path) and is_known(path)):
            found.add(live)
        elif not is_compressed(name):
            found.add(path)
    return sorted(found)


def matched_files(pattern: str) -> list[str]:
    """Return what a path or glob matches, live or not."""
    return glob.glob(pattern, recursive=True) if is_pattern(pattern) else []  # noqa: PTH207 - strings: thousands of paths every second


class LiveLogs:
    """The live logs of a path or glob, looked for again when their directory has changed."""

    def __init__(self, entry: LogSettings, book: Generations, is_known: Callable[[str], bool]) -> None:
        """``is_known`` tells the logs that were followed before."""
        self.absent: set[str] = set()
        """Logs that are not there, and that are followed until nothing of them is left to do."""
        self._pattern = entry.path
        self._is_known = is_known
        self._absent_logs = AbsentLogs(entry, book)
        self._book = book
        self._followed = -1
        """How many places were followed when it was listed: a file that is found to be live is one more."""
        self._directory = os.path.dirname(entry.path)  # noqa: PTH120 - beside the strings of glob
        self._paths: list[str] = []
        self._changed_ns: int | None = None
        self._listed_at = float("-inf")

    def paths(self, now: float) -> list[str]:
        """Return the paths of what is there. ``now``: monotonic seconds."""
        changed_ns = self._directory_changed_ns()
        followed = len(self._book.followed)
        is_old = changed_ns != self._changed_ns or followed != self._followed or now - self._listed_at >= RELIST_SECONDS
        if changed_ns is None or is_old:
            self._followed = followed
            listed_ns = time.time_ns()
            self._paths, self._listed_at = live_paths(self._pattern, self._is_known), now
            settled = changed_ns is not None and listed_ns - changed_ns > SETTLED_NS
            self._changed_ns = changed_ns if settled else None
            if is_pattern(self._pattern):
                self.absent |= self._absent_logs.look(self._paths)
            self.absent.difference_update(self._paths)
        return self._paths

    def _directory_changed_ns(self) -> int | None:
        """Return when names in the directory last changed; None when that tells nothing about this pattern."""
        if not is_pattern(self._pattern) or has_pattern(self._directory):
            return None
        try:
            return os.stat(self._directory).st_mtime_ns  # noqa: PTH116 - as above
        except OSError:
            return None


class FileSource:
    """All followed logs. Times are monotonic seconds."""

    def __init__(self, settings: Settings, book: Generations, *, once: bool = False) -> None:
        self._settings = settings
        self._book = book
        self._once = once
        self._logs: dict[str, LogTailer] = {}
        self.found_any = False
        """Whether there was a log to follow, even if it is gone and done with by now."""
        self._live = self._live_logs(settings)
        self._sources: dict[str, LogTailer] = {}
        self._beside = Beside()
        self._beside.all_looked_at = float("-inf")
        self._strangers = Strangers(book, self._is_live)
        self._moved: bool | None = None
        self._owners: dict[FileIdentity, LogTailer] = {}
        """Which log has a file open as its live one, as far as the last look at it tells."""
        self._round: deque[LogTailer] = deque()
        """Those that a look at all logs has still to come to: it may take many turns."""
        self._round_began_at = float("-inf")
        """When that look began, and how many turns it has taken."""
        self._turns_of_round = 0
        self._unnoted: set[LogTailer] = set()
        """Logs that the book does not know as followed: the first look at what lies beside them is not over."""
        self._directories: set[str] = set()
        self._turn: deque[LogTailer] = deque()
        """Which logs may have a block: those that the last poll looked at, less those that had none since."""
        self._lately: dict[LogTailer, float] = {}
        """Logs that had a block lately, with the time; what waited longest for its turn comes first."""
        self._unsettled: dict[LogTailer, None] = {}
        """Logs that may have unread bytes, as far as the last look at all of them tells."""
        self._full_look_at = float("-inf")
        self._closed_left = False
        """Whether what was read of logs that are not named any more is closed."""
        self._full_look_seconds = 0.0
        self._looked_at = float("-inf")
        self._refused: set[str] = set()
        self._behind: deque[tuple[float, int]] = deque()
        """When bytes were first seen (wall clock), and how many had been seen by then in all; acknowledged ones are forgotten."""

    @property
    def logs(self) -> list[LogTailer]:
        """The followed logs, by path."""
        return list(self._logs.values())

    @property
    def waiting(self) -> bool:
        """Whether a remainder is still looked for."""
        return bool(self._round) or any(followed.waiting for followed in self._logs.values())

    @property
    def busy(self) -> bool:
        """Whether there is more to pass over or to look at, though it brought no block."""
        return bool(self._round) or any(followed.busy for followed in self._logs.values())

    @property
    def strangers(self) -> list[str]:
        """What is to be said of files beside the logs that hold events and that nobody reads."""
        if self._round or not all(followed.looked for followed in self._logs.values()):
            return []
        return self._strangers.problems()

    def half_lines(self) -> dict[str, int]:
        """Return, by path, how many bytes at the end of logs are a line that has no end yet."""
        lengths = {path: followed.half_line_bytes() for path, followed in self._logs.items()}
        return {path: length for path, length in lengths.items() if length}

    def poll(self, now: float) -> None:
        """Find new logs and look at every known one; at the busy ones alone while looking at all would cost too much."""
        while self._lately and now - next(iter(self._lately.values())) > LATELY_SECONDS:
            del self._lately[next(iter(self._lately))]
        pause = min(self._full_look_seconds / FULL_LOOK_SHARE, self._settings.read.poll_interval_seconds)
        if self._round or self._once or not 0 <= now - self._full_look_at < pause:
            self._look_at_all(now)
            return
        self._turn = deque(followed for followed in self._lately if self._poll(followed, now))

    def look_soon(self) -> None:
        """Look at every known log at the next poll, however lately that was done."""
        self._full_look_at = float("-inf")

    def _look_at_all(self, now: float) -> None:
        """Look at every log, as far as one turn goes; at the busy ones in each turn."""
        begun = time.monotonic()
        if not self._round:
            self._begin_round(now)
        looked: dict[LogTailer, bool] = {}
        while self._round and (not looked or time.monotonic() - begun < TURN_SECONDS):
            followed = self._round.popleft()
            looked[followed] = self._poll(followed, now)
        if self._round:
            looked |= {followed: self._poll(followed, now) for followed in self._lately if followed not in looked}
        # What an earlier turn has found is not forgotten before it is read.
        before = [followed for followed in self._turn if followed not in looked] if self._turns_of_round else []
        self._turns_of_round += 1
        ready = dict.fromkeys([*before, *(followed for followed, is_ready in looked.items() if is_ready)])
        self._turn = deque(followed for followed in ready if followed not in self._lately)
        self._turn.extend(followed for followed in self._lately if followed in ready)
        self._unsettled = dict.fromkeys([*(self._unsettled if self._turns_of_round > 1 else ()), *ready, *self._lately])
        if not self._round:
            self._end_round(now)
        self._looked_at = time.monotonic()
        self._full_look_seconds += self._looked_at - begun

    def _begin_round(self, now: float) -> None:
        there = [(path, entry) for live, entry in self._live for path in live.paths(now)]
        for path, settings in there + [(path, entry) for live, entry in self._live for path in live.absent]:
            if path not in self._logs and path not in self._refused:
                self._follow(path, settings)
        self._leave_what_is_gone({path for path, _ in there})
        self._round = deque(self._logs.values())
        self._round_began_at, self._turns_of_round, self._full_look_seconds = now, 0, 0.0

    def _end_round(self, now: float) -> None:
        self._full_look_at = now
        if any(followed.looking and not followed.problem for followed in self._logs.values()):
            return
        self._beside.all_looked_at = self._round_began_at
        for entry in self._settings.logs:
            self._book.follow(entry.path)
        for followed in self._logs.values():
            followed.miss_what_is_open(now)
        self._close_what_was_left()

    def unread_bytes(self) -> int:
        """Return how many bytes of the logs wait to be read."""
        if time.monotonic() - self._looked_at > FIGURES_SECONDS:
            return sum(followed.unread_bytes() for followed in self._logs.values())
        return sum(followed.unread_bytes(look_again=False) for followed in self._unsettled)

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: a log that is still named is followed on, one that is not is left."""
        lives = self._live_logs(settings)
        named = {path: entry for live, entry in lives for path in (*live.paths(float("inf")), *live.absent)}
        for path, followed in list(self._logs.items()):
            entry = named.get(path)
            if entry is not None and (entry.source or shown(path)) == followed.source:
                followed.reload(entry, settings.read)
                continue
            self._leave(followed)
        self._turn.clear()
        self._round.clear()
        self._unsettled.clear()
        self._directories = set()
        self._moved = None
        self._refused.clear()
        self._settings = settings
        self._live = lives
        self._full_look_at = self._looked_at = float("-inf")
        self._closed_left = False

    def next_block(self, now: float) -> Block | None:
        """Return a block of the next log that has one; every log gets its turn. What has none is left until the next poll.

        None also when a turn's time is over and nothing but bytes to pass over was found: ``busy`` tells.
        """
        end = time.monotonic() + TURN_SECONDS
        while self._turn:
            followed = self._turn.popleft()
            block = followed.next_block(now)
            if block is None and followed.busy:
                self._turn.append(followed)
                if time.monotonic() > end:
                    return None
            if block is not None:
                self._turn.append(followed)
                self._lately.pop(followed, None)
                self._lately[followed] = now
                return block
        return None

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
            self._book,
            once=self._once,
            first=not (any(map(self._book.is_followed, (source, shown(path), settings.path))) or self._was_moved()),
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
        return [(LiveLogs(entry, self._book, self._is_known), entry) for entry in settings.logs]

    def _was_moved(self) -> bool:
        """Tell whether a log that was followed is gone with something unread: what lies elsewhere may be its past."""
        if self._moved is None:
            named = [entry.path for entry in self._settings.logs]
            self._moved = any(
                not has_pattern(place)
                and not os.path.lexists(place)
                and not any(place == path or matches(path, place) for path in named)
                for place in self._book.unfinished_places()
            )
        return self._moved

    def _is_live(self, path: str) -> bool:
        return path in self._logs

    def _is_known(self, path: str) -> bool:
        return path in self._logs or self._book.is_followed(shown(path))

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
        self._lately.pop(followed, None)
        self._unsettled.pop(followed, None)
        with contextlib.suppress(ValueError):
            self._round.remove(followed)

    def _close_what_was_left(self) -> None:
        """Expect nothing more of logs that are there and named no more: when they are deleted, nobody misses them."""
        if self._closed_left or not all(followed.looked for followed in self._logs.values()):
            return
        self._closed_left = True
        for generation in self._book.open_unread():
            is_anybodys = any(followed.has(generation) for followed in self._logs.values())
            if not is_anybodys and os.path.lexists(generation.path):
                generation.status = Status.CLOSED
                self._book.changed(generation)

    def _owner_of(self, identity: FileIdentity) -> str | None:
        owner = self._owners.get(identity)
        return owner.path if owner is not None and owner.live_identity == identity else None

    def _is_unread_unseen(self) -> bool:
        """Whether there may be bytes that ``unread_bytes`` does not count."""
        return bool(self._round) or any(followed.is_unread_unseen for followed in self._logs.values())

    def _forget_beyond(self, seen: int) -> None:
        """Forget bytes that nobody will ever read: lost, in a log that was left, or half a line that waits for its end."""
        since = 0.0
        while self._behind and self._behind[-1][1] > seen:
            since = self._behind.pop()[0]
        if not self._behind or self._behind[-1][1] < seen:
            self._behind.append((since, seen))

    def _poll(self, followed: LogTailer, now: float) -> bool:
        before = followed.live_identity
        ready = followed.poll(now)
        if (
            followed in self._unnoted and not followed.looking
        ):  # else what lies beside it would be ours after a kill meanwhile
            self._unnoted.remove(followed)
            self._book.follow(followed.source)
            self._book.follow(shown(followed.path))  # where it was is known when it is not there, whatever its source
        if (identity := followed.live_identity) != before:
            self._owners.pop(before, None)  # type: ignore[arg-type]  # None is never there
            if identity is not None:
                self._owners[identity] = followed
        return ready

    def lag_since(self, *, accepted: int, acknowledged: int) -> float | None:
        """Return when the oldest byte that is unread or unacknowledged was first seen, wall clock seconds; None for none.

        ``accepted``, ``acknowledged``: bytes since the start.
        """
        seen = accepted + self.unread_bytes()
        if seen > (self._behind[-1][1] if self._behind else acknowledged):
            self._behind.append((time.time(), seen))
        elif self._behind and seen < self._behind[-1][1] and not self._is_unread_unseen():
            self._forget_beyond(seen)
        while self._behind and self._behind[0][1] <= acknowledged:
            self._behind.popleft()
        if len(self._behind) > MOST_SIGHTINGS:
            # An outage may last for days. Of two neighbours the older time stands for both: lag is never understated.
            last = [self._behind.pop()] if len(self._behind) % 2 else []
            pairs = zip(*[iter(self._behind)] * 2, strict=True)
            self._behind = deque([(older[0], newer[1]) for older, newer in pairs] + last)
        return self._behind[0][0] if self._behind else None
