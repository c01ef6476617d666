"""Answers as people read them: cards, tables, and a word about an empty one."""

import time
from collections.abc import Iterable, Sequence

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ingestor.cli.render import charts
from ingestor.cli.render.console import (
    SMALL_SCREEN,
    client_word,
    duration,
    list_table,
    local_time,
    number,
    percent,
    period_text,
    word,
)
from ingestor.cli.render.screen import fits
from ingestor.cli.support.options import Question
from ingestor.model.questions import AnalyticsRow, Filters, PeakCell, Ranked, Stats
from ingestor.model.statistics import client_name
from ingestor.model.words import NO_CLIENT, counted
from ingestor.stores.registry import store_of

_BAR_WIDTH = 12
_CARD_WIDTH = 15
"""The longest name of a card, and its frame. A small screen has fewer cards in a row."""


def heading(
    console: Console, title: str, question: Question, *, only: Sequence[str] = (), of_events: bool = True
) -> None:
    """Print what is answered, for which period and events.

    ``only``: further conditions. ``of_events``: the answer is made of events, of which old ones may be gone.
    """
    line = Text(title, style="bold")
    line.append(f"   {period_text(question.period, question.settings.time_zone)}", style="not bold dim")
    console.print(line)
    if conditions := ", ".join(filter(None, (*only, filter_text(question.filters)))):
        console.print(Text(f"only {conditions}", style="yellow"))
    if of_events and (note := retention_note(question)):
        console.print(Text(note, style="dim"))
    console.print()


def retention_note(question: Question) -> str:
    """Say what a period that begins before the kept single events cannot answer; empty for any other."""
    settings = question.settings
    kept_since = store_of(settings).complete_since(time.time_ns())
    if question.period.since >= kept_since:
        return ""
    date = local_time(kept_since, settings.time_zone).date()
    return (
        f"Single events before {date} are gone: users, lists and rankings of users cover what is kept since; older hours"
        " are counted whole."
    )


def filter_text(filters: Filters) -> str:
    """Name the conditions that are set; empty when none is."""
    values = ((name, getattr(filters, name)) for name in Filters.__dataclass_fields__)
    return ", ".join(f"{name} {value}" if value else f"{name} (none)" for name, value in values if value is not None)


def stats(console: Console, answer: Stats, *, most: int | None) -> None:
    """Print the cards, the rates and the breakdowns, of each the first ``most`` rows; None is all."""
    cards = (
        ("issued", number(answer.total_issued), "green"),
        ("refreshed", number(answer.total_refreshed), "cyan"),
        ("failures", number(answer.total_failures), "red"),
        ("users", number(answer.unique_users), "magenta"),
        ("clients", number(answer.unique_clients), "blue"),
    )
    width = max(_CARD_WIDTH, min(console.width, 100) // len(cards))
    console.print(
        Columns(
            [
                Panel(
                    Text(value, style=f"bold {style}"),
                    title=Text(name),
                    title_align="left",
                    width=width,
                    border_style=style,
                )
                for name, value, style in cards
            ],
            padding=0,
        )
    )
    console.print(_rates(answer))
    console.print()
    sections = (
        ("By action", list(answer.by_action.items()), "green"),
        ("By grant type", list(answer.by_grant_type.items()), "cyan"),
        ("By client", _by_client(answer), "blue"),
        ("By error", list(answer.by_error.items()), "red"),
    )
    for title, rows, style in sections:
        if rows:
            section = charts.breakdown(
                title,
                rows,
                width=min(console.width, 100),
                ascii_only=console.options.ascii_only,
                style=style,
                most=len(rows) if most is None else most,
            )
            console.print(section)
            console.print()


def _by_client(answer: Stats) -> list[tuple[str, int]]:
    """Return the clients and, in its place, what names none."""
    rows = [(client_name(key), events) for key, events in answer.by_client.items()]
    if answer.without_client:
        rows.append((NO_CLIENT, answer.without_client))
    return sorted(rows, key=lambda row: -row[1])


def _rates(answer: Stats) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")
    table.add_column(justify="right")
    lifetime = duration(answer.average_token_lifetime_seconds)
    rows = (
        ("Failure rate", percent(answer.failure_rate), "Validation or PKCE failed", number(answer.total_failed)),
        ("Refresh usage", percent(answer.refresh_usage_rate), "Expired", number(answer.total_expired)),
        ("Average lifetime", lifetime, "Rate limited", number(answer.total_rate_limited)),
        ("  known for", percent(answer.token_lifetime_coverage), "Reuse detected", number(answer.total_reused)),
        ("UserInfo accesses", number(answer.userinfo_accesses), "", ""),
    )
    for row in rows:
        table.add_row(*row)
    return table


def ranking(console: Console, kind: str, ranked: Sequence[Ranked]) -> None:
    """Print ``top clients`` or ``top users``; with bars where they leave the names room."""
    table = _ranking(console, kind, ranked, bars=True)
    console.print(table if fits(console, table) else _ranking(console, kind, ranked, bars=False))


def _ranking(console: Console, kind: str, ranked: Sequence[Ranked], *, bars: bool) -> Table:
    realms = any(entry.realm for entry in ranked)
    small = console.width < SMALL_SCREEN
    table = list_table()
    table.add_column("", justify="right", style="dim", no_wrap=True)
    for name in (kind, "realm") if realms else (kind,):
        table.add_column(name)
    for name in ("events", "failures") if small else ("events", "issued", "refreshed", "failures"):
        table.add_column(name, justify="right", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    name_word = client_word if kind == "client" else word
    longest = max((entry.events for entry in ranked), default=0)
    for rank, entry in enumerate(ranked, start=1):
        cells: list[RenderableType] = [str(rank), name_word(entry.name), *([word(entry.realm)] if realms else [])]
        counts = (entry.events,) if small else (entry.events, entry.issued, entry.refreshed)
        cells += map(number, counts)
        cells.append(Text(number(entry.failures), style="red" if entry.failures else "dim"))
        if bars:
            share = entry.events / longest if longest else 0
            cells.append(Text(charts.bar(share, _BAR_WIDTH, ascii_only=console.options.ascii_only), style="blue"))
        table.add_row(*cells)
    return table


def peak(console: Console, cells: Sequence[PeakCell], zone: str) -> None:
    """Print the week."""
    tables, legend = charts.heat_map(cells, width=console.width, ascii_only=console.options.ascii_only)
    for table in tables:
        console.print(table)
        console.print()
    console.print(Text(legend, style="dim"))
    fullest = charts.busiest(cells)
    if fullest is not None:
        day, hour = charts.WEEKDAYS[fullest.weekday], fullest.hour
        console.print(
            Text.assemble(
                "Busiest: ",
                (f"{day} {hour:02d}:00 to {(hour + 1) % 24:02d}:00", "bold"),
                f" {zone}, ",
                counted(fullest.events, "event"),
            )
        )


def analytics(console: Console, rows: Iterable[AnalyticsRow]) -> None:
    """Print the daily counts."""
    table = list_table()
    table.add_column("date", no_wrap=True)
    for name in ("action", "client", "grant type"):
        table.add_column(name)
    table.add_column("count", justify="right", no_wrap=True)
    last = None
    for row in rows:
        date = Text("" if row.date == last else row.date)
        last = row.date
        table.add_row(
            date,
            word(row.action.removeprefix("token.")),
            client_word(row.client_id),
            word(row.grant_type),
            number(row.count),
        )
    console.print(table)


def nothing(console: Console, reason: str, advice: Sequence[str]) -> None:
    """Print why there is no answer, and what to do next."""
    steps = [Text(f"• {step}" if not console.options.ascii_only else f"- {step}") for step in advice]
    console.print(Group(Text(reason, style="yellow"), Padding(Group(*steps), (0, 0, 0, 2), expand=False)))
