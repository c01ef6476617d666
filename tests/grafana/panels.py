"""The dashboards of `grafana/dashboards/`, read and asked as Grafana does.

Grafana writes the values of variables into the text of a query, and the server then writes the interval. What stands here
was read from Grafana 11.0.0 (`templateSrv`, `escapeRegex`, `pkg/tsdb/influxdb/models/query.go`), so that a test sends what
a browser would.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from ingestor.config.settings import StoreSettings
from tests.support.servers import query

DIRECTORY: Final = Path(__file__).parents[2] / "grafana" / "dashboards"
OURS: Final = frozenset({"zone", "raw_days", "__from", "__to", "__interval", "__interval_ms"})
"""Variables that nobody outside chooses: they may be written as they are."""
VARIABLE: Final = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^\}]+))?(?::([^\}]+))?\}")
"""Grafana's own expression."""
LISTS: Final = frozenset({"client", "grant", "realm", "action", "error", "host", "source"})
TEXTS: Final = frozenset({"user", "ip"})

Row = dict[str, Any]


class Target(NamedTuple):
    """One query of a panel, before variables are written into it."""

    dashboard: str
    panel: Mapping[str, Any]
    ref: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.dashboard}, panel {self.panel['id']} ({self.panel['title']}), {self.ref}"


@dataclass(frozen=True)
class Choice:
    """What somebody has chosen at the top of a dashboard. Nothing chosen of a list is All, nothing typed an empty text."""

    since: int
    """Milliseconds, as Grafana has them."""
    until: int
    client: tuple[str, ...] = ()
    grant: tuple[str, ...] = ()
    realm: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    user: str = ""
    ip: str = ""
    zone: str = "UTC"
    interval: str = "6h"


@functools.cache
def dashboards() -> dict[str, dict[str, Any]]:
    """Return every dashboard, by the name of its file. Read once: nobody may change them."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in sorted(DIRECTORY.glob("*.json"))}


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels, those within rows, too, and the rows themselves."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def targets(name: str, dashboard: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the queries of all panels."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            if "query" in target:
                yield Target(name, panel, target["refId"], target["query"])


def panel_target(name: str, panel: int, ref: str = "A") -> Target:
    """Return one query."""
    return next(t for t in targets(name, dashboards()[name]) if (t.panel["id"], t.ref) == (panel, ref))


def escape_regex(value: str) -> str:
    r"""Return what `escapeRegex` makes of a value: `value.replace(/[\\^$*+?.()|[\]{}\/]/g, '\\$&')`."""
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value)


def interpolated(text: str, choice: Choice) -> str:
    """Write the values of variables into a query."""
    own = {"__from": str(choice.since), "__to": str(choice.until), "zone": choice.zone, "raw_days": "90"}

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        form = found[3] or found[6]
        if name in ("__interval", "__interval_ms", "timeFilter"):
            return f"${name}"  # the server writes them, after everything else
        if name in own:
            return own[name]
        if form != "regex":
            raise AssertionError(f"{found[0]} is not written as a regular expression")
        if name in TEXTS:
            return escape_regex(getattr(choice, name))
        if name not in LISTS:
            raise AssertionError(f"{found[0]} is no variable of ours")
        escaped = [escape_regex(item) for item in getattr(choice, name)]
        if not escaped:
            return ".*"  # allValue, which is not escaped
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    written = VARIABLE.sub(value, text)
    written = written.replace("$timeFilter", f"time >= {choice.since}ms and time <= {choice.until}ms")
    return written.replace("$__interval_ms", "21600000").replace("$__interval", choice.interval)


def rows(store: StoreSettings, target: Target, choice: Choice) -> list[Row]:
    """Ask, and return the rows as a table: tags and columns by name; times in nanoseconds."""
    return [
        {**series.get("tags", {}), **dict(zip(series["columns"], values, strict=True))}
        for series in query(store, interpolated(target.text, choice))
        for values in series["values"]
    ]
