"""What a person sees when a command fails: what happened, where, what to do next; never the text of an event."""

import os
from typing import Any

import click

from ingestor.config.options import DEBUG_VARIABLE
from ingestor.errors import ExitCode, OutputError, TokentailError
from parsers.faults import kind_and_place
from parsers.text import clean


class CommandGroup(click.Group):
    """A group that turns exceptions into messages on stderr and the exit codes of design section 9."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises click's own exceptions, and OutputError, which is told where all output ends."""
        try:
            return super().invoke(ctx)
        except OutputError:
            raise
        except TokentailError as error:
            # A message may name a file, and a file name can hold a terminal escape.
            click.echo("\n".join(map(clean, f"tokentail: {error}".split("\n"))), err=True)
            raise click.exceptions.Exit(int(error.exit_code)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise  # click's own business: usage errors, --help
        except KeyboardInterrupt as error:
            # Not click's "Aborted!" and 1, which of `verify` would say that a line is missing.
            click.echo(err=True)  # the terminal's ^C has a line of its own
            raise click.exceptions.Exit(int(ExitCode.INTERRUPTED)) from error
        except Exception as error:  # the last resort: every other handler is where it can do something
            if os.environ.get(DEBUG_VARIABLE):
                raise
            click.echo(f"tokentail: {_unexpected(error)}", err=True)
            raise click.exceptions.Exit(int(ExitCode.BAD_ANSWER)) from error


def _unexpected(error: Exception) -> str:
    """Name the exception and the place. Its message is left out: it may quote a line of a log, hence a secret."""
    system = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return (
        f"Unexpected {kind_and_place(error)}{system}\n"
        f"  This is a fault in tokentail. {DEBUG_VARIABLE}=1 shows the traceback, which may quote your log: read it before "
        "you send it to anybody."
    )
