"""Load what the state knows of everything that was ever read."""

from collections.abc import Mapping

from ingestor.state.generations import Generations
from ingestor.state.state import State
from ingestor.state.trails import Trails
from ingestor.state.unsaved import REST, STRANGER
from ingestor.stores.notes import REBUILDING


def load_generations(state: State, meta: Mapping[str, str]) -> Generations:
    """Return the generations of a state. ``meta``: its small facts. Raises sqlite3.Error."""
    followed = [key.removeprefix("followed:") for key in meta if key.startswith("followed:")]
    return Generations(
        state.generations(),
        followed,
        rebuilding=meta.get(REBUILDING) == "1",
        host=state.host,
        trails=Trails(state.connection),
        strangers={key.removeprefix(STRANGER): kept for key, kept in meta.items() if key.startswith(STRANGER)},
        looked_at=float(meta["heartbeat"]) if "heartbeat" in meta else None,
        rests={int(key.removeprefix(REST)): kept for key, kept in meta.items() if key.startswith(REST)},
        gaps_found_at=[gap.found_at for gap in state.gaps()],
    )
