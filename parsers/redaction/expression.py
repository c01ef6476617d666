"""Regular expressions that are compiled when they are first asked."""

import re
from collections.abc import Callable
from functools import cached_property

_Match = re.Match[str] | None


class Expression:
    """A regular expression that is compiled when it is first asked.

    All that look for secrets take 0.3 s to compile, as long as a command takes to start, and most texts ask few of them.
    """

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        self.flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self.flags)

    # Each is looked up once: what is asked again and again is the compiled expression's own method.
    @cached_property
    def match(self) -> Callable[..., _Match]:
        """As of ``re.Pattern``."""
        return self._compiled.match

    @cached_property
    def search(self) -> Callable[..., _Match]:
        """As of ``re.Pattern``."""
        return self._compiled.search

    @cached_property
    def sub(self) -> Callable[..., str]:
        """As of ``re.Pattern``."""
        return self._compiled.sub
