"""What `systemctl show` tells, read and turned into advice."""

import dataclasses

import pytest

from ingestor.systemd.systemctl_show import Service, advice, parse

RUNNING = """\
Result=success
NRestarts=0
MainPID=234
ExecMainStatus=0
StatusText=10 read = 10 stored
MemoryCurrent=63963136
WatchdogUSec=2min
WatchdogTimestampMonotonic=999000000
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NeedDaemonReload=no
StateChangeTimestampMonotonic=940000000
"""


def running(**changes: object) -> Service:
    return dataclasses.replace(parse(RUNNING, 1000.0), **changes)  # type: ignore[arg-type]


def test_a_running_service_is_read_and_needs_no_advice() -> None:
    found = running()
    assert found == Service(
        loaded="loaded",
        active="active",
        sub="running",
        enabled="enabled",
        needs_reload=False,
        for_seconds=60.0,
        main_pid=234,
        exit_code=0,
        result="success",
        status="10 read = 10 stored",
        restarts=0,
        watchdog_seconds=120.0,
        fed_seconds_ago=1.0,
        memory_bytes=63963136,
    )
    assert found.good
    assert list(advice(found)) == []


def test_one_that_is_not_there_is_read_too() -> None:
    found = parse(
        "LoadState=not-found\nActiveState=inactive\nMemoryCurrent=[not set]\nMainPID=0\nWatchdogUSec=infinity", 1
    )
    assert not found.good
    assert (found.main_pid, found.memory_bytes, found.watchdog_seconds, found.for_seconds) == (None, None, None, None)
    assert found.enabled == "not installed"
    assert list(advice(found)) == ["It is not installed: `tokentail service install`."]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2min", 120),
        ("1min 30s", 90),
        ("4s", 4),
        ("500ms", 0.5),
        ("1h 5min", 3900),
        ("0", None),
        ("?s", None),
        ("", None),
    ],
)
def test_how_long_the_watchdog_waits(text: str, seconds: float | None) -> None:
    assert parse(f"WatchdogUSec={text}", 0.0).watchdog_seconds == seconds


def test_what_is_no_number_is_unknown() -> None:
    found = parse("MemoryCurrent=18446744073709551615\nNRestarts=x\nMainPID=", 0.0)
    assert (found.memory_bytes, found.restarts, found.main_pid) == (None, 0, None)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (running(active="failed", result="exit-code", exit_code=78), ["tokentail validate", "journalctl", "restart"]),
        (running(active="failed", result="exit-code", exit_code=77), ["may not read", "journalctl", "restart"]),
        (running(active="failed", result="exit-code", exit_code=9), ["journalctl", "restart"]),
        (running(active="failed", result="exit-code", exit_code=226), ["sandbox", "journalctl", "restart"]),
        (running(active="activating", sub="auto-restart", result="watchdog"), ["hung", "journalctl"]),
        (running(active="activating", sub="auto-restart", result="oom-kill"), ["MemoryMax=", "journalctl"]),
        (running(active="activating", sub="start"), []),
        (running(active="inactive"), ["systemctl start tokentail"]),
        (running(restarts=1), ["once"]),
        (running(restarts=1234), ["1,234 times"]),
        (running(enabled="disabled"), ["systemctl enable tokentail"]),
        (running(loaded="masked", active="inactive", enabled="masked"), ["masked", "systemctl start", "unmask"]),
        (running(needs_reload=True), ["daemon-reload"]),
    ],
)
def test_the_advice_is_what_helps(found: Service, words: list[str]) -> None:
    given = list(advice(found))
    assert len(given) == len(words)
    for text, word in zip(given, words, strict=True):
        assert word in text
