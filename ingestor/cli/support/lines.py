"""The lines that a person gives to a command: a file, a pipe, or what is pasted."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from ingestor.errors import TokentailError
from ingestor.jobs.explaining import open_stream
from ingestor.sources.file.files import DamagedFileError


@contextlib.contextmanager
def opened(file: Path | None) -> Iterator[BinaryIO]:
    """Open a log, plain or compressed; standard input when it is None. Raises TokentailError, also while it is read."""
    if file is None:
        if sys.stdin.isatty():
            click.echo("Paste lines of a log; Ctrl-D ends.", err=True)
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") if is_pipe(file) else open_stream(file) as stream:
            yield stream
    except DamagedFileError as error:
        raise TokentailError(str(error), advice="What came before the damage is explained above.") from error


def is_pipe(file: Path) -> bool:
    """Whether this is what a shell makes of ``explain <(tail -n 5 audit.log)``."""
    try:
        return file.is_fifo()
    except OSError:
        return False  # whoever opens it says what is wrong
