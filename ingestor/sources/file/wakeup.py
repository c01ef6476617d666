"""Wake the reader when files change. A hint, never the truth: inotify queues overflow silently (reliability T28)."""

import logging
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

log = logging.getLogger("tokentail")


class Wakeup(FileSystemEventHandler):
    """Calls the reader whenever something in the watched directories changes."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """``wake`` is called from a thread of its own."""
        super().__init__()
        self._wake = wake
        self._directories: set[str] = set()
        self._observer: BaseObserver | None = None
        self._broken = False

    def watch(self, directories: set[str]) -> None:
        """Watch these directories; start the observer again when it died or when the set has changed."""
        existing = {directory for directory in directories if Path(directory).is_dir()}
        if self._broken or not existing:
            return
        if self._observer is not None and self._observer.is_alive() and existing == self._directories:
            return
        self._stop_observer()
        try:
            observer = Observer()
            for directory in existing:
                observer.schedule(self, directory)
            observer.start()
        except OSError as error:
            # Out of inotify instances or watches: polling goes on, only a little later.
            log.warning("No file change notifications (%s); polling alone", error.strerror)
            self._broken = True
            return
        self._observer, self._directories = observer, existing

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake up, whatever happened, unless it is what our own reading causes."""
        if event.event_type in {"created", "modified", "moved", "deleted"}:
            self._wake()

    def close(self) -> None:
        """End the observer's thread."""
        self._stop_observer()

    def _stop_observer(self) -> None:
        if self._observer is not None and self._observer.is_alive():
            self._observer.stop()
            self._observer.join(timeout=5)
        self._observer = None
