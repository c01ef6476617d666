"""The live view: one screen that says what the endpoint does and what the store has. Pure: a frame in, text out.

Text of events is never parsed as markup, and characters that a terminal would act on are not shown (design section 1).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice, repeat
from typing import TypeVar
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ingestor.demo import chart
from ingestor.demo.chart import Glyphs
from ingestor.demo.endpoint import Happening
from ingestor.demo.frame import Frame
from ingestor.model.accounting import Account
from ingestor.model.questions import Record
from ingestor.model.words import NO_CLIENT
from parsers.contract import OUTCOMES

SMALLEST = (80, 20)
"""Columns and rows; on less there is no live view, but plain lines of progress."""
_T = TypeVar("_T")
_WIDE = (112, 36)
"""Columns and rows from which the figures stand beside the chart."""
_ROOMY = 90
"""Columns from which the heading says that the minutes are simulated, as the first line of the demo does in any case."""
_STYLES = {"success": "green", "failure": "red", "pending": "yellow", "finding": "magenta"}
_OTHER_LINES = 8
"""Lines of a screen beside the chart, the tables and the events."""


def render(frame: Frame, *, title: str, width: int, height: int, zone: ZoneInfo, glyphs: Glyphs) -> RenderableType:
    """Return a screen that fits ``width`` x ``height``. ``title``: whose log it is."""
    spare = height - 1 - _OTHER_LINES
    ranked, recent = spare // 3, spare // 4
    tall = spare - ranked - recent
    plot = [
        *chart.bars(frame.buckets, tall, glyphs),
        chart.axis(frame.start_ms, zone),
        chart.markers(frame.happenings, frame.start_ms, glyphs),
    ]
    wide = width >= _WIDE[0] and height >= _WIDE[1]
    if wide:
        side = Table.grid(padding=(0, 2), expand=True)
        side.add_column(width=chart.WIDTH)
        side.add_column()
        side.add_row(Group(*plot), Group(*_figures_down(frame, zone)))
        middle: list[RenderableType] = [Text(), side]
    else:
        middle = [_figures_across(frame), *plot]
    return Group(
        _header(frame, title, width, zone),
        *middle,
        Text() if wide else _latest(frame, zone),
        _rankings(frame, width, ranked),
        Rule("latest events", style="dim", characters=_line(glyphs), align="left"),
        _events(frame.recent[:recent], recent, zone),
        _accounting(frame),
    )


def shown(text: str | None) -> str:
    """Return text of an event as it may be put on a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text or "")


def clock(time_ms: int, zone: ZoneInfo) -> str:
    """Return the time of day."""
    return f"{datetime.fromtimestamp(time_ms / 1000, zone):%H:%M}"


def percent(rate: float | None) -> str:
    """Return a rate for people; a rate of nothing is no rate."""
    return "-" if rate is None else f"{rate * 100:.1f} %"


def told(happening: Happening, zone: ZoneInfo) -> Text:
    """Return what happened, with its time."""
    line = Text().append(f"{clock(happening.time_ms, zone)} ", style="dim")
    return line.append(happening.text, style="red" if happening.alarming else "cyan")


def identity(account: Account) -> Text:
    """Return the accounting identity (design section 1)."""
    line = Text().append(f"read {account.read:,}", style="bold").append(" = ")
    line.append(f"stored {account.stored:,}", style="bold green").append(" + ")
    line.append(f"rejected {account.total_rejected:,}", style="bold red").append(" + ")
    return line.append(f"ignored {account.ignored:,}", style="bold")


def rankings(frame: Frame, rows: int) -> tuple[Table, Table]:
    """Return the tables of actions and of clients, with their headings, ``rows`` lines below them."""
    actions, clients = _ranking("action", "events"), _ranking("client", "events", "failed")
    by_action = sorted(frame.stats.by_action.items(), key=lambda item: (-item[1], item[0]))
    for row in _padded(by_action, rows):
        action, count = row or ("", 0)
        style = _action_style(action) if action else ""
        actions.add_row(Text(shown(action).removeprefix("token."), style=style), f"{count:,}" if action else "")
    for client in _padded(frame.clients, rows):
        if client is None:
            clients.add_row("", "", "")
        else:
            failures = Text(f"{client.failures:,}", style="red" if client.failures else "dim")
            clients.add_row(Text(shown(client.name)), f"{client.events:,}", failures)
    return actions, clients


def _header(frame: Frame, title: str, width: int, zone: ZoneInfo) -> Text:
    line = Text(no_wrap=True).append(f" tokentail demo: {title} ", style="bold reverse").append("  ")
    line.append("events", style=f"bold {chart.GOOD}").append(" and ").append("failures", style=f"bold {chart.BAD}")
    line.append(" in 20 simulated minutes" if width >= _ROOMY else " in 20 minutes")
    time = f"{datetime.fromtimestamp(frame.now_ms / 1000, zone):%H:%M %Z}"
    return line.append(time.rjust(max(len(time) + 2, width - len(line))), style="bold")


def _latest(frame: Frame, zone: ZoneInfo) -> Text:
    """Return the sentence that explains the newest marker of the chart."""
    line = told(frame.happenings[-1], zone) if frame.happenings else Text()
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _accounting(frame: Frame) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis").append(f"written {frame.written:,}  ", style="dim")
    return line.append_text(identity(frame.account))


def _figures(frame: Frame) -> list[tuple[str, str, str]]:
    """Return value, name and style of the figures that people look at first."""
    stats = frame.stats
    return [
        (f"{stats.total_issued:,}", "issued", "bold green"),
        (f"{stats.total_refreshed:,}", "refreshed", "bold green"),
        (f"{stats.total_failures:,}", "failures", "bold red"),
        (percent(stats.failure_rate), "failing", "bold red"),
        (f"{stats.unique_users:,}", "users", "bold"),
        (f"{stats.unique_clients:,}", "clients", "bold"),
    ]


def _figures_across(frame: Frame) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for value, name, style in _figures(frame)[:-1]:
        line.append(value, style=style).append(f" {name}  ", style="dim")
    return line


def _figures_down(frame: Frame, zone: ZoneInfo) -> Iterator[Text]:
    for value, name, style in _figures(frame):
        yield Text().append(value.rjust(10), style=style).append(f"  {name}", style="dim")
    yield Text()
    for happening in frame.happenings[-2:]:
        yield told(happening, zone)


def _rankings(frame: Frame, width: int, rows: int) -> Table:
    actions, clients = rankings(frame, rows)
    both = Table.grid(padding=(0, 2))
    for _ in range(2):
        both.add_column(width=width // 2 - 2)
    both.add_row(actions, clients)
    return both


def _ranking(name: str, *counts: str) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(name, ratio=1, no_wrap=True, overflow="ellipsis")
    for count in counts:
        table.add_column(count, justify="right", no_wrap=True, min_width=7)
    return table


def _events(records: Sequence[Record], rows: int, zone: ZoneInfo) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    for width in (8, 7, 26):
        table.add_column(width=width, no_wrap=True, overflow="ellipsis")
    for ratio in (4, 2, 5):
        table.add_column(ratio=ratio, no_wrap=True, overflow="ellipsis")
    for record in _padded(records, rows):
        if record is None:
            table.add_row("")
            continue
        time = datetime.fromisoformat(record.time).astimezone(zone)
        table.add_row(
            Text(f"{time:%H:%M:%S}", style="dim"),
            Text(shown(record.outcome), style=_STYLES.get(record.outcome, "")),
            Text(shown(record.action).removeprefix("token.")),
            Text(shown(record.client_id or NO_CLIENT)),
            Text(shown(record.user_id or "-"), style="dim"),
            Text(shown(record.error or record.ip or "-"), style="red" if record.outcome == "failure" else "dim"),
        )
    return table


def _action_style(action: str) -> str:
    outcome = OUTCOMES.get(action, "finding")
    return "" if outcome == "success" else _STYLES[outcome]


def _padded(items: Iterable[_T], rows: int) -> Iterator[_T | None]:
    """Return ``rows`` items: a screen whose lines jump is hard to read."""
    return islice(chain(items, repeat(None)), rows)


def _line(glyphs: Glyphs) -> str:
    return "─" if glyphs.unicode else "-"
