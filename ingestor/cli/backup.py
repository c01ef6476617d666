"""``state backup``."""

from pathlib import Path

import click

from ingestor.cli.access import progress_bar, reading
from ingestor.cli.output import print_json, stdout
from ingestor.cli.parameters import PATH, json_option, settings_options
from ingestor.settings import Settings
from ingestor.shell.backup import back_up

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
    With InfluxDB as the store the events are there, and not in the state.
    """
    with reading(settings) as state, progress_bar() as progress:
        done = back_up(state, file, lambda part: progress(str(file), part, 0))
    if as_json:
        print_json({name: str(value) if isinstance(value, Path) else value for name, value in done._asdict().items()})
        return
    console = stdout()
    console.print(
        f"Backed up {settings.state_directory} into {done.file}, {done.bytes / _MEBIBYTE:,.1f} MiB", soft_wrap=True
    )
    if done.rejected_file is not None:
        console.print(f"The list of rejected lines is beside it: {done.rejected_file}", soft_wrap=True)
