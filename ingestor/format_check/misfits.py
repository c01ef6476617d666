"""Find logs that are not understood, and look at some of their lines to say why. Changes nothing."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import parsers
from ingestor.config.settings import Settings
from ingestor.errors import ConfigError
from ingestor.format_check.log_sample import sample_of
from ingestor.format_check.misfit import Misfit, Sample, as_of_now, misfit, outcomes_of
from ingestor.format_check.understanding import FEWEST, HANDFUL, NOTHING_KNOWN, Understanding, judged, of_account
from ingestor.model.accounting import Account
from ingestor.model.log_file import shown
from ingestor.model.snapshot import Snapshot
from ingestor.pipeline.classifier import parser_of
from ingestor.sources.file.discovery import live_paths
from ingestor.sources.file.files import DamagedFileError, open_log
from ingestor.state.state import State
from parsers.contract import Parser

log = logging.getLogger("tokentail")

PEEK_BYTES: Final = 65_536
"""Of each log, for a command that looks at all of them."""
MOST_LOGS: Final = 100
"""So many are looked at; the others are judged by their accounts alone."""
_MOST_BYTES: Final = 4 << 20
"""Of all of them together, as long as that is more."""
_WINDOW_LINES: Final = 200
_QUIET_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 60.0


def look_closer(path: str, source: str, understanding: Understanding, settings: Settings) -> Misfit:
    """Return why a log is not understood; without a reason when its lines cannot be looked at."""
    sample, parser = _looked_at(path, source, settings)
    return misfit(path, understanding, sample, parser, _now_ms())


def misfits(sources: Iterable[tuple[str, str, Account]], settings: Settings, *, peek: bool = True) -> list[Misfit]:
    """Return the logs that are not understood. ``sources``: source, path and account of each.

    Its newest lines say how a log is now. Where they cannot be read, and without ``peek`` for all whose accounts are in order,
    the account says how it was.
    """
    sources = list(sources)
    most_bytes = max(PEEK_BYTES, _MOST_BYTES // max(1, len(sources)))
    found = []
    for number, (source, path, account) in enumerate(sources):
        if not _is_suspicious(account) and (not peek or number >= MOST_LOGS):
            continue
        sample, parser = _looked_at(path, source, settings, most_bytes)
        understanding = _as_of_now(sample, parser, of_account(account))
        if understanding.doubtful:
            found.append(misfit(path or source, understanding, sample, parser, _now_ms()))
    return found


def file_as_of_now(path: str, source: str, whole: Understanding, settings: Settings) -> Understanding:
    """Judge one file by what is known of all its lines, and by how it ends, which may be without one."""
    if whole.wrong or (whole.lines and whole.rejected < HANDFUL):
        return whole
    now = _as_of_now(*_looked_at(path, source, settings), whole)
    return now if now.wrong else whole


def _as_of_now(sample: Sample, parser: Parser, whole: Understanding) -> Understanding:
    return as_of_now(outcomes_of(sample, parser, _now_ms()), whole, has_newest=sample.has_newest)


def _is_suspicious(account: Account) -> bool:
    """Whether so much of a log was rejected, or so little is an event, that its lines are worth a look."""
    return of_account(account).doubtful or account.total_rejected >= HANDFUL


def accounted(state: State) -> tuple[Account, list[tuple[str, str, Account]]]:
    """Return what became of all lines that a state knows; and source, path and account of each log that is in doubt."""
    accounts, total = state.accounts(), Account()
    for account in accounts.values():
        total.add(account)
    doubtful = {source: account for source, account in accounts.items() if _is_suspicious(account)}
    paths = {generation.source: generation.path for generation in state.generations()} if doubtful else {}
    return total, [(source, paths.get(source, source), account) for source, account in doubtful.items()]


class Doubts:
    """Watches a daemon, and says once of a log that its lines do not become events, and once that they do again."""

    def __init__(self, settings: Callable[[], Settings], before: Mapping[str, Account] = MappingProxyType({})) -> None:
        """Begin to watch, before anything is read. ``settings`` returns those in effect, ``before`` is what was read earlier."""
        self._settings = settings
        self._look_at: float | None = None
        """When logs are looked at next of which no line was read, in seconds."""
        # A log of which nothing ever became an event is told at each start.
        self._judged = {source: _copy(its) if of_account(its).events else Account() for source, its in before.items()}
        """Of a source: the account up to which its lines were judged."""
        self._seen: dict[str, tuple[int, float]] = {}
        """Of a source: lines read, and since when it is so many, in seconds."""
        self._looked: dict[str, tuple[int, float]] = {}
        """Of a source: lines read when its file was looked at, and when that was."""
        self._told: set[str] = set()
        self._remarked: set[str] = set()

    def __call__(self, figures: Snapshot) -> None:
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
        before = self._judged.setdefault(source, Account())
        window, whole = of_account(_since(account, before)), of_account(account)
        lines, since = self._seen.get(source, (-1, now))
        if account.read != lines:
            self._seen[source] = account.read, now
        quiet = account.read == lines and now - since >= _QUIET_SECONDS
        if not window.lines or (window.lines < _WINDOW_LINES and not quiet):
            return
        understanding = NOTHING_KNOWN
        if window.lines >= FEWEST or not whole.events:
            understanding = judged(window, NOTHING_KNOWN if window.events else window, whole)
        if not understanding.wrong and window.rejected >= HANDFUL:  # it may end otherwise than it began
            looked_up_to, at = self._looked.get(source, (-1, -math.inf))
            if account.read == looked_up_to or now - at < _QUIET_SECONDS:
                return  # a file is not looked at all the time
            self._looked[source] = account.read, now
            understanding = self._look(source, whole)
        enough = window.lines >= _WINDOW_LINES
        if enough or understanding.wrong:
            self._judged[source] = _copy(account)
        self._say(source, understanding, has_recovered=enough and window.events > 0 and not understanding.wrong)

    def _look(self, source: str, whole: Understanding) -> Understanding:
        settings = self._settings()
        return _as_of_now(*_looked_at(path_of(source, settings), source, settings), whole)

    def _say(self, source: str, understanding: Understanding, *, has_recovered: bool) -> None:
        settings = self._settings()
        path = path_of(source, settings)
        if has_recovered and source in self._told:
            self._told.discard(source)
            log.info("%s: its lines become events again", path)
        told = self._told if understanding.wrong else self._told | self._remarked
        if understanding.doubtful and source not in told:
            (self._told if understanding.wrong else self._remarked).add(source)
            log.warning("%s: %s", path, look_closer(path, source, understanding, settings).told)


def silent_logs(settings: Settings, known: Container[str]) -> list[tuple[str, str, Account]]:
    """Return source, path and empty account of the logs that are there and not ``known``: no line of them was read."""
    live = ((entry.source or shown(path), path) for entry in settings.logs for path in live_paths(entry.path))
    return [(source, path, Account()) for source, path in live if source not in known][:MOST_LOGS]


def path_of(source: str, settings: Settings) -> str:
    """Return where the log of a source is, the last one where a glob names several: a source without a name of its own is its path."""
    entry = next((entry for entry in settings.logs if entry.source == source), None)
    return source if entry is None else next(reversed(live_paths(entry.path)), entry.path)


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


def _looked_at(path: str, source: str, settings: Settings, most_bytes: int = _MOST_BYTES) -> tuple[Sample, Parser]:
    """Return some lines of a log and its parser; no lines when its parser cannot be used, as `tokentail validate` says."""
    try:
        return _sample(path, most_bytes), parser_of(source, settings)
    except ConfigError:
        return Sample(b""), parsers.find("native")


def _sample(path: str, most_bytes: int) -> Sample:
    try:
        with contextlib.closing(open_log(path)) as file:
            return sample_of(file, most_bytes=most_bytes)
    except (OSError, ValueError, DamagedFileError):
        return Sample(b"")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
