"""Alert rules in the one form in which they are compared: without what Grafana keeps in them or fills in (pure)."""

from collections.abc import Iterable
from typing import Any, Final

_SERVER_KEYS: Final = frozenset({"id", "orgID", "updated", "provenance"})
_MODEL_DEFAULTS: Final = {"intervalMs": 1000, "maxDataPoints": 43200}
"""What Grafana writes into each query of a rule that does not say it."""


def normal_rules(rules: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules of a group in normal form. Their order means nothing, and Grafana keeps the one of their making."""
    return sorted(map(_normal, rules), key=lambda rule: str(rule["uid"]))


def _normal(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of the provisioning API in normal form."""
    said = {key: value for key, value in rule.items() if key not in _SERVER_KEYS and value is not None}
    return {**said, "data": [{**query, "model": _without_defaults(query["model"])} for query in rule["data"]]}


def _without_defaults(model: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in model.items() if _MODEL_DEFAULTS.get(key) != value}
