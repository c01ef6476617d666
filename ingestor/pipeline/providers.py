"""Whose log each source is, for `tokentail status`: told by its lines, once for each generation."""

import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from ingestor.config.settings import Settings
from ingestor.pipeline.classifier import SourceParsers
from ingestor.sources.block import Block
from ingestor.state.checkpoint import Checkpoint
from parsers.contract import Outcome, events_of

PROVIDER: Final = "provider:"
"""Key of ``meta``, with a source: whose log it is and what is around its lines, such as ``keycloak in docker``."""
_LOOKED_AT: Final = 20
"""So many events say whose log it is."""


class Providers:
    """Notes in the state whose log a source is. Its parsers are its own, since it parses lines that were counted already."""

    def __init__(self, settings: Settings) -> None:
        self._parsers = SourceParsers(settings, lambda _: None)
        self._told: dict[str, int] = {}
        """The generation of each source that was looked at."""

    def note(self, block: Block, outcomes: Sequence[Outcome], checkpoint: Checkpoint) -> None:
        """Look at the first events of a generation, if nobody has yet."""
        source, number = block.generation.source, block.generation.number
        if self._told.get(source) == number:
            return
        lines = block.data.split(b"\n")
        events = list(islice((line for line, o in zip(lines, outcomes, strict=False) if events_of(o)), _LOOKED_AT))
        if events:
            self._told[source] = number
            now_ms = time.time_ns() // 1_000_000
            checkpoint.meta[PROVIDER + source] = self._parsers.of(source).named_most(events, now_ms)
