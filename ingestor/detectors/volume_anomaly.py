"""A client gets more tokens in an hour than it ever does at that hour of the week: it is broken, or somebody else has its secret.

The norm is the median of that hour in the last weeks, and how far from it is far is told in median deviations (MAD), because one odd week
moves neither (Iglewicz and Hoaglin, 1993). No public rule does this for tokens.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from ingestor.detectors.contract import Meter, ObservedEvents, Options
from ingestor.detectors.parts.allowed import is_allowed
from ingestor.detectors.parts.crowd import Crowd
from ingestor.detectors.parts.incidents import Incidents
from ingestor.detectors.parts.measured import Measurable
from ingestor.detectors.parts.memory import BoundedMemory
from ingestor.detectors.parts.remembering import Remembering
from ingestor.detectors.parts.settled import HOUR_MS
from ingestor.detectors.parts.surge import Subject
from ingestor.detectors.parts.weeks import HOURS, Norm, Weeks
from ingestor.model.finding import Finding, Severity
from parsers.contract import Event, EventRow

Client: TypeAlias = tuple[str, str]
"""(realm, client id)"""

MOST_CLIENTS: Final = 1_000
_MOST_LIMITS: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAnomalyOptions(Options):
    """How much more than usual is told. All three have to be exceeded; what exceeds twice of that is worse."""

    weeks: int = 3
    """That have to be known, of at most 8."""
    deviations: int = 6
    """Median deviations above the median: four standard deviations of a normal distribution."""
    times: int = 2
    """Times the median."""
    fewest: int = 100
    """Tokens in the hour. Less is nothing to talk of."""
    clients_at_once: int = 4
    """So many clients of a realm within an hour: it is a busy day."""


class VolumeAnomaly(Measurable, Remembering):
    """Finds it by client, while the hour goes on: low, medium beyond twice the limit, low for many clients at once.

    The events of the incident are those beyond the limit, also in later hours, until there was none for two hours. A late event counts for
    its own hour, unless it is more than eight weeks old.

    Blind: to what stays below twice the usual, and to a client in its first three weeks. A client that grows slowly takes its norm along,
    and an attack on four clients at once is taken for a busy day. Of more than 1,000 clients those that came first are watched.
    """

    name = "volume_anomaly"
    version = "1"
    title = "A client gets far more tokens than usual"
    actions = frozenset({"token.issued.client_credentials"})
    options = VolumeAnomalyOptions
    thresholds = ("times",)

    def __init__(self, options: VolumeAnomalyOptions) -> None:
        """Remember nothing."""
        self._options = options
        self._all_count = not (options.networks or options.user_agents or options.clients)
        self._weeks: BoundedMemory[Weeks] = BoundedMemory(
            Weeks.to_json, Weeks.of_json, most=MOST_CLIENTS, prefix="weeks"
        )
        self._newest: BoundedMemory[int] = BoundedMemory(int, int, most=MOST_CLIENTS, prefix="newest")
        """What was counted in the newest hour of each: a small piece, since it changes all the time."""
        self._incidents = Incidents("incident", quiet_ms=2 * HOUR_MS)
        self._crowd = Crowd("crowd")
        self.parts = self._weeks, self._newest, self._incidents, self._crowd
        self._limits: dict[tuple[Client, int], int | None] = {}
        """By client and hour: they follow from the weeks before."""
        self._norms: dict[Client, tuple[int, Norm | None]] = {}
        """For a meter: of the hour that each client is in."""

    def observe(self, observed: ObservedEvents) -> Iterable[Finding]:
        """Return the incidents that are new or have grown."""
        for hour, rows in groupby(observed.events, _hour_of):
            self._observe_hour(hour, list(rows))
        return self._incidents.take()

    def _observe_hour(self, hour: int, rows: Sequence[EventRow]) -> None:
        """Count events of one hour, and tell of those beyond the limit, in their order."""
        if not self._all_count:
            rows = [row for row in rows if self._counts(row)]
        beyond: dict[Client, int] = {}
        """How many tokens each client had that exceeds its limit."""
        counts: Counter[Client] = Counter()
        for tags, count in Counter([row[2] for row in rows]).items():
            counts[tags.realm, tags.client_id] += count
        for client, count in counts.items():
            before = self._count(client, hour, count)
            limit = self._limit(client, hour)
            if before is not None and limit is not None and self.meter is not None:
                self._tell_meter(self.meter, client, hour, before + count)
            if before is not None and limit is not None and before + count > limit:
                beyond[client] = before
        for row in rows if beyond else ():
            client = row[2][6], row[2][1]
            if client in beyond:
                beyond[client] += 1
                self._tell_beyond(Event(*row), beyond[client], self._limit(client, hour) or 0)

    def _counts(self, row: EventRow) -> bool:
        """Whether the options have an event count."""
        options = self._options.of(row[2].realm, row[2].client_id)
        return options.enabled and not is_allowed(Event(*row), options)

    def _count(self, client: Client, hour: int, count: int) -> int | None:
        """Count so much more; return how much it was before, None of an hour that is forgotten."""
        weeks = self._weeks.get(client)
        if weeks is None:
            if not self._has_room(hour):
                return None
            weeks, before = Weeks(hour, hour), 0
            self._weeks.put(client, weeks)
        elif hour > weeks.newest:
            weeks.begin(hour, self._newest.get(client) or 0)
            before = 0
            self._weeks.put(client, weeks)
        elif hour == weeks.newest:
            before = self._newest.get(client) or 0
        else:
            return self._count_late(client, weeks, hour, count)
        self._newest.put(client, before + count)
        return before

    def _count_late(self, client: Client, weeks: Weeks, hour: int, count: int) -> int | None:
        if weeks.is_forgotten(hour):
            return None
        before = weeks.at(hour)
        weeks.add(hour, count)
        self._weeks.mark(client)
        if weeks.newest - hour >= HOURS - 1:
            self._limits.clear()  # it is part of what they follow from
        return before

    def _has_room(self, hour: int) -> bool:
        """Whether one more client can be watched. Who was seen longest ago makes room after two weeks."""
        if len(self._weeks) < MOST_CLIENTS:
            return True
        client = next(iter(self._weeks))
        weeks = self._weeks.get(client)
        if weeks is not None and hour - weeks.newest < 2 * HOURS:
            return False
        self._weeks.forget(client)
        self._newest.forget(client)
        self._limits.clear()
        return True

    def _limit(self, client: Client, hour: int) -> int | None:
        """Return how much is usual for a client; None as long as nobody knows."""
        if (client, hour) not in self._limits:
            if len(self._limits) >= _MOST_LIMITS:
                self._limits.clear()
            self._limits[client, hour] = self._new_limit(client, hour)
        return self._limits[client, hour]

    def _new_limit(self, client: Client, hour: int) -> int | None:
        options, weeks = self._options.of(*client), self._weeks.get(client)
        norm = weeks.norm(hour, options.weeks) if weeks else None
        if norm is None:
            return None
        return _most(norm, options)

    def _tell_meter(self, meter: Meter, client: Client, hour: int, count: int) -> None:
        """Tell of so many tokens of a client in an hour."""
        if client not in self._norms or self._norms[client][0] != hour:
            options, weeks = self._options.of(*client), self._weeks.get(client)
            self._norms[client] = hour, weeks.norm(hour, options.weeks) if weeks else None
        norm = self._norms[client][1]
        if norm is not None and norm.median:
            meter.judge(
                (*client, ""),
                hour * HOUR_MS,
                0,
                self._options.of(*client),
                lambda others: Severity.LOW if count > _most(norm, others) else None,
            )

    def _tell_beyond(self, event: Event, count: int, limit: int) -> None:
        """Tell of the ``count``-th event of a client in an hour, if that is too much."""
        if count <= limit:
            return
        realm, client_id = event.tags.realm, event.tags.client_id
        options = self._options.of(realm, client_id)
        self._incidents.add(Subject(realm, client_id), event, Severity.MEDIUM if count > 2 * limit else Severity.LOW)
        crowd = self._crowd.join(realm, client_id, event.time_ms)
        if len(crowd) >= options.clients_at_once:
            for each in crowd:
                self._incidents.rate(Subject(realm, each), event.time_ms, Severity.LOW)


def _most(norm: Norm, options: VolumeAnomalyOptions) -> int:
    """Return how much is usual."""
    return int(max(norm.median + options.deviations * norm.deviation, options.times * norm.median, options.fewest))


def _hour_of(row: EventRow) -> int:
    return row[0] // HOUR_MS


DETECTOR = VolumeAnomaly
