"""``state backup``."""

from pathlib import Path

import click

from ingestor.cli.render.console import print_json, stderr, stdout
from ingestor.cli.support.opening import progress_bar, reading
from ingestor.cli.support.options import PATH, json_option, settings_options
from ingestor.config.settings import Settings
from ingestor.model.words import counted
from ingestor.state.backup import back_up
from ingestor.state.own_files import SPOOL

_MEBIBYTE = 1 << 20


@click.group("state")
def state_group() -> None:
    """Back up the state: positions, accounting, counters, events."""


@state_group.command(short_help="Copy the state into one file, also while the daemon runs.")
@click.argument("file", type=PATH)
@json_option
@settings_options
def backup(settings: Settings, file: Path, as_json: bool) -> None:
    """Copy the state into FILE as it is at one moment, also while the daemon runs; a former backup there is replaced.

    The list of rejected lines goes into FILE.rejected.jsonl, when there is one. The copy is checked before it replaces anything.
    With InfluxDB as the store the events are there, and not in the state. Lines that came through a pipe and are not read yet are in
    neither; how many is said.
    """
    with reading(settings) as state, progress_bar() as progress:
        done = back_up(state, file, lambda part: progress(str(file), part, 0))
    if done.pipe_lines:
        stderr().print(
            f"! {counted(done.pipe_lines, 'line')} that came through pipes and {'was' if done.pipe_lines == 1 else 'were'} not read yet"
            f" {'is' if done.pipe_lines == 1 else 'are'} not in the backup: {settings.state_directory}/{SPOOL} has them. Stop the"
            " daemon and copy the whole directory to have them too.",
            soft_wrap=True,
            markup=False,
        )
    if as_json:
        print_json({name: str(value) if isinstance(value, Path) else value for name, value in done._asdict().items()})
        return
    console = stdout()
    console.print(
        f"Backed up {settings.state_directory} into {done.file}, {done.bytes / _MEBIBYTE:,.1f} MiB", soft_wrap=True
    )
    if done.rejected_file is not None:
        console.print(f"The list of rejected lines is beside it: {done.rejected_file}", soft_wrap=True)
