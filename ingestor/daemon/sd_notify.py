"""Tell systemd how the daemon is: the protocol of sd_notify(3), one datagram a message.

Outside systemd nothing is sent. It never raises, and never waits longer than ``PATIENCE_SECONDS``: what only tells how the
daemon is must not be what stops it.
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

from parsers.text import cap, clean

STATUS_BYTES: Final = 1024
"""systemd ignores a datagram above 4,096 bytes as a whole, so a long file name could cost a READY=1."""
PATIENCE_SECONDS: Final = 1.0
"""How long a full queue of the service manager is waited for."""
SECONDS_BETWEEN_STATUSES: Final = 1.0


class Notifier:
    """What a daemon says to its service manager; made from the environment in the process that is to be watched."""

    def __init__(self, environment: Mapping[str, str] | None = None, pid: int | None = None) -> None:
        """``pid`` is this process's, which $WATCHDOG_PID must name if there is one."""
        environment = os.environ if environment is None else environment
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._shown = ""
        self._shown_at = self._fed_at = float("-inf")
        self.watchdog_seconds = watchdog_seconds(environment, os.getpid() if pid is None else pid)
        """How often the watchdog wants to be fed, with room for one late meal; None when nobody watches."""

    def ready(self, status: str = "") -> bool:
        """Say that the start, or a reload, is done. This and all below return whether it was sent."""
        return self._send("READY=1", *self._showing(status))

    def status(self, text: str) -> bool:
        """Show one line of free text in ``systemctl status``."""
        return self._send(*self._showing(text) or ("STATUS=",))

    def watchdog(self) -> bool:
        """Feed the watchdog."""
        return self._send("WATCHDOG=1")

    def stopping(self, status: str = "") -> bool:
        """Say that the daemon is about to end: it still stores what it read."""
        return self._send("STOPPING=1", *self._showing(status))

    def reloading(self, status: str = "") -> bool:
        """Say that the configuration is read anew; ``ready`` must follow, also when the new one was refused.

        The time is what ``Type=notify-reload`` (systemd 253) tells this reload from an earlier one by.
        """
        return self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", *self._showing(status))

    def beat(self, status: str, now: float) -> None:
        """Feed the watchdog and show ``status``, each as often as is worth it; for every turn of a loop that moves on.

        A loop that may wait longer than ``watchdog_seconds`` for work must wake for this. ``now``: monotonic seconds.
        """
        if self._address is None:
            return
        if self.watchdog_seconds is not None and now - self._fed_at >= self.watchdog_seconds:
            self._fed_at = now
            self.watchdog()
        if status != self._shown and now - self._shown_at >= SECONDS_BETWEEN_STATUSES:
            self._shown_at = now
            self.status(status)

    def _showing(self, status: str) -> tuple[str, ...]:
        """Return the assignment that shows the text, if any. A line break in it would begin another assignment."""
        self._shown = status or self._shown
        return (f"STATUS={cap(clean(status), STATUS_BYTES)}",) if status else ()

    def _send(self, *assignments: str) -> bool:
        if self._address is None:
            return False
        try:
            # A socket for each message: it is rare, and the manager may have been executed anew since the last one.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.settimeout(PATIENCE_SECONDS)
                link.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            return False
        return True


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Return how often to feed the watchdog (sd_watchdog_enabled(3)): half of what it waits for. None: it is not on."""
    waits = environment.get("WATCHDOG_USEC", "")
    whose = environment.get("WATCHDOG_PID", "")
    if not _is_number(waits) or int(waits) == 0 or (whose and whose != str(pid)):
        return None
    return int(waits) / 2_000_000


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19


def _address(name: str) -> str | None:
    """Return the socket's address; ``@`` stands for the zero byte of an abstract one. Others (``vsock:``) are not ours."""
    if not name.startswith(("/", "@")) or len(name) < 2:
        return None
    return f"\0{name[1:]}" if name.startswith("@") else name
