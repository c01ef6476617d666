"""Follow every log that the settings name: discover paths, poll them, hand out blocks in turn."""

import fnmatch
import glob
import logging
import time
from collections import deque
from pathlib import Path

from ingestor.core.rotation import is_compressed, live_name
from ingestor.settings import LogSettings, Settings
from ingestor.shell.book import Book
from ingestor.shell.files import FileIdentity
from ingestor.shell.log import FollowedLog
from ingestor.shell.tail import Block

log = logging.getLogger("tokentail")

MOST_SIGHTINGS = 1000
"""Of unread bytes, each with the time when it was first seen."""


def live_paths(pattern: str) -> list[str]:
    """Return the live logs that a path or glob names. Rotated generations of a log that it matches too are its past."""
    if not glob.has_magic(pattern):
        return [pattern]
    found = set()
    for path in glob.glob(pattern, recursive=True):  # noqa: PTH207 - strings: thousands of paths every second
        directory, name = str(Path(path).parent), Path(path).name
        base = live_name(name)
        if base is not None and fnmatch.fnmatch(f"{directory}/{base}", pattern):
            found.add(f"{directory}/{base}")
        elif not is_compressed(name):
            found.add(path)
    return sorted(found)


class Follower:
    """All followed logs. Times are monotonic seconds."""

    def __init__(self, settings: Settings, book: Book, *, once: bool = False) -> None:
        self._settings = settings
        self._book = book
        self._once = once
        self._logs: dict[str, FollowedLog] = {}
        self._turn: deque[FollowedLog] = deque()
        self._refused: set[str] = set()
        self._behind: deque[tuple[float, int]] = deque()
        """When bytes were first seen (wall clock), and how many had been seen by then in all; acknowledged ones are forgotten."""

    @property
    def logs(self) -> list[FollowedLog]:
        """The followed logs, by path."""
        return list(self._logs.values())

    @property
    def waiting(self) -> bool:
        """Whether a remainder is still looked for."""
        return any(followed.waiting for followed in self._logs.values())

    def poll(self, now: float) -> None:
        """Find new logs and look at every known one."""
        for settings in self._settings.logs:
            for path in live_paths(settings.path):
                if path not in self._logs:
                    self._follow(path, settings)
        for followed in self._logs.values():
            followed.poll(now)

    def unread_bytes(self) -> int:
        """Return how many bytes of the logs wait to be read."""
        return sum(followed.unread_bytes() for followed in self._logs.values())

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: a log that is still named is followed on, one that is not is left."""
        named = {path: entry for entry in settings.logs for path in live_paths(entry.path)}
        for path, followed in list(self._logs.items()):
            entry = named.get(path)
            if entry is not None and (entry.source or path) == followed.source:
                followed.reload(entry, settings.read)
                continue
            followed.close()
            del self._logs[path]
            self._turn.remove(followed)
        self._refused.clear()
        self._settings = settings

    def next_block(self, now: float) -> Block | None:
        """Return a block of the next log that has one; every log gets its turn."""
        for _ in range(len(self._turn)):
            followed = self._turn[0]
            self._turn.rotate(-1)
            block = followed.next_block(now)
            if block is not None:
                return block
        return None

    def close(self) -> None:
        """Release all files."""
        for followed in self._logs.values():
            followed.close()

    def _follow(self, path: str, settings: LogSettings) -> None:
        source = settings.source or path
        rival = next((other for other in self._logs.values() if other.source == source), None)
        if rival is not None:
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
        followed = FollowedLog(
            path, source, settings, self._settings.read, self._book, once=self._once, owner_of=self._owner_of
        )
        self._logs[path] = followed
        self._turn.append(followed)

    def _owner_of(self, identity: FileIdentity) -> str | None:
        return next((other.path for other in self._logs.values() if other.live_identity == identity), None)

    def lag_since(self, *, accepted: int, acknowledged: int) -> float | None:
        """Return when the oldest byte that is unread or unacknowledged was first seen, wall clock seconds; None for none.

        ``accepted``, ``acknowledged``: bytes since the start.
        """
        seen = accepted + self.unread_bytes()
        if seen > (self._behind[-1][1] if self._behind else acknowledged):
            self._behind.append((time.time(), seen))
        while self._behind and self._behind[0][1] <= acknowledged:
            self._behind.popleft()
        if len(self._behind) > MOST_SIGHTINGS:
            # An outage may last for days. Of two neighbours the older time stands for both: lag is never understated.
            last = [self._behind.pop()] if len(self._behind) % 2 else []
            pairs = zip(*[iter(self._behind)] * 2, strict=True)
            self._behind = deque([(older[0], newer[1]) for older, newer in pairs] + last)
        return self._behind[0][0] if self._behind else None
