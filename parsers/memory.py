"""What parsers remember of a log, which repeats itself: plain dicts, within bounds."""

from typing import Final, TypeVar

_ENTRIES: Final = 10_000
CHARS: Final = 256
"""Bounds of each memory: it is emptied when full, and long values are left out. A log of nothing but new values costs 25 MiB."""

K = TypeVar("K")
V = TypeVar("V")


def remember(memory: dict[K, V], key: K, value: V, chars: int = CHARS) -> None:
    """Keep a value for the next line that says the same. ``chars``: of the longest key; a memory of longer ones holds fewer."""
    parts = key if isinstance(key, tuple) else (key,)
    size = sum([len(part) for part in parts if isinstance(part, str)])
    if size > chars:
        return
    if len(memory) >= _ENTRIES * CHARS // chars:
        memory.clear()
    memory[key] = value
