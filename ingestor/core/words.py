"""Counts in words."""


def counted(count: int, noun: str) -> str:
    """Write a count of things, with thousands separated: 1 line, 2,002 lines."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
