"""The end of a rebuild: once everything was read again after the state was lost, the counters are counted anew."""

import logging
import sqlite3
import time
from collections.abc import Callable

from ingestor.daemon.patience import StoppingError, calling
from ingestor.errors import TokentailError
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state.database import save_meta
from ingestor.stores.notes import REBUILDING

log = logging.getLogger("tokentail")

RECOUNT_SECONDS = 60.0
"""How long after a recount that failed the next one is tried."""


class Rebuilding:
    """Whether the state is being rebuilt, and what ends that."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._recount_at = float("-inf")

    def finish(self, tick: Callable[[], None]) -> None:
        """Once everything that there is was read: have the counters say what the store says, and count from then on.

        ``tick`` is called now and then; it may raise StoppingError.
        """
        pipeline, now = self._pipeline, time.monotonic()
        if not pipeline.generations.rebuilding or pipeline.delivery.trouble is not None or now < self._recount_at:
            return
        self._recount_at = now + RECOUNT_SECONDS
        try:
            with calling(pipeline.delivery, tick):
                pipeline.recount(tick)
            with pipeline.state.transaction():
                save_meta(pipeline.state.connection, {REBUILDING: ""})
        except StoppingError:
            return
        except (TokentailError, sqlite3.Error, OSError) as error:
            log.warning("The counters cannot be counted yet, which is tried again: %s", error)
            return
        pipeline.generations.rebuilding = False
