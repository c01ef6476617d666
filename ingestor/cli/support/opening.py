"""Open what commands work on, and turn what goes wrong below into words (``ingestor.errors``)."""

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ingestor.cli.render.console import stderr
from ingestor.config.settings import Settings
from ingestor.errors import DamagedStateError, ExitCode, TokentailError
from ingestor.model.questions import Answers, Filters, Period, Record
from ingestor.model.words import counted
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state import requests
from ingestor.state.database import DATABASE, damaged, find_database, first_fault, is_damage, suspect
from ingestor.state.lock import is_held
from ingestor.state.opening import directory_of, explained_faults, writing
from ingestor.state.state import State
from ingestor.stores.registry import store_of

_LOOK_SECONDS = 60.0
"""How long the place of a damage is looked for, for a message."""


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[State]:
    """Open the state for reading, also beside a running daemon."""
    directory = directory_of(settings)
    with explained_faults(directory), contextlib.closing(State.open_reader(directory)) as state:
        try:
            yield state
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            raise _suspected(state, error) from error
        except DamagedStateError as error:
            suspect(directory / DATABASE, error.what)
            raise


def _suspected(state: State, error: sqlite3.DatabaseError) -> DamagedStateError:
    """Make the error that says where a database is damaged, and have the next `tokentail run` look into it."""
    path, fault = state.directory / DATABASE, str(error)
    with contextlib.suppress(sqlite3.Error):  # "malformed" says little to whoever has a copy at hand
        fault = first_fault(state.connection, most_seconds=_LOOK_SECONDS) or fault
    found = damaged(path, fault)
    if not suspect(path, fault):
        found.advice = (
            "Run this as the user that owns the state: `tokentail run` sets it aside then when it starts, and reads what files "
            "there are again. docs/operate.md says how to restore a backup."
        )
    return found


@contextlib.contextmanager
def answers(settings: Settings) -> Iterator[Answers]:
    """Open the store for questions."""
    store = store_of(settings)
    if not store.in_state:  # its questions need no state: that may be another machine's
        with store.open_answers(None) as found:
            yield found
        return
    with reading(settings) as state, store.open_answers(state.connection) as found:
        yield found


@contextlib.contextmanager
def events(store: Answers, period: Period, filters: Filters) -> Iterator[Iterator[Record]]:
    """Stream events; the store's snapshot ends with the block, also when not all were wanted or could be printed."""
    records = store.events(period, filters)
    try:
        yield records
    finally:
        if isinstance(records, Generator):
            records.close()


def run_or_delegate(
    settings: Settings, kind: str, arguments: dict[str, Any], work: Callable[[Pipeline], dict[str, Any]], *, first: bool
) -> dict[str, Any]:
    """Do ``work`` in this process; when a daemon holds the state, have it do the request of that kind, and wait for it.

    ``first``: whether it may be the first that a state sees, which is made for it then; else UnavailableError is raised.
    """
    directory = directory_of(settings)
    if not is_held(directory):
        if not first:
            find_database(directory)
        with writing(settings) as state, contextlib.closing(Pipeline(settings, state)) as pipeline:
            return work(pipeline)
    with reading(settings):  # it has its tables, and none that this version does not know
        number = requests.submit(directory, kind, arguments)
    with stderr().status(f"The running daemon does it (request {number}); Ctrl-C stops waiting, not the work"):
        answer = requests.wait_for_answer(directory, number)
    if "error" in answer:
        error = TokentailError(str(answer["error"]), where="told by the running daemon")
        error.exit_code = ExitCode(answer["exit_code"])
        raise error
    return answer


@contextlib.contextmanager
def progress_bar(noun: str = "line") -> Iterator[Callable[[str, float, int], None]]:
    """Show how far files are read, or what else has lines or events: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %{task.fields[lines]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr(), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(path: str, part: float, lines: int) -> None:
            if path not in tasks:
                tasks[path] = progress.add_task(Path(path).name, total=1.0, lines="")
            progress.update(tasks[path], completed=part, lines=f"  {counted(lines, noun)}" if lines else "")

        yield show
