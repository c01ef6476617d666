"""A running daemon and what surrounds it: signals, systemd, Prometheus."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ingestor.config.settings import Settings
from ingestor.daemon.daemon import Daemon
from ingestor.daemon.patience import StoppingError
from ingestor.daemon.sd_notify import Notifier
from ingestor.errors import ExitCode, TokentailError
from ingestor.format_check.misfit import Misfit
from ingestor.format_check.misfits import Doubts, file_as_of_now, grown, look_closer, misfits, path_of, silent_logs
from ingestor.format_check.understanding import of_account
from ingestor.model.accounting import Account
from ingestor.model.log_file import shown
from ingestor.model.snapshot import Snapshot
from ingestor.model.words import counted
from ingestor.sources.opening import SourceOpener
from ingestor.state.opening import writing
from ingestor.state.state import State
from ingestor.stores.registry import store_of

log = logging.getLogger("tokentail")


class ReadOnce(NamedTuple):
    """What there is to complain of after everything was read once."""

    rejected: int = 0
    """Lines."""
    unread_bytes: int = 0
    """At the ends of logs: last lines without an end, which may be half written."""
    misfits: tuple[Misfit, ...] = ()
    """The logs that are not understood."""


def follow_once(settings: Settings) -> ReadOnce:
    """Read to the end of every log, and say what was left."""
    with (
        _ending_at_sigterm(),
        writing(settings) as state,
        contextlib.closing(Daemon(settings, state, once=True)) as daemon,
    ):
        before = _accounts(daemon)
        log.info("Reading %s into %s", ", ".join(entry.path for entry in settings.logs), store_of(settings).describe())
        daemon.run_once()
        read = grown(_accounts(daemon), before)
        settings = daemon.settings
        silent = silent_logs(settings, daemon.delivery.accounts)
        half_lines = daemon.source.half_lines()
        _sum_up(daemon)
    for path, length in half_lines.items():
        log.warning("%s at the end of %s are a line without an end: left unread", counted(length, "byte"), shown(path))
    rejected = sum(account.total_rejected for account in read.values())
    doubtful = _not_understood(settings, read) + misfits(silent, settings)
    return ReadOnce(rejected, sum(half_lines.values()), tuple(doubtful))


def follow(settings: Settings, load: Callable[[], Settings], notifier: Notifier) -> None:
    """Run the daemon until SIGTERM or SIGINT. SIGHUP has it go on with what ``load`` returns.

    Ready is said once the state and its files are open: a store that is away at boot is trouble, and no failure to start.
    """
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(writing(settings))
        signals = stack.enter_context(_signals())
        watchers = [_beating(notifier)]
        if settings.telemetry.listen:
            from ingestor.daemon.prometheus import endpoint  # noqa: PLC0415 - a web server, which most daemons have not

            watchers.append(stack.enter_context(endpoint(settings.telemetry.listen)))
        opener = stack.enter_context(contextlib.closing(SourceOpener(state.directory)))
        others: Settings | None = settings
        while others is not None:
            others = _follow(others, state, load, notifier, signals, watchers, opener)


def _follow(
    settings: Settings,
    state: State,
    load: Callable[[], Settings],
    notifier: Notifier,
    signals: "_Signals",
    watchers: list[Callable[[Snapshot], None]],
    opener: SourceOpener,
) -> Settings | None:
    """Run a daemon; return the settings for the next one, None for the end."""
    others: list[Settings] = []
    try:
        made = Daemon(settings, state, source=opener.open(settings), stop=signals.stop.is_set)
    except StoppingError:
        return None  # nothing was read yet
    with contextlib.closing(made) as daemon:
        daemon.watchers += [*watchers, Doubts(lambda: daemon.pipeline.settings, _accounts(daemon))]
        signals.nudge = daemon.wake

        def between_turns() -> None:
            if signals.reload.is_set():
                signals.reload.clear()
                others.extend(_reload(daemon, load, notifier))

        log.info(
            "Following %s into %s", ", ".join(entry.path for entry in settings.logs), store_of(settings).describe()
        )
        notifier.ready("Following the logs")
        daemon.run_forever(
            lambda: signals.stop.is_set() or bool(others),
            between_turns=between_turns,
            longest_wait=notifier.watchdog_seconds,
        )
        if others and not signals.stop.is_set():
            return others[-1]
        notifier.stopping("Storing what was read")
        daemon.drain()
        _sum_up(daemon)
        return None


def _reload(daemon: Daemon, load: Callable[[], Settings], notifier: Notifier) -> list[Settings]:
    """Have the daemon go on with new settings; return them when that takes another daemon."""
    notifier.reloading("Reading the configuration anew")
    try:
        settings = load()
        going_on = daemon.reload(settings)
    except StoppingError:
        return []
    except TokentailError as error:
        log.error("The new configuration is not used, the old one is kept: %s", error)
        daemon.keep_old_config(error)
        notifier.ready("The new configuration was refused; the old one is kept")
        return []
    log.info("The new configuration is in use")
    if not going_on:
        return [settings]  # it says that it is ready
    notifier.ready("The new configuration is in use")
    return []


def _beating(notifier: Notifier) -> Callable[[Snapshot], None]:
    def beat(figures: Snapshot) -> None:
        notifier.beat(figures.summary(), time.monotonic())

    return beat


@contextlib.contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """Have SIGTERM end the process at once, also where its default does not: the first process of a container."""

    def end(_number: int, _frame: object) -> None:
        log.warning("SIGTERM: ending at once; what is not stored is read again next time")
        raise SystemExit(int(ExitCode.TERMINATED))

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


class _Signals:
    """What SIGTERM and SIGINT, and SIGHUP, have asked for."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.reload = threading.Event()
        self.nudge: Callable[[], None] = lambda: None
        """Wakes the daemon."""


@contextlib.contextmanager
def _signals() -> Iterator[_Signals]:
    """Listen to signals; a second SIGINT interrupts at once."""
    asked = _Signals()

    def ask_to_stop(number: int, _frame: object) -> None:
        log.info("%s: storing what was read, then ending", signal.Signals(number).name)
        asked.stop.set()
        asked.nudge()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def ask_to_reload(_number: int, _frame: object) -> None:
        asked.reload.set()
        asked.nudge()

    handlers = {signal.SIGTERM: ask_to_stop, signal.SIGINT: ask_to_stop, signal.SIGHUP: ask_to_reload}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _not_understood(settings: Settings, read: Mapping[str, Account]) -> list[Misfit]:
    judged = {
        source: file_as_of_now(path_of(source, settings), source, of_account(account), settings)
        for source, account in read.items()
    }
    return [
        look_closer(path_of(source, settings), source, understanding, settings)
        for source, understanding in judged.items()
        if understanding.doubtful
    ]


def _accounts(daemon: Daemon) -> dict[str, Account]:
    return grown(daemon.delivery.accounts, {})


def _total(daemon: Daemon) -> Account:
    total = Account()
    for account in daemon.delivery.accounts.values():
        total.add(account)
    return total


def _sum_up(daemon: Daemon) -> None:
    total = _total(daemon)
    expired = f", {total.expired:,} older than the store keeps" if total.expired else ""
    log.info(
        f"Done. {counted(total.read, 'line')} read in all: {total.stored:,} stored, {total.total_rejected:,} rejected, "  # noqa: G004 - once
        f"{total.ignored:,} ignored{expired}"
    )
