"""Every source does what the contract says: the conformance suite over each of them."""

from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings, Settings
from ingestor.sources.contract import Source
from ingestor.sources.opening import open_source
from tests.support.memory_source import Broker, MemorySource
from tests.support.source_conformance import CHECKS, READ, WHENEVER, Bench, Conformance, SourceCase


class FileCase:
    """Logs on the disk."""

    def __init__(self, directory: Path) -> None:
        self._paths = [directory / "a.log", directory / "b.log"]
        for path in self._paths:
            path.touch()

    def settings(self, state_directory: Path) -> Settings:
        logs = tuple(LogSettings(str(path)) for path in self._paths)
        return Settings(logs=logs, state_directory=state_directory, read=READ, retention=WHENEVER)

    def open(self, settings: Settings) -> Source:
        assert settings.state_directory is not None
        return open_source(settings, settings.state_directory)

    def write(self, stream: int, data: bytes) -> None:
        with self._paths[stream].open("ab") as file:
            file.write(data)

    def stop_serving(self) -> None:
        for path in self._paths:
            path.unlink()
            path.symlink_to(path)  # a loop: it can be opened by nobody


class MemoryCase:
    """Topics in memory."""

    def __init__(self, _directory: Path) -> None:
        self.broker = Broker()

    def settings(self, state_directory: Path) -> Settings:
        logs = tuple(LogSettings(f"memory:{name}", source=name) for name in ("orders", "logins"))
        return Settings(logs=logs, state_directory=state_directory, read=READ, retention=WHENEVER)

    def open(self, settings: Settings) -> Source:
        return MemorySource(settings, self.broker)

    def write(self, stream: int, data: bytes) -> None:
        self.broker.write(("orders", "logins")[stream], data)

    def stop_serving(self) -> None:
        self.broker.away = "The broker cannot be reached"


CASES: list[type[SourceCase]] = [FileCase, MemoryCase]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_source(case: type[SourceCase], check: str, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    bench = Bench(tmp_path, case(origin))
    try:
        getattr(Conformance(), check)(bench)
    finally:
        bench.stop()
