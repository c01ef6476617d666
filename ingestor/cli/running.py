"""A running daemon and what surrounds it: signals, systemd, Prometheus."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator

from ingestor.cli.access import writing
from ingestor.core.accounting import Account
from ingestor.core.figures import Figures
from ingestor.errors import TokentailError
from ingestor.settings import Settings
from ingestor.shell.daemon import Daemon
from ingestor.shell.notify import Notifier
from ingestor.shell.prometheus import endpoint

log = logging.getLogger("tokentail")


def follow_once(settings: Settings) -> int:
    """Read to the end of every log; return how many lines were rejected."""
    with writing(settings) as state, contextlib.closing(Daemon(settings, state, once=True)) as daemon:
        before = _total(daemon).total_rejected
        log.info("Reading %s into %s", ", ".join(entry.path for entry in settings.logs), _store(settings))
        daemon.run_once()
        return _sum_up(daemon).total_rejected - before


def follow(settings: Settings, load: Callable[[], Settings], notifier: Notifier) -> None:
    """Run the daemon until SIGTERM or SIGINT. SIGHUP has it go on with what ``load`` returns.

    Ready is said once the state and its files are open: a store that is away at boot is trouble, and no failure to start.
    """
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(writing(settings))
        daemon = stack.enter_context(contextlib.closing(Daemon(settings, state)))
        if settings.telemetry.listen:
            daemon.watchers.append(stack.enter_context(endpoint(settings.telemetry.listen)))
        stop, reload = stack.enter_context(_signals(daemon))
        daemon.watchers.append(_beating(notifier))
        log.info("Following %s into %s", ", ".join(entry.path for entry in settings.logs), _store(settings))
        notifier.ready("Following the logs")

        def between_turns() -> None:
            if reload.is_set():
                reload.clear()
                _reload(daemon, load, notifier)

        daemon.run_forever(stop, between_turns=between_turns, longest_wait=notifier.watchdog_seconds)
        notifier.stopping("Storing what was read")
        daemon.drain()
        _sum_up(daemon)


def _reload(daemon: Daemon, load: Callable[[], Settings], notifier: Notifier) -> None:
    notifier.reloading("Reading the configuration anew")
    try:
        daemon.reload(load())
    except TokentailError as error:
        log.error("The new configuration is not used, the old one is kept: %s", error)
        notifier.ready("The new configuration was refused; the old one is kept")
    else:
        log.info("The new configuration is in use")
        notifier.ready("The new configuration is in use")


def _beating(notifier: Notifier) -> Callable[[Figures], None]:
    def beat(figures: Figures) -> None:
        notifier.beat(figures.summary(), time.monotonic())

    return beat


@contextlib.contextmanager
def _signals(daemon: Daemon) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Yield the events that SIGTERM and SIGINT, and SIGHUP, set; a second SIGINT interrupts at once."""
    stop, reload = threading.Event(), threading.Event()

    def ask_to_stop(number: int, _frame: object) -> None:
        log.info("%s: storing what was read, then ending", signal.Signals(number).name)
        stop.set()
        daemon.nudge()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def ask_to_reload(_number: int, _frame: object) -> None:
        reload.set()
        daemon.nudge()

    handlers = {signal.SIGTERM: ask_to_stop, signal.SIGINT: ask_to_stop, signal.SIGHUP: ask_to_reload}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop, reload
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _store(settings: Settings) -> str:
    if settings.store.type == "influxdb":
        return f"InfluxDB at {settings.store.url}, database {settings.store.database}"
    return str(settings.state_directory)


def _total(daemon: Daemon) -> Account:
    total = Account()
    for account in daemon.delivery.accounts.values():
        total.add(account)
    return total


def _sum_up(daemon: Daemon) -> Account:
    total = _total(daemon)
    expired = f", {total.expired:,} older than the store keeps" if total.expired else ""
    log.info(
        f"Done. {total.read:,} lines read in all: {total.stored:,} stored, {total.total_rejected:,} rejected, "  # noqa: G004 - once
        f"{total.ignored:,} ignored{expired}"
    )
    return total
