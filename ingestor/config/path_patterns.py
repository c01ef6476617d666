"""Which paths may name several files: a name may hold the characters of a pattern and still be one file's."""

import re
from fnmatch import fnmatchcase

_PATTERN = re.compile(r"[*?]|\[!?+\]?+[^\]/]*\]")
"""``[`` stands for itself where no ``]`` follows in the same name, as it does to the functions that match."""


def has_pattern(path: str) -> bool:
    """Tell whether a path could match other names than its own."""
    return _PATTERN.search(path) is not None


def matches(pattern: str, path: str) -> bool:
    """Tell whether a glob would name a path if a file were there. ``**`` stands for any directories."""
    return _match(pattern.split("/"), path.split("/"))


def _match(patterns: list[str], names: list[str]) -> bool:
    for place, pattern in enumerate(patterns):
        if pattern == "**":
            rest, below = patterns[place + 1 :], names[place:]
            visible = next((n for n, name in enumerate(below) if name.startswith(".")), len(below))
            if not rest:
                return visible == len(below)
            return any(_match(rest, below[start:]) for start in range(visible + 1))
        if place >= len(names) or not fnmatchcase(names[place], pattern):
            return False
        if names[place].startswith(".") and not pattern.startswith("."):
            return False
    return len(names) == len(patterns)
