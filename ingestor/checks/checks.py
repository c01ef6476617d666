"""What `tokentail validate` finds: whether logs can be read, the state be written, there is room, store and Grafana work.

Everything is tried for real, nothing is changed for good, and no finding hides another.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import parsers
from ingestor.checks.grafana import check_grafana
from ingestor.checks.leftovers import leftovers
from ingestor.checks.logs import check_log
from ingestor.checks.state import check_state
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError, TokentailError
from ingestor.model.accounting import Account
from ingestor.model.check_result import CheckResult, Level, failed
from ingestor.pipeline.classifier import new_parser
from ingestor.state.state import State
from ingestor.stores.registry import store_of


def check_all(settings: Settings, state_directory: Path) -> Iterator[CheckResult]:
    """Yield a result for everything that `tokentail run` will need: logs, state, store; and of Grafana. Each is said once."""
    told = set[CheckResult]()
    for result in _check(settings, state_directory):
        if result not in told:
            told.add(result)
            yield result


def _check(settings: Settings, state_directory: Path) -> Iterator[CheckResult]:
    if not settings.logs:
        yield CheckResult(
            Level.WARNING,
            "No log is configured",
            str(settings.config_file or ""),
            "Add a [[logs]] table, or name logs with `tokentail run PATH`.",
        )
    yield from _parsers(settings)
    known = _accounts(state_directory)
    for entry in settings.logs:
        yield from check_log(entry, settings, known)
    yield from leftovers(settings, state_directory)
    yield from check_state(settings, state_directory)
    yield from store_of(settings).check()
    if settings.grafana.url:
        yield from check_grafana(settings)


def _parsers(settings: Settings) -> Iterator[CheckResult]:
    """Yield what is wrong with the parsers that logs are configured with, then with others that are installed."""
    told, left_out = set(), list[str]()
    for name in sorted({entry.parser for entry in settings.logs}):
        try:
            new_parser(name, settings, left_out.append)
        except ConfigError as error:
            told.add(error.what)
            yield failed(error)
    broken = list(parsers.problems(**settings.parser_options))
    for fault in dict.fromkeys(left_out):
        if fault not in broken:
            yield CheckResult(Level.WARNING, fault, "", "No log is read by these mappings (docs/getting-started.md).")
    for fault in broken:
        if fault not in told:
            yield CheckResult(
                Level.WARNING, fault, "", "Mend or uninstall that package. No log is read by this parser."
            )


def _accounts(directory: Path) -> dict[str, Account]:
    """Return what became of the lines of each source, as far as there is a state that can be read."""
    try:
        with contextlib.closing(State.open_reader(directory)) as state:
            return state.accounts()
    except (TokentailError, sqlite3.Error, OSError):
        return {}  # told below
