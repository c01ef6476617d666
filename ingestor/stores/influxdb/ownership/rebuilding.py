"""A state that does not know what InfluxDB holds already: it reads what files there are, and has the counters counted anew.

So it is after the state directory was lost, and where another state wrote the same source and host before.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterable
from typing import Final

from ingestor.config.settings import Settings
from ingestor.errors import TokentailError
from ingestor.model.words import some_of
from ingestor.state.database import save_meta
from ingestor.state.state import State
from ingestor.stores.influxdb.client.http import InfluxHttp, NoAnswerError
from ingestor.stores.influxdb.ownership.claims import sources_of_host
from ingestor.stores.influxdb.read.queries import Queries
from ingestor.stores.notes import REBUILDING
from ingestor.stores.waiting import answer_beside
from parsers.text import clean

log = logging.getLogger("tokentail")

STATE_ID: Final = "state_id"
"""Key of ``meta``: by which InfluxDB tells states apart."""
PATIENCE_SECONDS: Final = 5.0
"""For the look of a new state, which nothing is read before."""


def look_before_reading(settings: Settings, state: State, tick: Callable[[], None]) -> None:
    """Begin a rebuild when the state is new and InfluxDB holds events of its host. Raises sqlite3.Error.

    It is asked before anything is looked at, since what was rotated before a first start would be left alone. A server that
    does not answer now is asked again before the first event is sent. ``tick`` is called while it is waited for.
    """
    meta = state.meta()
    if "heartbeat" in meta or STATE_ID in meta or meta.get(REBUILDING) == "1":
        return  # one that was killed before its first checkpoint has perhaps sent these events itself
    patience = min(PATIENCE_SECONDS, settings.store.timeout_seconds)
    store = dataclasses.replace(settings.store, timeout_seconds=patience)
    host = state.host

    def ask() -> set[str]:
        with contextlib.closing(InfluxHttp(store)) as http:
            return sources_of_host(Queries(http, store), store.database, host)

    with contextlib.suppress(TokentailError, NoAnswerError):
        if sources := answer_beside(ask, tick, patience):
            begin_rebuild(state, sources, store.url)


def begin_rebuild(state: State, sources: Iterable[str], url: str) -> None:
    """Have the state know that its counters are not all, and say so. Raises sqlite3.Error."""
    with state.transaction():
        save_meta(state.connection, {REBUILDING: "1"})
    log.warning(
        "InfluxDB at %s holds events of host %s that another state wrote (source %s): this one is new, its former one was lost,"
        " or two nodes share host and source, which each node should have for itself. What files there are is read, then the"
        " counters are counted anew from the stored events; until then none is written.",
        url,
        clean(state.host),
        some_of(sorted(map(clean, sources))),
    )
