"""What Authelia's sentences mean. Pure tables, made after a real Authelia 4.39.20."""

import re
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What happened, in tokentail's words. ``error``: a word of the closed set, or Authelia's own words."""

    action: str
    endpoint: str | None
    client_id: str | None = None
    error: str | None = None
    detail: str | None = None
    """Authelia's words beside the error."""


FAILED: Final = "token.validation_failed"
INTROSPECTED: Final = "token.introspected"
SUCCESSES: Final = {
    "Access": "token.issued.other",
    "User Info": "token.userinfo_accessed",
    "Revocation": "token.revoked",
}
"""The log does not tell the grant, and so neither a refresh. Of an introspection it tells only that it began."""
ENDPOINTS: Final = {
    "Access": "token",
    "User Info": "userinfo",
    "Introspection": "introspection",
    "Revocation": "revocation",
    "Device Authorization": "device",
    "Pushed Authorization": None,
}
PATHS: Final = {"token": "token", "device-authorization": "device"} | {
    name: name for name in ("userinfo", "introspection", "revocation")
}
"""What stands behind ``/api/oidc/`` in the path of a request, and the endpoint."""

_SUBJECT: Final = rf"({'|'.join(ENDPOINTS)}) Re(?:quest|sponse)"
_SUCCESS: Final = re.compile(
    rf"{_SUBJECT} with id '[^']*+'(?: on client with id '(.*)')? (?:has successfully been|was successfully) processed",
    re.DOTALL,
)
_FAILURE: Final = re.compile(
    rf"{_SUBJECT}(?:(?: for Request)? with id '[^']*+')?(?: on client with id '([^']*+)')?"
    r" (?:failed|could not be processed|encountered an error|had an error)\b(.*)",
    re.DOTALL,
)
_OF_USERS: Final = " during the User Authorization Flow"
"""A person in a browser, who enters the code of a device."""
_UNKNOWN_CLIENT: Final = re.compile(r"Client with id '(.*)' does not appear to be a registered client\.", re.DOTALL)

INVALID_GRANT: Final = (
    "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is invalid, expired, "
    "revoked, does not match the redirection URI used in the authorization request, or was issued to another client."
)
INVALID_REQUEST: Final = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is "
    "otherwise malformed."
)
INVALID_CLIENT: Final = "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method)."
_INACTIVE: Final = "Token is inactive because it is malformed, expired or otherwise invalid."
_UNAUTHORIZED: Final = "The request could not be authorized."
_EXPIRED: Final = "Token expired."
_ERRORS: Final = {
    INVALID_GRANT: "invalid_grant",
    INVALID_REQUEST: "invalid_request",
    INVALID_CLIENT: "invalid_client",
    _INACTIVE: "invalid_token",
    _UNAUTHORIZED: "invalid_client",
    _EXPIRED: "invalid_token",
    "Could not find the requested resource(s).": "invalid_token",
    "Token signature mismatch.": "invalid_token",
    "The token provided is expired, revoked, malformed, or invalid for other reasons.": "invalid_token",
    "The access token provided is expired, revoked, malformed, or invalid for other reasons.": "invalid_token",
    "bearer authorization failed as the token is not an Access Token": "invalid_token",
    "bearer authorization failed as the Access Token was not granted the appropriate scope": "insufficient_scope",
    "The request requires higher privileges than provided by the Access Token.": "insufficient_scope",
    "The client is not authorized to request a token using this method.": "unauthorized_client",
    "The authorization grant type is not supported by the authorization server.": "unsupported_grant_type",
    "The requested scope is invalid, unknown, or malformed.": "invalid_scope",
    "The requested resource is invalid, missing, unknown, or malformed.": "invalid_target",
    "The resource owner or authorization server denied the request.": "access_denied",
    "The authorization request is still pending as the end user hasn't yet completed the user-interaction steps.": (
        "authorization_pending"
    ),
    "Too many requests within a short time period.": "slow_down",
    "The device_code has expired, and the device authorization session has concluded.": "expired_token",
    "The authorization server encountered an unexpected condition that prevented it from fulfilling the request.": "server_error",
    "The request failed because of an internal error that is probably caused by misconfiguration.": "server_error",
    "The authorization server is currently unable to handle the request due to a temporary overloading or maintenance of the "
    "server.": "temporarily_unavailable",
}
"""The descriptions of its OAuth errors. The text of a failure begins with one, and the reason follows."""
_REASONS: Final = (
    (INVALID_GRANT, "The authorization code has already been used.", FAILED, "invalid_code"),
    (
        INVALID_GRANT,
        "The authorization code session for the given authorization code was not found.",
        FAILED,
        "invalid_code",
    ),
    (INVALID_GRANT, "Token expired. Authorize Code expired at ", "token.expired", "expired_code"),
    (INVALID_GRANT, "Token expired. ", "token.expired", "invalid_grant"),
    (INVALID_GRANT, "The PKCE ", "token.pkce_failed", "invalid_grant"),
    (INVALID_REQUEST, "The client id in the request had an invalid character.", FAILED, "invalid_client"),
)
"""Where a reason begins with words that tell more than its description: the action, and the error."""
_ACTIONS: Final = {
    "authorization_pending": "token.authorization_pending",
    "slow_down": "token.authorization_pending",
    "expired_token": "token.expired",
}


def of_message(message: str, error: str | None) -> Meaning | None:
    """Return what a message says of a request; None if it tells of no outcome. ``error``: what the line has beside it.

    Each pattern is about the whole message, and what a client wrote stands behind words of Authelia's. So it cannot make
    another message of it.
    """
    if (success := _SUCCESS.fullmatch(message)) is not None:
        subject, client_id = success.groups()
        return Meaning(SUCCESSES[subject], ENDPOINTS[subject], client_id) if subject in SUCCESSES else None
    failure = _FAILURE.fullmatch(message)
    if failure is None:
        return None
    subject, client_id, rest = failure.groups()
    if rest.endswith(_OF_USERS):
        return None
    return _of_failure(subject, client_id, error or rest.partition(": ")[2])


def looks_like_one(message: str) -> bool:
    """Whether a message is about a token request, and so should be known if it is an error."""
    return message.startswith(("Access Request", "Access Response"))


def _of_failure(subject: str, client_id: str | None, text: str) -> Meaning:
    endpoint = ENDPOINTS[subject]
    description = next((each for each in _ERRORS if text.startswith(each)), "")
    reason = text
    while description and reason.startswith(description):  # it may be there twice
        reason = reason.removeprefix(description).lstrip()
    if subject == "Introspection" and description == _INACTIVE:
        return Meaning(INTROSPECTED, endpoint)  # that is the answer, and no failure
    if (unknown := _UNKNOWN_CLIENT.fullmatch(reason)) is not None and description == INVALID_CLIENT:
        return Meaning(FAILED, endpoint, unknown[1], "invalid_client")
    for of, beginning, action, error in _REASONS:
        if description == of and reason.startswith(beginning):
            return Meaning(action, endpoint, client_id, error, reason)
    word = _ERRORS.get(description) or text or "unknown"
    action = _ACTIONS.get(word, FAILED)
    if subject == "User Info" and description in {_UNAUTHORIZED, _EXPIRED}:
        action, word = "token.expired" if description == _EXPIRED else FAILED, "invalid_token"
    return Meaning(action, endpoint, client_id, word, reason if description else None)
