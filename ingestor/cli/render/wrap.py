"""Values that fold where a reader would: behind the punctuation of ids, paths and addresses; in mid-word only at last."""

import re
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_BREAKS = frozenset(" .,:;/_-=@&?")
_BETTER = re.compile(r" |,(?![0-9])")
"""Between words and members; behind other punctuation a word or a figure would be broken."""


def fold(text: str, width: int) -> list[str]:
    """Cut a line into pieces of at most ``width`` columns, behind punctuation unless that wastes most of the width."""
    pieces = []
    while cell_len(text) > width:
        fits = max(1, next(end for end in range(len(text)) if cell_len(text[: end + 1]) > width))
        ends = range(fits, fits // 3, -1)
        end = next((end for end in ends if _BETTER.match(text, end - 1)), 0)
        end = end or next((end for end in ends if text[end - 1] in _BREAKS), fits)
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


@dataclass(frozen=True, slots=True)
class Folding:
    """A cell of a table; its text is printed as it is, every character of it. Lines that it has already stay lines."""

    text: str
    style: str = ""
    indent: int = 0
    """Of what is folded, where a line that begins anew would have a meaning."""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Ask for the longest line, and live with a column."""
        del console
        return Measurement(1, max(map(cell_len, self.text.split("\n")))).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print it in the width that there is."""
        del console
        lines = (
            f"\n{' ' * self.indent}".join(fold(line, self._room(line, options.max_width)))
            for line in self.text.split("\n")
        )
        yield Text("\n".join(lines), style=self.style)

    def _room(self, line: str, width: int) -> int:
        return width if cell_len(line) <= width else max(2, width - self.indent)
