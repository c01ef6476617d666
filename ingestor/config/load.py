"""From TOML, environment and flags to ``Settings`` (design section 9): the later of these wins, a problem in any is told.

All problems are reported at once, each with its place, its key and what is accepted; unknown keys are refused, because a
misspelt option that is silently its default is found in the middle of an incident.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ingestor.config.decode import Reader
from ingestor.config.options import CONFIG_VARIABLE
from ingestor.config.schemes import scheme_of
from ingestor.config.settings import STDIN, LogSettings, Settings
from ingestor.errors import ConfigError, PermissionDeniedError

SYSTEM_CONFIG: Final = Path("/etc/tokentail/tokentail.toml")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and where each came from."""

    settings: Settings
    origins: dict[str, str] = field(default_factory=dict)
    """Key (``read.max_line_bytes``) to file, variable or flag; a key that is not here has its default."""


def load(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    logs: Sequence[str] = (),
    state_directory: Path | None = None,
    system_config: Path = SYSTEM_CONFIG,
) -> Configuration:
    """Return the effective configuration. ``logs`` and ``state_directory`` are the flags; the state directory is always set.

    Raises BadConfigError with all problems, ConfigError when the file is missing or no TOML, PermissionDeniedError.
    """
    environment = os.environ if environment is None else environment
    named = file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    path, table = _read_file(named, system_config)
    reader = Reader(str(path) if path else "")
    settings = reader.settings(table, environment)
    if logs:
        known = {entry.path: entry for entry in settings.logs}
        known.setdefault(STDIN, LogSettings(STDIN, source="stdin"))
        paths = dict.fromkeys(map(_path_of, logs))
        settings = replace(settings, logs=tuple(known.get(log, LogSettings(log)) for log in paths))
        reader.origins["logs"] = "--log"
    if state_directory is not None:
        settings = replace(settings, state_directory=state_directory.absolute())
        reader.origins["state_directory"] = "--state-dir"
    elif settings.state_directory is None:
        directory, origin = _default_state_directory(environment)
        settings = replace(settings, state_directory=directory)
        reader.origins["state_directory"] = origin
    return Configuration(replace(settings, config_file=path), reader.origins)


def _read_file(named: Path | None, system_config: Path) -> tuple[Path | None, dict[str, Any]]:
    path = named or system_config
    try:
        text = path.read_bytes().decode("utf-8-sig")  # editors of Windows put a byte order mark in front
        return path.absolute(), tomllib.loads(text)
    except FileNotFoundError as error:
        if named is None:
            return None, {}
        raise ConfigError(
            "The config file does not exist",
            where=str(path),
            advice="Name another one with --config, or begin with `tokentail config sample > tokentail.toml`.",
        ) from error
    except PermissionError as error:
        raise PermissionDeniedError(
            "The config file cannot be read by this user",
            where=str(path),
            advice="Run as a user that may read it (the service's, or root), or name another file with --config.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The config file cannot be read: {error.strerror}", where=str(path), advice="Name a file with --config."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The config file is not UTF-8 (byte {error.start})",
            where=str(path),
            advice="Save it as UTF-8; TOML knows no other encoding.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"The config file is not valid TOML: {error}",
            where=str(path),
            advice="`tokentail config sample` shows how it is written.",
        ) from error


def _path_of(log: str) -> str:
    """Return what a log of the command line is called in the settings."""
    if log == "-":
        return STDIN
    return log if scheme_of(log) else os.path.abspath(log)  # noqa: PTH100 - resolves `..`, keeps symlinks


def _default_state_directory(environment: Mapping[str, str]) -> tuple[Path, str]:
    if given := environment.get("STATE_DIRECTORY"):  # systemd.exec(5): several are separated by colons
        return Path(given.split(":", maxsplit=1)[0]).absolute(), "STATE_DIRECTORY"
    base = environment.get("XDG_STATE_HOME", "")
    if base.startswith("/"):  # the XDG base directory specification ignores relative ones
        return Path(base) / "tokentail", "XDG_STATE_HOME"
    try:
        return Path.home() / ".local/state/tokentail", "default"
    except RuntimeError as error:
        raise ConfigError(
            "This user has no home directory", advice="Name a state directory with --state-dir."
        ) from error
