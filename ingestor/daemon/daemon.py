"""The run loop: poll, read, commit, wait. What waiting can mend is waited for; what it cannot ends with its exit code."""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable

from ingestor.config.settings import Settings
from ingestor.daemon.intake import MIN_TURN_SECONDS, Intake
from ingestor.daemon.patience import StoppingError, calling, flush_before_the_end, raise_if_away_too_long
from ingestor.daemon.publisher import Publisher
from ingestor.daemon.rebuilding import Rebuilding
from ingestor.daemon.requests import RequestRunner
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError
from ingestor.model.snapshot import Snapshot
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.contract import Source
from ingestor.sources.opening import open_source, scheme_of
from ingestor.state.state import State
from ingestor.stores.registry import store_of

log = logging.getLogger("tokentail")

REST_SECONDS = 5.0
"""How long is read at the end what can be read only then."""


class Daemon:
    """Follows logs into the store. ``step`` is one turn of the loop, for whoever brings a loop of their own."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        *,
        once: bool = False,
        source: Source | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the state. ``source``: what is read, not begun yet, with the settings in effect; else it is what these name.

        Raises sqlite3.Error, OSError; StoppingError when ``stop`` says so while a store is waited for.
        """
        self._stop = stop
        self._wakeup = threading.Event()
        self.source = open_source(settings, state.directory, once=once) if source is None else source
        self.pipeline = Pipeline(self.source.settings, state, self._end_if_asked)
        self.delivery = self.pipeline.delivery
        self.source.begin(self.pipeline.generations)
        self._state = state
        self._clock_ahead = 0.0
        """How far the clock of whoever calls ``step`` is ahead of ours, seconds."""
        self._ended_at: float | None = None
        """When the source was over and nothing was read any more."""
        self._publisher = Publisher(self.pipeline, self.source)
        self.watchers = self._publisher.watchers
        """Whoever is told once a second how the daemon is, while nothing in it hangs."""
        requests = RequestRunner(self.pipeline)
        self._intake = Intake(self.source, self.pipeline, lambda: requests.run_next(self._tick))
        self._rebuilding = Rebuilding(self.pipeline)

    def step(self, now: float | None = None, *, force: bool = False) -> bool:
        """Take one turn; return whether anything was read or stored.

        ``now``: monotonic seconds. ``force``: look at everything for what is new, however lately that was done.

        Raises DamagedStateError when the state's database turns out to be damaged.
        """
        now = time.monotonic() if now is None else now
        self._clock_ahead = now - time.monotonic()
        worked = self.delivery.advance(now)
        if not self.delivery.counting:
            self.pipeline.generations.rebuilding = True
        if self.delivery.has_room:
            worked = self._intake.read(now, force=force) or worked
        else:
            self._intake.look(now, force=force)
        self.source.acknowledge(now, self.pipeline.progress)
        if not worked and not self._intake.behind and self.delivery.idle and not self.source.waiting:
            self._forget_former_names()
        self._publisher.publish(now)
        return worked

    def _forget_former_names(self) -> None:
        try:
            self.pipeline.forget_former_names()
        except sqlite3.Error as error:
            log.debug("Former names are looked for on: %s", error)

    @property
    def settings(self) -> Settings:
        """The settings in effect, with what is read in the place of what is named."""
        return self.source.settings

    @property
    def behind(self) -> bool:
        """Whether the last turn left something to read, because it had filled a batch."""
        return self._intake.behind

    def run_once(self) -> None:
        """Read to the end of every file, and store it.

        Raises UnavailableError when the store refuses for a minute; TokentailError (PermissionDeniedError where that is
        the reason) in the end, when there was a log that could not be read.
        """
        while True:
            ended = self.source.ended
            worked = self.step()
            self.delivery.raise_if_contested()
            raise_if_away_too_long(self.delivery)
            busy = self.delivery.trouble is not None or not self.delivery.has_room or self.delivery.migrating
            if busy or self.source.waiting or not (ended or worked):
                self.delivery.wait(MIN_TURN_SECONDS)
            elif not worked:
                # A file may have grown or turned up during the last turn: one more look, then it is the end.
                self.delivery.flush()
                if not self.step(force=True):
                    break
        self._rebuilding.finish(self._tick)
        self._raise_for_unread_logs()

    def run_forever(
        self,
        stop: Callable[[], bool],
        *,
        between_turns: Callable[[], None] = lambda: None,
        longest_wait: float | None = None,
    ) -> None:
        """Follow until ``stop`` says so, or all that is followed has ended; ``drain`` then stores what was read.

        ``between_turns`` is called after each turn, and turns are at most ``longest_wait`` seconds apart.
        """
        self._stop = stop
        self.delivery.wake = self.wake
        self.source.watch(self.wake)
        try:
            while not stop():
                over = self.source.over
                worked = self.step(force=over)
                between_turns()
                self.source.watch(self.wake)
                if self._intake.behind:
                    if not self.delivery.has_room:
                        self.delivery.wait(MIN_TURN_SECONDS)
                    continue
                if not self.source.waiting:
                    self._rebuilding.finish(self._tick)
                if not over or worked:
                    self._ended_at = None
                elif self._is_over():
                    break
                time.sleep(MIN_TURN_SECONDS)  # changes that come faster are gathered
                if not worked and not stop():
                    idle_seconds = min(self.settings.read.poll_interval_seconds, longest_wait or math.inf)
                    self._wakeup.wait(idle_seconds - MIN_TURN_SECONDS)
                    self._wakeup.clear()
        finally:
            self.source.watch(None)

    def _is_over(self) -> bool:
        """Whether nothing is left to do after the source is over; half a line of a killed producer is not waited for long."""
        self._ended_at = self._ended_at or time.monotonic()
        read = self.settings.read
        patience = read.rotated_quiet_seconds + read.missing_grace_seconds
        leftover = self.source.leftover(self.pipeline.progress)
        if not leftover:
            return True
        if (
            self.delivery.trouble
            or not self.delivery.idle
            or time.monotonic() - self._ended_at < patience + MIN_TURN_SECONDS
        ):
            return False
        log.warning("What is left in %s is read at the next start", leftover)
        return True

    def wake(self) -> None:
        """Have the next turn begin at once. For signal handlers, too."""
        self._wakeup.set()

    def drain(self) -> None:
        """Store what was read, but do not wait long for a store that is away: what is not stored is read again."""
        try:
            self._read_the_rest()
            if self.delivery.has_room and self.pipeline.has_pending:
                self.pipeline.submit(time.monotonic())
            flush_before_the_end(self.delivery)
        except (UnavailableError, sqlite3.Error, OSError) as error:
            log.warning("Ending with lines that are not stored; they are read again at the next start: %s", error)

    def _read_the_rest(self) -> None:
        """Read what can be read only now: nobody may name it again."""
        if not self.source.take_the_rest():
            return
        end = time.monotonic() + REST_SECONDS
        while self.delivery.has_room and time.monotonic() < end:
            if not self.step(self._now(), force=True):
                return

    def close(self) -> None:
        """Release files. What is not durable is read again next time."""
        self._publisher.publish(self._now(), force=True)
        self.source.close()
        self.pipeline.close()
        self._publisher.close()

    def _raise_for_unread_logs(self) -> None:
        problems = self.source.problems(at_end=True)
        if not problems:
            return
        error = PermissionDeniedError if any(problem.denied for problem in problems) else TokentailError
        raise error(
            "; ".join(problem.what for problem in problems),
            where=", ".join(entry.path for entry in self.settings.logs),
            advice="What could be read is stored. Check the path, and that this user may read it; then run it again.",
        )

    def figures(self) -> Snapshot:
        """Return how the daemon is at this moment."""
        return self._publisher.figures()

    def keep_old_config(self, error: TokentailError) -> None:
        """Tell, until the next good reload, that it goes on with its settings because others cannot be used."""
        self._publisher.keep_old_config(error)

    def reload(self, settings: Settings) -> bool:
        """Go on with other settings; no line is lost or read twice. Return False when that takes a daemon made anew.

        A store or a source of another kind is such a case: what is on its way to the former, which may be out of reach, is read
        again from the checkpoint. Raises ConfigError, and changes nothing then, when the settings cannot be used with this
        state; UnavailableError when what was read cannot be stored first; StoppingError.
        """
        before = self.settings
        if settings.state_directory != before.state_directory or settings.host != before.host:
            raise ConfigError(
                "The state directory and the host change only with a restart",
                where=str(settings.config_file or ""),
                advice="Restart the service.",
            )
        is_another_source = scheme_of(settings) != scheme_of(before)
        if (settings.store, settings.retention) != (before.store, before.retention):
            store_of(settings).check_usable(self._state)
            return False
        if is_another_source:
            return False
        with calling(self.delivery, self._end_if_asked):
            self.pipeline.commit()
        self.source.reload(settings)
        self.pipeline.reload(self.settings)
        self._publisher.reload(self.settings)
        return True

    def _tick(self) -> None:
        """Live on during a long piece of work. Raises StoppingError when the daemon is asked to end meanwhile."""
        now = self._now()
        self._intake.look(now)  # what is rotated and deleted meanwhile is held open
        self._publisher.publish(now)
        self._end_if_asked()

    def _now(self) -> float:
        """Return the time by the clock of whoever calls ``step``, monotonic seconds."""
        return time.monotonic() + self._clock_ahead

    def _end_if_asked(self) -> None:
        if self._stop():
            raise StoppingError
