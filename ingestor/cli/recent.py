"""The table of ``activity``, in the widest of three forms that the screen holds."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.folding import Folding
from ingestor.cli.output import fits, list_table, word
from ingestor.core.questions import Record

OUTCOME_STYLES = {"success": "green", "failure": "bold red", "pending": "yellow", "finding": "bold magenta"}
_DETAIL_WIDTH = 40
_IPV4_WIDTH = 15


def activity(console: Console, records: Sequence[Record], zone: str) -> None:
    """Print the newest events. No form cuts anything off but the year, which stands in the heading, and error details."""
    forms: tuple[Callable[..., Table], ...] = (_wide, _narrow)
    for form in forms:
        table = form(records, ZoneInfo(zone), console.width)
        if fits(console, table):
            break
    else:
        table = _stacked(records, ZoneInfo(zone))
    console.print(table)


def _wide(records: Sequence[Record], zone: ZoneInfo, width: int) -> Table:
    """Everything in a column of its own."""
    table = list_table("time", "outcome", "action")
    table.add_column("error", max_width=max(_DETAIL_WIDTH, width - 120))
    for name in ("client", "user", "address"):
        table.add_column(name)
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        error = " ".join(filter(None, (record.error, record.error_detail)))
        table.add_row(
            f"{_local(record, zone):%Y-%m-%d %H:%M:%S}",
            word(record.outcome, style),
            word(_action(record), style),
            word(error),
            *map(word, (_client(record), record.user_id, record.ip)),
        )
    return table


def _narrow(records: Sequence[Record], zone: ZoneInfo, width: int) -> Table:
    """No year; the grant type and the error stand below the action, and the longer addresses of IPv6 fold."""
    del width
    table = list_table("time", "outcome", "action", "client", "user")
    table.add_column("address", max_width=_IPV4_WIDTH)
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        table.add_row(
            f"{_local(record, zone):%m-%d %H:%M:%S}",
            word(record.outcome, style),
            Folding(_action_and_error(record), style),
            *map(word, (_client(record), record.user_id, record.ip)),
        )
    return table


def _stacked(records: Sequence[Record], zone: ZoneInfo) -> Table:
    """Long ids on a small screen: who did it in lines below each other, in all the room that is left."""
    table = list_table("time", "action", "client, user, address")
    for record in records:
        style = OUTCOME_STYLES.get(record.outcome, "")
        who = [_client(record)]
        who += [f"user {record.user_id}"] if record.user_id is not None else []
        who += [f"from {record.ip}"] if record.ip is not None else []
        time = Text.assemble(f"{_local(record, zone):%m-%d %H:%M:%S}\n", (record.outcome, style))
        table.add_row(time, Folding(_action_and_error(record), style), Folding("\n".join(who), indent=2))
    return table


def _local(record: Record, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(record.time).astimezone(zone)


def _action(record: Record) -> str:
    return record.action.removeprefix("token.")


def _action_and_error(record: Record) -> str:
    """Break where a reader would: before the grant type, before the error."""
    return "\n".join(filter(None, (_action(record).replace(".", ".\n"), record.error)))


def _client(record: Record) -> str:
    return f"{record.realm}/{record.client_id}" if record.realm else record.client_id
