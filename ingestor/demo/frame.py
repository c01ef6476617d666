"""One look at the store while the day goes by: the figures that the live view shows. Everything comes from the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ingestor.demo.endpoint import Happening
from ingestor.demo.personas import DAY_MS
from ingestor.model.accounting import Account
from ingestor.model.questions import Answers, Filters, Period, Ranked, Record, Stats

BUCKETS = 72
"""Bars of the chart: twenty minutes each, and a bar a column fits a terminal of 80."""
BUCKET_MS = DAY_MS // BUCKETS
_NS = 1_000_000


class Bucket(NamedTuple):
    """Stored events of a bar's time, and how many of them are failures."""

    events: int
    failures: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A moment of the simulated day. Times are milliseconds since the Unix epoch."""

    start_ms: int
    now_ms: int
    written: int
    """Lines that the endpoint has written."""
    account: Account
    stats: Stats = field(default_factory=Stats)
    buckets: Sequence[Bucket] = ()
    clients: Sequence[Ranked] = ()
    recent: Sequence[Record] = ()
    """Newest first."""
    happenings: Sequence[Happening] = ()

    @property
    def events(self) -> int:
        """Stored events of the day."""
        return sum(self.stats.by_action.values())

    @property
    def finished(self) -> bool:
        """Whether the day is over."""
        return self.now_ms >= self.start_ms + DAY_MS


class Observer:
    """Asks the store. Bars well before the newest stored event are not asked for again until the end."""

    def __init__(self, answers: Answers, start_ms: int) -> None:
        self._answers = answers
        self._start_ms = start_ms
        self._buckets: list[Bucket] = []
        self._newest_ms = start_ms

    @property
    def period(self) -> Period:
        """The simulated day."""
        return self._period(self._start_ms, self._start_ms + DAY_MS)

    def look(
        self, now_ms: int, written: int, account: Account, happenings: Sequence[Happening], *, afresh: bool = False
    ) -> Frame:
        """Return the figures of this moment. ``afresh``: ask for every bar."""
        buckets, filters = self._look_at_buckets(now_ms, afresh=afresh), Filters()
        recent = self._answers.activity(self.period, filters, 12)
        if recent:
            self._newest_ms = int(datetime.fromisoformat(recent[0].time).timestamp() * 1000)
        return Frame(
            *(self._start_ms, now_ms, written, account, self._answers.stats(self.period, filters), buckets),
            clients=self._answers.top_clients(self.period, filters, 12),
            recent=recent,
            happenings=tuple(happenings),
        )

    def _look_at_buckets(self, now_ms: int, *, afresh: bool) -> tuple[Bucket, ...]:
        settled = 0 if afresh else max(0, (self._newest_ms - self._start_ms) // BUCKET_MS - 1)
        del self._buckets[settled:]
        count = min(BUCKETS, (now_ms - self._start_ms) // BUCKET_MS + 1)
        for number in range(len(self._buckets), count):
            begin = self._start_ms + number * BUCKET_MS
            stats = self._answers.stats(self._period(begin, begin + BUCKET_MS), Filters())
            self._buckets.append(Bucket(sum(stats.by_action.values()), stats.total_failures))
        return tuple(self._buckets)

    @staticmethod
    def _period(since_ms: int, until_ms: int) -> Period:
        return Period(since_ms * _NS, until_ms * _NS)
