"""``explain``, ``validate``, ``verify``, ``status``: look, and change nothing."""

import contextlib
import dataclasses
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

import parsers
from ingestor import config
from ingestor.cli import reports
from ingestor.cli.access import directory_of, progress_bar, reading
from ingestor.cli.files import named_files
from ingestor.cli.output import print_json, print_json_lines, stdout
from ingestor.cli.parameters import PATH, config_option, json_option, settings_options, state_directory_option
from ingestor.core.explain import Explainer, Explanation
from ingestor.errors import ExitCode, TokentailError
from ingestor.settings import Settings
from ingestor.shell.backfill import source_of
from ingestor.shell.explaining import explain_stream, open_stream
from ingestor.shell.files import DamagedFileError
from ingestor.shell.findings import Finding, Level, worst
from ingestor.shell.preflight import preflight
from ingestor.shell.state import State
from ingestor.shell.status import status as report_status
from ingestor.shell.store_status import store_status
from ingestor.shell.verify import Verified
from ingestor.shell.verify import verify as verify_files


@click.command(short_help="Say what becomes of each line of a file, or of stdin.")
@click.argument("file", required=False, type=PATH)
@click.option("--source", help="The source to explain it as.  [default: the log's that FILE belongs to]")
@click.option("--strict", is_flag=True, help="Exit with 1 when a line is rejected.")
@json_option
@settings_options
def explain(settings: Settings, file: Path | None, source: str | None, strict: bool, as_json: bool) -> None:
    """Say what becomes of each line of FILE, or of stdin: event and point, or why not.

    The lines are explained as the daemon would read them from the start of the file. With --json, one object a line.
    """
    named = file is not None and str(file) != "-"
    name = source or (source_of(str(file), settings) if named else "stdin")
    explainer = Explainer(
        parsers.find(
            next((entry.parser for entry in settings.logs if (entry.source or entry.path) == name), "auto"),
            errors=settings.errors,
            trusted_proxies=settings.trusted_proxies,
        ),
        source=name,
        host=_host(settings),
        clients=settings.budgets.clients,
        failing_clients=settings.budgets.failing_clients,
        realms=settings.budgets.realms,
    )
    seen = {"event": 0, "ignored": 0, "rejected": 0}
    with _stream(file if named else None) as stream:
        lines = explain_stream(
            stream, explainer, max_line_bytes=settings.read.max_line_bytes, now_ms=time.time_ns() // 1_000_000
        )
        explained = _counted(lines, seen)
        if as_json:
            print_json_lines((explanation.as_json() for explanation in explained), at_once=1)
        else:
            reports.explanations(stdout(), explained)
            reports.explained(stdout(), seen)
    if strict and seen["rejected"]:
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


@contextlib.contextmanager
def _stream(file: Path | None) -> Iterator[BinaryIO]:
    """Open what is to be explained. Raises TokentailError."""
    if file is None:
        if sys.stdin.isatty():
            click.echo("Paste lines of a log; Ctrl-D ends.", err=True)
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") if _is_pipe(file) else open_stream(file) as stream:
            yield stream
    except DamagedFileError as error:
        raise TokentailError(str(error), advice="What came before the damage is explained above.") from error


def _is_pipe(file: Path) -> bool:
    """Whether this is what a shell makes of ``explain <(tail -n 5 audit.log)``."""
    try:
        return file.is_fifo()
    except OSError:
        return False  # whoever opens it says what is wrong


def _counted(explanations: Iterator[Explanation], seen: dict[str, int]) -> Iterator[Explanation]:
    for explanation in explanations:
        seen[explanation.result] += 1
        yield explanation


def _host(settings: Settings) -> str:
    """Return the host that a daemon with this state would store."""
    if settings.host:
        return settings.host
    try:
        with contextlib.closing(State.open_reader(directory_of(settings))) as state:
            return state.host or socket.gethostname()
    except TokentailError:  # explaining needs no state
        return socket.gethostname()


@click.command()
@click.option("--no-environment", is_flag=True, help="Check the configuration alone, not files, state and store.")
@json_option
@config_option
@state_directory_option
def validate(no_environment: bool, as_json: bool, config_file: Path | None, state_directory: Path | None) -> None:
    """Check the configuration, then logs, state and store for real.

    Everything is checked and listed, whatever was found before. One harmless point is written to InfluxDB and read back: the
    field `validated` of the measurement `tokentail`, in the policy `own`. Exit codes: 78 for the configuration, 77 for a
    permission, 1 for anything else that somebody must mend, 69 when only a server is out of reach.
    """
    findings: list[Finding] = []
    try:
        configuration = config.load(config_file, state_directory=state_directory)
    except config.BadConfigError as error:
        findings += [
            Finding(Level.ERROR, problem.what, f"{problem.where}: {problem.key}", exit_code=error.exit_code)
            for problem in error.problems
        ]
    except TokentailError as error:
        findings.append(Finding(Level.ERROR, error.what, error.where, error.advice, error.exit_code))
    else:
        settings = configuration.settings
        findings.append(
            Finding(Level.OK, "Configuration is valid", str(settings.config_file or "no config file: defaults"))
        )
        if not no_environment:
            findings += preflight(settings, directory_of(settings))
    if as_json:
        print_json([item._asdict() for item in findings])
    else:
        reports.findings(stdout(), findings)
    if code := worst(findings):
        raise click.exceptions.Exit(code)


@click.command(short_help="Look up every line of these files in the store.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--source", help="The source that the files were stored under, when their names do not tell.")
@json_option
@settings_options
def verify(settings: Settings, paths: tuple[str, ...], source: str | None, as_json: bool) -> None:
    """Look up every line of these files in the store: exactly as it should be, or not.

    Exit code 1 when a line is missing, different or not read yet.
    """
    with reading(settings) as state, progress_bar() as progress:
        results = verify_files(settings, state, named_files(paths), source=source, progress=progress)
    if as_json:
        print_json([_as_json(result) for result in results])
    else:
        reports.verified(stdout(), results)
    if not all(result.good for result in results):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _as_json(result: Verified) -> dict[str, Any]:
    faults = [fault._asdict() for fault in result.faults]
    return {**dataclasses.asdict(result), "faults": faults, "good": result.good}


@click.command()
@json_option
@settings_options
def status(settings: Settings, as_json: bool) -> None:
    """Show accounting, lag, positions, gaps and the store's state."""
    with reading(settings) as state:
        report, store = report_status(state), store_status(settings, state)
    if as_json:
        total = report.total
        print_json(
            {
                "read": total.read,
                "stored": total.stored,
                "rejected": total.total_rejected,
                "ignored": total.ignored,
                "expired": total.expired,
                "pending": total.pending,
                "lag_seconds": report.lag_seconds,
                "rejected_by_reason": {
                    reason.value: lines for reason, lines in sorted(total.rejected.items()) if lines
                },
                "running": report.running,
                "problems": list(report.problems),
                "counts": report.counts,
                "checkpoint_age_seconds": report.checkpoint_age_seconds,
                "store_bytes": report.store_bytes,
                **store.as_json(),
                "set_aside": report.set_aside,
                "gaps": [dataclasses.asdict(gap) for gap in report.gaps],
                "logs": [
                    {
                        "source": entry.source,
                        "path": entry.path,
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
        )
    else:
        reports.status(stdout(), report, settings, store)
