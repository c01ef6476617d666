"""The questions of design section 7, asked of the store."""

import itertools
from collections import deque
from dataclasses import asdict
from typing import Any

import click

from ingestor.cli.render import activity as activity_table
from ingestor.cli.render import answers as render
from ingestor.cli.render.console import period_text, print_csv, print_json, print_json_lines, stderr, stdout
from ingestor.cli.render.misfits import print_misfits
from ingestor.cli.support import opening
from ingestor.cli.support.evidence import evidence_of, finding_option
from ingestor.cli.support.opening import answers
from ingestor.cli.support.options import Question, event_filters, question_options
from ingestor.config.settings import Settings
from ingestor.errors import TokentailError
from ingestor.format_check.misfit import Misfit
from ingestor.format_check.misfits import accounted, misfits
from ingestor.jobs.evidence import Evidence
from ingestor.model.accounting import Account
from ingestor.model.moments import written
from ingestor.model.questions import Answers, Filters, Period, Record
from ingestor.model.words import counted

_BREAKDOWN_ROWS = 12
_ALWAYS = Period(0, (1 << 63) - 1)
_NO_FILTERS = Filters()


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="At most so many rows of each breakdown.  [default: 12; with --json all]",
)
@click.option("--all", "unlimited", is_flag=True, help="All rows of each breakdown.")
@question_options
def stats(question: Question, as_json: bool, limit: int | None, unlimited: bool) -> None:
    """Show totals, rates and breakdowns of a period."""
    if unlimited and limit is not None:
        raise click.UsageError("--limit and --all exclude each other.")
    with answers(question.settings) as store:
        answer = store.stats(question.period, question.filters)
        if as_json:
            print_json(_largest(asdict(answer), limit) | {"period": _written(question)})
            print_misfits(stderr(), _misfits(question.settings)[1])
            return
        console = stdout()
        render.heading(console, "Token operations", question)
        if not any(answer.by_action.values()):
            explain_nothing(store, question)
            return
        render.stats(console, answer, most=None if unlimited else limit or _BREAKDOWN_ROWS)
        print_misfits(console, _misfits(question.settings)[1])


@click.command()
@event_filters
@finding_option
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many events.")
@question_options
def activity(question: Question, as_json: bool, limit: int, finding_id: str | None) -> None:
    """Show the newest events first."""
    evidence, question = evidence_of(finding_id, question)
    with answers(question.settings) as store:
        records = (
            store.activity(question.period, question.filters, limit)
            if evidence is None
            else _newest(store, question, evidence, limit)
        )
        if as_json:
            print_json([_row(record, evidence) for record in records])
            return
        console = stdout()
        render.heading(console, "Recent activity" if evidence is None else f"Events of {finding_id}", question)
        if not records:
            explain_nothing(store, question)
            return
        activity_table.activity(console, records, question.settings.time_zone)
        if len(records) == limit:
            console.print(f"\nThe newest {limit}; --limit shows more, `tokentail events` exports all.", style="dim")


@click.command()
@event_filters
@finding_option
@click.option("--limit", type=click.IntRange(min=1), help="At most so many events.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="CSV with a heading; a cell that looks like a formula gets a leading '."
)
@question_options
def events(question: Question, as_json: bool, limit: int | None, as_csv: bool, finding_id: str | None) -> None:
    """Export the events of a period, oldest first, as JSON lines.

    How many of which period is said on stderr; `--since all` exports everything. With --finding each event says by the key
    `example` whether the finding names it.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    evidence, question = evidence_of(finding_id, question)
    columns = Record._fields if evidence is None else (*Record._fields, "example")
    with answers(question.settings) as store, opening.events(store, question.period, question.filters) as records:
        wanted = itertools.islice(records if evidence is None else filter(evidence.has, records), limit)
        rows = (_row(record, evidence) for record in wanted)
        exported = print_csv(columns, rows) if as_csv else print_json_lines(rows)
    first, of_it = "The first " if exported == limit else "", f" of {finding_id}" if finding_id else ""
    period = period_text(question.period, question.settings.time_zone)
    stderr().print(f"{first}{counted(exported, 'event')}{of_it} of {period}", soft_wrap=True)
    if evidence is not None and (note := render.retention_note(question)):
        stderr().print(note, soft_wrap=True)


def _newest(store: Answers, question: Question, evidence: Evidence, limit: int) -> list[Record]:
    """Return the newest events of a finding, newest first."""
    with opening.events(store, question.period, question.filters) as records:
        return [*deque(filter(evidence.has, records), limit)][::-1]


def _row(record: Record, evidence: Evidence | None) -> dict[str, Any]:
    return record._asdict() if evidence is None else record._asdict() | {"example": evidence.is_example(record)}


@click.group()
def top() -> None:
    """Rank clients or users by their events."""


_top_limit = click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="At most so many.")


@top.command()
@_top_limit
@question_options
def clients(question: Question, as_json: bool, limit: int) -> None:
    """Rank the most active clients."""
    with answers(question.settings) as store:
        ranked = store.top_clients(question.period, question.filters, limit)
        if as_json:
            print_json([{"client_id": entry.name, **_without_name(entry._asdict())} for entry in ranked])
            return
        console = stdout()
        render.heading(console, "Most active clients", question)
        if ranked:
            render.ranking(console, "client", ranked)
        else:
            explain_nothing(store, question)


@top.command()
@_top_limit
@question_options
def users(question: Question, as_json: bool, limit: int) -> None:
    """Rank the most active users."""
    with answers(question.settings) as store:
        ranked = store.top_users(question.period, question.filters, limit)
        if as_json:
            rows = [{"user_id": entry.name, **_without_name(entry._asdict())} for entry in ranked]
            print_json([{key: value for key, value in row.items() if key != "realm"} for row in rows])
            return
        console = stdout()
        render.heading(console, "Most active users", question)
        if ranked:
            render.ranking(console, "user", ranked)
        else:
            explain_nothing(store, question, of="user")


@click.command()
@question_options
def peak(question: Question, as_json: bool) -> None:
    """Show the hours of the week, in the configured time zone."""
    zone = question.settings.time_zone
    with answers(question.settings) as store:
        cells = store.peak(question.period, question.filters, zone)
        if as_json:
            print_json([cell._asdict() for cell in cells])
            return
        console = stdout()
        render.heading(console, "Peak usage", question)
        if any(cell.events for cell in cells):
            render.peak(console, cells, zone)
        else:
            explain_nothing(store, question)


@click.command()
@question_options
def analytics(question: Question, as_json: bool) -> None:
    """Show counts by day, action, client and grant type."""
    with answers(question.settings) as store:
        rows = store.analytics(question.period, question.filters, question.settings.time_zone)
        if as_json:
            print_json([row._asdict() for row in rows])
            return
        console = stdout()
        render.heading(console, "Token analytics", question)
        if rows:
            render.analytics(console, rows)
        else:
            explain_nothing(store, question)


def _written(question: Question) -> dict[str, str]:
    return {"since": written(question.period.since), "until": written(question.period.until)}


def _largest(answer: dict[str, Any], limit: int | None) -> dict[str, Any]:
    """Return an answer with so many entries of each breakdown, which have the largest first."""
    return {
        key: dict(itertools.islice(value.items(), limit)) if isinstance(value, dict) else value
        for key, value in answer.items()
    }


def _without_name(entry: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in entry.items() if key != "name"}


def explain_nothing(store: Answers, question: Question, of: str = "") -> None:
    """Say which of the reasons it is that nothing was found, and what to run next."""
    newest = store.activity(_ALWAYS, _NO_FILTERS, 1)
    read, not_understood = _misfits(question.settings)
    if not newest:
        reason = "The store has no events yet."
        if read.read:
            reason += (
                f" Of {counted(read.read, 'line')} read {read.total_rejected:,}"
                f" {'was' if read.total_rejected == 1 else 'were'} rejected and {read.ignored:,} ignored."
            )
        advice = ["`tokentail status` shows what was read, and `tokentail run PATH` reads a log"]
    elif of and store.activity(question.period, question.filters, 1):
        reason = f"No event of this period and these filters names a {of}."
        advice = ["`tokentail activity` shows them"]
    elif question.filters != _NO_FILTERS and store.activity(question.period, _NO_FILTERS, 1):
        reason = f"No event of this period has {render.filter_text(question.filters)}."
        advice = ["check the spelling: `tokentail top clients` and `tokentail activity` show what there is"]
    else:
        reason = f"No events in this period. The newest event stored is of {newest[0].time}."
        advice = [
            "ask for a longer one, such as --since 90d or --since all",
            "`tokentail status` shows whether the log is read",
        ]
    render.nothing(stdout(), reason, advice)
    print_misfits(stdout(), not_understood)


def _misfits(settings: Settings) -> tuple[Account, list[Misfit]]:
    """Return what became of all lines, and the logs that are not understood, as far as this machine's state knows."""
    try:
        with opening.reading(settings) as state:
            total, doubtful = accounted(state)
    except TokentailError:  # events in InfluxDB may be another machine's, or the service's alone
        return Account(), []
    return total, misfits(doubtful, settings)
