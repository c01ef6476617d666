"""How long the daemon waits for a store that is away, and what it does meanwhile."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator

from ingestor.errors import UnavailableError
from ingestor.stores.delivery import Delivery

DRAIN_SECONDS = 20.0
"""How long the end may take, within the stop timeout of systemd."""
REFUSED_SECONDS = 1.5
"""How long the end waits for a store that refuses: it may be back before the next try."""
SILENT_SECONDS = 1.5
"""How long the end waits for a store that takes nothing and says nothing: one that is gone, and one that hangs."""
ONCE_PATIENCE_SECONDS = 60.0
"""How long ``--once`` keeps trying a store that cannot be written."""


class StoppingError(Exception):
    """The daemon was asked to end during a long piece of work, which is done again at the next start."""


@contextlib.contextmanager
def calling(delivery: Delivery, tick: Callable[[], None]) -> Iterator[None]:
    """Have this be called now and then while a piece of work waits for the store."""
    delivery.tick = tick
    try:
        yield
    finally:
        delivery.tick = lambda: None


def raise_if_away_too_long(delivery: Delivery) -> None:
    """Raise UnavailableError when the store has refused, or has kept silent, for a minute."""
    trouble, waiting_since = delivery.trouble, delivery.waiting_since
    since = min(filter(None, (trouble and trouble.since, waiting_since)), default=math.inf)
    if time.monotonic() - since > ONCE_PATIENCE_SECONDS:
        raise UnavailableError(
            "The store could not be written for a minute",
            where=trouble.what if trouble else "it does not answer",
            advice="Nothing is lost. `tokentail validate` looks closer; run it again when the store can be written.",
        )


def flush_before_the_end(delivery: Delivery) -> None:
    """Make what was submitted durable, but do not wait long for a store that is away.

    Raises UnavailableError, sqlite3.Error, OSError.
    """
    delivery.tick = _give_up_where_refused(delivery)
    delivery.flush(SILENT_SECONDS, at_most=DRAIN_SECONDS)


def _give_up_where_refused(delivery: Delivery) -> Callable[[], None]:
    refused_since: float | None = None

    def tick() -> None:
        nonlocal refused_since
        trouble, now = delivery.trouble, time.monotonic()
        refused_since = (refused_since or now) if trouble else None
        if trouble and refused_since and now - refused_since > REFUSED_SECONDS:
            raise UnavailableError("The store refuses", where=trouble.what)

    return tick
