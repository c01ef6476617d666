"""Files that came beside followed logs since the last look, hold events, and are in no generation: nobody reads them.

Most likely each is a rotated generation under a name that says nothing, or another program's log. A guess would count that
one's events as this one's, so it is told, and a person decides. What is written on is another's live log, and is left alone.
"""

import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping

import parsers
from ingestor.config.settings import LogSettings
from ingestor.model.generation import Generation
from ingestor.model.log_file import FileIdentity, FileStat, LogFile, shown
from ingestor.sources.file.beside import look_or_none
from ingestor.state.generations import Generations
from ingestor.state.unsaved import STRANGER
from parsers.contract import events_of

log = logging.getLogger("tokentail")

ANOTHERS = "another's"
"""Kept of a file that was written on."""
LOOKED_OVER_BYTES = 1 << 16
"""Of its beginning, in which an event is looked for."""


class Strangers:
    """Those of all logs."""

    def __init__(self, generations: Generations, is_live: Callable[[str], bool]) -> None:
        """``is_live`` tells the live paths of all logs."""
        self._generations = generations
        self._is_live = is_live
        self._found = {seen.identity: (path, seen) for path, seen in remembered(generations.strangers).items()}
        self._told: set[FileIdentity] = set()

    def note(self, file: LogFile, seen: FileStat, entry: LogSettings) -> None:
        """Note a file that no log has taken yet. ``entry``: of the log beside which it is. Raises OSError, files.DamagedFileError."""
        if self._generations.strangers.get(file.path) == ANOTHERS or self._is_written_on(seen):
            return
        if os.stat(file.path).st_ctime > self._generations.looked_at and _holds_events(file, entry):  # noqa: PTH116 - a string
            self._found[seen.identity] = file.path, seen
            self._generations.note_stranger(file.path, _kept(seen))

    def problems(self) -> list[str]:
        """Return what is to be said, after all logs have looked beside them: another one may have taken the file."""
        for identity, (path, seen) in list(self._found.items()):
            now = look_or_none(path)
            if self._is_live(path) or any(self._generations.by_identity(identity)):
                now = None
            if now != seen and not (now is not None and self._is_written_on(now)):
                del self._found[identity]
                self._generations.note_stranger(path, "")
        said = [problem(path) for path, _ in self._found.values()]
        for identity, (path, _) in self._found.items():
            if identity not in self._told:
                self._told.add(identity)
                log.warning("%s", problem(path))
        return said

    def _is_written_on(self, seen: FileStat) -> bool:
        """Tell whether a file has grown since it was noted: it is another's live log, and is not told again."""
        path, before = self._found.get(seen.identity, ("", seen))
        if seen.size <= before.size:
            return False
        del self._found[seen.identity]
        self._generations.note_stranger(path, ANOTHERS)
        return True


def problem(path: str) -> str:
    """Say what is wrong with a stranger, and what to do."""
    name = shown(path)
    return (
        f"{name} came beside a followed log, holds events, and is not read: its name does not say whose it is."
        f" If it was rotated from that log: tokentail backfill {name}"
    )


def remembered(strangers: Mapping[str, str]) -> dict[str, FileStat]:
    """Return the strangers that a state tells of, as they looked, by path."""
    found = {}
    for path, kept in strangers.items():
        if kept == ANOTHERS:
            continue
        device, inode, *rest = map(int, kept.split())
        found[path] = FileStat(FileIdentity(device, inode), *rest)
    return found


def still_there(meta: Mapping[str, str], generations: Collection[Generation]) -> Iterator[str]:
    """Yield what is to be said of the strangers of a state that nobody follows at the moment."""
    kept = {key.removeprefix(STRANGER): value for key, value in meta.items() if key.startswith(STRANGER) and value}
    known = {FileIdentity(entry.device, entry.inode) for entry in generations}
    for path, seen in remembered(kept).items():
        if seen.identity not in known and look_or_none(path) == seen:
            yield problem(path)


def _kept(seen: FileStat) -> str:
    return " ".join(map(str, (*seen.identity, *seen[1:])))


def _holds_events(file: LogFile, entry: LogSettings) -> bool:
    data = file.read_at(0, LOOKED_OVER_BYTES)
    whole = data[: data.rfind(b"\n") + 1] or data
    outcomes = parsers.find(entry.parser, mapping=entry.mapping).parse(whole, 1 << 62)
    return any(map(events_of, outcomes))
