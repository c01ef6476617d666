"""``explain``, ``validate``, ``verify``: look, and change nothing."""

import contextlib
import dataclasses
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ingestor.checks.checks import check_all
from ingestor.cli.render import reports
from ingestor.cli.render.console import print_json, print_json_lines, stderr, stdout
from ingestor.cli.render.misfits import print_misfits
from ingestor.cli.render.rejected import explain_masks
from ingestor.cli.support.lines import is_pipe, opened
from ingestor.cli.support.opening import progress_bar, reading
from ingestor.cli.support.options import PATH, config_option, json_option, settings_options, state_directory_option
from ingestor.cli.support.paths import named_files
from ingestor.config import load
from ingestor.config.decode import BadConfigError
from ingestor.config.mapping_files import read_as
from ingestor.config.settings import Settings
from ingestor.detectors.registry import new_detectors
from ingestor.errors import ConfigError, ExitCode, TokentailError
from ingestor.format_check.misfit import Misfit, misfit
from ingestor.format_check.misfits import file_as_of_now, look_closer
from ingestor.format_check.understanding import FEWEST, Understanding
from ingestor.jobs.backfill import source_of
from ingestor.jobs.explain import Explainer, Explanation
from ingestor.jobs.explaining import KeptHead, explain_stream
from ingestor.jobs.verify import Verified
from ingestor.jobs.verify import verify as verify_files
from ingestor.model.check_result import CheckResult, Level, worst
from ingestor.pipeline.classifier import parser_of
from ingestor.pipeline.detection import Detection
from ingestor.state.opening import directory_of
from ingestor.state.state import State
from parsers.redaction.lines import MASK
from parsers.text import clean


@click.command(short_help="Say what becomes of each line of a file, or of stdin.")
@click.argument("file", required=False, type=PATH)
@click.option("--source", help="The source to explain it as.  [default: the log's that FILE belongs to]")
@click.option(
    "--parser",
    "parser_name",
    metavar="NAME",
    help="Read it by this parser, such as mapping:acme.toml.  [default: the log's]",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when a line is rejected, or nothing is an event.")
@json_option
@settings_options
def explain(
    settings: Settings, file: Path | None, source: str | None, parser_name: str | None, strict: bool, as_json: bool
) -> None:
    """Say what becomes of each line of FILE, or of stdin: event and point, or why not.

    The lines are explained as the daemon would read them from the start of the file. With --json, one object for each of
    them; a line of several events has one for each event.
    """
    named = file is not None and str(file) != "-"
    name = source or (source_of(str(file), settings) if named else "stdin")
    if parser_name is not None:
        settings = read_as(parser_name, name, settings)
    parser = parser_of(name, settings, lambda fault: click.echo(f"tokentail: {clean(fault)}", err=True))
    explainer = Explainer(
        parser,
        source=name,
        host=_host(settings),
        clients=settings.budgets.clients,
        failing_clients=settings.budgets.failing_clients,
        realms=settings.budgets.realms,
        failing_realms=settings.budgets.failing_realms,
        observe=Detection(new_detectors(settings.detectors)).observe,
    )
    seen = {"event": 0, "ignored": 0, "rejected": 0, "masked": 0}
    now_ms = time.time_ns() // 1_000_000
    with opened(file if named else None) as stream:
        kept = KeptHead(stream)
        lines = explain_stream(kept, explainer, max_line_bytes=settings.read.max_line_bytes, now_ms=now_ms)
        explained = _counted(lines, seen)
        if as_json:
            print_json_lines((explanation.as_json() for explanation in explained), at_once=1)
        else:
            reports.explanations(stdout(), explained)
            explain_masks(stdout(), masked=seen["masked"] > 0)
            reports.explained(stdout(), seen)
    understanding = Understanding(seen["event"], seen["rejected"], seen["ignored"])
    if file is not None and named and not is_pipe(file):
        understanding = file_as_of_now(str(file), name, understanding, settings)
    if understanding.doubtful:
        found = misfit(str(file) if named else "stdin", understanding, kept.sample(), parser, now_ms)
        print_misfits(stderr() if as_json else stdout(), [found])
    if strict and (seen["rejected"] or understanding.wrong):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _counted(explanations: Iterator[Explanation], seen: dict[str, int]) -> Iterator[Explanation]:
    for explanation in explanations:
        seen[explanation.result] += 1
        seen["masked"] += explanation.event is None and MASK in explanation.text
        yield explanation


def _host(settings: Settings) -> str:
    """Return the host that a daemon with this state would store."""
    if settings.host:
        return settings.host
    try:
        with contextlib.closing(State.open_reader(directory_of(settings))) as state:
            return state.host or socket.gethostname()
    except ConfigError:
        raise  # a newer version's: what is explained here is not what becomes of the line there
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
    findings: list[CheckResult] = []
    try:
        configuration = load.load(config_file, state_directory=state_directory)
    except BadConfigError as error:
        findings += [
            CheckResult(Level.ERROR, problem.what, f"{problem.where}: {problem.key}", exit_code=error.exit_code)
            for problem in error.problems
        ]
    except TokentailError as error:
        findings.append(CheckResult(Level.ERROR, error.what, error.where, error.advice, error.exit_code))
    else:
        settings = configuration.settings
        findings.append(
            CheckResult(Level.OK, "Configuration is valid", str(settings.config_file or "no config file: defaults"))
        )
        if not no_environment:
            findings += check_all(settings, directory_of(settings))
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
    """Look up every line of these files in the store, and say which are not as they should be.

    Exit code 1 when a line is missing, different or not read yet, or nothing of a file is an event.
    """
    with reading(settings) as state, progress_bar() as progress:
        results = verify_files(settings, state, named_files(paths), source=source, progress=progress)
    judged = {
        result.path: file_as_of_now(
            result.path, result.source, Understanding(result.events, result.rejected, result.ignored), settings
        )
        for result in results
    }
    misfits = {
        result.path: look_closer(result.path, result.source, judged[result.path], settings)
        for result in results
        if not result.problem and judged[result.path].doubtful and not _is_its_header_alone(result)
    }
    if as_json:
        print_json([_as_json(result, misfits.get(result.path)) for result in results])
    else:
        reports.verified(stdout(), results, wrong=[path for path, its in misfits.items() if its.understanding.wrong])
        print_misfits(stdout(), list(misfits.values()))
    if not all(result.good for result in results) or any(its.understanding.wrong for its in misfits.values()):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _is_its_header_alone(result: Verified) -> bool:
    """Tell whether a file has nothing but a few lines that are no token operations: it was rotated before any came."""
    return not result.events and not result.rejected and result.ignored < FEWEST


def _as_json(result: Verified, its: Misfit | None) -> dict[str, Any]:
    faults = [fault._asdict() for fault in result.faults]
    good = result.good and not (its and its.understanding.wrong)
    return {
        **dataclasses.asdict(result),
        "faults": faults,
        "good": good,
        "not_understood": its.as_json() if its else None,
    }
