"""A machine without google-re2, as one with musl is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from parsers import mapping
from parsers.mapping import expressions


@contextmanager
def no_engine() -> Iterator[None]:
    """Have ``import re2`` fail as long as the block lasts."""
    with mock.patch.dict(sys.modules, {"re2": None}):
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    expressions._compiled.cache_clear()
    mapping._shipped_definition.cache_clear()
