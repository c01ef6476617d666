"""One store with a state beside it, used as the pipeline and the commands use it, and through its contract alone."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingestor.config.settings import RetentionSettings, Settings, StoreSettings
from ingestor.model.accounting import Account
from ingestor.model.points import Point, SeriesTable
from ingestor.model.questions import Answers, Filters
from ingestor.state.counters import load_series
from ingestor.state.rejected_file import RejectedFile, RejectedLine
from ingestor.state.state import State
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import Delivery
from ingestor.stores.lookup import LookupResult
from ingestor.stores.reclassified import SeveralEvents
from ingestor.stores.registry import store_of
from parsers.contract import Reason
from tests.support.counters import Counters, counters_in, counters_of
from tests.support.generated import Sample, points
from tests.support.oracle import Oracle
from tests.support.questions import ALWAYS

HOST = "idp-1"
_DAYS = (datetime.now(UTC) - datetime(2010, 1, 1, tzinfo=UTC)).days
KEPT = RetentionSettings(raw_days=_DAYS, rollup_days=_DAYS, findings_days=_DAYS)
"""Generated times are kept whenever the tests run; no more is, because a comparison takes each day in its turn."""


class StoreUnderTest:
    """Set up when it is made, opened when it is first written to."""

    def __init__(self, directory: Path, store: StoreSettings, *, set_up: bool = True) -> None:
        self.directory = directory
        self.settings = Settings(logs=(), state_directory=directory, store=store, retention=KEPT)
        self.store = store_of(self.settings)
        if set_up:
            self.store.set_up(change_retention=False, dry_run=False)
        self._running: tuple[State, SeriesTable, RejectedFile, Delivery] | None = None

    @property
    def state(self) -> State:
        return self._open()[0]

    @property
    def series(self) -> SeriesTable:
        return self._open()[1]

    @property
    def delivery(self) -> Delivery:
        return self._open()[3]

    def _open(self) -> tuple[State, SeriesTable, RejectedFile, Delivery]:
        if self._running is None:
            state = State.open(self.directory, HOST)
            self.store.before_reading(state, lambda: None)
            meta = state.meta()
            rejected = RejectedFile(state.directory, meta.get("rejected_mark", ""), new="heartbeat" not in meta)
            series = load_series(state.connection)
            self._running = (state, series, rejected, self.store.new_delivery(state, series, rejected))
        return self._running

    def close(self) -> None:
        """End as a crash does: what is in no checkpoint is gone."""
        if self._running is not None:
            state, _, rejected, delivery = self._running
            self._running = None
            delivery.close()
            rejected.close()
            state.close()

    def deliver(self, batch: Batch) -> None:
        """Have a batch be durable."""
        delivery = self.delivery
        delivery.claim(batch.accounts)
        delivery.flush()  # what was taken up again after a crash comes first
        batch.series = self.series.take_new()
        delivery.submit(batch, time.monotonic())
        delivery.flush()

    def write(self, samples: Iterable[Sample]) -> None:
        """Store lines that were never read before, in batches as large as the store likes them."""
        samples = list(samples)
        size = min(700, self.delivery.batch_points)
        for start in range(0, len(samples), size):
            self.deliver(self.new_lines(samples[start : start + size]))

    def new_lines(self, samples: list[Sample]) -> Batch:
        """Return a batch of lines that were never read before."""
        batch = Batch(points=points(samples, self.series), bytes_read=100 * len(samples))
        for source, lines in Counter(sample.series.source for sample in samples).items():
            batch.accounts[source] = Account(read=lines, stored=lines)
        batch.origins.append((0, _never_refused))
        return batch

    def read_again(self, samples: list[Sample]) -> None:
        """Store lines that were counted before, and are read by the same rules."""
        self.deliver(Batch(rewrites=points(samples, self.series), accounts=_nothing_new(samples)))

    def ignore(self, samples: list[Sample]) -> None:
        """Count lines of which the rules make nothing."""
        lines = Counter(sample.series.source for sample in samples)
        self.deliver(Batch(accounts={source: Account(read=n, ignored=n) for source, n in lines.items()}))

    def reclassify(self, samples: list[Sample], several: Iterable[tuple[Sample, Iterable[Sample]]] = ()) -> None:
        """Store lines that were counted before, as what other rules make of them.

        ``several``: of lines that were several events, the one that they make now, and what stands where events of it may be.
        """
        self.deliver(self.reclassified(samples, several))

    def reclassified(self, samples: list[Sample], several: Iterable[tuple[Sample, Iterable[Sample]]] = ()) -> Batch:
        """Return a batch of lines that were counted before, as what other rules make of them. ``several``: as above."""
        again = Batch(reclassified=points(samples, self.series), accounts=_nothing_new(samples))
        again.several += [self.several(sample, places) for sample, places in several]
        again.reclassified_origins.append((0, _never_refused))
        return again

    def several(self, sample: Sample, places: Iterable[Sample]) -> SeveralEvents:
        """Return a line that was several events and makes one now. ``places``: what stands where events of it may be."""
        now = sample.point(self.series)
        return SeveralEvents((now,), tuple((place.time, now[1]) for place in places))

    @contextlib.contextmanager
    def answers(self) -> Iterator[Answers]:
        """Open the store for questions, as a command beside the daemon does."""
        if not self.store.in_state:
            with self.store.open_answers(None) as answers:
                yield answers
            return
        with (
            contextlib.closing(State.open_reader(self.directory)) as reader,
            self.store.open_answers(reader.connection) as answers,
        ):
            yield answers

    def look_up(self, wanted: list[Point], series: SeriesTable) -> list[LookupResult]:
        """Look points up, as ``verify`` does."""
        with (
            contextlib.closing(State.open_reader(self.directory)) as reader,
            self.store.open_look_up(reader, series) as look_up,
        ):
            return look_up(wanted)

    def look_up_places(self, samples: list[Sample], places: Iterable[Sample]) -> list[LookupResult]:
        """Look events up, and what stands where other samples were, as ``verify`` does."""
        table = SeriesTable(dict(self.series.by_number))
        wanted = points(samples, table)
        sought = [(sample.time, table.number(sample.series)) for sample in places]
        with (
            contextlib.closing(State.open_reader(self.directory)) as reader,
            self.store.open_look_up(reader, table) as look_up,
        ):
            return look_up(wanted, sought)

    def until(self, happened: Callable[[], bool]) -> None:
        """Let the delivery go on, by a clock that is ahead of ours, until something has happened."""
        deadline, now = time.monotonic() + 30, time.monotonic()
        while not happened():
            assert time.monotonic() < deadline, self.delivery.trouble
            now += 100.0
            self.delivery.advance(now)
            self.delivery.wait(0.02)

    def check(self, kept: list[Sample], *, ignored: int = 0) -> None:
        """The store holds these events, and the counters, the accounts and a comparison say the same."""
        self.check_events(kept)
        self.check_counted(kept, ignored=ignored)
        agreement = self.store.compare(self.state)
        assert (agreement.agrees, agreement.missing, agreement.surplus) == (True, 0, 0)

    def check_events(self, kept: list[Sample]) -> None:
        """The store holds these events."""
        oracle = Oracle(sample.event() for sample in kept)
        with self.answers() as answers:
            assert list(answers.events(ALWAYS, Filters())) == list(oracle.events(ALWAYS, Filters()))
            assert answers.stats(ALWAYS, Filters()) == oracle.stats(ALWAYS, Filters())

    def check_counted(self, kept: list[Sample], *, ignored: int = 0) -> None:
        """The counters and the accounts tell of these events, and of so many lines that were ignored."""
        assert self.counted() == counters_of(kept)
        accounts = self.delivery.accounts
        assert accounts == self.state.accounts()
        stored = Counter({source: account.stored for source, account in accounts.items()})
        assert stored == Counter(sample.series.source for sample in kept)
        assert sum(account.ignored for account in accounts.values()) == ignored
        assert all(account.pending == 0 for account in accounts.values())

    def counted(self) -> Counters:
        """Return what the counters of the state say."""
        return counters_in(self.state.connection)


def _nothing_new(samples: Iterable[Sample]) -> dict[str, Account]:
    return {sample.series.source: Account() for sample in samples}


def _never_refused(_: int, reason: str) -> RejectedLine:
    raise AssertionError(f"{Reason.STORE_REFUSED}: {reason}")
