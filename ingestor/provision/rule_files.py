"""Alert rules as people write them: ``grafana/alerts/*.yaml``, one file a rule group, read strictly.

A rule stands there with its words and its cases (points that must make it fire, or must not), as a detector does. What several
rules share is a piece in ``_pieces.yaml``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from ingestor.assets import asset

PIECES: Final = "_pieces.yaml"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of InfluxDB. ``range``: seconds back from now, what ``$timeFilter`` says."""

    query: str
    range: int


@dataclass(frozen=True, slots=True)
class Case:
    """Points, and what the rule must say of them."""

    it: str
    points: tuple[Mapping[str, Any], ...]
    alerts: tuple[Mapping[str, str], ...] = ()
    """The labels of the alerts that must fire; none named: exactly one, whatever its labels."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Texts still have their placeholders."""

    uid: str
    title: str
    severity: str
    pending: str
    """How long the condition must hold: Grafana's ``for``, as Grafana writes it."""
    no_data: str
    panel: str
    """``dashboard/panel id``: where one sees it."""
    runbook: int
    """The panel of the dashboard of runbooks."""
    queries: Mapping[str, Query]
    condition: str
    """Math over the queries, each reduced to its last value under its own name."""
    summary: str
    description: str
    fire: tuple[Case, ...]
    quiet: tuple[Case, ...]
    math: Mapping[str, str]
    """Further figures for condition and words."""
    per_client: bool


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One group."""

    name: str
    interval: int
    """Seconds between two evaluations."""
    rules: tuple[Rule, ...]


@cache
def rule_files(directory: Path | None = None) -> tuple[RuleFile, ...]:
    """Return the groups, in order of their names. Raises ValueError for a file that is none: a broken installation."""
    directory = directory or asset("grafana/alerts")
    return tuple(_read(path) for path in sorted(directory.glob("[!_]*.yaml")))


@cache
def pieces(directory: Path | None = None) -> Mapping[str, str]:
    """Return the pieces that rules share, by name."""
    table = _load((directory or asset("grafana/alerts")) / PIECES)
    return {name: str(text) for name, text in table.items()}


def seconds(written: str) -> int:
    """Read a duration such as ``90s``, ``1h`` or ``168h10m``; a minus in front is the future."""
    parts = re.findall(r"(\d+)([smhd])", written)
    if not parts or "".join(number + unit for number, unit in parts) != written.removeprefix("-"):
        raise ValueError(f"{written!r} is no duration")
    total = sum(int(number) * _UNITS[unit] for number, unit in parts)
    return -total if written.startswith("-") else total


def _load(path: Path) -> dict[str, Any]:
    table = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(table, dict):
        raise ValueError(f"{path}: is no table")  # noqa: TRY004 - the file is wrong, not the caller
    return table


def _read(path: Path) -> RuleFile:
    table = _load(path)
    if set(table) != {"interval", "rules"}:
        raise ValueError(f"{path}: must hold interval and rules")
    try:
        return RuleFile(path.stem, seconds(table["interval"]), tuple(map(_rule, table["rules"])))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _rule(table: Mapping[str, Any]) -> Rule:
    values = dict(table)
    values["pending"] = values.pop("for")
    values["per_client"] = {"client": True, None: False}[values.pop("per", None)]
    values["queries"] = {name: Query(each["query"], seconds(each["range"])) for name, each in table["queries"].items()}
    values.setdefault("math", {})
    for kind in ("fire", "quiet"):
        values[kind] = tuple(
            Case(case["it"], tuple(case["points"]), tuple(case.get("alerts", ()))) for case in values[kind]
        )
    if unknown := set(values) ^ {field.name for field in fields(Rule)}:
        raise ValueError(f"{table.get('uid')}: missing or unknown: {', '.join(sorted(unknown))}")
    return Rule(**values)
