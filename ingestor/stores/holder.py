"""Which store holds the events of a state, and that another one does not begin beside it."""

from collections.abc import Collection, Mapping
from typing import Final

from ingestor.config.store_types import store_types
from ingestor.errors import ConfigError
from ingestor.state.state import State
from ingestor.stores.notes import MOVING, STORE
from ingestor.stores.registry import store_class

EMBEDDED: Final = "sqlite"
"""What holds the events of a state that says nothing of it."""
INFLUXDB: Final = "influxdb"
"""The only store that events are moved to."""


def holder(meta: Mapping[str, str]) -> str:
    """Return the type of store that a state's events are in, or on their way to."""
    found = meta.get(STORE, EMBEDDED)
    return INFLUXDB if found == MOVING else found


def check_holder(state: State, into: str, *, takes_over: Collection[str] = ()) -> None:
    """Raise ConfigError when the state's events are in another store, and one of type ``into`` would begin without them.

    ``takes_over``: types of stores whose events it can move. The embedded store is no other one while it holds nothing.
    Raises sqlite3.Error.
    """
    held_by = holder(state.meta())
    if held_by in {into, *takes_over} or (held_by == EMBEDDED and not has_embedded_events(state)):
        return
    title = store_class(into).title
    other = store_class(held_by).title if held_by in store_types() else f"a store of type {held_by!r}"
    raise ConfigError(
        f"The events of this state are in {other}, and there is no way {'back ' if into == EMBEDDED else ''}into {title}",
        where=str(state.directory),
        advice=f"Set store.type to {held_by}, or begin a new state with another --state-dir.",
    )


def has_embedded_events(state: State) -> bool:
    """Whether the state's own database holds events. Raises sqlite3.Error."""
    return bool(state.connection.execute("SELECT EXISTS(SELECT 1 FROM token_events)").fetchone()[0])
