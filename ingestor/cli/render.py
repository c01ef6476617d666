"""Answers as people read them: cards, tables, and a word about an empty one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ingestor.cli import charts
from ingestor.cli.output import duration, number, percent, period_text, word
from ingestor.cli.parameters import Question
from ingestor.core.metrics import client_name
from ingestor.core.questions import AnalyticsRow, Filters, PeakCell, Ranked, Record, Stats

_ADDRESS_WIDTH = 15
"""An IPv4 address; the longer ones of IPv6 fold."""
OUTCOME_STYLES = {"success": "green", "failure": "bold red", "pending": "yellow", "finding": "bold magenta"}


def heading(console: Console, title: str, question: Question) -> None:
    """Print what is answered, for which period and events."""
    line = Text(title, style="bold")
    line.append(f"   {period_text(question.period, question.settings.time_zone)}", style="not bold dim")
    console.print(line)
    if conditions := filter_text(question.filters):
        console.print(Text(f"only {conditions}", style="yellow"))
    console.print()


def filter_text(filters: Filters) -> str:
    """Name the conditions that are set; empty when none is."""
    names = (name for name in Filters.__dataclass_fields__ if getattr(filters, name) is not None)
    return ", ".join(f"{name} {getattr(filters, name)}" for name in names)


def stats(console: Console, answer: Stats) -> None:
    """Print the cards, the rates and the breakdowns."""
    cards = (
        ("issued", number(answer.total_issued), "green"),
        ("refreshed", number(answer.total_refreshed), "cyan"),
        ("failures", number(answer.total_failures), "red"),
        ("users", number(answer.unique_users), "magenta"),
        ("clients", number(answer.unique_clients), "blue"),
    )
    width = min(console.width, 100) // len(cards)
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
        ("By client", [(client_name(key), events) for key, events in answer.by_client.items()], "blue"),
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
                most=12,
            )
            console.print(section)
            console.print()


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


def activity(console: Console, records: Sequence[Record], zone: str) -> None:
    """Print the newest events."""
    wide = console.width >= 120
    realms = any(record.realm for record in records)
    table = list_table()
    table.add_column("time", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    # Free text folds within a share of what time, outcome and action leave: rich would squeeze the last column to nothing.
    taken = 20 + 8 + 27 if wide else 15 + 8 + 19
    texts = ("error", "client", "user") if wide else ("client", "user")
    share = max(4, (console.width - taken - _ADDRESS_WIDTH) // len(texts) - 1)
    table.add_column("action", overflow="fold", width=26 if wide else 18)
    for name in texts:
        table.add_column(name, overflow="fold", max_width=share)
    table.add_column("address", overflow="fold", max_width=_ADDRESS_WIDTH)
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        action = record.action.removeprefix("token.")
        error = " ".join(filter(None, (record.error, record.error_detail if wide else None)))
        what = [word(action, style), word(error)] if wide else [word(_narrow(action, error), style)]
        client = f"{record.realm}/{record.client_id}" if realms and record.realm else record.client_id
        table.add_row(
            _time(record.time, zone, short=not wide),
            word(record.outcome, style),
            *what,
            word(client),
            word(record.user_id),
            word(record.ip),
        )
    console.print(table)


def _narrow(action: str, error: str) -> str:
    """Break where a reader would: before the grant type, before the error."""
    return "\n".join(filter(None, (action.replace(".", ".\n"), error)))


def ranking(console: Console, kind: str, ranked: Sequence[Ranked]) -> None:
    """Print ``top clients`` or ``top users``."""
    realms = any(entry.realm for entry in ranked)
    table = list_table()
    table.add_column("", justify="right", style="dim")
    table.add_column(kind, overflow="fold", min_width=12)
    if realms:
        table.add_column("realm", overflow="fold")
    for name in ("events", "issued", "refreshed", "failures"):
        table.add_column(name, justify="right")
    if console.width >= 72:
        table.add_column("", no_wrap=True)
    longest = max((entry.events for entry in ranked), default=0)
    for rank, entry in enumerate(ranked, start=1):
        cells = [Text(str(rank)), word(entry.name), *([word(entry.realm)] if realms else [])]
        cells += [Text(number(count)) for count in (entry.events, entry.issued, entry.refreshed)]
        cells.append(Text(number(entry.failures), style="red" if entry.failures else "dim"))
        if console.width >= 72:
            share = entry.events / longest if longest else 0
            cells.append(Text(charts.bar(share, 12, ascii_only=console.options.ascii_only), style="blue"))
        table.add_row(*cells)
    console.print(table)


def peak(console: Console, cells: Sequence[PeakCell], zone: str) -> None:
    """Print the week."""
    table, legend = charts.heat_map(cells, ascii_only=console.options.ascii_only)
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
                number(fullest.events),
                " events",
            )
        )


def analytics(console: Console, rows: Iterable[AnalyticsRow]) -> None:
    """Print the daily counts."""
    table = list_table()
    table.add_column("date", no_wrap=True)
    table.add_column("action", overflow="fold", min_width=16)
    table.add_column("client", overflow="fold", min_width=8)
    table.add_column("grant type", overflow="fold", min_width=8)
    table.add_column("count", justify="right", no_wrap=True)
    last = None
    for row in rows:
        date = Text("" if row.date == last else row.date)
        last = row.date
        table.add_row(date, word(row.action), word(row.client_id), word(row.grant_type), number(row.count))
    console.print(table)


def nothing(console: Console, reason: str, advice: Sequence[str]) -> None:
    """Print why there is no answer, and what to do next."""
    steps = [Text(f"• {step}" if not console.options.ascii_only else f"- {step}") for step in advice]
    console.print(Group(Text(reason, style="yellow"), Padding(Group(*steps), (0, 0, 0, 2))))


def list_table() -> Table:
    """Return an empty table as all lists here look."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold", show_edge=False)


def _time(written: str, zone: str, *, short: bool) -> Text:
    """Write an event's time in ``zone``, to the second; the year stands in the heading."""
    moment = datetime.fromisoformat(written).astimezone(ZoneInfo(zone))
    return Text(f"{moment:%m-%d %H:%M:%S}" if short else f"{moment:%Y-%m-%d %H:%M:%S}")
