"""Which tests run, and in which order: the longest first, and with ``--fast`` those that a hand can wait for.

What is left out of the fast ones is found by what a test is and does, not by a list: one that is marked ``slow`` or ``long``, or that
has a whole installation, is not chosen, and one that starts a process, as all do that start a server, skips at that moment.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import pytest

SLOW: Final = "slow"
LONG: Final = "long"
_SLOW_IS: Final = 20
"""So many other tests take as long as one that is marked ``slow`` or ``long``."""
_INSTALLATION: Final = "scene"
"""The fixture of a whole installation, which runs its commands and its daemon many times."""
_SERVERS: Final = "TOKENTAIL_TEST_"
"""What the names of variables begin with that name servers."""


def parted(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the tests that may be fast, and those that are not."""
    fast: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        whole = _INSTALLATION in getattr(item, "fixturenames", ())
        (others if whole or is_slow(item) else fast).append(item)
    return fast, others


def is_slow(item: pytest.Item) -> bool:
    """Whether it takes a second, or longer."""
    return any(item.get_closest_marker(name) for name in (SLOW, LONG))


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests by file, the files that take longest first: the last one to end keeps all others waiting."""
    weight: Counter[str] = Counter()
    for item in items:
        weight[str(item.path)] += _SLOW_IS if is_slow(item) else 1
    return sorted(items, key=lambda item: (-weight[str(item.path)], str(item.path)))


@contextmanager
def no_process() -> Iterator[None]:
    """Have every test skip that starts a process, or looks for a server that runs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_SERVERS)]:
            patch.delenv(name)
        patch.setattr(subprocess.Popen, "__init__", _skip)
        yield


def _skip(*_: Any, **__: Any) -> NoReturn:
    pytest.skip("it starts a process, which --fast leaves out")
