"""From TOML, environment and flags to ``Settings`` (design section 9): the later of these wins, a problem in any is told.

All problems are reported at once, each with its place, its key and what is accepted; unknown keys are refused, because a
misspelt option that is silently its default is found in the middle of an incident.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from ingestor.config import options
from ingestor.config.credentials import SECRET_VARIABLES
from ingestor.config.options import NotAcceptedError, Option, did_you_mean
from ingestor.config.settings import (
    STDIN,
    AlertSettings,
    BudgetSettings,
    ContactSettings,
    ErrorRule,
    GrafanaSettings,
    LogSettings,
    ReadSettings,
    RetentionSettings,
    Settings,
    StoreSettings,
    TelemetrySettings,
)
from ingestor.errors import ConfigError, PermissionDeniedError
from parsers.redaction.redact import redact_text

SYSTEM_CONFIG: Final = Path("/etc/tokentail/tokentail.toml")
PREFIX: Final = "TOKENTAIL_"
CONFIG_VARIABLE: Final = "TOKENTAIL_CONFIG"
DEBUG_VARIABLE: Final = "TOKENTAIL_DEBUG"

SECTIONS: Final[dict[str, dict[str, Option]]] = {
    "read": options.READ,
    "budgets": options.BUDGETS,
    "store": options.STORE,
    "retention": options.RETENTION,
    "telemetry": options.TELEMETRY,
    "grafana": options.GRAFANA,
    "grafana.page": options.CONTACT,
    "grafana.ticket": options.CONTACT,
    "alerts": options.ALERTS,
}
"""A name with a dot is a table within a table."""
VARIABLES: Final = {PREFIX + key.upper(): ("", key) for key in options.TOP} | {
    f"{PREFIX}{section}_{key}".upper().replace(".", "_"): (section, key)
    for section, table in SECTIONS.items()
    for key in table
}
"""Each environment variable, and the option that it sets."""
_OTHER_PREFIXES: Final = ("TOKENTAIL_TEST_", "TOKENTAIL_BENCH_")
_KUBERNETES: Final = re.compile(
    r"TOKENTAIL_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes gives every container near a service of our name; no option ends alike."""


class Problem(NamedTuple):
    """One thing that is wrong."""

    where: str
    """The file, or "environment"."""
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.what}"


class BadConfigError(ConfigError):
    """Everything that is wrong with a configuration."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"The configuration cannot be used, it has {count}:\n" + "\n".join(f"  {problem}" for problem in problems),
            advice="`tokentail config sample` prints every option with its meaning.",
        )
        self.problems = tuple(problems)


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
    reader = _Reader(str(path) if path else "")
    settings = reader.settings(table, environment)
    if logs:
        known = {entry.path: entry for entry in settings.logs}
        known.setdefault(STDIN, LogSettings(STDIN, source="stdin"))
        paths = dict.fromkeys(
            STDIN if log == "-" else os.path.abspath(log)  # noqa: PTH100 - resolves `..`, keeps symlinks
            for log in logs
        )
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


class _Reader:
    """Reads one configuration, gathering problems instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self.origins: dict[str, str] = {}

    def settings(self, table: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
        """Decode a whole file and the variables that override it. Raises BadConfigError."""
        known = [*options.TOP, *_tables_in(""), "logs", "errors"]
        self._refuse_unknown(table, known, "")
        tables = {"": {key: value for key, value in table.items() if key in options.TOP}} | {
            section: self._section(table, section) for section in SECTIONS
        }
        clients = self._clients(tables["alerts"].get("clients", {}))
        tables["alerts"] = {key: value for key, value in tables["alerts"].items() if key != "clients"}
        values = {
            section: self._values(section, tables[section], known_options, environment)
            for section, known_options in {"": options.TOP, **SECTIONS}.items()
        }
        self._refuse_unknown_variables(environment)
        logs = self._logs(table.get("logs", []))
        errors = self._errors(self._table(table.get("errors", {}), "errors"))
        page, ticket = self._contact("grafana.page", values), self._contact("grafana.ticket", values)
        if self._problems:
            raise BadConfigError(self._problems)
        return Settings(
            logs=logs,
            errors=errors,
            read=ReadSettings(**values["read"]),
            budgets=BudgetSettings(**values["budgets"]),
            store=StoreSettings(**values["store"]),
            retention=RetentionSettings(**values["retention"]),
            telemetry=TelemetrySettings(**values["telemetry"]),
            grafana=GrafanaSettings(**values["grafana"], page=page, ticket=ticket),
            alerts=AlertSettings(**values["alerts"], clients=clients),
            **values[""],
        )

    def _values(
        self, section: str, table: Mapping[str, Any], known: Mapping[str, Option], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        values = self._accepted(table, known, section)
        for variable, (its_section, key) in VARIABLES.items():
            if its_section == section and environment.get(variable):  # set to nothing is not set, as everywhere
                option = known[key]
                try:
                    values[key] = option.accept(option.read(environment[variable]))
                    self.origins[_join(section, key)] = variable
                except NotAcceptedError as error:
                    self._problems.append(
                        Problem("environment", variable, f"{error} ({_found(option, environment[variable])})")
                    )
        return values

    def _accepted(self, table: Mapping[str, Any], known: Mapping[str, Option], prefix: str) -> dict[str, Any]:
        if prefix:
            self._refuse_unknown(table, [*known, *_tables_in(prefix)], prefix)
        values = {}
        for key, option in known.items():
            if key in table:
                try:
                    values[key] = option.accept(table[key])
                    self.origins[_join(prefix, key)] = self._file
                except NotAcceptedError as error:
                    self._report(_join(prefix, key), f"{error} ({_found(option, table[key])})")
        return values

    def _logs(self, entries: Any) -> tuple[LogSettings, ...]:
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._report("logs", "must be written as [[logs]], once for each log")
            return ()
        logs: list[LogSettings] = []
        sources: dict[str, int] = {}
        paths: dict[str, int] = {}
        for index, entry in enumerate(entries):
            values = self._accepted(entry, options.LOG, f"logs[{index}]")
            if "path" not in entry:
                self._report(f"logs[{index}]", "needs a path")
            if "path" not in values:
                continue
            log = LogSettings(**values)
            source = log.source or log.path
            if log.path in paths and source not in sources:
                self._report(f"logs[{index}].path", f"is followed as logs[{paths[log.path]}] already")
            elif source in sources:
                self._report(
                    f"logs[{index}]",
                    f"has the same source as logs[{sources[source]}], {_shown(source)}; each log needs a source of its own",
                )
            sources.setdefault(source, index)
            paths.setdefault(log.path, index)
            logs.append(log)
        return tuple(logs)

    def _errors(self, table: Mapping[str, Any]) -> dict[str, ErrorRule]:
        rules = {}
        for written, value in table.items():
            try:
                options.error_text(written)
                rules[written] = options.error_rule(value)
                self.origins["errors"] = self._file
            except NotAcceptedError as error:
                self._report(f"errors.{_shown(written)}", f"{error} (found {_shown(value)})")
        return rules

    def _clients(self, value: Any) -> dict[str, dict[str, int]]:
        clients = {}
        for key, thresholds in self._table(value, "alerts.clients").items():
            where = f"alerts.clients.{_shown(key)}"
            try:
                options.client(key)
                clients[key] = self._accepted(self._table(thresholds, where), options.CLIENT_ALERTS, where)
                self.origins["alerts.clients"] = self._file
            except NotAcceptedError as error:
                self._report(where, str(error))
        return clients

    def _contact(self, section: str, values: Mapping[str, dict[str, Any]]) -> ContactSettings:
        contact = ContactSettings(**values[section])
        needed = options.CONTACT_NEEDS.get(contact.type)
        if needed and not getattr(contact, needed):
            self._report(f"{section}.{needed}", f'must be set: the type is "{contact.type}"')
        return contact

    def _section(self, table: Mapping[str, Any], section: str) -> Mapping[str, Any]:
        outer, _, name = section.rpartition(".")
        if not outer:
            return self._table(table.get(name, {}), section)
        around = table.get(outer, {})  # what is no table there is told of the outer one
        return self._table(around.get(name, {}), section) if isinstance(around, dict) else {}

    def _table(self, value: Any, section: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._report(section, f"must be a table: write its options below a line [{section}]")
        return {}

    def _refuse_unknown(self, table: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
        for key in table:
            if key not in known:
                hint = did_you_mean(key, known) or f"; known here: {', '.join(known)}"
                shown = key if key.isidentifier() else _shown(key)
                self._report(_join(prefix, shown), f"unknown key{hint}")

    def _refuse_unknown_variables(self, environment: Mapping[str, str]) -> None:
        known = {*VARIABLES, *SECRET_VARIABLES, CONFIG_VARIABLE, DEBUG_VARIABLE}
        for name in sorted(environment):
            ours = name.startswith(PREFIX) and not name.startswith(_OTHER_PREFIXES) and not _KUBERNETES.fullmatch(name)
            if ours and environment[name] and name not in known:
                hint = did_you_mean(name, sorted(known)) or "; no option has this name"
                self._problems.append(Problem("environment", name, f"unknown variable{hint}"))

    def _report(self, key: str, what: str) -> None:
        self._problems.append(Problem(self._file, key, what))


def _tables_in(section: str) -> list[str]:
    """Return the names of the tables that stand directly in a section; in "": the sections."""
    return [name for outer, _, name in (known.rpartition(".") for known in SECTIONS) if outer == section]


def _join(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key


def _found(option: Option, value: object) -> str:
    """Say what was found; of what may be a secret only what kind of value it is."""
    if not option.private:
        return f"found {_shown(value)}"
    kind = f"a text of {len(value)} characters" if isinstance(value, str) else "a value that is no text"
    return f"found {kind}, which is not shown, since a secret may be in it"


def _shown(value: object) -> str:
    shown = repr(redact_text(value) if isinstance(value, str) else value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
