"""Bars and the week's heat map. Everything can be read without colour, and without anything but ASCII."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import number, percent, word
from ingestor.model.questions import PeakCell

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK_WIDTH = 76
_SHORTEST_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEAT = (
    "",
    "on color(22)",
    "on color(28)",
    "bold black on color(34)",
    "bold black on color(40)",
    "bold black on color(46)",
)


def bar(share: float, width: int, *, ascii_only: bool) -> str:
    """Draw ``share`` (0 to 1) of ``width`` columns. What is not nothing never looks like nothing."""
    if ascii_only:
        return "#" * max(round(share * width), 1 if share > 0 else 0)
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def breakdown(
    title: str, rows: Sequence[tuple[str, int]], *, width: int, ascii_only: bool, style: str, most: int = 10
) -> Table:
    """Return a section: name, count, share and bar, at most ``most`` rows, the rest in one."""
    table = Table(
        box=None, padding=(0, 2, 0, 0), title=Text(title, style="bold"), title_justify="left", header_style="dim"
    )
    least = max(16, min(34, width // 2 - 6))
    table.add_column(min_width=least)
    table.add_column(justify="right", min_width=9, no_wrap=True)
    table.add_column(justify="right", min_width=5, no_wrap=True)
    table.add_column(no_wrap=True)
    table.show_header = False
    total = sum(count for _, count in rows)
    shown = rows if len(rows) <= most else rows[:most]
    longest = max((count for _, count in shown), default=0)
    name_width = max([least, *(cell_len(name) for name, _ in shown)])
    room = width - name_width - 24
    # Names that leave no room for bars are worth more than these; those that have no room at all stand above.
    bar_width = room if room >= _SHORTEST_BAR else 0 if name_width + 20 <= width else _SHORTEST_BAR
    for name, count in shown:
        part = count / longest if longest else 0
        drawn = bar(part, bar_width, ascii_only=ascii_only) if bar_width else ""
        table.add_row(word(name), number(count), percent(count / total if total else None), Text(drawn, style=style))
    if rest := rows[len(shown) :]:
        count = sum(count for _, count in rest)
        table.add_row(Text(f"and {len(rest)} more", style="dim"), number(count), percent(count / total), "")
    return table


def heat_map(cells: Iterable[PeakCell], *, width: int, ascii_only: bool) -> tuple[list[Table], str]:
    """Return the week as 7 rows of 24 two-digit numbers, and the legend.

    It is 76 columns wide; on a smaller screen there are two tables, of 12 hours.
    """
    events = {(cell.weekday, cell.hour): cell.events for cell in cells}
    most = max(events.values(), default=0)
    unit = 1
    while most / unit >= 99.5:
        unit *= 10
    nothing = "." if ascii_only else "·"
    hours = [range(24)] if width >= _WEEK_WIDTH else [range(12), range(12, 24)]
    tables = [Table(box=None, padding=0, header_style="dim", pad_edge=False) for _ in hours]
    for table, part in zip(tables, hours, strict=True):
        table.add_column("", width=4)
        for hour in part:
            table.add_column(f"{hour:02d}", width=3, justify="right")
        for weekday, name in enumerate(WEEKDAYS):
            row = [_heat_cell(events.get((weekday, hour), 0), most, unit, nothing) for hour in part]
            table.add_row(Text(name, style="dim"), *row)
    scale = "events" if unit == 1 else f"events, in units of {number(unit)}; <1: fewer"
    return tables, f"Hours across, {scale}; {nothing}: none"


def _heat_cell(count: int, most: int, unit: int, nothing: str) -> Text:
    if not count:
        return Text(f" {nothing} ", style="dim")
    shown = str(round(count / unit)) if round(count / unit) else "<1"
    level = 1 + min(len(_HEAT) - 2, int(count / most * (len(_HEAT) - 1)))
    return Text(f"{shown:>2} ", style=_HEAT[level])


def busiest(cells: Sequence[PeakCell]) -> PeakCell | None:
    """Return the fullest hour; the first of the week among equals."""
    return max(cells, key=lambda cell: (cell.events, -cell.weekday, -cell.hour), default=None)
