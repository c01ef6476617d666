"""What the meter of one detector was told: stretches of events, how large each was, by threshold and by client. Pure, and bounded."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from ingestor.detectors.contract import Options
from ingestor.jobs.baseline.distribution import Distribution
from ingestor.model.finding import Severity

Client: TypeAlias = tuple[str, str]
"""(realm, client id)"""
Subject: TypeAlias = tuple[str, str, str]
SeverityOf: TypeAlias = Callable[[Any], Severity | None]

LARGEST: Final = 1_000_000
"""Of an option that is a number."""
DAY_MS: Final = 86_400_000
_OUT_OF_REACH: Final = 1 << 40
_MOST_OPEN: Final = 20_000
_MOST_CLIENTS: Final = 1_000
"""With figures of their own."""
REST: Final = "", "_other"
"""Stands for the clients beyond these."""
MOST_BEYOND: Final = 20_000
_MOST_OPTIONS: Final = 50_000


class Stretch(NamedTuple):
    """Events of one subject, without a rest in between, of one day. Times are milliseconds since the Unix epoch."""

    subject: Subject
    first_ms: int
    last_ms: int
    values: Sequence[int]
    """By threshold: the largest number that this would exceed or be equal to, were it the only threshold. 0: none."""

    @property
    def client(self) -> Client | None:
        """Whose all of its events are; None where they may be of several."""
        return self.subject[:2] if self.subject[1] else None


class _Open:
    """A stretch that goes on."""

    __slots__ = ("first", "last", "options", "values")

    def __init__(self, time_ms: int, options: Any, thresholds: int) -> None:
        self.first = self.last = time_ms
        self.options = options
        self.values = [0] * thresholds


class ReachMeter:
    """Implements ``Meter`` for one detector."""

    def __init__(self, thresholds: Sequence[str]) -> None:
        self.thresholds = thresholds
        self._by_client: dict[Client | None, list[Distribution]] = {}
        self.beyond: list[Stretch] = []
        """Those that reach a threshold of today; the first 20,000."""
        self.lost = 0
        """Stretches beyond a threshold that are not among these."""
        self.most = [0] * len(thresholds)
        """By threshold: the largest number by which anything can be found; 0 where there is no such limit."""
        self._open: OrderedDict[Subject, _Open] = OrderedDict()
        self._others: dict[tuple[int, str, int], Options] = {}
        self._given: dict[int, Options] = {}
        self._at_end: list[Callable[[], None]] = []

    def judge(self, subject: Subject, time_ms: int, rest_ms: int, options: Any, severity_of: SeverityOf) -> None:
        """As ``Meter`` has it."""
        stretch = self._open.get(subject)
        is_over = stretch is not None and (
            time_ms - stretch.last > rest_ms or time_ms // DAY_MS != stretch.first // DAY_MS
        )
        if stretch is None or is_over:
            if stretch is not None:
                self._end(subject, stretch)
            stretch = self._open[subject] = _Open(time_ms, options, len(self.thresholds))
        self._open.move_to_end(subject)
        if len(self._open) > _MOST_OPEN:
            self._end(*self._open.popitem(last=False))
        stretch.first, stretch.last = min(stretch.first, time_ms), max(stretch.last, time_ms)
        nothing = severity_of(self._with(options, "", 0))
        for number, threshold in enumerate(self.thresholds):
            stretch.values[number] = self._reached(
                options, threshold, stretch.values[number], lambda others: severity_of(others) is not nothing
            )

    def count(self, subject: Subject, first_ms: int, last_ms: int, options: Any, events: int) -> None:
        """As ``Meter`` has it."""
        self._take(Stretch(subject, first_ms, last_ms, (events,)), options)

    def full(self, options: Any, severity_of: SeverityOf) -> None:
        """As ``Meter`` has it."""
        nothing = severity_of(self._with(options, "", 0))
        for number, threshold in enumerate(self.thresholds):
            self.most[number] = self._reached(
                options, threshold, self.most[number], lambda others: severity_of(others) is not nothing
            )

    def at_end(self, tell: Callable[[], None]) -> None:
        """As ``Meter`` has it."""
        self._at_end.append(tell)

    def end(self) -> None:
        """Take up what is not over."""
        for tell in self._at_end:
            tell()
        self._at_end.clear()
        self._others.clear()
        self._given.clear()
        while self._open:
            self._end(*self._open.popitem(last=False))

    def by_client(self, threshold: str) -> Mapping[Client | None, Distribution]:
        """Return how large it was, by client: None is of subjects that are none, such as addresses; ``REST`` of clients beyond the first 1,000."""
        number = self.thresholds.index(threshold)
        return {client: of_it[number] for client, of_it in self._by_client.items() if of_it[number].count}

    def _reached(self, options: Options, threshold: str, least: int, is_found: Callable[[Options], bool]) -> int:
        """Return the largest number of a threshold by which something is found, of at least ``least``."""
        step = 1
        while least + step <= LARGEST and is_found(self._with(options, threshold, least + step)):
            least, step = least + step, 2 * step
        while step > 1:  # it is less than this one step beyond
            step //= 2
            if least + step <= LARGEST and is_found(self._with(options, threshold, least + step)):
                least += step
        return least

    def _with(self, options: Options, threshold: str, value: int) -> Options:
        """Return options with one threshold of this value, and the others out of reach."""
        key = id(options), threshold, value
        found = self._others.get(key)
        if found is None:
            if len(self._others) >= _MOST_OPTIONS:
                self._others.clear()
            self._given[id(options)] = options  # so that its id stays its own
            values: Any = {each: value if each == threshold else _OUT_OF_REACH for each in self.thresholds}
            found = self._others[key] = replace(options, **values)
        return found

    def _end(self, subject: Subject, stretch: _Open) -> None:
        self._take(Stretch(subject, stretch.first, stretch.last, tuple(stretch.values)), stretch.options)

    def _take(self, stretch: Stretch, options: Options) -> None:
        values, day, is_beyond = stretch.values, stretch.first_ms // DAY_MS, False
        distributions = self._of_client(stretch.client)
        for number, threshold in enumerate(self.thresholds):
            is_beyond |= values[number] >= getattr(options, threshold)
        for value, distribution in zip(values, distributions, strict=True):
            if value:
                distribution.add(value, None if is_beyond else day)
        if is_beyond and len(self.beyond) < MOST_BEYOND:
            self.beyond.append(stretch)
        else:
            self.lost += is_beyond

    def _of_client(self, client: Client | None) -> Sequence[Distribution]:
        found = self._by_client.get(client)
        if found is None:
            if len(self._by_client) > _MOST_CLIENTS:
                client = REST
            found = self._by_client.setdefault(client, [Distribution() for _ in self.thresholds])
        return found
