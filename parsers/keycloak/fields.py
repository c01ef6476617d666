"""What an event is made of, in Keycloak's names, however it was written."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from parsers.contract import Reason
from parsers.records import RejectedError


class Fields(NamedTuple):
    """The values as they are written; None is not there. Of equal keys the first counts."""

    type: str
    realm_id: str | None = None
    realm_name: str | None = None
    client_id: str | None = None
    user_id: str | None = None
    ip_address: str | None = None
    error: str | None = None
    reason: str | None = None
    detail: str | None = None
    grant_type: str | None = None
    scope: str | None = None
    username: str | None = None
    refresh_token_sub: str | None = None
    lifetime: str | None = None


NAMES: Final = (
    *("type", "realmId", "realmName", "clientId", "userId", "ipAddress", "error", "reason", "detail", "grant_type"),
    *("scope", "username", "refresh_token_sub", "access_token_expiration_time"),
)
"""What Keycloak calls the fields, in their order."""
DETAILS: Final = 7
"""So many of them stand in a fixed order, before all details."""
ALWAYS: Final = frozenset({"type", "clientId", "userId", "ipAddress"})
"""Stand in every message of every version."""
MOST_KEYS: Final = 100
"""Keycloak writes at most thirty. What has more is a stranger's, and not worth the time."""
KEY: Final = r"[\w.:-]{1,100}"
"""A key, as a regular expression."""


def fields_of(pairs: Iterable[tuple[str, str | None]]) -> Fields:
    """Return the fields of these keys and values. Raises RejectedError when one is missing that always stands there."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    if any(found.get(name) is None for name in ALWAYS):
        raise not_together()
    return Fields(*map(found.get, NAMES))  # type: ignore[arg-type]  # the type is there


def not_together() -> RejectedError:
    """Return the error of a message that is damaged."""
    return RejectedError(Reason.WRONG_TYPE, "message: its values do not hold together")


def unclear() -> RejectedError:
    """Return the error of a message that somebody's value forges."""
    return RejectedError(Reason.WRONG_TYPE, "message: a value in it makes keys, so it can be read in several ways")
