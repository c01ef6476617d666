"""What `tokentail status` says of the store: whether it holds what was counted, and what it lost and has again."""

import dataclasses
import sqlite3
from dataclasses import dataclass
from typing import Any

from ingestor.config.settings import Settings
from ingestor.errors import TokentailError, one_line
from ingestor.model.agreement import Agreement
from ingestor.state.state import State
from ingestor.stores.comparing import said
from ingestor.stores.notes import BROUGHT_BACK, EARLIER, REBUILDING, RESTARTS
from ingestor.stores.registry import store_of


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store stands to the accounts."""

    agreement: Agreement | None
    """None when it could not be compared."""
    problem: str
    """Why."""
    restarts: int = 0
    """How often InfluxDB was restarted."""
    brought_back: int = 0
    """Events that it had acknowledged and lost, and that were sent again."""
    earlier: int = 0
    """Events that were in InfluxDB before this state, or that another one wrote, when the counters were last counted anew."""

    @property
    def lacks(self) -> str:
        """What of the acknowledged is not there, for people; empty when all is."""
        return self._said(missing=True)

    @property
    def exceeds(self) -> str:
        """What is there and nobody has counted, for people; empty when there is nothing."""
        return self._said(missing=False)

    def _said(self, *, missing: bool) -> str:
        if self.agreement is None:
            return ""
        chosen = tuple(place for place in self.agreement.disagreements if (place.counted > place.found) == missing)
        return f"The store {said(dataclasses.replace(self.agreement, disagreements=chosen))}" if chosen else ""

    def as_json(self) -> dict[str, Any]:
        """Return the keys of `status --json`; times are nanoseconds."""
        agreement = self.agreement
        return {
            "store_events": agreement.found if agreement else None,
            "store_counted": agreement.counted if agreement else None,
            "store_waiting": agreement.waiting if agreement else None,
            "store_agrees": agreement.agrees if agreement else None,
            "store_missing": agreement.missing if agreement else None,
            "store_surplus": agreement.surplus if agreement else None,
            "store_differences": [place._asdict() for place in agreement.disagreements] if agreement else [],
            "store_not_compared": self.problem,
            "store_earlier": self.earlier,
            "store_restarts": self.restarts,
            "store_brought_back": self.brought_back,
        }


def store_status(settings: Settings, state: State) -> StoreStatus:
    """Compare the store with the state, which is open for reading. Never raises for the store's faults: it says them."""
    meta = state.meta()
    agreement, problem = None, ""
    if meta.get(REBUILDING) == "1":
        problem = "the state is being rebuilt"
    else:
        try:
            agreement = store_of(settings).compare(state)
        except (TokentailError, sqlite3.Error) as error:
            problem = one_line(str(error))
            if "no such table" in problem:
                problem = "no daemon of this version has run on this state yet"
    return StoreStatus(
        agreement, problem, int(meta.get(RESTARTS, 0)), int(meta.get(BROUGHT_BACK, 0)), int(meta.get(EARLIER, 0))
    )
