"""The two tables of the configuration whose keys are people's own: ``[errors]`` and ``[alerts.clients]``. Pure."""

from collections.abc import Mapping
from typing import Any

from ingestor.config.settings import ErrorRule
from ingestor.config.values import NotAcceptedError, either, text
from ingestor.model.statistics import client_of
from parsers.contract import ERRORS, FAILURES
from parsers.near_miss import did_you_mean


def error_text(value: str) -> None:
    """Accept an endpoint's own words."""
    if not value.strip():
        raise NotAcceptedError("an empty text would match nothing")


def error_rule(value: Any) -> ErrorRule:
    """Accept ``"invalid_code"`` or ``{ error = "invalid_code", action = "token.validation_failed" }``."""
    table = {"error": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or "error" not in table or set(table) - {"error", "action"}:
        raise NotAcceptedError('must be an error, or { error = "...", action = "..." }')
    error = table["error"]
    if not isinstance(error, str) or error not in ERRORS:
        hint = did_you_mean(str(error), sorted(ERRORS))
        raise NotAcceptedError(f"error must be one of the closed set, such as invalid_grant or invalid_code{hint}")
    action = table.get("action")
    if action is not None and action not in FAILURES:
        raise NotAcceptedError(f"action must be {either(FAILURES)}")
    return ErrorRule(error, action)


def client(key: str) -> None:
    """Accept a client as every answer names it: ``realm/id``."""
    try:
        client_of(text(key))
    except ValueError as error:
        raise NotAcceptedError(str(error)) from error
