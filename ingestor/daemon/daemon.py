"""The run loop: poll, read, commit, wait. What waiting can mend is waited for; what it cannot ends with its exit code."""

import contextlib
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ingestor.config.settings import Settings
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError, one_line
from ingestor.jobs.backfill import backfill
from ingestor.jobs.condition import DAY_SECONDS
from ingestor.jobs.replay import replay
from ingestor.model.snapshot import Snapshot
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.file.pipes import Pipes
from ingestor.sources.file.source import FileSource
from ingestor.sources.file.wakeup import Wakeup
from ingestor.state import requests
from ingestor.state.database import save_meta
from ingestor.state.health import Health, VitalsFile
from ingestor.state.state import State
from ingestor.stores.delivery import Telemetry
from ingestor.stores.notes import REBUILDING
from ingestor.stores.registry import store_of

log = logging.getLogger("tokentail")

DRAIN_SECONDS = 20.0
"""How long the end may take, within the stop timeout of systemd."""
REFUSED_SECONDS = 1.5
"""How long the end waits for a store that refuses: it may be back before the next try."""
SILENT_SECONDS = 1.5
"""How long the end waits for a store that takes nothing and says nothing: one that is gone, and one that hangs."""
TELL_SECONDS = 1.0
"""How often it tells whoever watches it how it is."""
HEARTBEAT_SECONDS = 10.0
"""How often an idle daemon says in the state that it lives."""
MIN_TURN_SECONDS = 0.1
"""Changes that come faster are gathered: a commit costs two fsyncs."""
REST_SECONDS = 5.0
"""How long what pipes held is read at the end."""
READ_SECONDS = 1.0
"""How long a batch is filled, however little comes at a time: then it is stored, and the watchdog is fed."""
RECOUNT_SECONDS = 60.0
"""How long after a recount that failed the next one is tried."""
ONCE_PATIENCE_SECONDS = 60.0
"""How long ``--once`` keeps trying a store that cannot be written."""


class StoppingError(Exception):
    """The daemon was asked to end during a long piece of work, which is done again at the next start."""


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
        self._answer: tuple[int, dict[str, object]] | None = None
        """Of a request, until the state has it."""
        self._recount_at = float("-inf")
        self._started_at = self._configured_at = time.time()
        self._config_problem = ""
        self._vitals = VitalsFile(state.directory)
        self._told_at = float("-inf")
        self._telemetry = self._new_telemetry()
        self.watchers: list[Callable[[Snapshot], None]] = []
        """Called once a second while the pipeline moves or waits on purpose; not while something in it hangs."""

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
        self._publish_snapshot(now)
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
            self._lose_patience()
            busy = self.delivery.trouble is not None or not self.delivery.has_room or self.delivery.migrating
            if busy or self.file_source.waiting or not (ended or worked):
                self.delivery.wait(MIN_TURN_SECONDS)
            elif not worked:
                # A file may have grown or turned up during the last turn: one more look, then it is the end.
                self.delivery.flush()
                self._polled_at = float("-inf")
                if not self.step():
                    break
        self._clear_rebuilding()
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
                    self._clear_rebuilding()
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
            self.delivery.tick = self._give_up_where_refused()
            self.delivery.flush(SILENT_SECONDS, at_most=DRAIN_SECONDS)
        except (UnavailableError, sqlite3.Error, OSError) as error:
            log.warning("Ending with lines that are not stored; they are read again at the next start: %s", error)

    def _give_up_where_refused(self) -> Callable[[], None]:
        refused_since: float | None = None

        def tick() -> None:
            nonlocal refused_since
            trouble, now = self.delivery.trouble, time.monotonic()
            refused_since = (refused_since or now) if trouble else None
            if trouble and refused_since and now - refused_since > REFUSED_SECONDS:
                raise UnavailableError("The store refuses", where=trouble.what)

        return tick

    def _read_the_rest(self) -> None:
        """Read what pipes held to the last: nobody may name them again."""
        if not self._pipes.files:
            return
        self._pipes.stop()
        end = time.monotonic() + REST_SECONDS
        while self.delivery.has_room and time.monotonic() < end:
            self._polled_at = float("-inf")
            self.file_source.look_soon()
            if not self.step(time.monotonic() + self._clock_ahead):
                return

    def close(self) -> None:
        """Release files. What is not durable is read again next time."""
        if self._has_own_pipes:
            self._pipes.stop()
        self._publish_snapshot(float("inf"))
        self.file_source.close()
        self.pipeline.close()
        self._vitals.close()

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
            self._carry_out_requests()
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

    def _lose_patience(self) -> None:
        """Raise UnavailableError when the store has refused, or has kept silent, for a minute."""
        trouble, waiting_since = self.delivery.trouble, self.delivery.waiting_since
        since = min(filter(None, (trouble and trouble.since, waiting_since)), default=math.inf)
        if time.monotonic() - since > ONCE_PATIENCE_SECONDS:
            raise UnavailableError(
                "The store could not be written for a minute",
                where=trouble.what if trouble else "it does not answer",
                advice="Nothing is lost. `tokentail validate` looks closer; run it again when the store can be written.",
            )

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
        delivery = self.delivery
        trouble, (requests, retries, seconds) = delivery.trouble, delivery.requests
        accepted, acknowledged = self.pipeline.accepted_bytes, delivery.acknowledged_bytes
        agreement, (restarts, brought_back) = delivery.agreement, delivery.mended
        problems = (followed.problem for followed in self.file_source.logs if not followed.harmless)
        return Snapshot(
            time=time.time(),
            started_at=self._started_at,
            lag_since=self.file_source.lag_since(accepted=accepted, acknowledged=acknowledged),
            unread_bytes=self.file_source.unread_bytes(),
            pending_bytes=accepted - acknowledged,
            checkpoint_at=delivery.checkpoint_at,
            store_problem=trouble.what if trouble else "",
            store_failing_since=trouble.since_wall if trouble else None,
            log_problems=(*filter(None, problems), *self._pipes.problems),
            config_problem=self._config_problem,
            store_requests=requests,
            store_retries=retries,
            store_seconds=seconds,
            store_restarts=restarts,
            events_brought_back=brought_back,
            events_missing=agreement.missing if agreement else 0,
            events_uncounted=agreement.surplus if agreement else 0,
            recent_gaps=self.pipeline.book.gaps_since(time.time() - DAY_SECONDS),
            counts=self.pipeline.counts(),
            sources=self.pipeline.sources(),
        )

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
            store_of(settings).check_usable(self._state)
            return False
        with self._calling(self._end_if_asked):
            self.pipeline.commit()
        settings = self._pipes.follow(settings)
        self._pipes.begin(self.pipeline.book)
        self.pipeline.reload(settings)
        self.file_source.reload(settings)
        self._settings = settings
        self._telemetry = self._new_telemetry()
        self._configured_at, self._config_problem = time.time(), ""
        return True

    def keep_old_config(self, error: TokentailError) -> None:
        """Tell, until the next good reload, that it goes on with its settings because others cannot be used."""
        since = datetime.fromtimestamp(self._configured_at, UTC).isoformat(timespec="seconds")
        self._config_problem = one_line(
            f"The configuration on disk is refused; the one of {since} is in use: {error}"
        ).rstrip(".")

    def _new_telemetry(self) -> Telemetry | None:
        return self.delivery.new_telemetry(self._state.host, self._settings.telemetry.interval_seconds)

    def _publish_snapshot(self, now: float) -> None:
        """Tell everybody who watches, at most once a second: not only when the state can be written."""
        if now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        figures = self.figures()
        self._vitals.write(
            Health(
                written_at=figures.time,
                lag_since=figures.lag_since,
                store_problem=figures.store_problem,
                store_failing_since=figures.store_failing_since,
                log_problems=(*figures.log_problems, *self.file_source.strangers),
                config_problem=figures.config_problem,
                counts=dict(figures.counts),
            )
        )
        if self._telemetry is not None and math.isfinite(now):
            self._telemetry.tell(figures, now)
        if not self.delivery.stuck(time.monotonic()):
            for watcher in self.watchers:
                watcher(figures)

    def _clear_rebuilding(self) -> None:
        """Once everything that there is was read: have the counters say what the store says, and count from then on."""
        book = self.pipeline.book
        now = time.monotonic()
        if not book.rebuilding or self.delivery.trouble is not None or now < self._recount_at:
            return
        self._recount_at = now + RECOUNT_SECONDS
        try:
            with self._calling(self._tick):
                self.pipeline.recount(self._tick)
            with self._state.transaction():
                save_meta(self._state.connection, {REBUILDING: ""})
        except StoppingError:
            return
        except (TokentailError, sqlite3.Error, OSError) as error:
            log.warning("The counters cannot be counted yet, which is tried again: %s", error)
            return
        book.rebuilding = False

    def _carry_out_requests(self) -> None:
        try:
            if self._answer is not None:
                requests.finish(self._state.connection, *self._answer)
                self._answer = None
            request = requests.next_request(self._state.connection)
        except sqlite3.Error:
            return  # the commit will say so
        if request is None:
            return
        try:
            with self._calling(self._tick):
                answer = carry_out(self.pipeline, request, self._tick)
        except StoppingError:
            return  # it is carried out again at the next start
        except TokentailError as error:
            answer = {"error": str(error), "exit_code": int(error.exit_code)}
        except (sqlite3.Error, OSError) as error:
            log.error("Request %d (%s) waits: %s", request.number, request.kind, error)
            return
        except Exception as error:  # noqa: BLE001 - a request must not end the daemon, least of all at every start
            log.error("Request %d (%s) failed: %s", request.number, request.kind, type(error).__name__)
            answer = {"error": f"It failed, which is a defect of tokentail: {type(error).__name__}", "exit_code": 1}
        self._answer = (request.number, answer)

    @contextlib.contextmanager
    def _calling(self, tick: Callable[[], None]) -> Iterator[None]:
        """Have this be called now and then while a piece of work waits for the store."""
        self.delivery.tick = tick
        try:
            yield
        finally:
            self.delivery.tick = lambda: None

    def _tick(self) -> None:
        """Live on during a long piece of work. Raises StoppingError when the daemon is asked to end meanwhile."""
        now = time.monotonic() + self._clock_ahead
        self._look(now)  # what is rotated and deleted meanwhile is held open
        self._publish_snapshot(now)
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self._stop():
            raise StoppingError


def carry_out(pipeline: Pipeline, request: requests.Request, tick: Callable[[], None]) -> dict[str, object]:
    """Do what a request asks for, in the process that holds the state. ``tick`` is called now and then."""
    match request.kind:
        case "backfill":
            paths = request.arguments["paths"]  # who asks has expanded patterns; what is left are names
            done = backfill(pipeline, paths, source=request.arguments.get("source"), progress=lambda *_: tick())
            for problem in filter(None, (file.problem for file in done)):
                log.warning("%s", problem)
            return {"files": [file._asdict() for file in done]}
        case "replay":
            return dict(replay(pipeline, time.time_ns() // 1_000_000)._asdict())
        case "recount":
            return {"events": pipeline.recount(tick)}
        case unknown:
            raise TokentailError(f"This daemon does not know the request {unknown!r}", advice="Is it an older version?")
