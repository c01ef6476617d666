"""The file source as the daemon knows it: logs, the pipes among them, and the notifications that there is something new."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ingestor.config.settings import Settings
from ingestor.sources.block import Block
from ingestor.sources.contract import Problem, Progress, Source
from ingestor.sources.file.pipes import Pipes
from ingestor.sources.file.source import FileSource
from ingestor.sources.file.wakeup import Wakeup
from ingestor.state.generations import Generations


class LogFiles(Source):
    """Every log that the settings name. A pipe is copied into a spool, which is followed in its place."""

    def __init__(self, settings: Settings, pipes: Pipes, *, once: bool = False, owns_pipes: bool = True) -> None:
        """``owns_pipes``: close them with this; else they outlive it."""
        self._pipes = pipes
        self._owns_pipes = owns_pipes
        self._once = once
        self._settings = pipes.follow(settings)
        self._generations: Generations  # from ``begin`` on, as the next
        self.files: FileSource
        """The logs, without what concerns pipes."""
        self._wake: Callable[[], None] | None = None
        self._wakeup: Wakeup | None = None
        pipes.wake = self._call_wake

    @property
    def settings(self) -> Settings:
        """The settings in effect, with what is followed in the place of pipes."""
        return self._settings

    def begin(self, generations: Generations) -> None:
        """Follow the logs on."""
        self._generations = generations
        self.files = FileSource(self._settings, generations, once=self._once)
        self._pipes.begin(generations)

    def poll(self, now: float, *, force: bool = False) -> None:
        """Look at the logs, and now and then whether one of them has become a pipe."""
        if self._pipes.has_news(now):
            self._settings = self._pipes.follow_again()
            self._pipes.begin(self._generations)
            self.files.reload(self._settings)
        if force:
            self.files.look_soon()
        self.files.poll(now)

    def next_block(self, now: float) -> Block | None:
        """Return a block of the next log that has one."""
        return self.files.next_block(now)

    def sources(self) -> Iterable[str]:
        """Return the sources of the followed logs."""
        return (followed.source for followed in self.files.logs)

    @property
    def busy(self) -> bool:
        """Whether there is more to pass over or to look at, though it brought no block."""
        return self.files.busy

    @property
    def waiting(self) -> bool:
        """Whether a remainder is still looked for."""
        return self.files.waiting

    def acknowledge(self, now: float, progress: Progress) -> None:
        """Delete the segments of pipes that are read and durable."""
        self._pipes.acknowledge(now, progress, self._generations)

    def problems(self, *, at_end: bool = False) -> Sequence[Problem]:
        """Return what keeps logs and pipes from being read."""
        unread = [followed for followed in self.files.logs if followed.problem and not followed.harmless]
        found = [Problem(str(followed.problem), followed.denied) for followed in unread]
        found += map(Problem, self._pipes.problems)
        if at_end and not found and not self.files.found_any:
            return [Problem("No file is where the logs should be")]
        return found

    def unread_bytes(self) -> int:
        """Return how many bytes of the logs wait to be read."""
        return self.files.unread_bytes()

    def lag_since(self, progress: Progress) -> float | None:
        """Return when the oldest byte that is unread or unacknowledged was first seen."""
        return self.files.lag_since(accepted=progress.accepted_bytes, acknowledged=progress.acknowledged_bytes)

    def remarks(self) -> Sequence[str]:
        """Return what is to be said of files beside the logs that nobody reads."""
        return self.files.strangers

    def half_lines(self) -> Mapping[str, int]:
        """Return, by path, how many bytes at the end of logs are a line that has no end yet."""
        return self.files.half_lines()

    def watch(self, wake: Callable[[], None] | None) -> None:
        """Watch the directories of the logs, and the ends of pipes."""
        self._wake = wake
        if wake is None:
            self._unwatch()
            return
        if self._wakeup is None:
            self._wakeup = Wakeup(self._call_wake)
        self._wakeup.watch(self.files.directories())

    @property
    def ended(self) -> bool:
        """Whether every pipe is over."""
        return self._pipes.ended

    @property
    def over(self) -> bool:
        """Whether nothing but pipes that end is followed, and they have."""
        return self._pipes.alone and self._pipes.ended

    def leftover(self, progress: Progress) -> str:
        """Return the spool's directory while something in it is not read, or not durable."""
        return "" if self._pipes.is_read(progress, self._generations) else str(self._pipes.directory)

    def take_the_rest(self) -> bool:
        """Take what the pipes hold to the last: nobody may name them again."""
        if not self._pipes.files:
            return False
        self._pipes.stop()
        return True

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: a log that is still named is followed on, one that is not is left."""
        self._settings = self._pipes.follow(settings)
        self._pipes.begin(self._generations)
        self.files.reload(self._settings)

    def close(self) -> None:
        """Release all files, and the pipes if they are its own."""
        if self._owns_pipes:
            self._pipes.stop()
        self._unwatch()
        self.files.close()

    def _call_wake(self) -> None:
        if (wake := self._wake) is not None:
            wake()

    def _unwatch(self) -> None:
        if self._wakeup is not None:
            self._wakeup.close()
            self._wakeup = None
