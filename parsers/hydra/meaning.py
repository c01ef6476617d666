"""What Ory Hydra's words mean. Pure tables, made after a real Hydra 26.2.0."""

from functools import lru_cache
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What happened, in tokentail's words. ``error``: a word of the closed set, or Hydra's own."""

    action: str
    error: str | None = None


FAILED: Final = "token.validation_failed"
_REMEMBERED_CHARS: Final = 256

SUCCESSES: Final = {
    "/oauth2/token": "token.issued.other",
    "/userinfo": "token.userinfo_accessed",
    "/oauth2/revoke": "token.revoked",
    "/admin/oauth2/introspect": "token.introspected",
    "/oauth2/introspect": "token.introspected",
}
"""What a request with the status 200 did. The log does not tell the grant, and so neither a refresh."""
ENDPOINTS: Final = {"/oauth2/token": "token", "/userinfo": "userinfo", "/oauth2/revoke": "revocation"}
"""Where a failure has a line of its own. Introspection is none of them: an inactive token is no failure there."""

_REASONS: Final[dict[str, Meaning]] = {
    "The refresh token was already used.": Meaning("token.reuse_detected", "invalid_grant"),
    "The refresh token expired.": Meaning("token.expired", "invalid_grant"),
    "The refresh token is malformed or not valid.": Meaning(FAILED, "invalid_grant"),
    "The authorization code has already been used.": Meaning(FAILED, "invalid_code"),
    "The POST body can not be empty.": Meaning(FAILED, "invalid_request"),
}
_BEGINNINGS: Final[dict[str, Meaning]] = {
    "The PKCE ": Meaning("token.pkce_failed", "invalid_grant"),
    "Access token expired at ": Meaning("token.expired", "invalid_token"),
    'The "redirect_uri" from this request ': Meaning(FAILED, "invalid_grant"),
    "The OAuth 2.0 Client ID from this request ": Meaning(FAILED, "invalid_grant"),
    "The OAuth 2.0 Client supports client authentication method ": Meaning(FAILED, "invalid_client"),
    "The OAuth 2.0 Client is not allowed to use authorization grant ": Meaning(FAILED, "unauthorized_client"),
    "The OAuth 2.0 Client is not allowed to request scope ": Meaning(FAILED, "invalid_scope"),
    "Client credentials missing or malformed ": Meaning(FAILED, "invalid_request"),
    "Make sure that the various parameters are correct": Meaning(FAILED, "invalid_request"),
    "Request parameter ": Meaning(FAILED, "invalid_request"),
}
"""Of reasons that quote what was sent."""
_ERRORS: Final[dict[str, Meaning]] = {
    "authorization_pending": Meaning("token.authorization_pending", "authorization_pending"),
    "slow_down": Meaning("token.authorization_pending", "slow_down"),
    "expired_token": Meaning("token.expired", "expired_token"),
}


def of_failure(error: str, reason: str, debug: str) -> Meaning:
    """Return what a failure in the log means.

    An expired code is told by ``debug`` alone. A wrong code, a missing one and a used device code are one to Hydra.
    """
    if error == "invalid_grant" and not reason and debug == "invalid_token":
        return Meaning("token.expired", "expired_code")
    told = _of_reason(reason)
    if told is not None and (told.error == error or told.action != FAILED or error == "invalid_grant"):
        return told
    return _ERRORS.get(error, Meaning(FAILED, error))


def of_exchange_error(reason: str) -> Meaning:
    """Return what an ``OAuth2TokenExchangeError`` means, whose one word is the reason, or the error where there is none."""
    return _known_exchange_error(reason) if len(reason) <= _REMEMBERED_CHARS else _of_exchange_error(reason)


def _of_exchange_error(reason: str) -> Meaning:
    return _of_reason(reason) or _ERRORS.get(reason) or Meaning(FAILED, reason or "unknown")


_known_exchange_error: Final = lru_cache(1024)(_of_exchange_error)


def _of_reason(reason: str) -> Meaning | None:
    if reason in _REASONS:
        return _REASONS[reason]
    return next((told for beginning, told in _BEGINNINGS.items() if reason.startswith(beginning)), None)


def of_request(path: str, method: str, status: int) -> Meaning | None:
    """Return what an answered request means; None where its failure has a line of its own, or it is no token operation."""
    if status == 200 and path in SUCCESSES:
        return Meaning(SUCCESSES[path])
    if path == "/oauth2/token" and method != "POST" and status in {404, 405}:
        return Meaning(FAILED, "invalid_request")
    return None
