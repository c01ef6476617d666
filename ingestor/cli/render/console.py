"""Where answers go: JSON for programs, consoles for people. Data on stdout, everything else on stderr.

Text of an event is attacker-controlled: consoles here parse no markup, replace no emoji codes and highlight nothing, and
values are wrapped (``word``, or rich's ``Text``), so that they are never parsed either.
"""

import csv
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from ingestor.cli.render.screen import Screen
from ingestor.cli.render.wrap import Folding
from ingestor.model.questions import Period
from ingestor.model.words import NO_CLIENT
from parsers.text import clean

_PIPE_WIDTH = 1 << 15
"""Columns of a file or a pipe: as many as a value needs; nothing is folded there for a screen that does not exist."""
SMALL_SCREEN = 56
"""Columns below which a table shows fewer figures, and keeps its names."""
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_FLUSH_ROWS = 500
_FORMULA = re.compile(r"(?:^|[;\t])[\s\"]*(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a cell may begin that a spreadsheet would run."""


def stdout() -> Console:
    """Return a console for answers; colour only on a terminal."""
    return _console(stderr=False)


def stderr() -> Console:
    """Return a console for progress and remarks."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Screen(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def print_json(answer: Any) -> None:
    """Print one document: an answer that is bounded."""
    click.echo(_json(answer, orjson.OPT_INDENT_2))


def print_json_lines(rows: Iterable[Any], *, at_once: int = _FLUSH_ROWS) -> int:
    """Print one object a line: a stream of any length; return how many. ``at_once`` rows are written together; 1 is for live input."""
    pending: list[bytes] = []
    printed = 0
    for printed, row in enumerate(rows, start=1):  # noqa: B007 - the last one counts
        pending.append(_json(row))
        if len(pending) >= at_once:
            click.echo(b"\n".join(pending))
            pending.clear()
    if pending:
        click.echo(b"\n".join(pending))
    return printed


def _json(value: Any, option: int = 0) -> bytes:
    """Encode an answer. A text of an event is clean long since; the name of a file may be anything, so it is made so here."""
    try:
        data = orjson.dumps(value, option=option)
    except TypeError:  # a name that is no UTF-8 has lone surrogates
        return orjson.dumps(_cleaned(value), option=option)
    if data.isascii() and b"\\u00" not in data and b"\x7f" not in data:
        return data
    return orjson.dumps(_cleaned(value), option=option)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(map(clean, value.split("\n")))
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(inner) for key, inner in value.items()}
    return [_cleaned(inner) for inner in value] if isinstance(value, list | tuple) else value


def print_csv(columns: Iterable[str], rows: Iterable[Mapping[str, str | int | None]]) -> int:
    """Print rows with a heading line, as RFC 4180 has it; return how many.

    A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` (full-width ones too) as a formula, and user agents are the
    attacker's to choose: such a text gets an apostrophe in front, which spreadsheets take for "this is text". Half of the
    world's spreadsheets divide rows at ``;`` instead: so every text is quoted, and what follows a ``;`` or a tab within one is
    looked at like its beginning, behind blanks and quotes. JSON lines are the exact export.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    printed = 0
    for printed, row in enumerate(rows, start=1):  # noqa: B007 - as above
        writer.writerow([_cell(value) for value in row.values()])
    return printed


def _cell(value: str | int | None) -> str | int | None:
    if isinstance(value, bool):
        return int(value)
    return _FORMULA.sub(r"\g<0>'", clean(value)) if isinstance(value, str) else value


def word(value: str | None, style: str = "") -> Folding:
    """Wrap a value of an event for printing; an absent one is a dash."""
    return Folding(value, style) if value else Folding("-", "dim")


def client_word(name: str | None) -> Folding:
    """Wrap a client for printing. That there is none is said, because it is no value that was left out."""
    return Folding(name) if name else Folding(NO_CLIENT, "dim")


def list_table(*columns: str) -> Table:
    """Return an empty table as all lists here look."""
    return Table(
        *columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", show_edge=False
    )


def number(value: int) -> str:
    """Write a count with thousands separated."""
    return f"{value:,}"


def percent(share: float | None) -> str:
    """Write a share; one decimal below ten percent, where it matters."""
    if share is None:
        return "-"
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"


def duration(seconds: float | None) -> str:
    """Write a length of time in its two largest units."""
    if seconds is None:
        return "-"
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def period_text(period: Period, zone: str) -> str:
    """Write a period to the minute in ``zone``; to the second when it is short, or a second was asked for."""
    since, until = local_time(period.since, zone), local_time(period.until, zone)
    short = period.until - period.since < 10 * _MINUTE
    exact = any(
        end % _SECOND == 0 and end % _MINUTE for end in (period.since, period.until)
    )  # what is counted from now has a fraction
    form = "%Y-%m-%d %H:%M:%S" if short or exact else "%Y-%m-%d %H:%M"
    if period.since == 0:
        return f"everything up to {until:{form}}, {zone}"
    return f"{since:{form}} to {until:{form}}, {zone}"


def local_time(nanoseconds: int, zone: str) -> datetime:
    """Return a moment in ``zone``, cut to microseconds; moments beyond the calendar are its ends."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if nanoseconds > 0 else datetime.min.replace(tzinfo=UTC)
