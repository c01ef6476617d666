"""Which paths may name several files: a name may hold the characters of a pattern and still be one file's."""

import re

_PATTERN = re.compile(r"[*?]|\[!?+\]?+[^\]/]*\]")
"""``[`` stands for itself where no ``]`` follows in the same name, as it does to the functions that match."""


def has_pattern(path: str) -> bool:
    """Tell whether a path could match other names than its own."""
    return _PATTERN.search(path) is not None
