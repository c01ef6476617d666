"""Find logs of which nothing becomes an event, and look at some of their lines to say why. Changes nothing."""

import contextlib
import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final

import parsers
from ingestor.core.accounting import Account
from ingestor.core.figures import Figures
from ingestor.core.misfit import Misfit, Sample, misfit, outcomes_of, understanding_of
from ingestor.core.understanding import FEWEST, Understanding, of_account
from ingestor.settings import LogSettings, Settings
from ingestor.shell.files import DamagedFileError, open_log
from ingestor.shell.follower import live_paths
from ingestor.shell.newest import sample_of
from ingestor.shell.state import State
from parsers.event import Parser

log = logging.getLogger("tokentail")

PEEK_BYTES: Final = 65_536
"""Of each log, for a command that looks at all of them."""
MOST_LOGS: Final = 100
"""So many are looked at; the others are judged by their accounts alone."""
_WINDOW_LINES: Final = 200
_QUIET_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 60.0


def look_closer(path: str, source: str, understanding: Understanding, settings: Settings) -> Misfit:
    """Return why a log is not understood; without a reason when its lines cannot be looked at."""
    return misfit(path, understanding, _sample(path), parser_of(source, settings), _now_ms())


def misfits(sources: Iterable[tuple[str, str, Account]], settings: Settings, *, peek: bool = True) -> list[Misfit]:
    """Return the logs that are not understood. ``sources``: source, path and account of each.

    Its newest lines say how a log is now. Where they cannot be read, and without ``peek`` for all whose accounts are in order,
    the account says how it was.
    """
    found = []
    for number, (source, path, account) in enumerate(sources):
        understanding = of_account(account)
        if not understanding.doubtful and (not peek or number >= MOST_LOGS):
            continue
        sample, parser = _sample(path, PEEK_BYTES), parser_of(source, settings)
        newest = understanding_of(outcomes_of(sample, parser, _now_ms()))
        if newest.lines and not newest.doubtful:
            continue  # whatever it was, it is read as it should be by now
        if not understanding.doubtful and (newest.lines >= FEWEST or not understanding.lines):
            understanding = newest  # a log that ends no line is never read
        if understanding.doubtful:
            found.append(misfit(path or source, understanding, sample, parser, _now_ms()))
    return found


def accounted(state: State) -> tuple[Account, list[tuple[str, str, Account]]]:
    """Return what became of all lines that a state knows; and source, path and account of each log that is in doubt."""
    accounts, total = state.accounts(), Account()
    for account in accounts.values():
        total.add(account)
    doubtful = {source: account for source, account in accounts.items() if of_account(account).doubtful}
    paths = {generation.source: generation.path for generation in state.generations()} if doubtful else {}
    return total, [(source, paths.get(source, source), account) for source, account in doubtful.items()]


class Doubts:
    """Watches a daemon, and says once of a log that its lines do not become events, and once that they do again."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        """Begin to watch. ``settings`` returns those in effect."""
        self._settings = settings
        self._look_at: float | None = None
        """When logs are looked at next of which no line was read, in seconds."""
        self._judged: dict[str, Account] = {}
        """Of a source: the account up to which its lines were judged."""
        self._seen: dict[str, tuple[int, float]] = {}
        """Of a source: lines read, and since when it is so many, in seconds."""
        self._told: set[str] = set()

    def __call__(self, figures: Figures) -> None:
        """Look at the accounts of all sources."""
        for source, its in figures.sources.items():
            self._judge(source, its.account, figures.time)
        if self._look_at is None:
            self._look_at = figures.time + _QUIET_SECONDS
        elif figures.time >= self._look_at:
            self._look_at = figures.time + _LOOK_SECONDS
            silent = silent_logs(self._settings(), figures.sources)
            self._tell([(source, path) for source, path, _ in silent if source not in self._told])

    def _tell(self, silent: Sequence[tuple[str, str]]) -> None:
        for source, path in silent:
            for found in misfits([(source, path, Account())], self._settings()):
                self._told.add(source)
                log.warning("%s: %s", path, found.told)

    def _judge(self, source: str, account: Account, now: float) -> None:
        if source not in self._judged:  # what was read before the start was told before
            whole = of_account(account)
            self._judged[source] = _copy(account) if whole.events else Account()
        window = of_account(_since(account, self._judged[source]))
        lines, since = self._seen.get(source, (-1, now))
        if account.read != lines:
            self._seen[source] = account.read, now
        quiet = account.read == lines and now - since >= _QUIET_SECONDS
        if window.lines < _WINDOW_LINES and not (quiet and window.lines and not of_account(account).events):
            return
        self._judged[source] = _copy(account)
        if window.wrong and source not in self._told:
            self._told.add(source)
            settings = self._settings()
            path = path_of(source, settings)
            log.warning("%s: %s", path, look_closer(path, source, window, settings).told)
        elif not window.doubtful and source in self._told:
            self._told.discard(source)
            log.info("%s: its lines become events again", path_of(source, self._settings()))


def silent_logs(settings: Settings, known: Container[str]) -> list[tuple[str, str, Account]]:
    """Return source, path and empty account of the logs that are there and not ``known``: no line of them was read."""
    live = ((entry.source or path, path) for entry in settings.logs for path in live_paths(entry.path))
    return [(source, path, Account()) for source, path in live if source not in known][:MOST_LOGS]


def path_of(source: str, settings: Settings) -> str:
    """Return where the log of a source is: a source without a name of its own is its path."""
    return next((entry.path for entry in settings.logs if entry.source == source), source)


def grown(after: Mapping[str, Account], before: Mapping[str, Account]) -> dict[str, Account]:
    """Return what was counted in between, by source; nothing of those where nothing was."""
    grown = {source: _since(account, before.get(source, Account())) for source, account in after.items()}
    return {source: account for source, account in grown.items() if account.read}


def _since(account: Account, before: Account) -> Account:
    return Account(
        account.read - before.read,
        account.stored - before.stored,
        account.rejected - before.rejected,
        account.ignored - before.ignored,
        account.expired - before.expired,
    )


def _copy(account: Account) -> Account:
    copy = Account()
    copy.add(account)
    return copy


def _sample(path: str, most_bytes: int = 4 << 20) -> Sample:
    try:
        with contextlib.closing(open_log(path)) as file:
            return sample_of(file, most_bytes=most_bytes)
    except (OSError, ValueError, DamagedFileError):
        return Sample(b"")


def parser_of(source: str, settings: Settings) -> Parser:
    """Return the parser of a source, with the options of the settings."""
    entry = next((entry for entry in settings.logs if (entry.source or entry.path) == source), LogSettings(source))
    return parsers.find(entry.parser, **settings.parser_options)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
