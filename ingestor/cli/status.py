"""``status``: how the daemon and its logs are, for people, for programs, and for whoever watches machines."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import click

from ingestor.cli.render.console import print_json, stdout
from ingestor.cli.render.misfits import print_misfits
from ingestor.cli.render.status import status as print_status
from ingestor.cli.support.opening import reading
from ingestor.cli.support.options import config_option, json_option, state_directory_option
from ingestor.config import load
from ingestor.errors import TokentailError, one_line
from ingestor.format_check.misfit import Misfit
from ingestor.format_check.misfits import misfits
from ingestor.jobs.condition import Condition, Judgement, Seen, judge, plugin_line
from ingestor.jobs.status import StatusReport
from ingestor.jobs.status import status as report_status
from ingestor.jobs.store_status import StoreStatus, store_status
from parsers.text import clean


@click.command()
@click.option(
    "--check", is_flag=True, help="Say in one line whether all is well, with the exit codes of Nagios' plugins."
)
@json_option
@config_option
@state_directory_option
def status(check: bool, as_json: bool, config_file: Path | None, state_directory: Path | None) -> None:
    """Show accounting, lag, positions, gaps, the store's state, and logs that are not understood.

    The exit code is 0, whatever is shown. With --check it is as Nagios' plugins have it:

    \b
    0  All is well.
    1  Warning. It lags more than alerts.lag_seconds. A damaged state was
       set aside. 1 line in 20 of a log is rejected. The store holds events
       that nobody has counted.
    2  Critical. No daemon runs, and nothing was read for that long. It says
       that something is wrong. It lags four times that much. Lines were lost
       in the last day. The store lacks events that it had acknowledged. A
       log is not understood.
    3  Unknown. The configuration or the state cannot be read.
    """  # noqa: D301 - \b is click's mark for "do not rewrap"
    try:
        settings = load.load(config_file, state_directory=state_directory).settings
        with reading(settings) as state:
            report, store = report_status(state), store_status(settings, state)
    except TokentailError as error:
        if not check:
            raise
        said = clean(one_line(str(error))).replace("|", "/")
        click.echo(f"TOKENTAIL {Condition.UNKNOWN.name} - {said}")
        raise click.exceptions.Exit(Condition.UNKNOWN) from error
    not_understood = misfits([(entry.source, entry.path, entry.account) for entry in report.logs], settings)
    lag_limit = float(settings.alerts.lag_seconds)
    seen = _seen(report, store, not_understood)
    judgement = judge(seen, lag_limit=lag_limit)
    if as_json:
        print_json(_as_json(report, store, not_understood, judgement))
    elif check:
        click.echo(clean(plugin_line(judgement, seen, lag_limit=lag_limit)))
    else:
        print_status(stdout(), report, settings, store)
        print_misfits(stdout(), not_understood)
    if check and judgement.condition:
        raise click.exceptions.Exit(judgement.condition)


def _seen(report: StatusReport, store: StoreStatus, not_understood: list[Misfit]) -> Seen:
    now = time.time()
    return Seen(
        running=report.running,
        checkpoint_age=report.checkpoint_age_seconds,
        lag=report.lag_seconds,
        unread_bytes=sum(entry.unread_bytes or 0 for entry in report.logs),
        problems=report.problems,
        gap_ages=[now - gap.found_at for gap in report.gaps],
        set_aside=report.set_aside if report.set_aside and Path(report.set_aside).exists() else "",
        misfits=not_understood,
        store_lacks=store.lacks,
        store_exceeds=store.exceeds,
        total=report.total,
    )


def _as_json(
    report: StatusReport, store: StoreStatus, not_understood: list[Misfit], judgement: Judgement
) -> dict[str, Any]:
    total = report.total
    return {
        "read": total.read,
        "stored": total.stored,
        "rejected": total.total_rejected,
        "ignored": total.ignored,
        "expired": total.expired,
        "pending": total.pending,
        "lag_seconds": report.lag_seconds,
        "rejected_by_reason": {reason.value: lines for reason, lines in sorted(total.rejected.items()) if lines},
        "condition": judgement.condition.name.lower(),
        "reasons": list(judgement.reasons),
        "running": report.running,
        "problems": [*report.problems, *filter(None, (store.lacks, store.exceeds))],
        "counts": report.counts,
        "findings_of_the_last_day": report.findings,
        "checkpoint_age_seconds": report.checkpoint_age_seconds,
        "store_bytes": report.store_bytes,
        **store.as_json(),
        "set_aside": report.set_aside,
        "not_understood": [misfit.as_json() for misfit in not_understood],
        "gaps": [dataclasses.asdict(gap) for gap in report.gaps],
        "logs": [
            {
                "source": entry.source,
                "path": entry.path,
                "provider": entry.provider,
                "offset": entry.offset,
                "unread_bytes": entry.unread_bytes,
                "read": entry.account.read,
                "stored": entry.account.stored,
                "rejected": entry.account.total_rejected,
                "ignored": entry.account.ignored,
                "expired": entry.account.expired,
                "pending": entry.account.pending,
            }
            for entry in report.logs
        ],
    }
