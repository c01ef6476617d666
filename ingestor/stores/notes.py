"""What the state remembers of its store: keys of ``meta`` that are read outside the store they are about."""

from typing import Final

STORE: Final = "store"
"""Which store the state's events are in: a type of store, or ``MOVING``; absent while that is the embedded one."""
MOVING: Final = "moving"
"""Value of ``store`` from the first event that is sent to InfluxDB until the last one is there: there is no way back any more."""
REBUILDING: Final = "rebuilding"
"""``1`` while not all files were read, and the counters not counted, since the state was lost."""
EARLIER: Final = "events_earlier"
"""Events that were in the store when it was counted anew, and that no line of this state has become."""
RESTARTS: Final = "store_restarts"
"""How often another process of the store answered than before."""
BROUGHT_BACK: Final = "brought_back"
"""Events that were acknowledged, were not there any more, and were sent again."""
