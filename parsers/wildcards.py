"""Patterns of people's configuration: a whole text, in which ``*`` stands for anything."""

from collections.abc import Sequence


def matches(text: str, pieces: Sequence[str]) -> bool:
    """Whether the text is these pieces with anything between them. One pass: each piece is taken as early as it goes.

    ``pieces`` are what stands around the ``*`` of a pattern, so at least two.
    """
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        position = text.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True
