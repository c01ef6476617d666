"""``findings``: what the detectors found, from the state, the same with every store."""

import itertools
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import click
from rich.console import Console

from ingestor.cli.render import answers as render
from ingestor.cli.render import findings as render_findings
from ingestor.cli.render.console import print_json_lines, stdout
from ingestor.cli.support.opening import reading
from ingestor.cli.support.options import END_OF_TIME, Question, is_given, question_options
from ingestor.config.settings import Settings
from ingestor.detectors.contract import Options
from ingestor.detectors.registry import detectors, runbook_of, title_of
from ingestor.model.finding import Severity, StoredFinding
from ingestor.model.finding_filters import FindingFilters
from ingestor.model.questions import Period
from ingestor.state.findings import found_patterns, read_findings
from parsers.near_miss import did_you_mean

_SHOWN = 50
_POLL_SECONDS: Final = 1.0
"""How soon something new is printed."""


@click.command()
@click.option(
    "--severity",
    type=click.Choice([level.value for level in Severity]),
    help="Only those that are at least so bad.  [default: low, which is all]",
)
@click.option("--pattern", metavar="NAME", help="Only those of this detector, such as secret_guessing.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.  [default: 50; with --json all]")
@click.option("--follow", is_flag=True, help="Go on, and print what is new or has grown as it comes.")
@question_options
def findings(
    question: Question, as_json: bool, severity: str | None, pattern: str | None, limit: int | None, follow: bool
) -> None:
    """Show what the detectors found, those with the newest events first.

    A finding is of every period in which it has events. With --json, one object for each of them. `tokentail events --finding
    ID` exports its events.
    """
    if follow and is_given("until"):
        raise click.UsageError("--follow goes on for ever, and --until names an end.")
    with reading(question.settings) as state:
        filters = FindingFilters(
            Severity(severity or Severity.LOW),
            None if pattern is None else _known(pattern, state.connection),
            question.filters.client,
            question.filters.realm,
            question.filters.user,
        )
        if follow:
            _follow(state.connection, question, filters, limit or _SHOWN, as_json=as_json)
            return
        found = filter(filters.match, read_findings(state.connection, question.period))
        if as_json:
            print_json_lines(map(as_told, itertools.islice(found, limit)))
            return
        _print(list(itertools.islice(found, limit or _SHOWN)), question, filters, limit or _SHOWN)


def as_told(finding: StoredFinding) -> dict[str, Any]:
    """Return the object of ``findings --json``."""
    told = finding.as_json()
    pattern = {"pattern": told.pop("pattern"), "title": title_of(finding.pattern)}
    return {"id": told.pop("id"), **pattern, **told, "runbook": runbook_of(finding.pattern)}


def _print(found: list[StoredFinding], question: Question, filters: FindingFilters, limit: int) -> None:
    console = stdout()
    only = [f"pattern {filters.pattern}"] if filters.pattern else []
    if filters.severity is not Severity.LOW:
        only.append(f"severity {filters.severity} and worse")
    render.heading(console, "Findings", question, only=only, of_events=False)
    if not found:
        _print_nothing(console, question.settings, filters)
        return
    render_findings.findings(console, found, question.settings.time_zone)
    more = f"The newest {limit}; --limit shows more. " if len(found) == limit else ""
    console.print(f"\n{more}`tokentail events --finding ID` exports the events of one.", style="dim")


def _print_nothing(console: Console, settings: Settings, filters: FindingFilters) -> None:
    """Say that nothing was found, and what was looked for: nothing found is good news only if somebody looks."""
    if filters != FindingFilters():
        reason = "Nothing was found in this period that these filters let through."
        render.nothing(console, reason, ["leave them out to see all of it"])
        return
    advice = ["`tokentail status` shows whether the logs are read", "these detectors look for something:"]
    render.nothing(console, "Nothing was found in this period.", advice)
    render_findings.detectors(
        console, {name: settings.detectors.get(name, Options()).enabled for name in sorted(detectors())}
    )


def _known(pattern: str, connection: sqlite3.Connection) -> str:
    """Return the name of a pattern. Raises click.BadParameter."""
    known = sorted({*detectors(), *found_patterns(connection)})
    if pattern in known:
        return pattern
    hint = did_you_mean(pattern, known) or "; they are " + ", ".join(known)
    raise click.BadParameter(f"{pattern!r} is no pattern{hint}", param_hint="'--pattern'")


def _follow(
    connection: sqlite3.Connection, question: Question, filters: FindingFilters, limit: int, *, as_json: bool
) -> None:
    """Print the newest findings, the oldest of these first, then each that is new or grows, until somebody ends it."""
    console = stdout()
    for finding, before in _changes(connection, replace(question.period, until=END_OF_TIME), filters.match, limit):
        if as_json:
            print_json_lines([as_told(finding)])
        else:
            zone = question.settings.time_zone
            render_findings.line(console, finding, zone, before=before.events if before else None)


def _changes(
    connection: sqlite3.Connection, period: Period, match: Callable[[StoredFinding], bool], limit: int
) -> Iterator[tuple[StoredFinding, StoredFinding | None]]:
    """Yield findings whenever they have changed, with what they were, oldest first; at the start the newest ``limit``."""
    seen: dict[tuple[int, str], StoredFinding] = {}
    version, most = -1, limit
    while True:
        (now,) = connection.execute("PRAGMA data_version").fetchone()
        if now != version:
            version = now
            found = [finding for finding in read_findings(connection, period) if match(finding)]
            changed = [(each, seen.get(each[:2])) for each in found if seen.get(each[:2]) != each]
            yield from reversed(changed[:most])
            seen, most = {finding[:2]: finding for finding in found}, sys.maxsize
        time.sleep(_POLL_SECONDS)
