"""Work in a thread of its own, which must not keep the process from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Background:
    """Does pieces of work beside the caller's thread; ``done`` is called, from theirs, after each."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done

    def do(self, work: Callable[[], T]) -> "Future[T]":
        """Begin a piece of work; what it returns or raises is in the future."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)
            self._done()

        threading.Thread(target=run, name="tokentail-store", daemon=True).start()
        return future
