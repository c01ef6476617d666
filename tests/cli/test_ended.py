"""SIGTERM is obeyed within two seconds, however the store fails, and what it did not acknowledge is sent again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Tokentail
from tests.support.scripted import OK, Reply, ScriptedServer, scripted
from tests.support.world import Log

pytestmark = pytest.mark.long

TOKENTAIL = (sys.executable, "-m", "ingestor")
SECONDS = 4.0
"""Two, and two more for a machine that has other things to do."""
NO_CONNECTION = "no connection"
FAULTS = {
    "refusing": Reply(503),
    "silent": Reply(hang=True),
    "slow head": Reply(200, slow_head=True),
    "slow body": Reply(200, drip=True),
}

SETTLED = 0.5
"""Seconds until a question to the store is under way, which nothing tells."""
options_of = pytest.mark.parametrize("options", [(), ("--once",)], ids=["run", "run --once"])


class Scene:
    """A log, a store that fails as told, and one process at a time that reads the one into the other."""

    def __init__(
        self, directory: Path, server: ScriptedServer, tokentail: Tokentail, environment: dict[str, str]
    ) -> None:
        self.server = server
        self.log = Log(directory / "audit.log", "audit")
        self.state = directory / "state"
        self.config = directory / "tokentail.toml"
        self.said = directory / "said"
        self.configure(server.store.url)
        self._tokentail = tokentail
        self._environment = environment

    @property
    def _place(self) -> tuple[str, ...]:
        return "--config", str(self.config), "--state-dir", str(self.state)

    def configure(self, url: str, more: str = "") -> None:
        self.config.write_text(f'[[logs]]\npath = "{self.log.path}"\n[store]\ntype = "influxdb"\nurl = "{url}"\n{more}')

    @contextlib.contextmanager
    def run(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [*TOKENTAIL, "run", *self._place, *options]
        with (
            self.said.open("wb") as said,
            subprocess.Popen(command, stderr=said, env=self._environment) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def says(self, what: str) -> None:
        until(lambda: what in self.said.read_text())

    @contextlib.contextmanager
    def failing(self, fault: str) -> Iterator[None]:
        """Have the store fail from now on."""
        with no_connection() if fault == NO_CONNECTION else contextlib.nullcontext(self.server.store.url) as url:
            self.server.otherwise = FAULTS.get(fault, OK)
            self.configure(url)
            yield

    def end(self, process: subprocess.Popen[bytes], code: int = 0) -> None:
        """Have a process end, and look at how and how soon it does."""
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == code, self.said.read_text()
        assert time.monotonic() - began < SECONDS, self.said.read_text()

    def once(self) -> None:
        """Read all with a store that is well."""
        self.server.otherwise = OK
        self.configure(self.server.store.url)
        ran = self._tokentail("run", "--once", *self._place)
        assert ran.exit_code == 0, ran.output

    def check(self) -> None:
        """Read all with a store that is well again: every event is there, as one point."""
        self.once()
        points = {line for line in self.server.stored if line.startswith(b"token_events,")}
        found = [line.split(b'event_id="')[1].split(b'"')[0].decode() for line in points]
        assert sorted(found) == sorted(self.log.written)
        status = json.loads(self._tokentail("status", "--json", *self._place).stdout)
        assert (status["read"], status["stored"], status["gaps"]) == (len(found), len(found), [])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def scene(tmp_path: Path, tokentail: Tokentail, environment: dict[str, str]) -> Iterator[Scene]:
    with scripted() as server:
        yield Scene(tmp_path, server, tokentail, environment)


@contextlib.contextmanager
def no_connection() -> Iterator[str]:
    """Give the address of a server that takes no connection and refuses none: its queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_begins_to_fail_while_events_come(scene: Scene, fault: str) -> None:
    scene.log.write(10)
    with scene.run() as process:
        until(lambda: any(line.startswith(b"token_events,") for line in scene.server.stored))
        scene.server.otherwise = FAULTS[fault]
        asked = len(scene.server.requests)
        scene.log.write(300)
        scene.server.wait_for(asked + 1)
        scene.end(process)
    scene.check()


@options_of
@pytest.mark.parametrize("fault", ["silent", "slow head", "slow body", NO_CONNECTION])
def test_a_new_state_looks_for_events_of_a_former_one(scene: Scene, fault: str, options: tuple[str, ...]) -> None:
    """For up to five seconds, before anything is read."""
    scene.log.write(300)
    with scene.failing(fault), scene.run(*options) as process:
        until((scene.state / "tokentail.db-wal").exists)
        time.sleep(SETTLED)
        scene.end(process, 143 if options else 0)
    scene.check()


@options_of
@pytest.mark.parametrize("fault", ["silent", "slow head", NO_CONNECTION])
def test_the_first_events_of_a_log(scene: Scene, fault: str, options: tuple[str, ...]) -> None:
    scene.log.write(0)
    scene.once()  # the state has looked for a former one: what is waited for next comes at once
    scene.log.write(300)
    with scene.failing(fault), scene.run(*options) as process:
        scene.says("Reading" if options else "Following")
        time.sleep(SETTLED)
        scene.end(process, 143 if options else 0)
    scene.check()


def test_the_first_events_of_a_new_state(scene: Scene) -> None:
    scene.log.write(300)
    with scene.failing("silent"), scene.run() as process:
        scene.says("Following")
        time.sleep(SETTLED)
        scene.end(process)
    scene.check()


@pytest.mark.parametrize("fault", ["silent", "slow head"])
def test_a_configuration_that_is_read_anew(scene: Scene, fault: str) -> None:
    """What was read is stored first, which is waited for."""
    scene.log.write(10)
    with scene.run() as process:
        until(lambda: any(line.startswith(b"token_events,") for line in scene.server.stored))
        scene.server.otherwise = FAULTS[fault]
        asked = len(scene.server.requests)
        scene.log.write(300)
        scene.server.wait_for(asked + 1)
        scene.configure(scene.server.store.url, "[read]\npoll_interval_seconds = 0.5\n")
        os.kill(process.pid, signal.SIGHUP)
        time.sleep(1.0)
        scene.end(process)
    scene.check()
