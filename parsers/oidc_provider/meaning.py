"""What the events of oidc-provider mean. Pure tables; the words are those of its version 9 (``lib/actions/grants``)."""

from functools import lru_cache
from typing import Final, NamedTuple

from parsers.contract import ERRORS, ISSUED_PREFIX


class Meaning(NamedTuple):
    """What happened, in tokentail's words."""

    action: str
    error: str | None = None


FAILED: Final = "token.validation_failed"

_ENDPOINT_REQUESTS: Final = {
    "userinfo": "token.userinfo_accessed",
    "introspection": "token.introspected",
    "revocation": "token.revoked",
}
"""Routes whose success is told by the line of the request alone. Their failures have an event of their own."""
_ENDPOINTS_OF_ERRORS: Final = {
    "grant.error": "token",
    "userinfo.error": "userinfo",
    "introspection.error": "introspection",
    "revocation.error": "revocation",
    "device_authorization.error": "device",
    "pushed_authorization_request.error": "",
    "backchannel_authentication.error": "",
}
OTHER_EVENTS: Final = frozenset(
    {
        *("access_token.destroyed", "access_token.saved", "access_token.issued"),
        *("authorization.accepted", "authorization.error", "authorization.success"),
        *("authorization_code.consumed", "authorization_code.destroyed", "authorization_code.saved"),
        *("backchannel.error", "backchannel.success", "backchannel_authentication.success"),
        *("client_credentials.destroyed", "client_credentials.saved", "client_credentials.issued"),
        *("device_authorization.success", "device_code.consumed", "device_code.destroyed", "device_code.saved"),
        *("discovery.error", "end_session.error", "end_session.success", "grant.revoked"),
        *("initial_access_token.destroyed", "initial_access_token.saved", "interaction.destroyed", "interaction.ended"),
        *("interaction.saved", "interaction.started", "jwks.error", "pushed_authorization_request.destroyed"),
        *("pushed_authorization_request.saved", "pushed_authorization_request.success", "refresh_token.consumed"),
        *("refresh_token.destroyed", "refresh_token.saved", "registration_access_token.destroyed"),
        *("registration_access_token.saved", "registration_create.error", "registration_create.success"),
        *("registration_delete.error", "registration_delete.success", "registration_read.error"),
        *("registration_update.error", "registration_update.success", "replay_detection.destroyed"),
        *("replay_detection.saved", "server_error", "session.destroyed", "session.saved", "code_verification.error"),
    }
)
"""Events of the library that are no token operation: browser logins, sessions, storage, registration. ``grant.revoked``
stands beside the ``grant.error`` of what it answers, and ``device_authorization.success`` issues no token yet."""


def known(event: str) -> bool:
    """Whether this is an event of the library, or the line of a request."""
    return event in OTHER_EVENTS or event in _ENDPOINTS_OF_ERRORS or event in {"grant.success", "request"}


def endpoint_of_error(event: str) -> str | None:
    """Return the endpoint of a failure; empty where it is none of tokentail's, and None for what is no failure."""
    return _ENDPOINTS_OF_ERRORS.get(event)


@lru_cache(100)
def of_success(grant_type: str) -> Meaning:
    """Return what ``grant.success`` means."""
    return Meaning("token.refreshed" if grant_type == "refresh_token" else ISSUED_PREFIX + grant_type)


@lru_cache(100)
def of_request(route: str, status: int) -> Meaning | None:
    """Return what the line of a request means; None for one that other lines tell of, or that failed."""
    action = _ENDPOINT_REQUESTS.get(route)
    return Meaning(action) if action and 200 <= status < 300 else None


def of_error(error: str, detail: str) -> Meaning:
    """Return what a failure means. ``detail``: ``error_detail``, else ``error_description``; clients see the latter alone."""
    if error in {"authorization_pending", "slow_down"}:
        return Meaning("token.authorization_pending", error)
    if error == "expired_token":
        return Meaning("token.expired", error)
    if "code_verifier" in detail or "code verifier" in detail:
        return Meaning("token.pkce_failed", "invalid_grant")
    if error == "invalid_grant":
        return _of_grant(detail)
    return Meaning(FAILED, error if error in ERRORS else "unknown")


def _of_grant(detail: str) -> Meaning:
    match detail:
        case "refresh token already used":
            return Meaning("token.reuse_detected", "invalid_grant")
        case "authorization code is expired":
            return Meaning("token.expired", "expired_code")
        case "refresh token is expired" | "grant is expired":
            return Meaning("token.expired", "invalid_grant")
        case "authorization code already consumed" | "authorization code not found":
            return Meaning(FAILED, "invalid_code")
        case _:
            return Meaning(FAILED, "invalid_grant")
