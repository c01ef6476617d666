"""Logs that a glob named once and that are not there now: rotated and not made again yet, or removed while nobody looked.

A glob finds what is there. Such a log is followed all the same while there is a reason: something of it was not read to its
end, or a file has come that may be its past. All logs that ever were would be too many: one a day, for years.
"""

import os
from collections.abc import Collection, Iterator

from ingestor.config.path_patterns import matches
from ingestor.config.settings import LogSettings
from ingestor.model.generation import Status
from ingestor.model.log_file import shown
from ingestor.model.rotation_names import possible_live_names
from ingestor.state.generations import Generations


class AbsentLogs:
    """The absent logs of one glob."""

    def __init__(self, entry: LogSettings, generations: Generations) -> None:
        """Find the logs of ``entry``; ``generations``: what is known of those that were followed."""
        self._entry = entry
        self._generations = generations
        self._names: dict[str, frozenset[str]] = {}
        """What lay in the directories at the last look."""
        self._looked = False

    def look(self, there: Collection[str]) -> set[str]:
        """Return the logs that there is a new reason to follow. ``there``: what the glob has found."""
        known = self._known(there)
        found = {path for path in known if self._is_unfinished(path)} if not self._looked else set()
        self._looked = True
        news: dict[str, set[str]] = {}
        for path in known:
            directory, name = os.path.split(path)
            for place in (directory, *self._entry.archive_directories):
                if place not in news:
                    news[place] = set(self._lives_of_new_names(place))
                if name in news[place]:
                    found.add(path)
        return found

    def _known(self, there: Collection[str]) -> list[str]:
        listed = {shown(path) for path in there}
        return [
            path
            for path in self._generations.followed
            if path not in listed and matches(self._entry.path, path) and not os.path.lexists(path)
        ]

    def _is_unfinished(self, path: str) -> bool:
        """Tell whether something of a log is not known to be read to its end. Where it was last may be a rotated name."""
        directory, name = os.path.split(path)
        places = {directory, *self._entry.archive_directories}
        source = self._entry.source or path
        for generation in self._generations.of(source):
            if generation.status is Status.OPEN:
                last_in, last_name = os.path.split(generation.path)
                if not self._entry.source or generation.path == path:
                    return True
                if last_in in places and name in possible_live_names(last_name):
                    return True
        return False

    def _lives_of_new_names(self, directory: str) -> Iterator[str]:
        try:
            names = frozenset(os.listdir(directory))  # noqa: PTH208 - names are wanted, a Path for each is waste
        except OSError:
            names = frozenset()
        for name in names - self._names.get(directory, frozenset()):
            yield name
            yield from possible_live_names(name)
        self._names[directory] = names
