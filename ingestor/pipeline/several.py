"""Lines that are several events, or may have been by other rules: where those stand (pure; design section 4)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ingestor.model.generation import Generation
from ingestor.model.identity import EVENT_STRIDE, slots_of
from ingestor.model.points import Point
from ingestor.stores.lookup import Place
from ingestor.stores.reclassified import SeveralEvents


def several_events(
    points: Sequence[Point], lines: Sequence[int], generation: Generation, ordinal: int
) -> Iterator[tuple[int, SeveralEvents]]:
    """Yield those lines of a block that make several events now, or may have made them; each with its index.

    ``points``: of the block; ``lines``: the index of the line of each; ``ordinal``: of its first line in the generation.
    """
    most = generation.most_events
    for index, group in groupby(zip(lines, points, strict=True), key=itemgetter(0)):
        events = tuple(point for _, point in group)
        if len(events) > 1 or most > 1:
            slot = (generation.h or 0) + ordinal + index
            yield index, SeveralEvents(events, tuple(_places(events, slot, most)))


def _places(events: Sequence[Point], slot: int, most: int) -> Iterator[Place]:
    """Yield where up to ``most`` events of a line stand that have the written times of these; a line with one at most has none else."""
    ticks = {}
    for time, series, *_, fraction, _, _ in events:
        slots = slots_of(fraction)
        ticks[time - time % slots, slots] = series
    for (tick, slots), series in ticks.items():
        for event in range(most if most > 1 else 0):
            yield tick + (slot + event * EVENT_STRIDE) % slots, series
