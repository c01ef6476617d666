"""How the service is: what `systemctl show` tells, condensed, and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingestor.errors import ExitCode

PROPERTIES: Final = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "StateChangeTimestampMonotonic",
    "MainPID",
    "ExecMainStatus",
    "Result",
    "StatusText",
    "NRestarts",
    "WatchdogUSec",
    "WatchdogTimestampMonotonic",
    "MemoryCurrent",
)
"""What is asked for."""
JOURNAL: Final = "`journalctl -u tokentail -n 50`"

_AFTER_EXIT: Final[dict[int, str]] = {
    ExitCode.USAGE: "The command line in the unit or a drop-in is wrong: `systemctl cat tokentail`.",
    ExitCode.UNAVAILABLE: "Something that it needs was out of reach; it is started again by itself.",
    ExitCode.NO_PERMISSION: "It may not read its configuration or write its state; `tokentail service install` says which.",
    ExitCode.BAD_CONFIG: "The configuration is refused: `tokentail validate` lists what is wrong.",
    200: "Its directory does not exist: look at the drop-ins with `systemctl cat tokentail`.",
    203: "Its program is not where it was: run `tokentail service install` of the new place.",
    216: "A group of SupplementaryGroups= does not exist: `tokentail service install --group NAME`.",
    217: "Its user cannot be made: look at the drop-ins with `systemctl cat tokentail`.",
    226: "The sandbox cannot be set up here, as in some containers: the journal says which option, a drop-in can undo it.",
    238: "Its state directory cannot be made: is the disk full or read-only?",
    243: "A credential cannot be read: credentials under a path must exist, those in /etc/credstore need not.",
}
"""By exit code; those from 200 on are systemd's own (systemd.exec(5), process exit codes)."""
_AFTER_RESULT: Final = {
    "watchdog": "It hung, and was killed. The journal shows where each thread stood: please report that.",
    "oom-kill": "It needed more than MemoryMax= allows, and goes on where it was. `systemctl edit tokentail` can raise it.",
    "timeout": "It did not get ready, or did not end, in time.",
    "resources": "systemd could not set it up.",
}


@dataclass(frozen=True, slots=True)
class Service:
    """The state of the unit."""

    loaded: str
    active: str
    sub: str
    enabled: str
    needs_reload: bool
    for_seconds: float | None
    """How long it has been in this state."""
    main_pid: int | None
    exit_code: int
    """Of the main process that ended last."""
    result: str
    status: str
    """What the daemon says of itself."""
    restarts: int
    watchdog_seconds: float | None
    fed_seconds_ago: float | None
    memory_bytes: int | None

    @property
    def good(self) -> bool:
        """Whether it runs as it should."""
        return self.active in ("active", "reloading") and self.loaded == "loaded"


def parse(shown: str, now: float) -> Service:
    """Read the output of ``systemctl show``. ``now``: monotonic seconds."""
    told = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    since, fed = (_seconds(told, f"{what}TimestampMonotonic") for what in ("StateChange", "Watchdog"))
    watchdog = _span(told.get("WatchdogUSec", ""))
    return Service(
        loaded=told.get("LoadState", "unknown"),
        active=told.get("ActiveState", "unknown"),
        sub=told.get("SubState", "unknown"),
        enabled=told.get("UnitFileState", "") or "not installed",
        needs_reload=told.get("NeedDaemonReload") == "yes",
        for_seconds=max(0.0, now - since) if since else None,
        main_pid=_number(told, "MainPID") or None,
        exit_code=_number(told, "ExecMainStatus") or 0,
        result=told.get("Result", "unknown"),
        status=told.get("StatusText", ""),
        restarts=_number(told, "NRestarts") or 0,
        watchdog_seconds=watchdog,
        fed_seconds_ago=max(0.0, now - fed) if fed and watchdog else None,
        memory_bytes=_number(told, "MemoryCurrent"),
    )


def advice(service: Service) -> Iterator[str]:
    """Yield what to do next; nothing when all is well."""
    if service.loaded == "not-found":
        yield "It is not installed: `tokentail service install`."
        return
    if service.loaded != "loaded":
        yield f"systemd cannot use the unit ({service.loaded}): `systemctl status tokentail` says why."
    if service.needs_reload:
        yield "The unit has changed on disk: `systemctl daemon-reload`, then `systemctl restart tokentail`."
    if not service.good:
        yield from _why_not(service)
    elif service.restarts:
        yield f"It was restarted by itself {_times(service.restarts)}: {JOURNAL} says why."
    if service.enabled == "disabled":
        yield "It does not start with the machine: `systemctl enable tokentail`."
    elif service.enabled == "masked":
        yield "It is masked, so that nothing can start it: `systemctl unmask tokentail`."


def _why_not(service: Service) -> Iterator[str]:
    failed = service.active == "failed" or service.sub == "auto-restart"
    if service.result in _AFTER_RESULT:
        yield _AFTER_RESULT[service.result]
    elif failed and service.exit_code in _AFTER_EXIT:
        yield _AFTER_EXIT[service.exit_code]
    if failed:
        yield f"{JOURNAL} has its last words."
    if service.active == "failed":
        yield "Then: `systemctl restart tokentail`."
    elif service.active == "inactive":
        yield "It is stopped: `systemctl start tokentail`."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _number(told: Mapping[str, str], name: str) -> int | None:
    """Return a number; None for "[not set]" and what is out of range, which is how systemd writes "unknown"."""
    text = told.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < 1 << 63 else None


def _seconds(told: Mapping[str, str], name: str) -> float | None:
    microseconds = _number(told, name)
    return microseconds / 1_000_000 if microseconds else None


def _span(text: str) -> float | None:
    """Read systemd's way of writing a length of time (``2min 30s``); None for zero, infinity and what is none."""
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
    total = 0.0
    for part in text.split():
        digits = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        if not digits.replace(".", "", 1).isdigit() or part[len(digits) :] not in units:
            return None
        total += float(digits) * units[part[len(digits) :]]
    return total or None
