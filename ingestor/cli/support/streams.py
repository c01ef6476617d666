"""Standard output as this process finds it: an ASCII terminal, a full disk, a reader that went away, nothing at all.

The faults of stdout become exceptions of their own where they arise. Above, a ``BrokenPipeError`` could be anybody's (a
socket's, a state's on a strange disk), and an ``OSError`` of stdout would be told as one of the state.
"""

import contextlib
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ingestor.errors import ExitCode, OutputError, ReaderGoneError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    """The bytes of stdout. After a fault nothing more is written: what buffers still hold has nowhere to go."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._lost = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some of it. Raises ReaderGoneError, OutputError; once."""
        if self._lost:
            return memoryview(data).nbytes
        try:
            # None: somebody who shares the pipe made it non-blocking.
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except BrokenPipeError as error:
            self._lost = True
            raise ReaderGoneError("Nobody reads the answer any more") from error
        except OSError as error:
            self._lost = True
            raise OutputError(
                f"The answer cannot be written: {error.strerror}",
                where="standard output",
                advice="What was written so far is not all of it.",
            ) from error
        return written


def prepare() -> None:
    """Have the streams survive what is outside. For a process of our own: a test's streams are not replaced."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the caller closed it: its number must not go to the next file that is opened
            nothing = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115, PTH123 - open until the end
            setattr(sys, name, nothing)
            setattr(sys, f"__{name}__", nothing)
    out, err = sys.stdout, sys.stderr
    # What an ASCII terminal cannot show is printed as escapes, instead of failing half-way through an answer.
    if isinstance(err, io.TextIOWrapper):
        err.reconfigure(errors="backslashreplace")
    if isinstance(out, io.TextIOWrapper):
        raw = io.BufferedWriter(_Output(out.fileno()))
        sys.stdout = io.TextIOWrapper(
            raw, out.encoding, "backslashreplace", line_buffering=out.line_buffering, write_through=out.write_through
        )


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Write everything out at the end, and end the process as it should when that is not possible.

    A reader that went away has all it wanted (``| head``): not a word, and the exit code that the shell reports of a
    command which SIGPIPE ended. The signal itself would also strike for other pipes and sockets, and in mid-transaction.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except ReaderGoneError as error:
        sys.exit(error.exit_code)
    except OutputError as error:
        with contextlib.suppress(OSError):  # both may be the same full disk
            click.echo(f"tokentail: {error}", err=True)
        sys.exit(ExitCode.BAD_ANSWER)
