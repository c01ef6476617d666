"""Which source reads what the settings name."""

import contextlib
import dataclasses
from pathlib import Path

import pytest

from ingestor.checks.checks import check_all
from ingestor.config.load import load
from ingestor.config.schemes import SCHEMES
from ingestor.config.settings import LogSettings, Settings
from ingestor.daemon.supervise import follow_once
from ingestor.errors import ConfigError
from ingestor.jobs.status import status
from ingestor.model.check_result import Level
from ingestor.sources import opening
from ingestor.sources.file.log_files import LogFiles
from ingestor.state.state import State
from tests.support.memory_source import SCHEME, Broker, MemorySource
from tests.support.source_conformance import WHENEVER, Lines
from tests.support.world import World


@pytest.fixture(autouse=True)
def memory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMES, SCHEME, str.lower)
    monkeypatch.setitem(opening.SOURCES, SCHEME, lambda settings: MemorySource(settings, Broker()))


def settings_of(*paths: str) -> Settings:
    return Settings(logs=tuple(map(LogSettings, paths)))


def test_a_path_names_a_source_by_its_beginning(tmp_path: Path) -> None:
    assert isinstance(opening.open_source(settings_of("memory:a", "memory:b"), tmp_path), MemorySource)
    assert isinstance(opening.SourceOpener(tmp_path).open(settings_of("memory:a")), MemorySource)
    assert isinstance(opening.open_source(settings_of("/var/log/memory:a"), tmp_path), LogFiles)
    assert isinstance(opening.SourceOpener(tmp_path).open(settings_of()), LogFiles)


def test_each_scheme_has_a_source() -> None:
    assert opening.SOURCES.keys() == SCHEMES.keys()


def test_no_file_is_looked_for_where_a_stream_is_named(tmp_path: Path) -> None:
    config = tmp_path / "tokentail.toml"
    config.write_text('[[logs]]\npath = "memory:Topic"\n', encoding="ascii")
    configured = load(config, environment={}, state_directory=tmp_path)
    assert [entry.path for entry in configured.settings.logs] == ["memory:topic"]
    named = load(
        environment={}, logs=["memory:topic", "audit.log"], state_directory=tmp_path, system_config=tmp_path / "none"
    )
    assert [entry.path for entry in named.settings.logs] == ["memory:topic", str(Path("audit.log").absolute())]
    (checked,) = [check for check in check_all(configured.settings, tmp_path) if check.where == "memory:topic"]
    assert checked.level is Level.OK


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


def test_run_once_reads_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker, lines = Broker(), Lines()
    monkeypatch.setitem(opening.SOURCES, SCHEME, lambda settings: MemorySource(settings, broker))
    broker.write("good", lines.events(50))
    broker.write("bad", b"no event\n" * 50)
    settings = dataclasses.replace(
        settings_of("memory:good", "memory:bad", "memory:silent"), state_directory=tmp_path, retention=WHENEVER
    )
    read = follow_once(settings)
    assert read.rejected == 50
    assert [misfit.path for misfit in read.misfits] == ["memory:bad"]
    with contextlib.closing(State.open_reader(tmp_path)) as state:
        assert {log.source: log.account.stored for log in status(state).logs} == {
            "memory:good": 50,
            "memory:bad": 0,
            "memory:silent": 0,
        }


def test_a_daemon_has_one_source(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not both"):
        opening.open_source(settings_of("/var/log/a.log", "memory:b"), tmp_path)
