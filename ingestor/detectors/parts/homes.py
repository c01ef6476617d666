"""At which networks clients get tokens: whoever fails there is probably the client itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.origin import network_of
from ingestor.detectors.parts.settled import DAY_MS
from parsers.contract import EventRow

MOST_NETWORKS: Final = 48
"""Of one client. One that has more, such as an app on phones, is at home nowhere."""
MOST_CLIENTS: Final = 2_000
"""That have got tokens."""


@dataclass(slots=True)
class Home:
    """Where a client gets tokens."""

    networks: dict[str, None] = field(default_factory=dict)
    nowhere_until: int = 0
    """It had too many networks, and is learned anew at this time (milliseconds since the Unix epoch)."""

    def has(self, ip: str | None) -> bool:
        """Whether an address is of one of the networks."""
        return ip is not None and network_of(ip) in self.networks

    def to_json(self) -> list[Any]:
        """Return it for JSON."""
        return [list(self.networks), self.nowhere_until]

    @classmethod
    def of_json(cls, value: list[Any]) -> "Home":
        """Return it again."""
        networks, nowhere_until = value
        return cls(dict.fromkeys(networks), nowhere_until)


class Homes(BoundedMemory[Home]):
    """The networks of each client, by realm and client. A piece changes with a new network alone."""

    def __init__(self, prefix: str = "home") -> None:
        super().__init__(Home.to_json, Home.of_json, most=MOST_CLIENTS, prefix=prefix)

    def learn(self, rows: Iterable[EventRow]) -> None:
        """Take up tokens that were issued."""
        homes = self._values
        for row in rows:
            tags, ip = row[2], row[4]
            home = homes.get((tags[6], tags[1]))
            if ip is None or (home is not None and (row[0] < home.nowhere_until or network_of(ip) in home.networks)):
                continue
            home = home or Home()
            home.networks[network_of(ip)] = None
            if len(home.networks) > MOST_NETWORKS:
                home = Home(nowhere_until=row[0] + DAY_MS)
            self.put((tags.realm, tags.client_id), home)
