"""``rejected list`` and ``rejected replay``: the lines that could not become events."""

import collections
import time
from typing import Any

import click

from ingestor.cli import reports
from ingestor.cli.access import by_whoever_holds_the_state, reading
from ingestor.cli.output import print_json, print_json_lines, stdout
from ingestor.cli.parameters import json_option, settings_options
from ingestor.settings import Settings
from ingestor.shell.ingest import Ingest
from ingestor.shell.rejected import read_rejected
from ingestor.shell.replay import replay as replay_lines
from parsers.event import Reason


@click.group("rejected")
def rejected_group() -> None:
    """List the lines that could not become events, or try them again."""


@rejected_group.command("list", short_help="List rejected lines, oldest first.")
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), help="Only lines rejected for this.")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many.  [default: 50; with --json all]")
@json_option
@settings_options
def list_rejected(settings: Settings, reason: str | None, limit: int | None, as_json: bool) -> None:
    """List rejected lines, oldest first: reason, place and redacted text."""
    with reading(settings) as state:
        entries = (
            entry
            for entry in read_rejected(state.directory, state.replayed())
            if reason is None or entry.reason == reason
        )
        newest = collections.deque(entries, maxlen=limit or 50) if limit or not as_json else entries
        if as_json:
            print_json_lines(entry._asdict() for entry in newest)
        else:
            reports.rejected(stdout(), list(newest))


@rejected_group.command(short_help="Read every rejected line again.")
@json_option
@settings_options
def replay(settings: Settings, as_json: bool) -> None:
    """Read every rejected line again from its file, and store what is an event now.

    Beside a running daemon, the daemon does it.
    """

    def work(ingest: Ingest) -> dict[str, Any]:
        return dict(replay_lines(ingest, time.time_ns() // 1_000_000)._asdict())

    answer = by_whoever_holds_the_state(settings, "replay", {}, work, first=False)
    if as_json:
        print_json(answer)
    else:
        reports.replayed(stdout(), answer)
