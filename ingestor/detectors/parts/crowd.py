"""How many clients of a realm do the same within an hour: what many do at once is a deployment or a busy day, and no attack on one."""

from typing import Any, Final, TypeAlias

from ingestor.detectors.contract import Memory, MemoryChanges
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.settled import HOUR_MS

_MOST_CLIENTS: Final = 64
_MOST_REALMS: Final = 200

_Times: TypeAlias = dict[str, int]
"""By client: when it did it last, milliseconds since the Unix epoch."""


class Crowd:
    """The clients of each realm that did it within an hour before or after."""

    def __init__(self, prefix: str = "crowd") -> None:
        self._realms: BoundedMemory[_Times] = BoundedMemory(dict, _of_json, most=_MOST_REALMS, prefix=prefix)

    def join(self, realm: str, client_id: str, time_ms: int) -> list[str]:
        """Have a client do it at this time; return who did it within the hour, itself among them: at most 64."""
        times = {
            client: time for client, time in (self._realms.get((realm,)) or {}).items() if time_ms - time <= HOUR_MS
        }
        times.pop(client_id, None)
        times[client_id] = time_ms
        while len(times) > _MOST_CLIENTS:
            del times[next(iter(times))]
        self._realms.put((realm,), times)
        return [client for client, time in times.items() if time - time_ms <= HOUR_MS]

    def dump(self) -> MemoryChanges:
        """Return the realms that have changed."""
        return self._realms.dump()

    def restore(self, memory: Memory) -> None:
        """Take up its pieces of a detector's memory."""
        self._realms.restore(memory)


def _of_json(value: Any) -> _Times:
    return dict(value)
