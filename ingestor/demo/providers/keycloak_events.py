"""What Keycloak 26 says of a token operation, and how it writes that as JSON. Pure.

Its words, the order of its keys and what it leaves out are those of real logs (``parsers/keycloak/README.md``).
"""

import re
from collections.abc import Container
from hashlib import blake2b
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

import orjson

from ingestor.demo import personas
from ingestor.demo.traffic import Operation

EVENTS: Final = "org.keycloak.events"
REALM: Final = {"realmId": "d0e0339d-052a-4c7b-8dbc-29644fe7b46b", "realmName": "acme"}


class Type(NamedTuple):
    """What is said of a grant or at an endpoint."""

    name: str
    """Of the event; a failure has ``_ERROR`` behind it."""
    grant_type: str
    details: str
    """Keys that stand behind those of all events. "sessionId" stands before the address."""
    of_failure: str = ""
    """The same of a failure."""
    auth_method: str = ""


_GRANTED: Final = "sessionId auth_method token_id grant_type refresh_token_type scope refresh_token_id"
TYPES: Final = {
    "authorization_code": Type(
        *("CODE_TO_TOKEN", "authorization_code", f"{_GRANTED} code_id client_auth_method"),
        "sessionId grant_type code_id client_auth_method",
    ),
    "client_credentials": Type(
        *("CLIENT_LOGIN", "client_credentials", "token_id grant_type scope client_auth_method username", "grant_type"),
    ),
    "refresh_token": Type(
        *(
            "REFRESH_TOKEN",
            "refresh_token",
            f"{_GRANTED} access_token_expiration_time refresh_token_sub client_auth_method",
        ),
        "sessionId grant_type refresh_token_type refresh_token_id refresh_token_sub client_auth_method",
    ),
    "password": Type(
        *("LOGIN", "password", f"{_GRANTED} client_auth_method username"),
        *("auth_method grant_type client_auth_method username", "openid-connect"),
    ),
    "device_code": Type(
        *("OAUTH2_DEVICE_CODE_TO_TOKEN", "urn:ietf:params:oauth:grant-type:device_code"),
        *(f"{_GRANTED} code_id client_auth_method", "grant_type client_auth_method"),
    ),
    "token_exchange": Type(
        *("TOKEN_EXCHANGE", "urn:ietf:params:oauth:grant-type:token-exchange"),
        "sessionId auth_method token_id grant_type scope client_auth_method username",
        *("auth_method grant_type client_auth_method", "token_exchange"),
    ),
    "jwt_bearer": Type(
        *("JWT_AUTHORIZATION_GRANT", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        *("token_id grant_type scope client_auth_method", "grant_type client_auth_method"),
    ),
    "ciba": Type(
        *("AUTHREQID_TO_TOKEN", "urn:openid:params:grant-type:ciba", f"{_GRANTED} code_id client_auth_method username"),
    ),
    "other": Type(
        *("PERMISSION_TOKEN", "urn:ietf:params:oauth:grant-type:uma-ticket", "auth_method token_id grant_type scope"),
        *("auth_method grant_type", "oauth_credentials"),
    ),
    "userinfo": Type("USER_INFO_REQUEST", "", "sessionId auth_method username", auth_method="validate_access_token"),
    "introspection": Type("INTROSPECT_TOKEN", "", "sessionId token_id token_type client_auth_method"),
    "revocation": Type("REVOKE_GRANT", "", "token_id client_auth_method"),
}
"""By the name that the day has for them."""


class Failure(NamedTuple):
    """What Keycloak says about a failure."""

    error: str
    reason: str = ""
    """``{scopes}`` are those that were asked for."""
    user: bool = False
    """Whether it says whose request it was."""


FAILURES: Final = {
    ("authorization_code", "invalid_code"): Failure("invalid_code"),
    ("authorization_code", "expired_code"): Failure("invalid_code"),
    ("authorization_code", "invalid_grant"): Failure(
        "invalid_redirect_uri", "Parameter 'redirect_uri' did not match originally saved redirect URI", user=True
    ),
    ("authorization_code", "token.pkce_failed"): Failure("pkce_verification_failed", "Code mismatch", user=True),
    ("authorization_code", ""): Failure("invalid_client_credentials"),
    ("client_credentials", "invalid_scope"): Failure("invalid_request", "Invalid scopes: {scopes}"),
    ("client_credentials", ""): Failure("invalid_client_credentials"),
    ("refresh_token", "invalid_grant"): Failure("invalid_token", "Stale token"),
    ("refresh_token", "expired_token"): Failure("invalid_token", "Token is not active"),
    ("device_code", "slow_down"): Failure("slow_down"),
    ("device_code", "expired_token"): Failure("expired_oauth2_device_code"),
    ("token_exchange", ""): Failure("invalid_token", "subject_token validation failure"),
    ("jwt_bearer", ""): Failure("invalid_request", "The provided assertion is not a valid JWT"),
    ("password", ""): Failure("invalid_user_credentials", user=True),
    ("other", ""): Failure("access_denied", "not_authorized", user=True),
}
"""Of a grant, and an action or an error of the day; "" stands for all others, and what is not here is not logged."""
_SUCCESS: Final = Failure("", user=True)
_UNKNOWN_CLIENT: Final = Failure("client_not_found")
STRANGERS: Final = frozenset(client for client, _, _ in personas.PROBES) - {app.name for app in personas.APPS}
"""Clients of the day that Keycloak does not know."""
_OF_ALL: Final = ("type", *REALM, "clientId", "userId", "ipAddress", "error", "reason")
_AS_SPACE: Final = re.compile("[\t\n\v\f\r\x1c-\x1f\u2028\u2029]")


def said(operation: Operation, rng: Random, strangers: Container[str] = STRANGERS) -> dict[str, str]:
    """Return keys and values of the event, in Keycloak's order; nothing where it logs none.

    ``strangers``: names of clients that it does not know.
    """
    kind = operation.grant_type or operation.endpoint
    failure: Failure | None = _SUCCESS
    if _failed(operation):
        failure = _UNKNOWN_CLIENT if operation.client in strangers else _failure(operation, kind)
    if failure is None:
        return {}
    type_ = TYPES[kind]
    user = f"service-account-{operation.client}" if kind == "client_credentials" else operation.user
    values = {
        "type": f"{type_.name}_ERROR" if failure.error else type_.name,
        **REALM,
        "clientId": operation.client[:254],
        "userId": identifier(user) if user and failure.user else "null",
        "sessionId": session(rng),
        "ipAddress": operation.address,
        "error": failure.error,
        "reason": failure.reason.format(scopes=" ".join(operation.scopes or ("no-such-scope",))),
        "auth_method": type_.auth_method,
        "token_id": f"onrt{kind[:2]}:{random_identifier(rng)}",
        "token_type": "Bearer",
        "grant_type": type_.grant_type,
        "refresh_token_type": "Refresh",
        "access_token_expiration_time": str(operation.expires_in or ""),
        "scope": " ".join(operation.scopes or ()),
        "refresh_token_id": random_identifier(rng),
        "refresh_token_sub": identifier(user) if user else "",
        "code_id": session(rng),
        "client_auth_method": "client-secret",
        "username": user or "",
    }
    asked = {*_OF_ALL, *(type_.of_failure if failure.error else type_.details).split()}
    return {key: value for key, value in values.items() if value and key in asked}


def quoted(values: dict[str, str]) -> str:
    r"""Return the message of an event: `"` becomes `\"`, what breaks a line a space, and a backslash stays one."""
    return ", ".join(f'{key}="{_escaped(value)}"' for key, value in values.items())


def record(time: str, message: str, *, logger: str = EVENTS, level: str = "INFO") -> bytes:
    """Return a line of the JSON log, without its end."""
    return orjson.dumps(
        {
            "timestamp": time,
            "sequence": 3018,
            "loggerClassName": "org.jboss.logging.Logger",
            "loggerName": logger,
            "level": level,
            "message": message,
            "threadName": "executor-thread-1",
            "threadId": 17,
            "mdc": {},
            "ndc": "",
            "hostName": "idp-1",
            "processName": "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
            "processId": 8777,
        }
    )


def _failed(operation: Operation) -> bool:
    return operation.error is not None or operation.action == "token.rate_limited"


def _failure(operation: Operation, kind: str) -> Failure | None:
    words = (operation.action, operation.error or "", "")
    return next((FAILURES[kind, word] for word in words if (kind, word) in FAILURES), None)


def _escaped(value: str) -> str:
    return _AS_SPACE.sub(" ", value).replace('"', '\\"')


def identifier(name: str) -> str:
    """Return Keycloak's own id of somebody or something with this name."""
    return str(UUID(bytes=blake2b(name.encode(), digest_size=16).digest(), version=4))


def random_identifier(rng: Random) -> str:
    """Return the id of what is made once."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def session(rng: Random) -> str:
    """Return the id of a session, which is shorter."""
    return f"{rng.getrandbits(96):024x}"
