"""The run loop: poll, read, commit, wait. What waiting can mend is waited for; what it cannot ends with its exit code."""

import logging
import math
import sqlite3
import time
from collections.abc import Callable

from ingestor.config.settings import Settings
from ingestor.daemon.patience import StoppingError, calling, flush_before_the_end, raise_if_away_too_long
from ingestor.daemon.publisher import Publisher
from ingestor.daemon.rebuilding import Rebuilding
from ingestor.daemon.requests import RequestRunner
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError
from ingestor.model.snapshot import Snapshot
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.file.pipes import Pipes
from ingestor.sources.file.source import FileSource
from ingestor.sources.file.wakeup import Wakeup
from ingestor.state.state import State
from ingestor.stores.influxdb.client.http import tls_context
from ingestor.stores.influxdb.write.migration import check_store

log = logging.getLogger("tokentail")

HEARTBEAT_SECONDS = 10.0
"""How often an idle daemon says in the state that it lives."""
MIN_TURN_SECONDS = 0.1
"""Changes that come faster are gathered: a commit costs two fsyncs."""
REST_SECONDS = 5.0
"""How long what pipes held is read at the end."""
READ_SECONDS = 1.0
"""How long a batch is filled, however little comes at a time: then it is stored, and the watchdog is fed."""


class Daemon:
    """Follows logs into the store. ``step`` is one turn of the loop, for whoever brings a loop of their own."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        *,
        once: bool = False,
        pipes: Pipes | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the state. ``pipes``: those that outlive it; else it has its own.

        Raises sqlite3.Error, OSError; StoppingError when ``stop`` says so while a store is waited for.
        """
        self._stop = stop
        self._has_own_pipes = pipes is None
        self._pipes = Pipes(state.directory, once=once) if pipes is None else pipes
        self._pipes.wake = self.wake
        self._wakeup: Wakeup | None = None
        settings = self._pipes.follow(settings)
        self.pipeline = Pipeline(settings, state, self._end_if_asked)
        self.delivery = self.pipeline.delivery
        self.file_source = FileSource(settings, self.pipeline.book, once=once)
        self._pipes.begin(self.pipeline.book)
        self._settings = settings
        self._state = state
        self._clock_ahead = 0.0
        """How far the clock of whoever calls ``step`` is ahead of ours, seconds."""
        self._polled_at = float("-inf")
        self._shipped_at = float("-inf")
        self._behind = False
        self._ended_at: float | None = None
        """When the pipes had ended and nothing was read any more."""
        self._publisher = Publisher(settings, self.pipeline, self.file_source, self._pipes)
        self.watchers = self._publisher.watchers
        """Whoever is told once a second how the daemon is, while nothing in it hangs."""
        self._requests = RequestRunner(self.pipeline)
        self._rebuilding = Rebuilding(self.pipeline)

    def step(self, now: float | None = None) -> bool:
        """Take one turn; return whether anything was read or stored. ``now``: monotonic seconds.

        Raises DamagedStateError when the state's database turns out to be damaged.
        """
        now = time.monotonic() if now is None else now
        self._clock_ahead = now - time.monotonic()
        worked = self.delivery.advance(now)
        if not self.delivery.counting:
            self.pipeline.book.rebuilding = True
        if self.delivery.has_room:
            worked = self._read(now) or worked
        else:
            self._look(now)
        self._pipes.settle(now, self.pipeline)
        if not worked and not self._behind and self.delivery.idle and not self.file_source.waiting:
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
        """The settings in effect, with what is followed in the place of pipes."""
        return self._settings

    @property
    def behind(self) -> bool:
        """Whether the last turn left something to read, because it had filled a batch."""
        return self._behind

    def run_once(self) -> None:
        """Read to the end of every file, and store it.

        Raises UnavailableError when the store refuses for a minute; TokentailError (PermissionDeniedError where that is
        the reason) in the end, when there was a log that could not be read.
        """
        while True:
            ended = self._pipes.ended
            worked = self.step()
            self.delivery.raise_if_contested()
            raise_if_away_too_long(self.delivery)
            busy = self.delivery.trouble is not None or not self.delivery.has_room or self.delivery.migrating
            if busy or self.file_source.waiting or not (ended or worked):
                self.delivery.wait(MIN_TURN_SECONDS)
            elif not worked:
                # A file may have grown or turned up during the last turn: one more look, then it is the end.
                self.delivery.flush()
                self._polled_at = float("-inf")
                if not self.step():
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
        wakeup, self._stop = Wakeup(), stop
        self._wakeup = wakeup
        self.delivery.wake = wakeup.set
        try:
            while not stop():
                if ended := self._pipes.alone and self._pipes.ended:
                    self._polled_at = float("-inf")
                worked = self.step()
                between_turns()
                wakeup.watch(self.file_source.directories())
                if self._behind:
                    if not self.delivery.has_room:
                        self.delivery.wait(MIN_TURN_SECONDS)
                    continue
                if not self.file_source.waiting:
                    self._rebuilding.finish(self._tick)
                if not ended or worked:
                    self._ended_at = None
                elif self._is_over():
                    break
                time.sleep(MIN_TURN_SECONDS)  # changes that come faster are gathered
                if not worked and not stop():
                    idle_seconds = min(self._settings.read.poll_interval_seconds, longest_wait or math.inf)
                    wakeup.wait(idle_seconds - MIN_TURN_SECONDS)
        finally:
            wakeup.close()
            self._wakeup = None

    def _is_over(self) -> bool:
        """Whether nothing is left to do after the pipes have ended; half a line of a killed producer is not waited for long."""
        self._ended_at = self._ended_at or time.monotonic()
        patience = self._settings.read.rotated_quiet_seconds + self._settings.read.missing_grace_seconds
        if self._pipes.is_read(self.pipeline):
            return True
        if (
            self.delivery.trouble
            or not self.delivery.idle
            or time.monotonic() - self._ended_at < patience + MIN_TURN_SECONDS
        ):
            return False
        log.warning("What is left in %s is read at the next start", self._pipes.directory)
        return True

    def wake(self) -> None:
        """Have the next turn begin at once. For signal handlers, too."""
        if self._wakeup is not None:
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
        """Read what pipes held to the last: nobody may name them again."""
        if not self._pipes.files:
            return
        self._pipes.stop()
        end = time.monotonic() + REST_SECONDS
        while self.delivery.has_room and time.monotonic() < end:
            self._polled_at = float("-inf")
            self.file_source.look_soon()
            if not self.step(self._now()):
                return

    def close(self) -> None:
        """Release files. What is not durable is read again next time."""
        if self._has_own_pipes:
            self._pipes.stop()
        self._publisher.publish(self._now(), force=True)
        self.file_source.close()
        self.pipeline.close()
        self._publisher.close()

    def _look(self, now: float) -> bool:
        """Look at the logs if it is time, so that what comes and goes is open by then; return whether it was."""
        if now - self._polled_at < MIN_TURN_SECONDS:
            return False
        self._polled_at = now
        if self._pipes.has_news(now):
            self._settings = self._pipes.follow_again()
            self._pipes.begin(self.pipeline.book)
            self.file_source.reload(self._settings)
        self.file_source.poll(now)
        return True

    def _read(self, now: float) -> bool:
        """Look at the logs, fill a batch and hand it over; return whether there was anything to hand over, or more to do."""
        if self._look(now):
            if self.pipeline.book.newly_followed:
                # Where reading begins is durable before anything is sent: a store that is away at the first start must
                # not make the next start the first one again, which would leave to a backfill what was rotated meanwhile.
                self.pipeline.submit(now)
            self._requests.run_next(self._tick)
            if not self.delivery.has_room:
                return True
        try:
            self.pipeline.record_classifier(followed.source for followed in self.file_source.logs)
        except sqlite3.Error as error:
            log.warning("The state cannot be written, so nothing is read yet: %s", error)
            return False
        self._behind = True
        end = time.monotonic() + READ_SECONDS
        while not self.pipeline.full:
            block = self.file_source.next_block(now)
            if block is None:
                self._behind = self.file_source.busy
                break
            self.pipeline.process(block)
            if time.monotonic() > end:
                break
        worked = self.pipeline.has_pending or self.file_source.busy
        if worked or now - self._shipped_at >= HEARTBEAT_SECONDS:
            self._shipped_at = now
            self.pipeline.submit(now)
        return worked

    def _raise_for_unread_logs(self) -> None:
        unread = [followed for followed in self.file_source.logs if followed.problem and not followed.harmless]
        problems = [str(followed.problem) for followed in unread] + self._pipes.problems
        problems = problems or ([] if self.file_source.found_any else ["No file is where the logs should be"])
        if not problems:
            return
        error = PermissionDeniedError if any(followed.denied for followed in unread) else TokentailError
        raise error(
            "; ".join(problems),
            where=", ".join(entry.path for entry in self._settings.logs),
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

        A store that is another one is such a case: what is on its way to the former, which may be out of reach, is read
        again from the checkpoint. Raises ConfigError, and changes nothing then, when the settings cannot be used with this
        state; UnavailableError when what was read cannot be stored first; StoppingError.
        """
        before = self._settings
        if settings.state_directory != before.state_directory or settings.host != before.host:
            raise ConfigError(
                "The state directory and the host change only with a restart",
                where=str(settings.config_file or ""),
                advice="Restart the service.",
            )
        if (settings.store, settings.retention) != (before.store, before.retention):
            check_store(settings, self._state)
            tls_context(settings.store)
            return False
        with calling(self.delivery, self._end_if_asked):
            self.pipeline.commit()
        settings = self._pipes.follow(settings)
        self._pipes.begin(self.pipeline.book)
        self.pipeline.reload(settings)
        self.file_source.reload(settings)
        self._settings = settings
        self._publisher.reload(settings)
        return True

    def _tick(self) -> None:
        """Live on during a long piece of work. Raises StoppingError when the daemon is asked to end meanwhile."""
        now = self._now()
        self._look(now)  # what is rotated and deleted meanwhile is held open
        self._publisher.publish(now)
        self._end_if_asked()

    def _now(self) -> float:
        """Return the time by the clock of whoever calls ``step``, monotonic seconds."""
        return time.monotonic() + self._clock_ahead

    def _end_if_asked(self) -> None:
        if self._stop():
            raise StoppingError
