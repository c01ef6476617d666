"""Measure with two processors: half of the detectors look at the events in a process of their own."""

import gc
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias

from ingestor.config.settings import Settings
from ingestor.detectors.contract import Options
from ingestor.detectors.registry import detectors
from ingestor.jobs.baseline.measuring import Measurements, measure
from ingestor.model.questions import Answers, Period

Opened: TypeAlias = Callable[[Settings], AbstractContextManager[Answers]]
"""Opens the store for questions: a function of a module, since the other process has to find it."""
Show: TypeAlias = Callable[[int], None]

MANY: Final = 200_000
"""Events from which on another process is worth its start."""
_ALLOCATED: Final = 50_000


def measured(
    opened: Opened, settings: Settings, period: Period, names: Sequence[str], events: int, show: Show
) -> Measurements:
    """Have the detectors of these names look at about so many events. Each process reads them all. Raises what the store raises."""
    if events < MANY or len(names) < 2:
        return _of(opened, settings, period, names, show)
    # Neighbours in the order of names go to different halves. A fresh process: this one has a database open.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
        half = other.submit(_of, opened, settings, period, names[1::2])
        mine = _of(opened, settings, period, names[::2], show)
        return mine.with_detectors_of(half.result())


def _of(
    opened: Opened, settings: Settings, period: Period, names: Sequence[str], show: Show | None = None
) -> Measurements:
    with opened(settings) as store, _few_collections():
        rows = store.rows(period)
        try:
            return measure(rows, _only(settings.detectors, names), show)
        finally:  # the store's snapshot ends
            if isinstance(rows, Generator):
                rows.close()


def _only(options: Mapping[str, Options], names: Sequence[str]) -> dict[str, Options]:
    """Return the options of all detectors, where those of other names are switched off."""
    return {
        name: options.get(name) or kind.options() if name in names else Options(enabled=False)
        for name, kind in detectors().items()
    }


@contextmanager
def _few_collections() -> Iterator[None]:
    """Have Python look for garbage seldom: events are made by the million, and none is part of a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATED, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
