"""``rejected list`` and ``rejected replay``: the lines that could not become events."""

import collections
import time
from collections.abc import Iterable, Iterator
from typing import Any

import click
from rich.text import Text

from ingestor.cli.render import rejected as render
from ingestor.cli.render.console import print_json, print_json_lines, stderr, stdout
from ingestor.cli.support.opening import reading, run_or_delegate
from ingestor.cli.support.options import json_option, settings_options
from ingestor.config.settings import Settings
from ingestor.jobs.replay import replay as replay_lines
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state.rejected_file import RejectedLine, read_rejected
from ingestor.state.state import State
from parsers.contract import Reason


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
        counted = _rejected(state, reason)  # first: a daemon lists a line before it counts it
        listed = collections.Counter[Reason]()
        entries = _of_reason(read_rejected(state.directory, state.replayed()), reason, listed)
        newest = collections.deque(entries, maxlen=limit or 50) if limit or not as_json else entries
        if as_json:
            print_json_lines(entry._asdict() for entry in newest)
        unlisted = counted - listed.total()
        if not as_json:
            render.rejected(stdout(), list(newest), unlisted=unlisted)
        elif unlisted > 0:
            stderr().print(Text(render.unlisted_lines(unlisted), style="yellow"))


def _of_reason(
    entries: Iterable[RejectedLine], reason: str | None, listed: collections.Counter[Reason]
) -> Iterator[RejectedLine]:
    for entry in entries:
        if reason is None or entry.reason == reason:
            listed[entry.reason] += 1
            yield entry


def _rejected(state: State, reason: str | None) -> int:
    """Return how many lines the accounts say are rejected."""
    accounts = state.accounts().values()
    return sum(account.rejected[Reason(reason)] if reason else account.total_rejected for account in accounts)


@rejected_group.command(short_help="Read every rejected line again.")
@json_option
@settings_options
def replay(settings: Settings, as_json: bool) -> None:
    """Read every rejected line again from its file, and store what is an event now.

    Beside a running daemon, the daemon does it.
    """

    def work(pipeline: Pipeline) -> dict[str, Any]:
        return dict(replay_lines(pipeline, time.time_ns() // 1_000_000)._asdict())

    answer = run_or_delegate(settings, "replay", {}, work, first=False)
    if as_json:
        print_json(answer)
    else:
        render.replayed(stdout(), answer)
