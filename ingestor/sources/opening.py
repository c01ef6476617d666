"""Choose the source that reads what the settings name. A source that is new is named here, and nowhere else in the program."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ingestor.config import schemes
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError
from ingestor.sources.contract import Source
from ingestor.sources.file.log_files import LogFiles
from ingestor.sources.file.pipes import Pipes

SOURCES: Final[dict[str, Callable[[Settings], Source]]] = {}
"""By the scheme of ``ingestor.config.schemes``: what makes a source of the settings. All other paths are logs."""


def open_source(settings: Settings, state_directory: Path, *, once: bool = False) -> Source:
    """Return the source of these settings. ``once``: read to the end, and no further. Raises ConfigError."""
    other = _source_that_is_no_file(settings)
    return other or LogFiles(settings, Pipes(state_directory, once=once), once=once)


class SourceOpener:
    """Opens the sources of one process after the other. What outlives a source when settings change is kept here."""

    def __init__(self, state_directory: Path) -> None:
        self._pipes = Pipes(state_directory)

    def open(self, settings: Settings) -> Source:
        """Return the source of these settings. Raises ConfigError."""
        return _source_that_is_no_file(settings) or LogFiles(settings, self._pipes, owns_pipes=False)

    def close(self) -> None:
        """Release what was kept."""
        self._pipes.stop()


def scheme_of(settings: Settings) -> str:
    """Return which of ``SOURCES`` reads what the settings name; "" for logs. Raises ConfigError when it is not one alone."""
    found = {schemes.scheme_of(entry.path) for entry in settings.logs}
    if len(found) > 1:
        raise ConfigError(
            "One daemon reads either logs or what one other source has, not both",
            where=", ".join(entry.path for entry in settings.logs),
            advice="Run a second daemon, with a state directory of its own.",
        )
    return next(iter(found), "")


def _source_that_is_no_file(settings: Settings) -> Source | None:
    scheme = scheme_of(settings)
    return SOURCES[scheme](settings) if scheme else None
