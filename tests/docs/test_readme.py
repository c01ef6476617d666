"""README tells the truth: about the commands, the configuration, the exit codes and the files it names."""

import dataclasses
import re
from typing import Any

import click
import pytest

import parsers
from ingestor.cli import cli
from ingestor.config.credentials import SECRET_VARIABLES
from ingestor.config.options import VARIABLES
from ingestor.config.settings import Settings
from ingestor.errors import ExitCode
from ingestor.model import schema
from parsers.contract import OUTCOMES, Event, Reason, Rejection
from tests.docs import reference

TEXT = reference.README.read_text("utf-8")
PROSE, _, _ = TEXT.partition(reference.BEGIN)
COMMANDS = dict(reference.commands())
DESIGNED = {
    *("run", "backfill", "demo", "explain", "validate", "verify", "status", "stats", "activity", "events"),
    *("top clients", "top users", "peak", "analytics", "rejected list", "rejected replay"),
    *("config sample", "config show", "store init", "rollup rebuild", "state backup"),
    *("grafana plan", "grafana apply", "grafana export", "grafana destroy"),
    *("service install", "service uninstall", "service status"),
}


def test_the_commands_are_the_designed_ones() -> None:
    assert {path.removeprefix("tokentail ") for path in COMMANDS} == DESIGNED


def test_the_reference_is_fresh() -> None:
    assert reference.replace_in(TEXT) == TEXT, "run `python -m tests.docs.reference`"


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_is_explained(path: str) -> None:
    command = COMMANDS[path]
    assert command.help, f"{path} has no docstring"
    assert f"`{path}" in TEXT
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        assert option.help, f"{path} {option.name} has no help"
        assert all(f"`{name}" in TEXT for name in option.opts)


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_is_in_the_prose_before_the_reference(path: str) -> None:
    assert f"{path}" in PROSE


def test_whatever_prints_data_prints_json() -> None:
    silent = {"tokentail run", "tokentail config sample", "tokentail service install", "tokentail service uninstall"}
    for path, command in COMMANDS.items():
        names = {name for parameter in command.params for name in parameter.opts}
        assert ("--json" in names) != (path in silent), path


def test_every_command_that_readme_shows_exists() -> None:
    shown = re.findall(r"(?:^\$ |`)tokentail((?: [a-z]+)*)", TEXT, re.MULTILINE)
    for words in filter(None, shown):
        command: Any = cli
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            command = command.get_command(click.Context(command), word)
            assert command is not None, f"README shows `tokentail{words}`"


def test_the_exit_codes_are_all_listed() -> None:
    for code in ExitCode:
        assert f"| {code.value} |" in PROSE


def test_every_section_of_the_configuration_and_a_variable_is_named() -> None:
    for field in dataclasses.fields(Settings):
        if field.name != "config_file":
            assert f"`{field.name}`" in PROSE or f"`[{field.name}]`" in PROSE or f"`[[{field.name}]]`" in PROSE
    named = set(re.findall(r"TOKENTAIL_(?!TEST_)[A-Z_]+[A-Z]", TEXT))
    assert "TOKENTAIL_READ_POLL_INTERVAL_SECONDS" in named
    assert named <= {*VARIABLES, *SECRET_VARIABLES, "TOKENTAIL_CONFIG", "TOKENTAIL_DEBUG"}


def test_every_reason_and_action_is_named() -> None:
    for reason in Reason:
        assert f"`{reason.value}`" in PROSE
    for action in OUTCOMES:
        assert f"`{action}`" in PROSE or action.startswith("token.issued.")


def test_the_files_that_readme_links_to_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    for link in links:
        assert link.startswith("https://") or (reference.README.parent / link).exists(), link


def test_the_native_line_in_readme_becomes_an_event() -> None:
    (line,) = re.findall(r'^\{"id".*\}$', TEXT, re.MULTILINE)
    (outcome,) = parsers.find("native").parse(line.encode(), 1_800_000_000_000)
    assert isinstance(outcome, tuple)
    assert not isinstance(outcome, Rejection)
    assert Event(*outcome).tags.action == "token.issued.authorization_code"


def test_every_measurement_is_named() -> None:
    for measurement in schema.MEASUREMENTS:
        assert f"| `{measurement.name}` |" in PROSE, measurement.name
