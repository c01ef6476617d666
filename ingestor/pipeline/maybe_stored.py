"""Which points that are read now may be in the store already, under other tags.

A store that is no part of the state may hold points that are in no checkpoint: they were sent, and the process was killed.
They are sent again. If the rules, a source's name or the host have changed in between, they are other points then; so their
lines are looked for.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import orjson

from ingestor.config.settings import Settings
from ingestor.pipeline.points import BlockResult, lines_of_events
from ingestor.pipeline.several import several_events
from ingestor.sources.block import Block
from ingestor.state.database import save_meta
from ingestor.state.generations import Generations
from ingestor.state.state import State
from ingestor.stores.batch import Batch
from ingestor.stores.delivery import Delivery
from ingestor.stores.former_names import FormerNames
from parsers.contract import Outcome

PERHAPS_SENT_POINTS: Final = 400_000
PERHAPS_SENT_BYTES: Final = 256 << 20
"""Safely more than is ever sent of one source without a checkpoint behind it (``checkpointer.MOST_UNSAVED`` batches)."""


class MaybeStored:
    """What was sent under former settings and may be unknown to the state. It is made anew with the settings."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        delivery: Delivery,
        rules_of: Callable[[str], str],
        *,
        store_is_apart: bool,
    ) -> None:
        """``rules_of`` returns the digest of what decides about a source's lines. ``store_is_apart``: from the state."""
        self._settings = settings
        self._state = state
        self._delivery = delivery
        self._rules_of = rules_of
        self._store_is_apart = store_is_apart
        self._announced: set[str] = set()
        self._former: FormerNames | None = None
        self._perhaps_sent: dict[str, tuple[int, int]] = {}
        """By source: how many of its next points, and bytes of lines, may be in the store under other rules."""

    def record_classifier(self, sources: Iterable[str]) -> None:
        """Have the state know by which rules the points of these sources are made, before any is sent.

        Nothing is to be done where the store is a part of the state. Raises sqlite3.Error.
        """
        unknown = set(sources) - self._announced if self._store_is_apart else set()
        if not unknown:
            return
        self._delivery.claim(unknown)
        meta = self._state.meta()
        notes: dict[str, str] = {}
        if self._former is None:
            sent = [key.removeprefix("sent_by:") for key, rules in meta.items() if key.startswith("sent_by:") and rules]
            self._former = FormerNames(meta, sent, self._settings.logs, self._state.host)
            notes |= {key: value for key, value in self._former.notes.items() if meta.get(key) != value}
        for source in unknown:
            key, current = f"sent_by:{source}", self._sent_by(source)
            known = set(filter(None, meta.get(key, "").split(",")))
            if known - {current}:
                self._perhaps_sent[source] = (PERHAPS_SENT_POINTS, PERHAPS_SENT_BYTES)
            if current not in known:
                notes[key] = ",".join(sorted(known | {current}))
        if notes:
            with self._state.transaction():
                save_meta(self._state.connection, notes)
        self._announced |= unknown

    def mark(
        self, batch: Batch, block: Block, outcomes: Sequence[Outcome], placed: BlockResult, generations: Generations
    ) -> None:
        """Note in a batch which points of a block may be in the store already."""
        generation = block.generation
        batch.may_be_stored = self._is_perhaps_sent(generation.source, placed, block, batch) or batch.may_be_stored
        # The order of admission may be another one than before the state was lost: so may be the tags.
        batch.may_be_stored = batch.may_be_stored or (generations.rebuilding and self._store_is_apart)
        if batch.may_be_stored and generation.most_events > 1:
            lines = lines_of_events(outcomes, placed)
            several = several_events(placed.points, lines, generation, block.ordinal)
            batch.may_be_several += [line for _, line in several]
        if self._former and placed.points:
            for name in self._former.of(generation, block.ordinal, generations):
                batch.may_be_stored_under.setdefault(name, set()).update(point[0] for point in placed.points)

    def forget_former_names(self) -> None:
        """Note that all is read that was there when something was renamed, and durable. Raises sqlite3.Error."""
        if self._former:
            with self._state.transaction():
                save_meta(self._state.connection, self._former.forget())

    def _is_perhaps_sent(self, source: str, placed: BlockResult, block: Block, batch: Batch) -> bool:
        """Tell whether lines may be in the store under other rules, and count them off."""
        if source not in self._perhaps_sent:
            return False
        points, size = self._perhaps_sent[source]
        points, size = points - len(placed.points), size - len(block.data)
        self._perhaps_sent[source] = points, size
        if points <= 0 or size <= 0:
            del self._perhaps_sent[source]
            batch.checkpoint.meta[f"sent_by:{source}"] = self._sent_by(source)
        return True

    def _sent_by(self, source: str) -> str:
        """Return a digest of everything that decides what point a line makes, besides the line."""
        budgets = self._settings.budgets
        decides = orjson.dumps([self._rules_of(source), budgets])
        return hashlib.blake2b(decides, digest_size=8).hexdigest()
