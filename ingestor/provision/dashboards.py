"""The dashboards of ``grafana/dashboards/``, fitted to a configuration (pure but for reading our own files)."""

from typing import Any, Final

import orjson

from ingestor.assets import asset
from ingestor.config.settings import Settings
from ingestor.provision.resources import Kind, Resource

SERVER_KEYS: Final = ("id", "version", "iteration")
"""What Grafana itself keeps in a dashboard; no part of what it shows."""


def dashboards(settings: Settings) -> list[Resource]:
    """Return every dashboard as this configuration wants it. Raises FileNotFoundError: a broken installation."""
    return [_thing(fitted(body, settings)) for body in _files()]


def dashboard_uids() -> list[str]:
    """Return the uids of our dashboards."""
    return [body["uid"] for body in _files()]


def fitted(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return a dashboard in the configured time zone, with our constants, editable or not."""
    constants = {"zone": settings.time_zone, "raw_days": str(settings.retention.raw_days)}
    variables = [_with_constant(variable, constants) for variable in body["templating"]["list"]]
    # Panels fold hours and days by the dashboard's zone, which has to be the one that the queries group by.
    zone = "utc" if settings.time_zone == "UTC" else settings.time_zone
    return {
        **{key: value for key, value in body.items() if key not in SERVER_KEYS},
        "timezone": zone,
        "editable": settings.grafana.editable,
        "templating": {**body["templating"], "list": variables},
    }


def _files() -> list[dict[str, Any]]:
    return [orjson.loads(file.read_bytes()) for file in sorted(asset("grafana/dashboards").glob("*.json"))]


def _with_constant(variable: dict[str, Any], constants: dict[str, str]) -> dict[str, Any]:
    if variable["type"] != "constant" or variable["name"] not in constants:
        return variable
    value = constants[variable["name"]]
    current = {"selected": False, "text": value, "value": value}
    return {**variable, "query": value, "current": current}


def _thing(body: dict[str, Any]) -> Resource:
    return Resource(Kind.DASHBOARD, body["uid"], body["title"], body)
