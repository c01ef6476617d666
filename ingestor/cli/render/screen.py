"""A console on which no word, path or figure is broken: what is longer than its place runs over, and is whole when copied."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from ingestor.cli.render.wrap import Folding

_UNBOUNDED = 1 << 15
_GAP = 2
"""Columns between two columns of a table, as all tables here have it."""
_UNIT = re.compile(r"\s*(?:[0-9][0-9,.]*[ ])?\S+")
"""What stays on one line: a word, or a figure with what it counts."""
_WORD = re.compile(r"\s*\S+")
_MEMBER = re.compile(r'\s*(?:[^,]|,(?![A-Za-z_"\\{\[]))+,?')
"""Of a word that no line holds, such as a point or an object: what ends with a comma before the next name."""


class Screen(Console):
    """Prints texts and tables so that lines end between words; everything else as rich does."""

    def print(self, *objects: Any, style: StyleType | None = None, **options: Any) -> None:
        """Print. Options, such as ``soft_wrap``, are rich's and leave the layout to it."""
        if len(objects) != 1 or options or not isinstance(objects[0], str | Text | Table):
            super().print(*objects, style=style, **options)
            return
        for line in self._lines(objects[0]):
            super().print(line, style=style, soft_wrap=True)

    def _lines(self, printed: str | Text | Table) -> Iterable[Text]:
        if isinstance(printed, Table):
            return (
                self._drawn(printed)
                if fits(self, printed)
                else laid_out(printed, self.width, rule="-" if self.options.ascii_only else "\u2500")
            )
        text = printed if isinstance(printed, Text) else Text(printed)
        return (piece for line in text.split(allow_blank=True) for piece in flow(line, self.width))

    def _drawn(self, table: Table) -> Iterator[Text]:
        """Yield the lines of a table that fits, without the blanks that fill them up to its width."""
        for line in self.render_lines(table, pad=False):
            text = Text()
            for segment in Segment.simplify(line):
                text.append(segment.text, segment.style)
            text.rstrip()
            yield text


def fits(console: Console, table: Table) -> bool:
    """Whether a table is as wide as it wants to be."""
    unbounded = console.options.update_width(_UNBOUNDED)
    return Measurement.get(console, unbounded, table).maximum <= console.width


def flow(line: Text, width: int, *, indent: int | None = None) -> list[Text]:
    """Cut a line between words into pieces of at most ``width`` columns; a longer word is a piece of its own.

    ``indent``: of all but the first piece; as the line itself is indented when it is None.
    """
    plain = line.plain
    hanging = len(plain) - len(plain.lstrip(" ")) if indent is None else indent
    cuts, begin, room = [], 0, width
    for unit in _units(plain, width - hanging):
        if (
            cell_len(plain[begin : unit.end()].rstrip()) > room
            and plain[begin : unit.start()].strip()
            and cell_len(unit[0].strip()) <= width - hanging
        ):
            begin = unit.end() - len(unit[0].lstrip())
            cuts.append(begin)
            room = width - hanging
    pieces = list(line.divide(cuts))
    for piece in pieces:
        piece.rstrip()
    return [pieces[0], *(Text(" " * hanging) + piece for piece in pieces[1:])]


def _units(plain: str, width: int) -> Iterator[re.Match[str]]:
    return _finer(_MEMBER, width, _finer(_WORD, width, _UNIT.finditer(plain)))


def _finer(kind: re.Pattern[str], width: int, units: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Yield the units, and in the place of one that is too wide what of this kind it is made of."""
    for unit in units:
        if cell_len(unit[0].strip()) <= width:
            yield unit
        else:
            yield from kind.finditer(unit.string, *unit.span())


def laid_out(table: Table, width: int, *, rule: str = "-") -> Iterator[Text]:
    """Yield the lines of a table that is too wide.

    A cell that is too long for its column ends the line; the cells behind it stand in the next one, in their columns.
    """
    widths = _widths(table, width)
    if table.title:
        yield table.title if isinstance(table.title, Text) else Text(str(table.title))
    if table.show_header:
        heading = [[Text(str(column.header), style="bold")] for column in table.columns]
        yield from _row(table.columns, heading, widths, width)
        yield Text(rule * min(width, sum(widths) + _GAP * (len(widths) - 1)), style="dim")
    cells = zip(*(column.cells for column in table.columns), strict=True)
    for row in cells:
        yield from _row(
            table.columns,
            [_texts(cell, column) for cell, column in zip(row, table.columns, strict=True)],
            widths,
            width,
        )


def _widths(table: Table, width: int) -> list[int]:
    """Return the width of each column: what its cells want, less for the widest texts until all fit."""
    widths = [
        max(
            column.min_width or 0,
            *(line.cell_len for line in _texts(column.header if table.show_header else "", column)),
            *(line.cell_len for cell in column.cells for line in _texts(cell, column)),
        )
        for column in table.columns
    ]
    texts = [index for index, column in enumerate(table.columns) if not column.no_wrap and column.justify != "right"]
    for index in sorted(texts, key=lambda index: -widths[index]):
        over = sum(widths) + _GAP * (len(widths) - 1) - width
        least = max(table.columns[index].min_width or 0, len(str(table.columns[index].header)), 1)
        widths[index] = max(least, widths[index] - max(0, over))
    return widths


def _texts(cell: Any, column: Column) -> list[Text]:
    """Return the lines of a cell."""
    if isinstance(cell, Folding):
        text = Text(cell.text, style=cell.style)
    else:
        text = cell.copy() if isinstance(cell, Text) else Text(str(cell))
    if not text.style:
        text.style = column.style
    return list(text.split(allow_blank=True))


def _row(columns: Sequence[Column], cells: Sequence[list[Text]], widths: Sequence[int], width: int) -> Iterator[Text]:
    """Yield the lines of a row."""
    line: list[Text] = [Text() for _ in range(max(map(len, cells)))]
    start = 0
    for column, cell, room in zip(columns, cells, widths, strict=True):
        last = column is columns[-1]
        too_long = any(text.cell_len > room for text in cell)
        texts = [piece for text in cell for piece in flow(text, max(room, width - start), indent=_GAP)]
        line += [Text() for _ in range(len(texts) - len(line))]
        for place, text in zip(line, texts, strict=False):
            place.pad_right(max(0, start - place.cell_len))
            if column.justify == "right":
                place.pad_right(max(0, room - text.cell_len))
            place.append_text(text)
        start += room + _GAP
        if too_long and not last:
            yield from line
            line = [Text()]
    yield from (text for text in line if text.plain.strip() or not any(map(len, line)))
