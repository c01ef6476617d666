"""Reports on the systemd service, for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import duration
from ingestor.systemd.systemctl_show import Service
from parsers.text import clean

_STYLES = {
    "active": "green",
    "reloading": "green",
    "activating": "yellow",
    "deactivating": "yellow",
    "failed": "bold red",
}
_MEBIBYTE = 1 << 20


def done(console: Console, what: str) -> None:
    """Print one thing that was done."""
    console.print(Text.assemble(("✔ ", "green"), clean(what)), soft_wrap=True)


def remarks(console: Console, texts: Iterable[str]) -> None:
    """Print what will not work as it is."""
    for text in texts:
        console.print(Text.assemble(("! ", "bold yellow"), "\n  ".join(map(clean, text.split("\n")))), soft_wrap=True)


def next_steps(console: Console, steps: Sequence[tuple[str, str]]) -> None:
    """Print commands, and what each is for."""
    console.print(Text("\nNext:", style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for command, purpose in steps:
        table.add_row(Text(f"  {clean(command)}"), purpose)
    console.print(table)


def service(console: Console, found: Service, what_to_do: Sequence[str]) -> None:
    """Print how the service is, then what to do about it."""
    state = Text(f"{found.active} ({found.sub})", style=_STYLES.get(found.active, ""))
    if found.for_seconds is not None:
        state.append(f" for {duration(found.for_seconds)}", style="default")
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("service", state)
    facts.add_row("at boot", Text(clean(found.enabled)))
    if found.status and found.main_pid is not None:  # else they are the words of one that has ended
        facts.add_row("says", Text(clean(found.status)))
    if found.main_pid is not None:
        memory = "" if found.memory_bytes is None else f", {found.memory_bytes / _MEBIBYTE:,.0f} MiB"
        facts.add_row("process", Text(f"{found.main_pid}{memory}"))
    if found.active != "active" and found.result != "success":
        facts.add_row("result", Text(f"{found.result}, exit code {found.exit_code}"))
    if found.loaded == "loaded":
        facts.add_row("restarts", Text(str(found.restarts)))
    if found.watchdog_seconds is not None:
        fed = "" if found.fed_seconds_ago is None else f", fed {duration(found.fed_seconds_ago)} ago"
        facts.add_row("watchdog", Text(f"{duration(found.watchdog_seconds)}{fed}"))
    console.print(facts)
    for what in what_to_do:
        console.print(Text(f"\n{clean(what)}", style="yellow"))
