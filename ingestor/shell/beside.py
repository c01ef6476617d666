"""What lies beside logs: the files of their directories, listed when these have changed, and what was asked of them.

Files are found by content, not by name, so every file beside a log may hold what it was, or what is missing. Names only
decide the order, and whose past a file is that no state knows.
"""

import os
import time
from collections.abc import Container
from fnmatch import fnmatch
from pathlib import Path
from typing import Final, NamedTuple

from ingestor.core.rotation import Age, is_compressed, may_be_rotated, rotation_age, uncompressed_name
from ingestor.shell.files import FileIdentity, Sighting

RELIST_SECONDS: Final = 10.0
"""A directory is listed when it has changed, and at least so often, should its time of change not be true."""
SETTLED_NS: Final = 2_000_000_000
"""Within the tick of a file system's clock a directory can change again and keep its time: a younger one proves nothing."""


class Candidate(NamedTuple):
    """A file beside a log."""

    path: str
    related: bool
    """Whether its name says that it may be the log's past."""


class _Listing:
    def __init__(self) -> None:
        self.names: frozenset[str] = frozenset()
        self.version = 0
        """Grows when the names change."""
        self.strangers: set[str] = set()
        """Names that no log has looked at yet."""
        self.changed_ns: int | None = None
        self.listed_at = float("-inf")


class Beside:
    """The directories of all logs."""

    def __init__(self) -> None:
        self.settled: dict[FileIdentity, Sighting] = {}
        """Files of which nothing is left to read, as they looked when that was found."""
        self.unknown: dict[FileIdentity, Sighting] = {}
        """Files that hold nothing known: those whose past they may be look at them, no others."""
        self._listings: dict[str, _Listing] = {}

    def version(self, places: dict[str, str], now: float) -> int:
        """Return a number that grows when files come or go. ``places``: directories; ``now``: monotonic seconds."""
        return sum(self._listing(directory, now).version for directory in places)

    def candidates(
        self, places: dict[str, str], live: Container[str], now: float, *, everything: bool, pattern: str = ""
    ) -> list[Candidate]:
        """Return the files beside a log, the oldest first. Raises nothing: what cannot be listed is looked at next time.

        ``places``: the log's name by directory. ``live``: its paths; in an archive its name is that of a past one. ``everything``: also files of other names that were looked at before.
        ``pattern``: a glob that names the log; what it would match, had it not been compressed, is its past, too.
        """
        found: list[tuple[Age, str, bool]] = []
        for directory, live_name in places.items():
            listing = self._listing(directory, now)
            # Every rotated name holds it. Of thousands of logs in one directory each asks for its own.
            start = live_name.rpartition(".")[0] or live_name
            related = [name for name in listing.names if start in name and may_be_rotated(live_name, name)]
            if pattern:
                packed = [name for name in listing.names if is_compressed(name)]
                related += [name for name in packed if fnmatch(f"{directory}/{uncompressed_name(name)}", pattern)]
            if live_name in listing.names and f"{directory}/{live_name}" not in live:
                related.append(live_name)
            strangers = (listing.names if everything else listing.strangers).difference(related, (live_name,))
            listing.strangers = set()
            for name in {*related, *strangers}:
                plain = uncompressed_name(name)
                # While `x` is being compressed there is an unfinished `x.gz` beside it.
                if plain in {name, live_name} or plain not in listing.names:
                    path = f"{directory}/{name}"
                    age = rotation_age(live_name, name) or Age(-1, _written(path), 0)
                    found.append((age, path, name in related))
        return [Candidate(path, related) for _, path, related in sorted(found)]

    def _listing(self, directory: str, now: float) -> _Listing:
        listing = self._listings.setdefault(directory, _Listing())
        try:
            changed_ns = os.stat(directory).st_mtime_ns  # noqa: PTH116 - asked for every directory in every turn
        except OSError:
            changed_ns = None
        if changed_ns is not None and changed_ns == listing.changed_ns and now - listing.listed_at < RELIST_SECONDS:
            return listing
        listed_ns = time.time_ns()
        try:
            names = frozenset(os.listdir(directory))  # noqa: PTH208 - names are wanted, a Path for each is waste
        except OSError:
            names = frozenset()  # an archive that is not mounted, a directory being made again: the next look sees it
        if names != listing.names:
            listing.version += 1
            listing.strangers |= names - listing.names
            listing.names = names
        settled = changed_ns is not None and listed_ns - changed_ns > SETTLED_NS
        listing.changed_ns, listing.listed_at = changed_ns if settled else None, now
        return listing


def places_of(live_path: str, archive_directories: tuple[str, ...]) -> dict[str, str]:
    """Return the directories where a log's past may be, each with the log's name there."""
    live, target = Path(live_path), Path(os.path.realpath(live_path))
    places = dict.fromkeys((str(live.parent), *archive_directories), live.name)
    places.setdefault(str(target.parent), target.name)
    return places


def siblings(live_path: str, archive_directories: tuple[str, ...]) -> list[str]:
    """Return the paths of the rotated generations of a log that are on the disk, oldest first."""
    live = {live_path, os.path.realpath(live_path)}
    found = Beside().candidates(places_of(live_path, archive_directories), live, 0.0, everything=False)
    return [candidate.path for candidate in found if candidate.related]


def _written(path: str) -> str:
    """Return when a file was last written, as text that sorts by time."""
    try:
        return f"{os.stat(path).st_mtime_ns:020}"  # noqa: PTH116 - as above
    except OSError:
        return ""
