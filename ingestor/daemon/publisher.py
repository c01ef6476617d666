"""How the daemon is, told to everybody who watches it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from ingestor.config.settings import Settings
from ingestor.errors import TokentailError, one_line
from ingestor.jobs.condition import DAY_SECONDS
from ingestor.model.snapshot import Snapshot
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.contract import Source
from ingestor.state.health import Health, VitalsFile
from ingestor.stores.delivery import Telemetry

TELL_SECONDS = 1.0
"""How often it tells whoever watches it how it is."""


class Publisher:
    """Takes a snapshot once a second, and hands it to the file of vitals, the store's telemetry and the watchers."""

    def __init__(self, pipeline: Pipeline, source: Source) -> None:
        """Open the file of vitals. Raises OSError."""
        self._pipeline = pipeline
        self._source = source
        self._started_at = self._configured_at = time.time()
        self._config_problem = ""
        self._vitals = VitalsFile(pipeline.state.directory)
        self._told_at = float("-inf")
        self.telemetry = self._new_telemetry(source.settings)
        """What the store is told; None where it has no place for it."""
        self.watchers: list[Callable[[Snapshot], None]] = []
        """Called once a second while the pipeline moves or waits on purpose; not while something in it hangs."""

    def figures(self) -> Snapshot:
        """Return how the daemon is at this moment."""
        delivery = self._pipeline.delivery
        trouble, (requests, retries, seconds) = delivery.trouble, delivery.requests
        progress = self._pipeline.progress
        agreement, (restarts, brought_back) = delivery.agreement, delivery.mended
        return Snapshot(
            time=time.time(),
            started_at=self._started_at,
            lag_since=self._source.lag_since(progress),
            unread_bytes=self._source.unread_bytes(),
            pending_bytes=progress.accepted_bytes - progress.acknowledged_bytes,
            checkpoint_at=delivery.checkpoint_at,
            store_problem=trouble.what if trouble else "",
            store_failing_since=trouble.since_wall if trouble else None,
            log_problems=tuple(problem.what for problem in self._source.problems()),
            config_problem=self._config_problem,
            store_requests=requests,
            store_retries=retries,
            store_seconds=seconds,
            store_restarts=restarts,
            events_brought_back=brought_back,
            events_missing=agreement.missing if agreement else 0,
            events_uncounted=agreement.surplus if agreement else 0,
            recent_gaps=self._pipeline.generations.gaps_since(time.time() - DAY_SECONDS),
            detector_failures=self._pipeline.detector_failures,
            findings=dict(self._pipeline.state.raised),
            counts=self._pipeline.counts(),
            sources=self._pipeline.sources(),
        )

    def publish(self, now: float, *, force: bool = False) -> None:
        """Tell everybody who watches, at most once a second: not only when the state can be written.

        ``now``: monotonic seconds. ``force``: also if a second is not over; the store is not told then, since it is the end.
        """
        if not force and now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        figures = self.figures()
        self._vitals.write(
            Health(
                written_at=figures.time,
                lag_since=figures.lag_since,
                store_problem=figures.store_problem,
                store_failing_since=figures.store_failing_since,
                log_problems=(*figures.log_problems, *self._source.remarks()),
                config_problem=figures.config_problem,
                counts=dict(figures.counts),
            )
        )
        if self.telemetry is not None and not force:
            self.telemetry.tell(figures, now)
        if not self._pipeline.delivery.stuck(time.monotonic()):
            for watcher in self.watchers:
                watcher(figures)

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: there is no complaint of refused ones any more."""
        self.telemetry = self._new_telemetry(settings)
        self._configured_at, self._config_problem = time.time(), ""

    def keep_old_config(self, error: TokentailError) -> None:
        """Tell, until the next good reload, that it goes on with its settings because others cannot be used."""
        since = datetime.fromtimestamp(self._configured_at, UTC).isoformat(timespec="seconds")
        self._config_problem = one_line(
            f"The configuration on disk is refused; the one of {since} is in use: {error}"
        ).rstrip(".")

    def close(self) -> None:
        """Let go of the file of vitals."""
        self._vitals.close()

    def _new_telemetry(self, settings: Settings) -> Telemetry | None:
        pipeline = self._pipeline
        return pipeline.delivery.new_telemetry(pipeline.state.host, settings.telemetry.interval_seconds)
