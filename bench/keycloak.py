"""The log that Keycloak would have written where ``bench.generate`` has a native line: equal lines, equal bytes.

What is said of an event and how it is written is the demo's. Its values are as long as Keycloak's own, and what differs from line to
line there does so here: ids of tokens, sessions and codes.
"""

import random
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

import orjson

from ingestor.demo.providers.keycloak_events import quoted, record, said
from ingestor.demo.traffic import Operation

SEED: Final = 20261129
GRANTS: Final = {
    "token.refreshed": "refresh_token",
    "token.validation_failed": "client_credentials",
    "token.authorization_pending": "device_code",
    "token.expired": "refresh_token",
    "token.pkce_failed": "authorization_code",
    "token.rate_limited": "client_credentials",
    "token.reuse_detected": "refresh_token",
}
"""Of an action that is none by its name."""
ENDPOINTS: Final = {
    "token.userinfo_accessed": "userinfo",
    "token.introspected": "introspection",
    "token.revoked": "revocation",
}
ERRORS: Final = {
    "token.validation_failed": "invalid_client",
    "token.authorization_pending": "slow_down",
    "token.expired": "expired_token",
    "token.pkce_failed": "invalid_grant",
    "token.reuse_detected": "invalid_grant",
}
"""Of each failure one, of which Keycloak writes one event."""


def operation(native: dict[str, Any]) -> Operation:
    """Return what was done where a native log has this line."""
    action, details = native["action"], native["details"]
    issued = action.removeprefix("token.issued.") if action.startswith("token.issued.") else None
    return Operation(
        *(
            0,
            action,
            details["client_id"],
            ENDPOINTS.get(action, "token"),
            native["user_id"],
            details["ip_address"],
            "",
        ),
        *(issued or GRANTS.get(action), details["scopes"], details["expires_in"], ERRORS.get(action)),
    )


def _plain(time: str, message: str) -> bytes:
    return f"{time[:10]} {time[11:19]},{time[20:23]} INFO  [org.keycloak.events] (executor-thread-1) {message}".encode()


def _represented(time: str, values: dict[str, str]) -> bytes:
    head = {
        key: values[key] for key in ("type", "realmId", "clientId", "userId", "ipAddress", "error") if key in values
    }
    milliseconds = round(datetime.fromisoformat(time[:23]).timestamp() * 1000)
    details = {key: value for key, value in values.items() if key not in head}
    return orjson.dumps({"time": milliseconds, **head, "details": details})


FORMS: Final[dict[str, Callable[[str, dict[str, str]], bytes]]] = {
    "keycloak, JSON": lambda time, values: record(time, quoted(values)),
    "keycloak, plain text": lambda time, values: _plain(time, quoted(values)),
    "keycloak, REST": _represented,
    "keycloak 21, JSON": lambda time, values: record(
        time, ", ".join(f"{key}={value}" for key, value in values.items())
    ),
}


def write(form: str, native: Iterable[bytes]) -> bytes:
    """Return the lines of a form of Keycloak's log for native lines."""
    draw = random.Random(SEED)
    lines = []
    for line in native:
        row = orjson.loads(line)
        time = f"{row['created_at'].removesuffix('Z')[:23]}{draw.randrange(10**6):06}Z"
        lines.append(FORMS[form](time, said(operation(row), draw)))
    return b"\n".join(lines) + b"\n"
