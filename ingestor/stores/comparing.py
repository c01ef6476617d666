"""The daemon's own look, every few minutes, whether the store holds what was counted; a difference is told once."""

import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from typing import Final, TypeAlias

from ingestor.errors import TokentailError, one_line
from ingestor.model.agreement import Agreement
from ingestor.model.periods import DAY_NS, start_of
from ingestor.stores.background import Background

log = logging.getLogger("tokentail")

FIRST_SECONDS: Final = 60.0
"""After the start."""
COMPARE_SECONDS: Final = 300.0
"""Between two looks."""
SOON_SECONDS: Final = 10.0
"""Until the next look while not all is compared, or something differs."""

Finish: TypeAlias = Callable[[Collection[int]], Agreement]
"""Called with the days that were written to meanwhile, by the thread that has the state."""


class Comparing:
    """One look at a time, in a thread of its own; begun only when nothing is on its way, so it waits for nobody."""

    def __init__(self, look: Callable[[], Finish], done: Callable[[], None] = lambda: None) -> None:
        """``look`` is called in another thread, and needs a connection of its own to the state."""
        self.agreement: Agreement | None = None
        """What was found last; None before the first look."""
        self.problem = ""
        """Why the last look came to nothing."""
        self._look = look
        self._background = Background(done)
        self._looking: Future[Finish] | None = None
        self._changing: set[int] = set()
        self._due = time.monotonic() + FIRST_SECONDS
        self._told: tuple[int, int] = (0, 0)

    @property
    def looking(self) -> bool:
        """Whether a look is under way, so that it must hear of what is written."""
        return self._looking is not None

    def changed(self, times: Iterable[int]) -> None:
        """Note that events of these times are on their way."""
        self._changing |= {start_of(moment, DAY_NS) for moment in times}

    def advance(self, *, at_rest: bool) -> Agreement | None:
        """Begin a look when it is time, or take what it has found: return that. Raises sqlite3.Error."""
        now = time.monotonic()
        if self._looking is None:
            if at_rest and now >= self._due:
                self._changing.clear()
                self._looking = self._background.do(self._look)
            return None
        if not self._looking.done():
            return None
        looking, self._looking = self._looking, None
        self._due = now + COMPARE_SECONDS
        try:
            finish = looking.result()
        except (TokentailError, sqlite3.Error) as error:
            self.problem = one_line(str(error))
            return None
        agreement = finish(self._changing)
        self.agreement, self.problem = agreement, ""
        if agreement.waiting or not agreement.agrees:
            self._due = now + SOON_SECONDS
        return agreement

    def tell(self, store: str, advice: str) -> None:
        """Say once that the store differs, again when it differs by more, and that it agrees again."""
        agreement = self.agreement
        if agreement is None:
            return
        differs = agreement.missing, agreement.surplus
        if differs > self._told or (any(differs) and not any(self._told)):
            log.warning("%s %s. %s", store, said(agreement), advice)
        elif any(self._told) and not any(differs):
            log.info("%s holds again what was counted", store)
        self._told = differs


def said(agreement: Agreement) -> str:
    """Say how a store differs, for the middle of a sentence; with the first few places."""
    parts = [f"lacks {_events(agreement.missing)} that it had acknowledged"] if agreement.missing else []
    parts += [f"holds {_events(agreement.surplus)} that nobody has counted"] if agreement.surplus else []
    places = "; ".join(map(str, agreement.disagreements[:3]))
    return f"{' and '.join(parts)} ({places})"


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"
