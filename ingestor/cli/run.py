"""``run``, ``backfill``: the commands that read logs into the store."""

import logging
import sys
from pathlib import Path
from typing import Any

import click

from ingestor.cli.render import reports
from ingestor.cli.render.console import print_json, stderr, stdout
from ingestor.cli.render.misfits import print_misfits
from ingestor.cli.support import logs as log_output
from ingestor.cli.support.opening import progress_bar, run_or_delegate
from ingestor.cli.support.options import config_option, json_option, settings_options, state_directory_option
from ingestor.cli.support.paths import named_files
from ingestor.config.load import load as load_config
from ingestor.config.settings import STDIN, Settings
from ingestor.daemon.sd_notify import Notifier
from ingestor.daemon.supervise import ReadOnce, follow, follow_once
from ingestor.errors import ConfigError, DamagedStateError, ExitCode
from ingestor.format_check.misfits import file_as_of_now, look_closer
from ingestor.format_check.understanding import Understanding
from ingestor.jobs.backfill import backfill as backfill_files
from ingestor.model.log_file import shown
from ingestor.model.words import counted
from ingestor.pipeline.classifier import check_parsers
from ingestor.pipeline.pipeline import Pipeline

log = logging.getLogger("tokentail")


@click.command(short_help="Follow logs for ever, into the store.")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--log", "logs", multiple=True, metavar="PATH", help="Follow this log, as PATH does; repeatable.")
@click.option("--once", is_flag=True, help="Read to the end of every file, store it, and exit.")
@click.option(
    "--strict",
    is_flag=True,
    help="With --once: exit with 1 when a line was rejected, a last line without its end was left, or nothing of a log is an event.",
)
@config_option
@state_directory_option
def run(
    paths: tuple[str, ...],
    logs: tuple[str, ...],
    once: bool,
    strict: bool,
    config_file: Path | None,
    state_directory: Path | None,
) -> None:
    """Follow the logs for ever, into the store: PATH..., or those of the config.

    PATH may be a FIFO, or - for standard input (`kubectl logs -f POD | tokentail run -`), at whose end the command ends. What
    came through is copied into the state directory first, and safe from then on. What the pipe still holds when tokentail is
    killed is lost; a producer that starts anew and repeats its output is recognised by content and counted once.

    SIGTERM and Ctrl-C store what was read, and end it with exit code 0. SIGHUP reads the configuration anew; a bad one is told
    and not used.
    """
    if strict and not once:
        raise click.UsageError("--strict needs --once: a daemon has no end to judge.")

    def load() -> Settings:
        settings = load_config(config_file, logs=(*paths, *logs), state_directory=state_directory).settings
        if not settings.logs:
            raise ConfigError(
                "There is no log to follow",
                where=str(settings.config_file or "no config file"),
                advice="Name one (`tokentail run PATH`), or add a [[logs]] entry to the config (`tokentail config sample`).",
            )
        check_parsers(settings)
        return settings

    settings = load()
    _refuse_closed_stdin(settings)
    log_output.configure_logging()
    read = ReadOnce()
    for last_try in (False, True):
        try:
            if once:
                read = follow_once(settings)
            else:
                follow(settings, load, Notifier())
            break
        except DamagedStateError as error:
            # Damage that showed only now: the next opening sets the database aside and has everything read again.
            if last_try:
                raise
            log.critical("%s", error)
    print_misfits(stderr(), read.misfits)
    if strict and read.rejected:
        click.echo(
            f"tokentail: rejected lines: {read.rejected:,}\n  `tokentail rejected list` shows them and why.", err=True
        )
    if strict and (read.rejected or read.unread_bytes or any(misfit.understanding.wrong for misfit in read.misfits)):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _refuse_closed_stdin(settings: Settings) -> None:
    """Raise ConfigError where a file of our own would come to stand in its place."""
    if sys.stdin is None and any(entry.path == STDIN for entry in settings.logs):
        raise ConfigError("Standard input is closed", where=STDIN, advice="Give it a pipe, or name another log.")


@click.command(short_help="Ingest old files, plain or compressed; safe to repeat.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--source", help="Store the events under this source, instead of the log's that the file belongs to.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 when a line is rejected, a last line without its end was left, or nothing of a file is an event.",
)
@json_option
@settings_options
def backfill(settings: Settings, paths: tuple[str, ...], source: str | None, strict: bool, as_json: bool) -> None:
    """Store the events of old files, plain or compressed, the earliest first. It is safe to repeat.

    Beside a running daemon, the daemon does it. Exit code 1 when a file could not be read to its end.
    """
    files = named_files(paths)

    def work(pipeline: Pipeline) -> dict[str, Any]:
        try:
            with progress_bar() as progress:
                done = backfill_files(pipeline, files, source=source, progress=progress)
            if not pipeline.delivery.counting:  # the store held events that this state did not know
                pipeline.recount()
        except KeyboardInterrupt:
            click.echo("Stopped. What was read so far is stored; the same command goes on from there.", err=True)
            raise
        return {"files": [file._asdict() for file in done]}

    log_output.configure_logging()
    answer = run_or_delegate(settings, "backfill", {"paths": files, "source": source}, work, first=True)
    read = answer["files"]
    if as_json:
        print_json(read)
    else:
        reports.backfilled(stdout(), read)
    for file in read:
        if file["left"]:
            length, name = counted(file["left"], "byte"), shown(file["path"])
            click.echo(f"{length} at the end of {name} are a line without an end: left unread", err=True)
    judged = [
        (file, Understanding(file["stored"] + file["expired"], file["rejected"], file["ignored"])) for file in read
    ]
    misfits = [
        look_closer(file["path"], file["source"], now, settings)
        for file, whole in judged
        if (now := file_as_of_now(file["path"], file["source"], whole, settings)).doubtful
    ]
    print_misfits(stderr() if as_json else stdout(), misfits)
    unlike = any(file["rejected"] or file["left"] for file in read) or any(
        misfit.understanding.wrong for misfit in misfits
    )
    if any(file["problem"] for file in read) or (strict and unlike):
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)
