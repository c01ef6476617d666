"""What happened about a subject within the last while: bounded, by time, and counted as it comes and goes."""

from bisect import insort
from collections.abc import Iterable
from typing import Final, TypeAlias

from ingestor.detectors.parts.evidence import Figures, Hit

MOST_HITS: Final = 128
"""Events within the window that are remembered, the newest. A threshold above it cannot be met."""
_FEW: Final = 16
"""So many are counted anew each time, since most windows never hold more."""

_Counts: TypeAlias = tuple[dict[str, int], dict[str, int], dict[str, int], dict[str, int]]
"""How often each address, client, user and user agent came."""


class Window:
    """Hits by time. They are JSON."""

    __slots__ = ("_counts", "hits")

    def __init__(self, hits: Iterable[Hit] = ()) -> None:
        self.hits: list[Hit] = list(hits)
        self._counts: _Counts | None = None

    @property
    def newest(self) -> int:
        """The time of the newest, of which there has to be one."""
        return self.hits[-1][0]

    def add(self, hit: Hit, oldest: int) -> None:
        """Take one up, wherever its time belongs, and drop those that are older than ``oldest``, or too many."""
        hits = self.hits
        if hits and hit < hits[-1]:
            insort(hits, hit)
        else:
            hits.append(hit)
        if self._counts is not None:
            _count(self._counts, hit)
        if hits[0][0] < oldest or len(hits) > MOST_HITS:
            gone = next((place for place, each in enumerate(hits) if each[0] >= oldest), len(hits))
            gone = max(gone, len(hits) - MOST_HITS)
            if self._counts is not None:
                for each in hits[:gone]:
                    _discount(self._counts, each)
            del hits[:gone]

    @property
    def figures(self) -> Figures:
        """How much it is."""
        hits = self.hits
        span = hits[-1][0] - hits[0][0] if hits else 0
        if len(hits) <= _FEW and self._counts is None:
            ips, clients, users = ({hit[1] for hit in hits}, {hit[2] for hit in hits}, {hit[3] for hit in hits})
            agents = {hit[4] for hit in hits}
            for values in (ips, clients, users, agents):
                values.discard("")
            return Figures(len(hits), len(ips), len(clients), len(users), len(agents), ips, span)
        of_ips, of_clients, of_users, of_agents = self._counted()
        counted = len(of_ips), len(of_clients), len(of_users), len(of_agents)
        return Figures(len(hits), *counted, of_ips.keys(), span)

    def has(self, user: str, ip: str) -> bool:
        """Whether there is one of this user from this address."""
        if self._counts is not None and user not in self._counts[2]:
            return False
        return any(hit[3] == user and hit[1] == ip for hit in self.hits)

    def _counted(self) -> _Counts:
        if self._counts is None:
            self._counts = {}, {}, {}, {}
            for hit in self.hits:
                _count(self._counts, hit)
        return self._counts


def _count(counts: _Counts, hit: Hit) -> None:
    for counted, value in zip(counts, hit[1:5], strict=True):
        if value:
            counted[value] = counted.get(value, 0) + 1


def _discount(counts: _Counts, hit: Hit) -> None:
    for counted, value in zip(counts, hit[1:5], strict=True):
        if value:
            counted[value] -= 1
            if not counted[value]:
                del counted[value]
