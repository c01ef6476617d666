"""Which ``[[logs]]`` entry a source belongs to: a source is called as its entry says, or else by the path of its live file."""

from collections.abc import Iterable

from ingestor.config.path_patterns import has_pattern, matches
from ingestor.config.settings import LogSettings
from ingestor.model.log_file import shown


def log_of(source: str, logs: Iterable[LogSettings]) -> LogSettings:
    """Return the entry of a source: the one that names it, else the first whose glob does, else one of its own with defaults.

    The files that a glob matches are sources by their own paths, unless the entry names one source for all of them.
    """
    logs = list(logs)
    named = (entry for entry in logs if (entry.source or shown(entry.path)) == source)
    globs = (
        entry for entry in logs if not entry.source and has_pattern(entry.path) and matches(shown(entry.path), source)
    )
    return next(named, None) or next(globs, None) or LogSettings(source)
