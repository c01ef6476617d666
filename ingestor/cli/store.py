"""``store init``."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ingestor.cli.render.console import print_json, stdout
from ingestor.cli.support.options import json_option, settings_options
from ingestor.config.settings import Settings
from ingestor.errors import ExitCode
from ingestor.stores.registry import store_of
from ingestor.stores.setup_step import BucketStatus, SetupStep, written

_STYLES = {
    BucketStatus.THERE: "green",
    BucketStatus.MADE: "bold green",
    BucketStatus.CHANGED: "bold green",
    BucketStatus.DIFFERS: "yellow",
    BucketStatus.MISSING: "yellow",
}


@click.group("store")
def store_group() -> None:
    """Prepare the store."""


@store_group.command(short_help="Make what the store needs: database, policies, buckets.")
@click.option(
    "--change-retention", is_flag=True, help="Alter what keeps points for another time; shortening deletes points."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@settings_options
def init(settings: Settings, change_retention: bool, dry_run: bool, as_json: bool) -> None:
    """Make what the store needs and has not got yet.

    In InfluxDB that is the database with its retention policies (1.x), or the buckets (2.x). The embedded store makes itself.

    Safe to repeat. Nothing is dropped, and what is there stays as it is: another retention than the configured one is
    reported, and altered only with --change-retention. Exit code 1 when something remains to be made or altered.
    """
    store = store_of(settings)
    report = store.set_up(change_retention=change_retention, dry_run=dry_run)
    if report is None:
        if as_json:
            print_json({"type": settings.store.type, "steps": []})
        else:
            click.echo(f"Nothing to do: {store.title} makes itself.")
        return
    steps = report.steps
    if as_json:
        print_json({"type": settings.store.type, **report.about, "dry_run": dry_run, "steps": _as_json(steps)})
    else:
        console = stdout()
        console.print(Text(report.heading, style="dim"))
        console.print(_table(steps))
        for words, style in _remarks(steps):
            console.print(Text(words, style=style))
    if not all(step.good for step in steps):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _as_json(steps: Sequence[SetupStep]) -> list[dict[str, Any]]:
    return [
        {
            "kind": step.place.kind,
            "name": step.place.name,
            "status": step.status,
            "configured_seconds": None if step.place.is_database else step.place.seconds,
            "found_seconds": None if step.place.is_database else step.found,
        }
        for step in steps
    ]


def _table(steps: Sequence[SetupStep]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in steps:
        table.add_row(
            Text(step.status.value, style=_STYLES[step.status]), Text(step.place.name), step.place.kind, _keeps(step)
        )
    return table


def _keeps(step: SetupStep) -> str:
    """Say how long points are kept, and what that was or should be."""
    if step.place.is_database:
        return ""
    wanted, found = written(step.place.seconds), written(step.found or 0)
    if step.status is BucketStatus.DIFFERS:
        return f"{found} (configured: {wanted})"
    return f"{wanted} (before: {found})" if step.status is BucketStatus.CHANGED else wanted


def _remarks(steps: Sequence[SetupStep]) -> Iterator[tuple[str, str]]:
    """Yield what to say below, each with its style."""
    statuses = {step.status for step in steps}
    if BucketStatus.MISSING in statuses:
        yield "`tokentail store init` makes what is missing.", "yellow"
    if BucketStatus.DIFFERS in statuses:
        yield "`tokentail store init --change-retention` alters what differs.", "yellow"
    for step in steps:
        if step.shortens:
            old = f"points in {step.place.name} that are older than {written(step.place.seconds)}"
            done = step.status is BucketStatus.CHANGED
            yield (f"The store deletes the {old} now." if done else f"That would delete the {old}."), "bold yellow"
    if statuses == {BucketStatus.THERE}:
        yield "Nothing to do.", "green"
    elif statuses & {BucketStatus.MADE, BucketStatus.CHANGED}:
        yield "`tokentail validate` finds out whether the daemon may write and read there.", "dim"
