"""Keycloak's listener ``jboss-logging``: how it writes an event."""

import re
from collections.abc import Mapping
from typing import Final

_BLANKS: Final = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")

HEAD: Final = {
    "type": "CLIENT_LOGIN_ERROR",
    "realmId": "d0e0339d-052a-4c7b-8dbc-29644fe7b46b",
    "realmName": "acme",
    "clientId": "web",
    "userId": "null",
    "ipAddress": "203.0.113.9",
    "error": "client_not_found",
}


def message(values: Mapping[str, str], quote: str = '"') -> str:
    """Write an event as versions from 22 on do; without a quote as they do when told ``quotes=none`` and ``sanitize=false``."""
    return ", ".join(f"{key}={quote}{sanitized(value, quote)}{quote}" for key, value in values.items())


def sanitized(value: str, quote: str = '"') -> str:
    return _BLANKS.sub(" ", value).replace(quote, "\\" + quote) if quote else value


def message_of_21(values: Mapping[str, str]) -> str:
    """Write an event as version 21 did: details with a space in single quotes, and nothing escaped."""
    return ", ".join(
        f"{key}='{value}'" if " " in value and key not in HEAD else f"{key}={value}" for key, value in values.items()
    )


def plain(text: str, logger: str = "org.keycloak.events") -> str:
    """Write a line of plain text."""
    return f"2026-11-29 10:00:00,123 WARN  [{logger}] (executor-thread-1) {text}"
