"""A client that got tokens all the time gets none, while others go on: it is broken, or somebody has locked it out.

Who takes over a client and changes its secret leaves this trace, and so does whoever stops it. Public rules see the sum of all clients fall,
and not one of them.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.detectors.contract import ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import HOUR_MS, Settled
from ingestor.detectors.parts.surge import SUCCESSES
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, Tags

WATCHED_HOURS: Final = 336
"""Two weeks: how long a client has to be steady."""
MOST_TOLD: Final = 24
"""Hours of silence. Then everybody knows."""
MOST_CLIENTS: Final = 4_000
_MOST_SOURCES: Final = 256
_MOST_HOURS: Final = 8
"""Of a source that have begun, and have too few events to be over."""
_WATCHED: Final = (1 << WATCHED_HOURS) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSilenceOptions(Options):
    """What is steady, and what is silence."""

    steady_percent: int = 95
    """Of the hours of two weeks in which the client got tokens."""
    silent_hours: int = 3
    """Whole hours without a token, in which others got some."""
    many_hours: int = 12
    """So long is worse than a deployment that takes its time."""
    fewest: int = 10
    """Tokens of others in an hour of the log: with fewer the hour does not count, since all may be silent."""


@dataclass(slots=True)
class _Client:
    """Hours count from the Unix epoch."""

    last: int
    """The newest hour in which it got a token."""
    hours: int
    """A bit for each hour of the two weeks up to that, the newest is the lowest."""
    source: str
    """The log in which that hour began for it: while others go on there, it would be seen."""

    def to_json(self) -> list[Any]:
        return [self.last, f"{self.hours:x}", self.source]

    @classmethod
    def of_json(cls, value: list[Any]) -> "_Client":
        last, hours, source = value
        return cls(last, int(hours, 16), source)

    def go_on(self, hour: int, source: str) -> None:
        """Have it get a token in a newer hour."""
        ahead = hour - self.last
        self.hours = (self.hours << ahead | 1) & _WATCHED if ahead < WATCHED_HOURS else 1
        self.last, self.source = hour, source


@dataclass(slots=True)
class _Source:
    """How the time of a log goes on."""

    over: list[int] = field(default_factory=list)
    """Hours with enough events, oldest first; the last of them goes on."""
    begun: dict[int, int] = field(default_factory=dict)
    """Events of newer hours that have too few so far."""

    def to_json(self) -> list[Any]:
        return [self.over, list(self.begun.items())]

    @classmethod
    def of_json(cls, value: list[Any]) -> "_Source":
        over, begun = value
        return cls(over, dict(begun))

    @property
    def hour(self) -> int:
        """The one that goes on."""
        return self.over[-1] if self.over else -1

    def goes_on(self, hour: int, fewest: int) -> bool:
        """Count an event of a newer hour; return whether that hour has enough by it, so that those before are over."""
        self.begun[hour] = self.begun.get(hour, 0) + 1
        if self.begun[hour] < fewest:
            if len(self.begun) > _MOST_HOURS:
                del self.begun[min(self.begun)]
            return False
        self.begun = {each: count for each, count in self.begun.items() if each > hour}
        self.over = [*self.over[-MOST_TOLD - 1 :], hour]
        return True

    def hours_since(self, hour: int) -> int:
        """Return how many hours are over behind an hour, at most one more than are told."""
        return len(self.over) - 1 - bisect(self.over, hour, 0, len(self.over) - 1)


class ClientSilence(Remembering):
    """Finds it when others get tokens in the fourth hour: low, medium after twelve. The finding's count is the silent hours, at most 24.

    Time goes on by hours with events in the client's own log, so it stands still while nothing is read. One event from tomorrow is no
    hour; its client is not silent until then. A late event counts for its hour: if that is within the silence, the silence begins behind it, and is another finding.

    Blind: to clients that rest, if only for a night, and to those that others speak for under the same id. While the whole log is silent
    nothing is found, and of more than 4,000 clients those that came first are watched.
    """

    name = "client_silence"
    version = "1"
    title = "A client that always gets tokens gets none"
    unit = "silent hour"
    actions = SUCCESSES
    options = ClientSilenceOptions

    def __init__(self, options: ClientSilenceOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._clients: BoundedMemory[_Client] = BoundedMemory(
            _Client.to_json, _Client.of_json, most=MOST_CLIENTS, prefix="client"
        )
        self._sources: BoundedMemory[_Source] = BoundedMemory(
            _Source.to_json, _Source.of_json, most=_MOST_SOURCES, prefix="source"
        )
        self.parts = self._clients, self._sources
        self._settled: dict[str, Settled] = {}

    def observe(self, observed: ObservedEvents) -> Iterator[Finding]:
        """Yield who is silent, for each hour of it."""
        if observed.source not in self._settled and len(self._settled) >= _MOST_SOURCES:
            self._settled.clear()
        hours = self._settled.setdefault(observed.source, Settled(HOUR_MS))
        start, end, settled = 0, 0, set[int | Tags]()
        for row in observed.events:
            if not start <= row[0] < end:
                start, end, settled = hours.at(row[0])
            if row[2] not in settled and (self._all_count or not is_allowed(Event(*row), self._options_of(row[2]))):
                hour = row[0] // HOUR_MS
                self._see(row[2], hour, observed.source)
                if hour <= self._source(observed.source).hour:
                    settled.add(row[2])
                elif self._goes_on(hour, observed.source):
                    yield from self._silent(observed.source, row[0])

    def _options_of(self, tags: Tags) -> ClientSilenceOptions:
        return self._options.of(tags.realm, tags.client_id)

    def _see(self, tags: Tags, hour: int, source: str) -> None:
        """Have a client get a token in an hour."""
        key = tags.realm, tags.client_id
        client = self._clients.get(key)
        if client is None:
            if self._has_room(hour):
                self._clients.put(key, _Client(hour, 1, source))
        elif hour > client.last:
            client.go_on(hour, source)
            self._clients.put(key, client)
        elif not client.hours >> (client.last - hour) & 1 and client.last - hour < WATCHED_HOURS:
            client.hours |= 1 << client.last - hour
            self._clients.mark(key)

    def _has_room(self, hour: int) -> bool:
        """Whether one more client can be watched. Who was seen longest ago makes room, once that is longer than it matters."""
        if len(self._clients) < MOST_CLIENTS:
            return True
        key = next(iter(self._clients))
        oldest = self._clients.get(key)
        if oldest is not None and hour - oldest.last < WATCHED_HOURS:
            return False
        self._clients.forget(key)
        return True

    def _goes_on(self, hour: int, name: str) -> bool:
        """Count an event of a newer hour of a log; return whether the hours before are over by it."""
        source = self._source(name)
        over = source.goes_on(hour, self._options.fewest)
        self._sources.put((name,), source)
        return over

    def _source(self, name: str) -> _Source:
        return self._sources.get((name,)) or _Source()

    def _silent(self, name: str, time_ms: int) -> Iterator[Finding]:
        """Yield the clients of a log that are silent now that another hour of it is over."""
        source = self._source(name)
        for realm, client_id in self._clients:
            client, options = self._clients.get((realm, client_id)), self._options.of(realm, client_id)
            if client is None or client.source != name or not options.enabled:
                continue
            silent = source.hours_since(client.last)
            steady = client.hours.bit_count() * 100 >= WATCHED_HOURS * options.steady_percent
            if steady and options.silent_hours <= silent <= MOST_TOLD:
                yield Finding(
                    severity=Severity.MEDIUM if silent >= options.many_hours else Severity.LOW,
                    client_id=client_id,
                    realm=realm,
                    first_seen_ms=(client.last + 1) * HOUR_MS,
                    last_seen_ms=time_ms,
                    events=silent,
                    clients=(client_id,),
                )


DETECTOR = ClientSilence
