"""docs/add-a-source.md tells the truth: the source that it writes is one, and the files that it names are there."""

import re
import sqlite3
import time
from pathlib import Path
from types import ModuleType

import pytest

from ingestor.config.settings import LogSettings, Settings
from ingestor.sources.contract import Source
from tests.support.source_conformance import CHECKS, READ, WHENEVER, Bench, Conformance

PAGE = Path(__file__).resolve().parents[2] / "docs/add-a-source.md"
TEXT = PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def written() -> ModuleType:
    """The module that the page writes."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    module = ModuleType("table_source")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)  # noqa: S102 - our own page
    return module


class TableCase:
    """Two tables of a database."""

    def __init__(self, directory: Path, module: ModuleType) -> None:
        self._database = directory / "app.db"
        self._module = module
        with sqlite3.connect(self._database) as connection:
            for name in ("audit", "logins"):
                connection.execute(f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, line TEXT, written_at REAL)")

    def settings(self, state_directory: Path) -> Settings:
        logs = tuple(LogSettings(f"table:{self._database}#{name}", source=name) for name in ("audit", "logins"))
        return Settings(logs=logs, state_directory=state_directory, read=READ, retention=WHENEVER)

    def open(self, settings: Settings) -> Source:
        source: Source = self._module.TableSource(settings)
        return source

    def write(self, stream: int, data: bytes) -> None:
        rows = [(line.decode(), time.time()) for line in data.splitlines()]
        with sqlite3.connect(self._database) as connection:
            connection.executemany(
                f"INSERT INTO {('audit', 'logins')[stream]}(line, written_at) VALUES(?,?)",
                rows,
            )

    def stop_serving(self) -> None:
        self._database.unlink()


@pytest.mark.parametrize("check", CHECKS)
def test_the_source_of_the_page_is_one(check: str, tmp_path: Path, written: ModuleType) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    bench = Bench(tmp_path, TableCase(origin, written))
    try:
        getattr(Conformance(), check)(bench)
    finally:
        bench.stop()


def test_the_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
