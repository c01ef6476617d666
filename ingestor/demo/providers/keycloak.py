"""Keycloak's JSON log of the day, as of a server that logs successes, too (docs/keycloak.md). Pure.

Some requests are told otherwise than in the native format, and some are not told at all.
"""

from collections.abc import Container
from operator import attrgetter
from random import Random
from typing import Final

import orjson

from ingestor.demo import personas
from ingestor.demo.providers.contract import Kind, Line, Provider, rfc3339
from ingestor.demo.providers.damage import cut_short, not_utf8, with_values, without
from ingestor.demo.providers.keycloak_events import (
    REALM,
    STRANGERS,
    identifier,
    quoted,
    random_identifier,
    record,
    said,
    session,
)
from ingestor.demo.traffic import Operation

_CODE_PARSER: Final = "org.keycloak.protocol.oidc.utils.OAuth2CodeParser"
_TOLD_AS: Final = {
    "token.issued.refresh_token": "token.refreshed",
    "token.rate_limited": "token.validation_failed",
}
"""Actions of the day that Keycloak knows under another name."""
_APART_NS: Final = 24
"""The times of operations are so far apart below their milliseconds, so that no two are equal: 41,000 of them fit in."""


def lines(operation: Operation, number: int, rng: Random, strangers: Container[str] = STRANGERS) -> list[Line]:
    """Return the lines of an operation, none where Keycloak logs none. ``strangers``: names of clients that it does not know."""
    values = said(operation, rng, strangers)
    if not values:
        return []
    level = "WARN" if "error" in values else "INFO"
    first, second = (number * _APART_NS + nanoseconds for nanoseconds in (rng.randrange(1, 12), rng.randrange(12, 24)))
    action = _TOLD_AS.get(operation.action, operation.action)
    if operation.error != "expired_code" and not (
        action == "token.reuse_detected" and operation.error == "invalid_code"
    ):
        return [_line(operation.time_ms, second, action, quoted(values), level=level)]
    # The store of Keycloak has forgotten a code that has expired, so its parser takes it for one that was used before.
    already = f"Code '{random_identifier(rng)}' already used for userSession '{session(rng)}' and client '{identifier(operation.client)}'."
    return [
        _line(operation.time_ms, first, "token.reuse_detected", already, logger=_CODE_PARSER, level=level),
        _line(operation.time_ms, second, "token.validation_failed", quoted(values), level=level),
    ]


def _line(time_ms: int, nanoseconds: int, action: str, message: str, **where: str) -> Line:
    time = f"{rfc3339(time_ms, nanoseconds)[:-1].rstrip('0')}Z"
    return Line(time_ms, record(time, message, **where) + b"\n", Kind.EVENT, action, key=time)


def _other(time_ms: int, rng: Random) -> Line:
    user = f"u-{1000 + rng.randrange(600)}"
    browser = {
        **REALM,
        "clientId": rng.choice(personas.APPS).name,
        "userId": identifier(user),
        "sessionId": session(rng),
        "ipAddress": f"203.0.113.{1 + rng.randrange(250)}",
        "auth_method": "openid-connect",
        "redirect_uri": "https://app.example/cb",
        "username": user,
    }
    administrator = {**REALM, "clientId": identifier("security-admin-console"), "userId": identifier("admin")}
    changed = {"ipAddress": "10.20.0.9", "resourceType": "USER", "resourcePath": f"users/{identifier(user)}"}
    message, where = rng.choice(
        (
            (quoted({"type": "LOGIN", **browser}), {}),
            (quoted({"type": "LOGOUT", **browser}), {}),
            (quoted({"type": "LOGIN_ERROR", **browser, "error": "invalid_user_credentials"}), {"level": "WARN"}),
            (quoted({"operationType": "UPDATE", **administrator, **changed}), {}),
            ("Starting user marshaller", {"logger": "org.infinispan.CONTAINER"}),
        )
    )
    return Line(time_ms, record(rfc3339(time_ms, rng.randrange(1, 10**6)), message, **where) + b"\n", Kind.IGNORED)


def _cut_within_a_secret(line: bytes) -> bytes:
    # A password that was typed as a name. `tokentail rejected list` must not show it, though nobody can tell where it ends.
    login = {"type": "LOGIN_ERROR", **REALM, "error": "user_not_found", "username": "correct-horse-battery-staple"}
    return record(orjson.loads(line)["timestamp"], quoted(login)).partition(b"-staple")[0]


KEYCLOAK: Final = Provider(
    name="Keycloak",
    log="Keycloak's JSON log",
    file_name="keycloak.log",
    usual_path="/var/log/keycloak/keycloak.log",
    lines=lines,
    other=_other,
    damages=(
        cut_short,
        _cut_within_a_secret,
        with_values(message=42),
        with_values(message=quoted({"type": "TOKEN_TELEPORTED", **REALM, "clientId": "web-app"})),
        without("timestamp"),
        with_values(timestamp="yesterday, about noon"),
        not_utf8("hostName"),
    ),
    key=attrgetter("time"),
    keys="times",
    unlogged="such as those of devices that wait",
    limits=(
        "It has no rate limit: what another endpoint limits is one more failure here.",
        "An expired code is a wrong one and, by a second line, one that was used.",
        "It has no user agents, and lifetimes of refreshed tokens alone.",
        "It has no event ids: an event is known by its time, in nanoseconds.",
    ),
)
