"""``config sample`` and ``config show``."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from ingestor.assets import asset
from ingestor.cli.render.console import print_json
from ingestor.cli.support.options import config_option, json_option, state_directory_option
from ingestor.config import load
from ingestor.config.writing import key_text, value_text

SAMPLE = "config/tokentail.toml"


@click.group("config")
def config_group() -> None:
    """Print the annotated sample, or what is in effect."""


@config_group.command()
def sample() -> None:
    """Print the annotated sample: every option, with its default."""
    click.echo(asset(SAMPLE).read_text(encoding="utf-8"), nl=False)


@config_group.command(short_help="Print the settings in effect.")
@json_option
@config_option
@state_directory_option
def show(config_file: Path | None, state_directory: Path | None, as_json: bool) -> None:
    """Print the settings in effect, as TOML, each with where it came from."""
    configuration = load.load(config_file, state_directory=state_directory)
    table = _table(configuration)
    if as_json:
        print_json(table)
        return
    click.echo(f"# config file: {configuration.settings.config_file or 'none'}")
    click.echo("\n".join(_toml(table, configuration.origins)))


def _table(configuration: load.Configuration) -> dict[str, Any]:
    """Return the settings in the shape of the file."""
    table = dataclasses.asdict(configuration.settings)
    del table["config_file"]
    errors = table.pop("errors")
    for log in table["logs"]:
        del log["mapping"]
    return {key: _written(value) for key, value in table.items()} | {"errors": errors}


def _written(value: Any) -> Any:
    """Return a setting as the file writes it: paths are texts, and one that is not set is empty."""
    if isinstance(value, dict):
        return {key: _written(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_written(member) for member in value]
    return str(value or "") if value is None or isinstance(value, Path) else value


def _toml(table: dict[str, Any], origins: dict[str, str]) -> list[str]:
    """Write the settings as the file would; what follows ``#`` is where a value came from."""
    logs, errors = table["logs"], table["errors"]
    sections = {key: value for key, value in table.items() if isinstance(value, dict) and value and key != "errors"}
    plain = {key: value for key, value in table.items() if not isinstance(value, dict) and key != "logs"}
    lines = [_line(key, value, origins.get(key, "default")) for key, value in plain.items()]
    for index, log in enumerate(logs):
        origin = origins.get("logs", "default")
        lines += ["", "[[logs]]"]
        lines += [_line(key, value, origins.get(f"logs[{index}].{key}", origin)) for key, value in log.items()]
    for section, values in sections.items():
        lines += _section(section, section, values, origins)
    if errors:
        lines += ["", "[errors]"]
        lines += [
            _line(value_text(key), {k: v for k, v in rule.items() if v}, origins["errors"])
            for key, rule in errors.items()
        ]
    return lines


def _section(name: str, path: str, values: dict[str, Any], origins: dict[str, str]) -> list[str]:
    """Write a table and those within it. ``name`` is as TOML has it, ``path`` as ``origins`` do."""
    origin = origins.get(path, "default")
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = ["", f"[{name}]"]
    lines += [_line(key_text(key), value, origins.get(f"{path}.{key}", origin)) for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _section(f"{name}.{key_text(key)}", f"{path}.{key}", value, origins)
    return lines


def _line(key: str, value: Any, origin: str) -> str:
    return f"{key} = {value_text(value)}  # {origin}"
