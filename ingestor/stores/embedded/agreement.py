"""Whether the embedded store holds what the accounts say is stored: one snapshot of one file, so nothing is on its way."""

import contextlib
import time
from pathlib import Path

from ingestor.model.agreement import SHOWN, Agreement, Disagreement
from ingestor.state.state import State
from ingestor.state.sums import embedded_by_source, embedded_events


def embedded_agreement(state: State) -> Agreement:
    """Compare. Only when the number of all events differs are they walked, source by source. Raises sqlite3.Error.

    ``state``: opened for reading, on a connection that nobody else uses meanwhile.
    """
    state.connection.execute("BEGIN")
    try:
        stored = {source: account.stored for source, account in state.accounts().items()}
        found = embedded_events(state.connection)
        by_source = embedded_by_source(state.connection) if found != sum(stored.values()) else None
    finally:
        state.connection.execute("COMMIT")
    places = [
        Disagreement(source, state.host, 0, 0, stored.get(source, 0), by_source[source])
        for source in (sorted({*stored, *by_source}) if by_source is not None else ())
        if by_source is not None and stored.get(source, 0) != by_source[source]
    ]
    return Agreement(time.time(), sum(stored.values()), found, tuple(places[:SHOWN]))


def look_at_embedded(directory: Path) -> Agreement:
    """Compare, with a connection of its own. Raises TokentailError, sqlite3.Error."""
    with contextlib.closing(State.open_reader(directory)) as state:
        return embedded_agreement(state)
