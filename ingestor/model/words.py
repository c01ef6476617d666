"""Counts in words."""

from collections.abc import Sequence

NAMED = 5
"""Of many things so many are named."""


NO_CLIENT = "no client"
"""What people read where an event names no client."""


def counted(count: int, noun: str) -> str:
    """Write a count of things, with thousands separated: 1 line, 2,002 lines."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def some_of(names: Sequence[str]) -> str:
    """Name the first of many things, and say how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
