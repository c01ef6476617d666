"""The whole demo: real files, the real daemon, the real store."""

import threading
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from ingestor.config.settings import Settings
from ingestor.demo import run_demo
from ingestor.demo.frame import Observer
from ingestor.demo.providers import PROVIDERS, Provider
from ingestor.demo.writer import LogWriter
from ingestor.errors import TokentailError
from ingestor.model.questions import Filters, Period, Record
from ingestor.state.state import State
from ingestor.stores.embedded.answers import SqliteAnswers


def console(width: int = 80) -> Console:
    return Console(file=StringIO(), width=width)


def text(of: Console) -> str:
    assert isinstance(of.file, StringIO)
    return of.file.getvalue()


@pytest.mark.long
@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_the_demo_proves_itself_without_a_terminal(tmp_path: Path, provider: Provider) -> None:
    output = console()
    assert run_demo(None, console=output, provider=provider, seconds=2, directory=tmp_path / "demo") == 0
    shown = text(output)
    assert f"writes {provider.log}" in shown
    assert f"Exactly once, from {provider.log}" in shown
    assert all(limit in shown for limit in provider.limits)
    assert "renamed" in shown
    assert "attack" in shown
    assert f"demo={tmp_path}/demo\n" in shown
    assert "\x1b" not in shown
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    log = provider.file_name
    assert names == {log, f"{log}.1", f"{log}.2", "state"}
    prose = [line for line in shown.partition("Try it")[0].splitlines() if str(tmp_path) not in line]
    assert max(map(len, prose)) <= 80


def test_another_program_is_told_whose_log_it_was_and_what_is_not_in_it(tmp_path: Path) -> None:
    output = console()
    assert (
        run_demo(None, console=output, provider=PROVIDERS["keycloak"], seconds=0.5, as_json=True, directory=tmp_path)
        == 0
    )
    figures = orjson.loads(text(output))
    assert figures["log"] == "Keycloak's JSON log"
    assert figures["unlogged"] > 0


@pytest.mark.long
def test_another_store_is_fed_and_programs_get_json(tmp_path: Path) -> None:
    settings = Settings(state_directory=tmp_path / "service")
    for number in (1, 2):  # a second demo adds its own source to the same store
        output = console()
        code = run_demo(settings, console=output, seconds=0.5, as_json=True, directory=tmp_path / f"demo{number}")
        figures = orjson.loads(text(output))
        assert code == 0
        assert figures["exactly_once"]
        assert (
            figures["written"]
            == figures["read"]
            == sum(figures[name] for name in ("stored", "rejected", "ignored", "expired", "pending"))
        )
        assert figures["state_directory"] == str(tmp_path / "service")
        stored = sum(figures["stats"]["by_action"].values())
        assert stored == figures["stored"] if number == 1 else stored > figures["stored"]
    assert not (tmp_path / "demo1" / "state").exists()


@pytest.mark.long
def test_an_event_that_is_missing_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SqliteAnswers.events

    def without_the_first(self: SqliteAnswers, period: Period, filters: Filters) -> Iterator[Record]:
        return islice(whole(self, period, filters), 1, None)

    monkeypatch.setattr(SqliteAnswers, "events", without_the_first)
    output = console()
    assert run_demo(None, console=output, seconds=0.5, directory=tmp_path) == 1
    assert "events written and not stored: 1, but must be 0" in text(output)
    assert "Exactly once" not in text(output)


def test_a_directory_with_a_demo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token-audit.log").write_bytes(b"somebody's")
    with pytest.raises(TokentailError, match="A demo was here before"):
        run_demo(None, console=console(), directory=tmp_path)
    assert (tmp_path / "token-audit.log").read_bytes() == b"somebody's"


@pytest.mark.long
def test_a_live_terminal_is_drawn_and_cleared(tmp_path: Path) -> None:
    output = Console(file=StringIO(), width=80, height=24, force_terminal=True, color_system="truecolor")
    assert run_demo(None, console=output, seconds=0.5, directory=tmp_path) == 0
    assert "\x1b[2K" in text(output)


def test_an_interrupt_leaves_the_files_and_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Observer, "look", interrupt)
    output = console()
    with pytest.raises(KeyboardInterrupt):
        run_demo(None, console=output, seconds=60, directory=tmp_path)
    assert f"stays in {tmp_path}" in text(output)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, LogWriter)]
    State.open(tmp_path / "state").close()  # the lock is free
