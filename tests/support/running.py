"""A daemon over a state, stopped and started at will: what tests of files and of other sources share."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ingestor.config.settings import Settings
from ingestor.daemon.daemon import Daemon
from ingestor.sources.contract import Source
from ingestor.state.checkpoint import Gap
from ingestor.state.rejected_file import read_rejected
from ingestor.state.state import State
from parsers.contract import Reason

T = TypeVar("T")


class Running:
    """The daemon of a test. ``now`` is its clock, monotonic seconds."""

    def __init__(self, state_directory: Path) -> None:
        self.state_directory = state_directory
        self.host = "host-1"
        self.now = 1000.0
        self._running: tuple[State, Daemon] | None = None

    @property
    def settings(self) -> Settings:
        """What the next daemon is started with."""
        raise NotImplementedError

    def new_source(self) -> Source | None:
        """Return what the next daemon reads; None: what its settings name."""
        return None

    @property
    def daemon(self) -> Daemon:
        """The running daemon; it is started when none runs."""
        if self._running is None:
            state = State.open(self.state_directory, self.host)
            self._running = state, Daemon(self.settings, state, source=self.new_source())
        return self._running[1]

    def turn(self, times: int = 1, *, seconds: float = 1.0) -> None:
        """Let the daemon take turns until nothing is left to do, ``times`` times, a second of its clock apart."""
        for _ in range(times):
            self.now += seconds
            while self.daemon.step(self.now):
                self.now += 0.2

    def stop(self) -> None:
        """Stop as a crash does: what is not committed is gone."""
        if self._running is not None:
            state, daemon = self._running
            daemon.close()
            state.close()
            self._running = None

    def once(self) -> None:
        """Run as ``tokentail run --once`` does."""
        self.stop()
        with (
            contextlib.closing(State.open(self.state_directory, self.host)) as state,
            contextlib.closing(Daemon(self.settings, state, once=True, source=self.new_source())) as daemon,
        ):
            daemon.run_once()

    def ask(self, question: Callable[[State], T]) -> T:
        """Ask the state what is durable."""
        with contextlib.closing(State.open_reader(self.state_directory)) as state:
            return question(state)

    def gaps(self) -> list[Gap]:
        return self.ask(lambda state: state.gaps())

    def rejected(self) -> list[Reason]:
        return [entry.reason for entry in read_rejected(self.state_directory)]
