"""What a line's class is decided by: the digest that says whether counted lines are to be read as reclassified."""

from collections.abc import Iterator

import pytest

from ingestor.config.settings import BudgetSettings, ErrorRule, LogSettings, ReadSettings, Settings
from ingestor.pipeline.pipeline import Pipeline
from ingestor.state.state import State
from parsers.native import NativeParser
from tests.support.world import World

PATH = "/var/log/audit.log"


@pytest.fixture
def state(world: World) -> Iterator[State]:
    state = State.open(world.state_directory, "host-1")
    yield state
    state.close()


def rules(state: State, settings: Settings) -> str:
    pipeline = Pipeline(settings, state)
    try:
        return pipeline.rules_of(PATH)
    finally:
        pipeline.close()


def test_a_release_alone_reclassifies_nothing(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules(state, Settings())
    monkeypatch.setattr("ingestor.__version__", "the next release")
    assert rules(state, Settings()) == before
    monkeypatch.setattr(NativeParser, "version", "another")
    assert rules(state, Settings()) != before


@pytest.mark.parametrize(
    "settings",
    [
        Settings(errors={"Bad code": ErrorRule("invalid_code")}),
        Settings(trusted_proxies=("10.0.0.0/8",)),
        Settings(public_identifiers=("sk-web",)),
        Settings(read=ReadSettings(max_line_bytes=2048)),
        Settings(logs=(LogSettings(PATH, parser="native"),)),  # by default other providers are asked, too
    ],
)
def test_what_decides_is_in_the_rules(state: State, settings: Settings) -> None:
    assert rules(state, settings) != rules(state, Settings())


def test_the_order_of_patterns_decides(state: State) -> None:
    first, second = ("*code*", ErrorRule("invalid_code")), ("*expired*", ErrorRule("expired_code"))
    assert rules(state, Settings(errors=dict([first, second]))) != rules(state, Settings(errors=dict([second, first])))


@pytest.mark.parametrize(
    "settings",
    [
        Settings(budgets=BudgetSettings(clients=5)),
        Settings(time_zone="Europe/Berlin"),
        Settings(logs=(LogSettings(PATH, start="end"),)),
    ],
)
def test_what_decides_nothing_is_not(state: State, settings: Settings) -> None:
    assert rules(state, settings) == rules(state, Settings())


def test_what_a_mapping_says_is_in_the_rules(state: State) -> None:
    text = '[fields]\ntime = "at"\n[[rules]]\nwhen = { type = "no" }\naction = "token.revoked"\n'

    def mapped(text: str, path: str = "/etc/acme.toml") -> str:
        return rules(state, Settings(logs=(LogSettings(PATH, parser=f"mapping:{path}", mapping=text),)))

    assert mapped(text) == mapped(f"# a comment\n{text}") == mapped(text, "/srv/acme.toml")
    assert mapped(text) != mapped(text.replace('"no"', '"none"'))
    assert mapped(text) != rules(state, Settings())


def test_an_option_that_only_another_parser_takes_reclassifies_nothing(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rules(state, Settings())
    options = Settings.parser_options.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Settings, "parser_options", property(lambda self: {**options(self), "event_names": ("LOGIN",)}))
    assert rules(state, Settings()) == before
    monkeypatch.setattr(NativeParser, "options", frozenset({"event_names"}))
    monkeypatch.setattr(NativeParser, "__init__", lambda self, **_: setattr(self, "counts", {}))
    assert rules(state, Settings()) != before
