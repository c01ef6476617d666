"""Which live logs a path or glob names at the moment."""

import fnmatch
import glob
import os
import time
from collections.abc import Callable

from ingestor.config.path_patterns import has_pattern
from ingestor.config.settings import LogSettings
from ingestor.model.rotation_names import is_compressed, may_be_live, possible_live_names
from ingestor.sources.file.absent import AbsentLogs
from ingestor.sources.file.beside import RELIST_SECONDS, SETTLED_NS
from ingestor.state.generations import Generations


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

    def __init__(self, entry: LogSettings, generations: Generations, is_known: Callable[[str], bool]) -> None:
        """``is_known`` tells the logs that were followed before."""
        self.absent: set[str] = set()
        """Logs that are not there, and that are followed until nothing of them is left to do."""
        self._pattern = entry.path
        self._is_known = is_known
        self._absent_logs = AbsentLogs(entry, generations)
        self._generations = generations
        self._followed = -1
        """How many places were followed when it was listed: a file that is found to be live is one more."""
        self._directory = os.path.dirname(entry.path)  # noqa: PTH120 - beside the strings of glob
        self._paths: list[str] = []
        self._changed_ns: int | None = None
        self._listed_at = float("-inf")

    def paths(self, now: float) -> list[str]:
        """Return the paths of what is there. ``now``: monotonic seconds."""
        changed_ns = self._directory_changed_ns()
        followed = len(self._generations.followed)
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
