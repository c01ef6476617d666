"""Have another thread wait for a server, so that the one that has the state lives on, and can be asked to end meanwhile.

No time limit of a request does that: a server that sends a byte now and then keeps within all of them.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from ingestor.errors import UnavailableError
from ingestor.stores.background import Background

T = TypeVar("T")

TICK_SECONDS: Final = 0.1
_CHUNK: Final = 1_000
_AHEAD: Final = 2
"""Chunks that were taken and not asked for yet."""


def answer_beside(work: Callable[[], T], tick: Callable[[], None], patience: float) -> T:
    """Return what a piece of work returns, which another thread does. As ``taken_beside``."""
    (answer,) = taken_beside((do() for do in [work]), tick, patience)
    return answer


def taken_beside(items: Iterable[T], tick: Callable[[], None], patience: float) -> Iterator[T]:
    """Yield the items, which another thread takes. ``tick`` is called while they are waited for; what it raises ends it.

    Raises what the items raise, and UnavailableError when nothing has come for ``patience`` seconds. The thread is left
    to itself then, since nothing can wake it: the items must be of things that outlive their use here.
    """
    taken: queue.Queue[list[T]] = queue.Queue(_AHEAD)
    over = threading.Event()

    def put(chunk: list[T]) -> None:
        while not over.is_set():
            with contextlib.suppress(queue.Full):
                taken.put(chunk, timeout=TICK_SECONDS)
                return

    def take() -> None:
        source = iter(items)
        try:
            while not over.is_set() and (chunk := list(islice(source, _CHUNK))):
                put(chunk)
        finally:
            put([])

    work = Background(lambda: None).do(take)
    try:
        since = time.monotonic()
        while True:
            try:
                chunk = taken.get(timeout=TICK_SECONDS)
            except queue.Empty:
                if time.monotonic() - since > patience:
                    raise UnavailableError(f"The store gave no answer for {patience:.0f} s") from None
                tick()
                continue
            if not chunk:
                return work.result()
            yield from chunk
            since = time.monotonic()
    finally:
        over.set()
