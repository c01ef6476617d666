"""``mapping new`` and ``mapping show``."""

import itertools
from pathlib import Path
from typing import Final

import click

from ingestor.cli.support.lines import opened
from ingestor.cli.support.options import PATH
from parsers import mapping
from parsers.mapping.proposal import propose
from parsers.mapping.survey import MOST_LINES

_MOST_BYTES: Final = 64 << 20
"""So much of a sample is read at most."""
_LINE_BYTES: Final = 1 << 20


@click.group("mapping")
def mapping_group() -> None:
    """Have a log mapped to events without Python: docs/mapping.md."""


@mapping_group.command(short_help="Propose a mapping for a log, from a sample of it.")
@click.argument("sample", type=PATH)
def new(sample: Path) -> None:
    """Propose a mapping for the log that SAMPLE is a part of, or stdin: the paths that are found, their values, and guesses.

    Values that may be a secret are left out. Redirect it into a file, change it, and try it with
    `tokentail explain --parser mapping:FILE SAMPLE`.
    """
    with opened(None if str(sample) == "-" else sample) as stream:
        lines, left = [], _MOST_BYTES
        for line in itertools.islice(iter(lambda: stream.readline(_LINE_BYTES), b""), MOST_LINES):
            lines.append(line)
            left -= len(line)
            if left < 0:
                break
    click.echo(propose(lines), nl=False)


@mapping_group.command(short_help="Print a mapping that ships.")
@click.argument("name")
def show(name: str) -> None:
    """Print the mapping NAME that ships, such as okta, to begin another one with."""
    try:
        text = mapping.shipped_text(name)
    except LookupError as error:
        raise click.BadParameter(str(error.args[0]), param_hint="NAME") from None
    click.echo(text, nl=False)
