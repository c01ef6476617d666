"""`tokentail run` with the wiring that systemd wants, until the command itself has it: READY, STATUS, WATCHDOG, reload, stop.

It is what ``tests/systemd/test_booted.py`` has a real systemd run. SIGUSR1 makes it hang, as a fault would.
"""

import contextlib
import signal
import threading
import time
from pathlib import Path

from ingestor import config
from ingestor.cli import journal
from ingestor.cli.access import writing
from ingestor.core.accounting import Account
from ingestor.shell.daemon import Daemon
from ingestor.shell.notify import Notifier
from ingestor.shell.state import State

TURN_SECONDS = 0.1


def main() -> None:
    notifier = Notifier()
    stop, reload, hang = threading.Event(), threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    signal.signal(signal.SIGUSR1, lambda *_: hang.set())
    journal.speak()
    settings = config.load(Path("/etc/tokentail/tokentail.toml")).settings
    with writing(settings) as state, contextlib.closing(Daemon(settings, state)) as daemon:
        notifier.ready(figures(state))
        while not stop.wait(TURN_SECONDS):
            if reload.is_set():
                reload.clear()
                notifier.reloading("Reading the configuration anew")
                notifier.ready("Read the configuration anew")
                time.sleep(1.5)
            if hang.is_set():
                threading.Event().wait()
            daemon.step()
            notifier.beat(figures(state), time.monotonic())
        notifier.stopping("Storing what was read")
        daemon.run_forever(stop)  # it is set: what is pending is committed


def figures(state: State) -> str:
    total = Account()
    for account in state.accounts().values():
        total.add(account)
    return f"{total.read} read, {total.stored} stored"


if __name__ == "__main__":
    main()
