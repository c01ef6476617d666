"""Under which names lines that are read now may have been sent before: a source was renamed, a host, a directory moved.

A store that is no part of the state may hold points that no checkpoint knows, of a process that was killed. They are read
and sent again; under another source or host they would be other points. So until all is read that was there at the start,
the lines are looked for under the former names as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any, Final, TypeAlias

import orjson

from ingestor.config.settings import LogSettings
from ingestor.model.generation import Generation
from ingestor.model.log_file import shown
from ingestor.state.generations import Generations

Name: TypeAlias = tuple[str, str]
"""(source, host)."""

NAMED: Final = "named"
"""Key of ``meta``: host, and source by path, as they were configured when something was sent last."""
FORMER: Final = "former_names"
"""Key of ``meta``: the names that are not done with yet."""


class FormerNames:
    """What was named otherwise when something was sent last."""

    def __init__(self, meta: Mapping[str, str], sent: Iterable[str], logs: Sequence[LogSettings], host: str) -> None:
        """``sent``: the sources of which something was sent, ever."""
        sources = {entry.path: entry.source for entry in logs}
        now: dict[str, Any] = {"host": host, "sources": sources}
        before: dict[str, Any] = orjson.loads(meta.get(NAMED) or "null") or now
        self._names: set[Name] = {(source, name) for source, name in orjson.loads(meta.get(FORMER) or "[]")}
        if before != now:
            moved = before["host"] != host
            renamed = {source or path for path, source in before["sources"].items() if sources.get(path) != source}
            self._names |= {
                (source, before["host"]) for source in sent if moved or source in renamed or not _is_named(source, logs)
            }
        self.notes = {NAMED: orjson.dumps(now).decode(), FORMER: orjson.dumps(sorted(self._names)).decode()}
        """What the state has to know before anything is sent."""

    def __bool__(self) -> bool:
        return bool(self._names)

    def of(self, generation: Generation, ordinal: int, generations: Generations) -> list[Name]:
        """Return the names under which a generation's lines from ``ordinal`` on may be stored, and were not counted."""
        return [
            (source, host)
            for source, host in self._names
            if (source, host) != (generation.source, generation.host)
            and not any(
                other.h == generation.h and other.host == host and other.ordinal > ordinal
                for other in generations.of(source)
            )
        ]

    def forget(self) -> dict[str, str]:
        """Forget the names, since all is read that was there; return what the state has to know of it."""
        self._names.clear()
        return {FORMER: "[]"}


def _is_named(source: str, logs: Iterable[LogSettings]) -> bool:
    return any(source == (entry.source or shown(entry.path)) or fnmatch(source, entry.path) for entry in logs)
