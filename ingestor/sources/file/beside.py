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

from ingestor.model.log_file import FileIdentity, FileStat
from ingestor.model.rotation_names import Age, is_compressed, may_be_rotated, rotation_age, uncompressed_name
from ingestor.sources.file.files import stat_file
from ingestor.sources.file.told import Asker, Told

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
        self.packed: list[str] = []
        """The compressed ones."""
        self.version = 0
        """Grows when the names change."""
        self.strangers: set[str] = set()
        """Names that no log has looked at yet."""
        self.changed_ns: int | None = None
        self.listed_at = float("-inf")
        self.looked_at = float("-inf")
        self.there: dict[FileIdentity, str] = {}
        """Where files are, as that look has found; logs that are followed are left out."""
        self.to_ask: dict[str, FileStat] = {}
        """Those of them that are still to be asked in this turn, by path."""
        self.told: dict[str, Told] = {}
        """What the others hold that belong to another log than the one that asked them, by path."""


class Beside:
    """The directories of all logs."""

    def __init__(self) -> None:
        self.settled: dict[FileIdentity, FileStat] = {}
        """Files of which nothing is left to read, as they looked when that was found."""
        self.unknown: dict[FileIdentity, FileStat] = {}
        """Files that hold nothing known: those whose past they may be look at them, no others."""
        self.all_looked_at = float("inf")
        """Since when every log has looked at what lies beside it (monotonic seconds); for one log alone that is always."""
        self._listings: dict[str, _Listing] = {}

    def version(self, places: dict[str, str], now: float) -> int:
        """Return a number that grows when files come or go. ``places``: directories; ``now``: monotonic seconds."""
        return sum(self._listing(directory, now).version for directory in places)

    def asked(self, path: str) -> None:
        """Note that a file is asked now: in this turn no other log does so."""
        if (listing := self._listings.get(os.path.dirname(path))) is not None:  # noqa: PTH120 - as everywhere here
            listing.to_ask.pop(path, None)

    def told(self, path: str, told: Told) -> None:
        """Keep what a file was found to hold, for the log that wants it."""
        if (listing := self._listings.get(os.path.dirname(path))) is not None:  # noqa: PTH120 - as above
            listing.told[path] = told

    def lists(self, path: str) -> bool:
        """Tell whether a path is among what is listed beside logs."""
        directory, name = os.path.split(path)
        return directory in self._listings and name in self._listings[directory].names

    def holds_known(self, places: dict[str, str]) -> bool:
        """Tell whether a file there holds something known that belongs to another log."""
        return any(self._listings[directory].told for directory in places if directory in self._listings)

    def is_there(self, identity: FileIdentity, since: float) -> bool:
        """Tell whether a look at everything has found a file."""
        return any(identity in listing.there for listing in self._listings.values() if listing.looked_at >= since)

    def candidates(
        self,
        places: dict[str, str],
        live: Container[str],
        now: float,
        *,
        asker: Asker | None = None,
        pattern: str = "",
    ) -> list[Candidate]:
        """Return the files beside a log, the oldest first. Raises nothing: what cannot be listed is looked at next time.

        ``places``: the log's name by directory. ``live``: its paths; in an archive its name is that of a past one. ``asker``: also
        files of other names that were looked at before are wanted, those that nobody has asked, and those that hold what the
        asker wants.
        ``pattern``: a glob that names the log; what it would match, had it not been compressed, is its past, too.
        """
        found: list[tuple[Age, str, bool]] = []
        for directory, live_name in places.items():
            listing = self._listing(directory, now)
            # Every rotated name holds it.
            start = live_name.rpartition(".")[0] or live_name
            related = [name for name in listing.names if start in name and may_be_rotated(live_name, name)]
            if pattern:
                related += [
                    name for name in listing.packed if fnmatch(f"{directory}/{uncompressed_name(name)}", pattern)
                ]
            if live_name in listing.names and f"{directory}/{live_name}" not in live:
                related.append(live_name)
            wanted = listing.strangers if asker is None else self._strangers(directory, listing, now, asker)
            strangers = wanted.difference(related, (live_name,))
            listing.strangers = set()
            for name in {*related, *strangers}:
                plain = uncompressed_name(name)
                # While `x` is being compressed there is an unfinished `x.gz` beside it.
                if plain in {name, live_name} or plain not in listing.names:
                    path = f"{directory}/{name}"
                    age = rotation_age(live_name, name) or Age(-1, _written(path), 0)
                    found.append((age, path, name in related))
        return [Candidate(path, related) for _, path, related in sorted(found)]

    def _strangers(self, directory: str, listing: _Listing, now: float, asker: Asker) -> set[str]:
        """Return the names of files that are still to be asked, or that the asker wants. They are looked at once in a turn."""
        if listing.looked_at != now:
            listing.looked_at = now
            paths = (path for name in listing.names if not asker.is_live(path := f"{directory}/{name}"))
            there = {path: seen for path in paths if (seen := look_or_none(path)) is not None}
            listing.there = {seen.identity: path for path, seen in there.items()}
            listing.told = {
                path: told
                for path, told in listing.told.items()
                if there.get(path) == told.seen and asker.is_true(told)
            }
            listing.to_ask = {path: seen for path, seen in there.items() if path not in listing.told}
        listing.to_ask = {
            path: seen
            for path, seen in listing.to_ask.items()
            if seen not in (self.settled.get(seen.identity), self.unknown.get(seen.identity))
        }
        wanted = {path for path, told in listing.told.items() if asker.wants(told)}
        found = {listing.there[identity] for identity in asker.open_files if identity in listing.there}
        return {path[len(directory) + 1 :] for path in (*listing.to_ask, *wanted, *found)}

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
            listing.packed = [name for name in names if is_compressed(name)]
        settled = changed_ns is not None and listed_ns - changed_ns > SETTLED_NS
        listing.changed_ns, listing.listed_at = changed_ns if settled else None, now
        return listing


def look_or_none(path: str) -> FileStat | None:
    """Return what is at a path; None when that cannot be told."""
    try:
        return stat_file(path)
    except OSError:
        return None


def places_of(live_path: str, archive_directories: tuple[str, ...]) -> dict[str, str]:
    """Return the directories where a log's past may be, each with the log's name there."""
    live, target = Path(live_path), Path(os.path.realpath(live_path))
    places = dict.fromkeys((str(live.parent), *archive_directories), live.name)
    places.setdefault(str(target.parent), target.name)
    return places


def rotated_paths(live_path: str, archive_directories: tuple[str, ...]) -> list[str]:
    """Return the paths of the rotated generations of a log that are on the disk, oldest first."""
    live = {live_path, os.path.realpath(live_path)}
    found = Beside().candidates(places_of(live_path, archive_directories), live, 0.0)
    return [candidate.path for candidate in found if candidate.related]


def _written(path: str) -> str:
    """Return when a file was last written, as text that sorts by time."""
    try:
        return f"{os.stat(path).st_mtime_ns:020}"  # noqa: PTH116 - as above
    except OSError:
        return ""
