"""What arrives at a real notify socket, what never does, and that nothing here can stop a daemon."""

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.daemon import sd_notify
from ingestor.daemon.sd_notify import Notifier, watchdog_seconds

MANAGER_TAKES = 4096
"""Bytes; systemd ignores more (its NOTIFY_BUFFER_MAX is PIPE_BUF)."""


class Manager:
    """The other end."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        messages: list[str] = []
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return messages
            assert len(data) <= MANAGER_TAKES
            messages.append(data.decode())


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.socket.close()


@pytest.fixture
def notifier(manager: Manager, tmp_path: Path) -> Notifier:
    del manager  # it must be there
    return Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"})


def test_each_message_is_what_sd_notify_has(manager: Manager, notifier: Notifier) -> None:
    assert notifier.ready()
    assert notifier.ready("Following 2 logs")
    assert notifier.status("lag 0 s")
    assert notifier.status("")  # shows nothing any more
    assert notifier.watchdog()
    assert notifier.stopping("Storing what was read")
    assert manager.heard() == [
        "READY=1",
        "READY=1\nSTATUS=Following 2 logs",
        "STATUS=lag 0 s",
        "STATUS=",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=Storing what was read",
    ]


def test_a_reload_says_when_it_began(manager: Manager, notifier: Notifier) -> None:
    before = time.monotonic_ns() // 1000
    notifier.reloading("Reading the configuration")
    (message,) = manager.heard()
    told = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=Reading the configuration", message)
    assert told
    assert before <= int(told[1]) <= time.monotonic_ns() // 1000


def test_an_abstract_socket_is_reached() -> None:
    name = f"tokentail-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    try:
        assert Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert manager.heard() == ["READY=1"]
    finally:
        manager.socket.close()


@given(text=st.text())
def test_no_text_adds_an_assignment_or_exceeds_what_is_taken(text: str) -> None:
    name = f"tokentail-test-{os.getpid()}-text"
    manager = Manager(f"\0{name}")
    try:
        assert Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready(f"!{text}")
        (message,) = manager.heard()
        assert message.splitlines()[0] == "READY=1"
        assert len(message.splitlines()) == 2
        assert message.splitlines()[1].startswith("STATUS=!")
    finally:
        manager.socket.close()


def test_a_line_break_a_surrogate_and_a_very_long_text_are_tamed(manager: Manager, notifier: Notifier) -> None:
    assert notifier.status("a\nMAINPID=1\udcff" + "ü" * 100_000)
    (message,) = manager.heard()
    assert message.startswith("STATUS=a\N{REPLACEMENT CHARACTER}MAINPID=1")
    assert len(message.encode()) <= sd_notify.STATUS_BYTES + len("STATUS=")


@pytest.mark.parametrize(
    "name", ["", "/", "@", "relative", "vsock:2:1234", "/nowhere/notify", "@" + "x" * 300, "/a\0b"]
)
def test_without_anybody_to_tell_nothing_happens(name: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "2000000"})
    assert not notifier.ready()
    assert not notifier.status("x")
    assert not notifier.reloading()
    assert not notifier.stopping()
    notifier.beat("x", 0.0)


def test_a_manager_that_does_not_listen_is_waited_for_briefly(
    manager: Manager, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sd_notify, "PATIENCE_SECONDS", 0.05)
    sent = 0
    while notifier.watchdog():
        sent += 1
        assert sent < 100_000
    assert len(manager.heard()) == sent
    assert notifier.watchdog()


def test_a_manager_that_goes_away_is_no_error(manager: Manager, notifier: Notifier, tmp_path: Path) -> None:
    manager.socket.close()
    assert not notifier.ready()
    (tmp_path / "notify").unlink()
    assert not notifier.ready()


def test_a_beat_feeds_in_time_and_shows_what_changed(manager: Manager, notifier: Notifier) -> None:
    assert notifier.watchdog_seconds == 5.0
    for tenth in range(120):  # 12 s, ten turns a second, a status that changes every turn for the first six
        notifier.beat(f"{min(tenth, 60)} lines", 1000 + tenth / 10)
    heard = manager.heard()
    assert heard.count("WATCHDOG=1") == 3
    assert [message for message in heard if message != "WATCHDOG=1"] == [
        f"STATUS={tenth} lines" for tenth in range(0, 61, 10)
    ]


def test_a_beat_shows_its_status_again_after_another(manager: Manager, notifier: Notifier) -> None:
    for now in (10.0, 20.0):
        notifier.ready("Configuration read anew")
        notifier.beat("lag 0 s", now)
    assert [message for message in manager.heard() if "lag" in message] == ["STATUS=lag 0 s"] * 2


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 60.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "42"}, 60.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "two"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({"WATCHDOG_USEC": "9" * 400}, None),
        ({"WATCHDOG_PID": "42"}, None),
    ],
)
def test_how_often_the_watchdog_wants_to_be_fed(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment, 42) == seconds
