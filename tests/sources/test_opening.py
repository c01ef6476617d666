"""Which source reads what the settings name."""

import dataclasses
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ConfigError
from ingestor.sources import opening
from ingestor.sources.file.log_files import LogFiles
from tests.support.memory_source import SCHEME, Broker, MemorySource
from tests.support.world import World


@pytest.fixture(autouse=True)
def memory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(opening.SCHEMES, SCHEME, lambda settings: MemorySource(settings, Broker()))


def settings_of(*paths: str) -> Settings:
    return Settings(logs=tuple(map(LogSettings, paths)))


def test_a_path_names_a_source_by_its_beginning(tmp_path: Path) -> None:
    assert isinstance(opening.open_source(settings_of("memory:a", "memory:b"), tmp_path), MemorySource)
    assert isinstance(opening.SourceOpener(tmp_path).open(settings_of("memory:a")), MemorySource)
    assert isinstance(opening.open_source(settings_of("/var/log/memory:a"), tmp_path), LogFiles)
    assert isinstance(opening.SourceOpener(tmp_path).open(settings_of()), LogFiles)


def test_another_kind_of_source_takes_another_daemon(world: World) -> None:
    world.log.write(3)
    world.turn()
    others = dataclasses.replace(world.settings, logs=(LogSettings("memory:a"),))
    assert not world.daemon.reload(others)
    with pytest.raises(ConfigError):
        world.daemon.reload(dataclasses.replace(others, logs=(*others.logs, *world.log_settings)))
    world.log.write(3)
    world.turn()
    world.check()


def test_a_daemon_has_one_source(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not both"):
        opening.open_source(settings_of("/var/log/a.log", "memory:b"), tmp_path)
