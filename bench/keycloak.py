"""The log that Keycloak would have written where ``bench.generate`` has a native line: equal lines, equal bytes.

Values are as long as Keycloak's own, and what differs from line to line there does so here: ids of tokens, sessions and codes.
"""

import random
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

SEED: Final = 20261129
REALM: Final = "d0e0339d-052a-4c7b-8dbc-29644fe7b46b"
EVENTS: Final = {
    "token.refreshed": ("REFRESH_TOKEN", "refresh_token", "", ""),
    "token.issued.authorization_code": ("CODE_TO_TOKEN", "authorization_code", "", ""),
    "token.issued.client_credentials": ("CLIENT_LOGIN", "client_credentials", "", ""),
    "token.userinfo_accessed": ("USER_INFO_REQUEST", "", "", ""),
    "token.introspected": ("INTROSPECT_TOKEN", "", "", ""),
    "token.issued.refresh_token": ("REFRESH_TOKEN", "refresh_token", "", ""),
    "token.validation_failed": ("CLIENT_LOGIN_ERROR", "client_credentials", "invalid_client_credentials", ""),
    "token.revoked": ("REVOKE_GRANT", "", "", ""),
    "token.authorization_pending": ("OAUTH2_DEVICE_CODE_TO_TOKEN_ERROR", "device_code", "slow_down", ""),
    "token.issued.device_code": ("OAUTH2_DEVICE_CODE_TO_TOKEN", "device_code", "", ""),
    "token.expired": ("REFRESH_TOKEN_ERROR", "refresh_token", "invalid_token", "Token is not active"),
    "token.issued.token_exchange": ("TOKEN_EXCHANGE", "token-exchange", "", ""),
    "token.issued.jwt_bearer": ("JWT_AUTHORIZATION_GRANT", "jwt-bearer", "", ""),
    "token.issued.password": ("LOGIN", "password", "", ""),
    "token.pkce_failed": ("CODE_TO_TOKEN_ERROR", "authorization_code", "pkce_verification_failed", "Code mismatch"),
    "token.rate_limited": ("LOGIN_ERROR", "password", "user_temporarily_disabled", ""),
    "token.issued.ciba": ("AUTHREQID_TO_TOKEN", "ciba", "", ""),
    "token.reuse_detected": ("REFRESH_TOKEN_ERROR", "refresh_token", "invalid_token", "Stale token"),
    "token.issued.other": ("PERMISSION_TOKEN", "uma-ticket", "", ""),
}
"""Of each action: Keycloak's type, grant, error and reason."""


def values(record: dict[str, Any], draw: random.Random) -> dict[str, str]:
    """Return what Keycloak says of an event, in its order."""
    details = record["details"]
    type_, grant, error, reason = EVENTS[record["action"]]

    def identifier() -> str:
        return str(UUID(int=draw.getrandbits(128), version=4))

    said = {
        "type": type_,
        "realmId": REALM,
        "realmName": "acme",
        "clientId": details["client_id"],
        "userId": record["user_id"] or "null",
        "sessionId": identifier(),
        "ipAddress": details["ip_address"],
        "error": error,
        "reason": reason,
        "token_id": "" if error else f"onrtac:{identifier()}",
        "grant_type": grant,
        "refresh_token_type": "Refresh" if "refresh" in grant else "",
        "access_token_expiration_time": "300" if type_ == "REFRESH_TOKEN" else "",
        "scope": "" if error else " ".join(details["scopes"]),
        "refresh_token_id": identifier() if "refresh" in grant else "",
        "code_id": identifier() if "code" in grant else "",
        "client_auth_method": "client-secret",
    }
    return {key: value for key, value in said.items() if value}


def _quoted(said: dict[str, str]) -> str:
    return ", ".join(f'{key}="{value}"' for key, value in said.items())


def _record(time: str, message: str) -> bytes:
    return orjson.dumps(
        {
            "timestamp": time,
            "sequence": 3018,
            "loggerClassName": "org.jboss.logging.Logger",
            "loggerName": "org.keycloak.events",
            "level": "INFO",
            "message": message,
            "threadName": "executor-thread-1",
            "threadId": 17,
            "mdc": {},
            "ndc": "",
            "hostName": "vm",
            "processName": "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
            "processId": 8777,
        }
    )


def _plain(time: str, message: str) -> bytes:
    return f"{time[:10]} {time[11:19]},{time[20:23]} INFO  [org.keycloak.events] (executor-thread-1) {message}".encode()


def _represented(time: str, said: dict[str, str]) -> bytes:
    head = {key: said[key] for key in ("type", "realmId", "clientId", "userId", "ipAddress", "error") if key in said}
    milliseconds = round(datetime.fromisoformat(time[:23]).timestamp() * 1000)
    details = {key: value for key, value in said.items() if key not in head}
    return orjson.dumps({"time": milliseconds, **head, "details": details})


FORMS: Final[dict[str, Callable[[str, dict[str, str]], bytes]]] = {
    "keycloak, JSON": lambda time, said: _record(time, _quoted(said)),
    "keycloak, plain text": lambda time, said: _plain(time, _quoted(said)),
    "keycloak, REST": _represented,
    "keycloak 21, JSON": lambda time, said: _record(time, ", ".join(f"{key}={value}" for key, value in said.items())),
}


def write(form: str, native: Iterable[bytes]) -> bytes:
    """Return the lines of a form of Keycloak's log for native lines."""
    draw = random.Random(SEED)
    lines = []
    for line in native:
        record = orjson.loads(line)
        time = f"{record['created_at'].removesuffix('Z')[:23]}{draw.randrange(10**6):06}Z"
        lines.append(FORMS[form](time, values(record, draw)))
    return b"\n".join(lines) + b"\n"
