"""From decoded TOML and the environment to ``Settings``: every option is checked, and all problems are gathered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, NamedTuple

from ingestor.config import tables
from ingestor.config.credentials import SECRET_VARIABLES
from ingestor.config.detectors import read_detectors
from ingestor.config.mapping_files import mapping_text
from ingestor.config.options import (
    CLIENT_ALERTS,
    CONFIG_VARIABLE,
    CONTACT_NEEDS,
    DEBUG_VARIABLE,
    LOG,
    PREFIX,
    SECTIONS,
    TOP,
    VARIABLES,
)
from ingestor.config.settings import ErrorRule, LogSettings, Settings
from ingestor.config.values import NotAcceptedError, Option, title
from ingestor.detectors.contract import Options
from ingestor.errors import ConfigError
from parsers import mapping
from parsers.near_miss import did_you_mean
from parsers.redaction.redact import redact_text

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


class Reader:
    """Reads one configuration, gathering problems instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self.origins: dict[str, str] = {}

    def settings(self, table: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
        """Decode a whole file and the variables that override it. Raises BadConfigError."""
        self._refuse_unknown(table, [*TOP, *_tables_in(""), "logs", "errors", "realms", "detectors"], "")
        written = {"": {key: value for key, value in table.items() if key in TOP}}
        written |= {section: dict(self._section(table, section)) for section in SECTIONS}
        clients = self._clients(written["alerts"].pop("clients", {}))
        values = {
            section: self._values(section, written[section], known, environment)
            for section, known in {"": TOP, **SECTIONS}.items()
        }
        self._refuse_unknown_variables(environment)
        more: dict[str, dict[str, Any]] = {
            "": {
                "logs": self._logs(table.get("logs", [])),
                "errors": self._errors(self._table(table.get("errors", {}), "errors")),
                "realms": self._realms(self._table(table.get("realms", {}), "realms")),
                "detectors": self._detectors(self._table(table.get("detectors", {}), "detectors")),
            },
            "alerts": {"clients": clients},
        }
        for section in ("grafana.page", "grafana.ticket"):
            self._check_contact(section, values[section])
        if self._problems:
            raise BadConfigError(self._problems)
        made: Settings = _made(Settings, "", values, more)
        return made

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
            values = self._accepted(entry, LOG, f"logs[{index}]")
            if "path" not in entry:
                self._report(f"logs[{index}]", "needs a path")
            if "path" not in values:
                continue
            log = LogSettings(**values, mapping=self._mapping(values.get("parser", "")))
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

    def _mapping(self, parser: str) -> str | None:
        """Return the text of the mapping file that the name of a parser names, if it names one."""
        file = mapping.file_of(parser)
        if not file:
            return None
        try:
            text = mapping_text(file)
            mapping.read_mapping(text)
        except NotAcceptedError as error:
            self._problems.append(Problem(self._file, "logs.parser", f"the mapping {file} {error}"))
            return None
        except mapping.MappingError as error:
            found = [Problem(file, f"line {line}", what) for line, what in error.problems]
            self._problems += [problem for problem in found if problem not in self._problems]  # two logs may name one
            return None
        return text

    def _errors(self, table: Mapping[str, Any]) -> dict[str, ErrorRule]:
        rules = {}
        for written, value in table.items():
            try:
                tables.error_text(written)
                rules[written] = tables.error_rule(value)
                self.origins["errors"] = self._file
            except NotAcceptedError as error:
                self._report(f"errors.{_shown(written)}", f"{error} (found {_shown(value)})")
        return rules

    def _realms(self, table: Mapping[str, Any]) -> dict[str, str]:
        names = {}
        for realm_id, name in table.items():
            try:
                names[realm_id] = title(name)
                self.origins["realms"] = self._file
            except NotAcceptedError as error:
                self._report(f"realms.{_shown(realm_id)}", f"{error} (found {_shown(name)})")
        return names

    def _detectors(self, table: Mapping[str, Any]) -> dict[str, Options]:
        if table:
            self.origins["detectors"] = self._file
        return read_detectors(table, self._report)

    def _clients(self, value: Any) -> dict[str, dict[str, int]]:
        clients = {}
        for key, thresholds in self._table(value, "alerts.clients").items():
            where = f"alerts.clients.{_shown(key)}"
            try:
                tables.client(key)
                clients[key] = self._accepted(self._table(thresholds, where), CLIENT_ALERTS, where)
                self.origins["alerts.clients"] = self._file
            except NotAcceptedError as error:
                self._report(where, str(error))
        return clients

    def _check_contact(self, section: str, values: Mapping[str, Any]) -> None:
        type_ = values.get("type", "")
        needed = CONTACT_NEEDS.get(type_)
        if needed and not values.get(needed):
            self._report(f"{section}.{needed}", f'must be set: the type is "{type_}"')

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


def _made(
    kind: Any, section: str, values: Mapping[str, Mapping[str, Any]], more: Mapping[str, Mapping[str, Any]]
) -> Any:
    """Make a table's dataclass, and those of the tables within it. ``more``: what is no plain option, by section."""
    within = {
        field.name: _made(field.type, _join(section, field.name), values, more)
        for field in fields(kind)
        if is_dataclass(field.type)
    }
    return kind(**values[section], **within, **more.get(section, {}))


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
