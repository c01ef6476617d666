"""The table of ``activity``, in the widest of four forms that the screen holds."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import list_table, word
from ingestor.cli.render.screen import fits, flow
from ingestor.cli.render.wrap import Folding
from ingestor.model.questions import Record
from ingestor.model.words import NO_CLIENT

OUTCOME_STYLES = {"success": "green", "failure": "bold red", "pending": "yellow", "finding": "bold magenta"}
_DETAIL_WIDTH = 40


def activity(console: Console, records: Sequence[Record], zone: str) -> None:
    """Print the newest events. No form cuts anything off but the year, which stands in the heading, and error details."""
    forms: tuple[Callable[..., Table], ...] = (_wide, _narrow, _stacked)
    for form in forms:
        table = form(records, ZoneInfo(zone), console.width)
        if fits(console, table):
            console.print(table)
            return
    for line in _blocks(records, ZoneInfo(zone), console.width):
        console.print(line, soft_wrap=True)


def _wide(records: Sequence[Record], zone: ZoneInfo, width: int) -> Table:
    """Everything in a column of its own."""
    table = list_table("time", "outcome", "action")
    errors = [" ".join(filter(None, (record.error, record.error_detail))) for record in records]
    longest_word = max((len(part) for error in errors for part in error.split()), default=0)
    table.add_column("error", max_width=max(_DETAIL_WIDTH, width - 120, longest_word))
    for name in ("client", "user", "address"):
        table.add_column(name)
    for record, error in zip(records, errors, strict=True):
        style = OUTCOME_STYLES.get(record.outcome, "")
        table.add_row(
            f"{_local(record, zone):%Y-%m-%d %H:%M:%S}",
            word(record.outcome, style),
            word(_action(record), style),
            Text(error) if error else word(None),
            *map(word, (_client(record), record.user_id, record.ip)),
        )
    return table


def _narrow(records: Sequence[Record], zone: ZoneInfo, width: int) -> Table:
    """No year; the error stands below the action."""
    del width
    table = list_table("time", "outcome", "action", "client", "user", "address")
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        table.add_row(
            f"{_local(record, zone):%m-%d %H:%M:%S}",
            word(record.outcome, style),
            Folding(_action_and_error(record), style),
            *map(word, (_client(record), record.user_id, record.ip)),
        )
    return table


def _stacked(records: Sequence[Record], zone: ZoneInfo, width: int) -> Table:
    """Long ids on a small screen: who did it in lines below each other, in all the room that is left."""
    del width
    table = list_table("time", "action", "client, user, address")
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        who = [_client(record), *_who_else(record)]
        time = Text.assemble(f"{_local(record, zone):%m-%d %H:%M:%S}\n", (record.outcome, style))
        table.add_row(time, Folding(_action_and_error(record), style), Folding("\n".join(who)))
    return table


def _blocks(records: Sequence[Record], zone: ZoneInfo, width: int) -> Iterator[Text]:
    """Longer ids still: everything in lines of its own. A line that goes on stands further in, so that it begins no other."""
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        action = " ".join(filter(None, (_action(record), record.error)))
        head = Text.assemble(f"{_local(record, zone):%m-%d %H:%M:%S}  ", (f"{record.outcome}  {action}", style))
        yield from flow(head, width, indent=6)
        client = _client(record) if record.client_id is None else f"client {_client(record)}"
        for part in (client, *_who_else(record)):
            yield from flow(Text(f"  {part}"), width, indent=6)


def _who_else(record: Record) -> Iterator[str]:
    if record.user_id is not None:
        yield f"user {record.user_id}"
    if record.ip is not None:
        yield f"from {record.ip}"


def _local(record: Record, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(record.time).astimezone(zone)


def _action(record: Record) -> str:
    return record.action.removeprefix("token.")


def _action_and_error(record: Record) -> str:
    return "\n".join(filter(None, (_action(record), record.error)))


def _client(record: Record) -> str:
    if record.client_id is None:
        return f"{record.realm}, {NO_CLIENT}" if record.realm else NO_CLIENT
    return f"{record.realm}/{record.client_id}" if record.realm else record.client_id
