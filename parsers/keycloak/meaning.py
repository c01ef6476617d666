"""What each of Keycloak's events means: a table over its type, its error and what it says about the error. Pure.

Keycloak's words (``EventType``, ``Errors`` and ``Details`` in ``org.keycloak.events``) are its own, and the client was answered in
those of RFC 6749. A rule gives that answer, as far as the event tells which it was. The sources are real logs and Keycloak's code.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from parsers.contract import ISSUED_PREFIX, Reason
from parsers.records import RejectedError, unknown_operation
from parsers.vocabulary import GRANT_NAMES, OTHER


class Operation(NamedTuple):
    """What a type of event is about."""

    action: str
    """Of a success; empty where that is no token operation."""
    endpoint: str = "token"
    grant: str | None = None


class Meaning(NamedTuple):
    """What an event comes to."""

    action: str
    endpoint: str
    grant: str | None
    error: str | None = None
    """A word of ``parsers.contract.ERRORS``, or Keycloak's own where no rule knows it."""


class Rule(NamedTuple):
    """What a failure comes to that has one of these errors (any, if there are none) and all else that the rule asks for."""

    errors: tuple[str, ...]
    error: str
    action: str = "token.validation_failed"
    """Empty: no token operation, or one that another event tells."""
    because: tuple[str, ...] = ()
    """How ``reason`` or ``detail`` begins. "" is for an event with neither: Keycloak 21 and older seldom give one."""
    user: bool | None = None
    """Whether it has a user."""
    username: bool | None = None
    """Whether a user name was sent."""
    client: bool | None = None
    """Whether it has a client."""


def _issued(grant: str) -> Operation:
    return Operation(ISSUED_PREFIX + grant, grant=grant)


LOGIN: Final = "LOGIN"
"""With ``grant_type`` it is that grant, which is the password's in all released versions; without, a login with a browser."""
SERVICE_ACCOUNT: Final = frozenset({"CLIENT_LOGIN", "CLIENT_LOGIN_ERROR"})
"""Types whose user is the client's service account."""

OPERATIONS: Final = {
    LOGIN: Operation(ISSUED_PREFIX),
    "CODE_TO_TOKEN": _issued("authorization_code"),
    "CLIENT_LOGIN": _issued("client_credentials"),
    "REFRESH_TOKEN": Operation("token.refreshed", grant="refresh_token"),
    "TOKEN_EXCHANGE": _issued("token_exchange"),
    "OAUTH2_DEVICE_CODE_TO_TOKEN": _issued("device_code"),
    "AUTHREQID_TO_TOKEN": _issued("ciba"),
    "JWT_AUTHORIZATION_GRANT": _issued("jwt_bearer"),
    "JWT_BEARER": _issued("jwt_bearer"),
    "PERMISSION_TOKEN": _issued("other"),  # User-Managed Access
    "OAUTH2_EXTENSION_GRANT": _issued("other"),
    "VERIFIABLE_CREDENTIAL_PRE_AUTHORIZED_GRANT": _issued("other"),  # OpenID for Verifiable Credential Issuance
    "USER_INFO_REQUEST": Operation("token.userinfo_accessed", "userinfo"),
    "INTROSPECT_TOKEN": Operation("token.introspected", "introspection"),
    "REVOKE_GRANT": Operation("token.revoked", "revocation"),
    "OAUTH2_DEVICE_AUTH": Operation("", "device"),
    "PUSHED_AUTHORIZATION_REQUEST": Operation("", ""),
}
"""Types of events that are about tokens; a failure has the type with ``_ERROR`` behind it. The last two begin what may lead to a
token, so only their failures count."""
OTHERS: Final = frozenset(
    {"GRANT_CONSENT", "IDENTITY_PROVIDER_RETRIEVE_TOKEN", "EXECUTE_ACTION_TOKEN", "OAUTH2_DEVICE_VERIFY_USER_CODE"}
)
"""Types of events that are no token operation, though their names may look like one."""

_TOKEN_LIKE: Final = re.compile("TOKEN|GRANT|INTROSPECT|OAUTH|REFRESH|JWT|CLIENT_LOGIN|USER_INFO")
_FAILED: Final = "_ERROR"

_BAD_CLIENT: Final = ("invalid_client_credentials", "client_not_found", "client_disabled", "invalid_client")
_INACTIVE: Final = ("invalid_token", "user_session_not_found", "session_expired", "user_not_found", "user_disabled")
_AGAIN: Final = ("Authentication failed.", "Client authentication failed.")
"""What introspection and PAR say in a second event about a request whose client was refused in a first one."""
_POLLING: Final = (
    Rule(("slow_down",), "slow_down", "token.authorization_pending"),
    Rule(("authorization_pending",), "authorization_pending", "token.authorization_pending"),
    Rule(("expired_oauth2_device_code", "expired_token"), "expired_token", "token.expired"),
    Rule(("invalid_oauth2_device_code",), "invalid_grant"),
)
ALREADY_USED: Final = "code already used"
"""No error of an event: what Keycloak's class ``OAuth2CodeParser`` logs, which alone tells of a code that was used before. It says so
of one that has expired, too, as its store has forgotten both."""
_PKCE: Final = (
    *("pkce_verification_failed", "code_verifier_missing", "invalid_code_verifier", "invalid_code_challenge_method"),
)
_REUSE: Final = ("Stale token", "Maximum allowed refresh token reuse exceeded")

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    LOGIN: (
        Rule(("user_not_found",), "invalid_request", username=False),
        Rule(("invalid_request",), "invalid_scope", because=("",)),
        Rule(("consent_denied",), "invalid_client"),  # a client that asks for consent cannot have this grant
    ),
    "CODE_TO_TOKEN": (
        Rule(("invalid_code",), "invalid_request", because=("Missing parameter: code",)),
        Rule((ALREADY_USED,), "invalid_code", "token.reuse_detected"),
        # The code was good: until version 21 another redirect URI or client than the login's is an invalid code, too.
        Rule(("invalid_code",), "invalid_grant", user=True),
        Rule(("invalid_code",), "invalid_code"),
        Rule(("expired_code",), "expired_code", "token.expired"),
        Rule(("invalid_redirect_uri",), "invalid_grant"),
        Rule(("invalid_client",), "invalid_grant", because=("Auth error",)),
        Rule(_PKCE, "invalid_grant", "token.pkce_failed"),
    ),
    "CLIENT_LOGIN": (
        Rule(
            ("invalid_client",),
            "unauthorized_client",
            because=("Client not enabled", "Public client", "Bearer-only client", ""),
        ),
        Rule(("invalid_request",), "invalid_scope", because=("",)),
        Rule(("user_not_found", "user_disabled"), "invalid_request"),
    ),
    "REFRESH_TOKEN": (
        Rule(("invalid_token",), "invalid_grant", "token.reuse_detected", because=_REUSE),
        Rule(("invalid_token",), "invalid_grant", "token.expired", because=("Token is not active",)),
    ),
    "OAUTH2_DEVICE_CODE_TO_TOKEN": _POLLING,
    "AUTHREQID_TO_TOKEN": _POLLING,
    "TOKEN_EXCHANGE": (
        Rule(("invalid_token",), "invalid_request"),  # RFC 8693 section 2.2.2
        Rule(("not_allowed",), "access_denied"),
    ),
    "JWT_AUTHORIZATION_GRANT": (
        Rule(("invalid_request",), "invalid_scope", because=("Invalid scopes",)),
        Rule(("invalid_request",), "invalid_grant"),  # RFC 7521 section 4.1.1
    ),
    "USER_INFO_REQUEST": (
        Rule(("invalid_token",), "invalid_token", "token.expired", because=("Token is not active",)),
        Rule(("access_denied",), "insufficient_scope"),
        Rule((*_INACTIVE, *_BAD_CLIENT), "invalid_token"),  # RFC 6750 section 3.1
    ),
    "INTROSPECT_TOKEN": (
        Rule(_INACTIVE, "", "token.introspected"),  # answered with active: false
        Rule(("invalid_request", "invalid_client"), "", "", because=_AGAIN),
    ),
    "REVOKE_GRANT": (
        Rule(
            ("invalid_token", "user_session_not_found", "user_not_found"), "", "token.revoked"
        ),  # RFC 7009 section 2.2
        Rule(("invalid_token_type",), "unsupported_token_type"),
    ),
    "OAUTH2_DEVICE_AUTH": (
        Rule(("client_not_found",), "", "", client=False),  # what comes of a wrong user code
    ),
    "PUSHED_AUTHORIZATION_REQUEST": (
        Rule(_BAD_CLIENT, "", "", because=_AGAIN),
        Rule(_BAD_CLIENT, "invalid_client"),
        Rule((), "", ""),  # what the request asks for, as at the authorization endpoint
    ),
}
"""Of each type, in their order: the first that fits counts, else the first of ``COMMON``."""
COMMON: Final = (
    Rule(("invalid_request",), "invalid_scope", because=("Invalid scopes",)),
    Rule(_BAD_CLIENT, "invalid_client"),
    Rule(("not_allowed",), "unauthorized_client"),
    Rule(("invalid_user_credentials", "user_temporarily_disabled", "resolve_required_actions"), "invalid_grant"),
    Rule((*_INACTIVE, "different_user_authenticated"), "invalid_grant"),
    Rule(("consent_denied",), "invalid_scope"),
    Rule(("ssl_required",), "invalid_request"),
    Rule(("realm_disabled",), "access_denied"),
)


def operation_of(type_: str) -> Operation | None:
    """Return what a type is about, None when it is no token operation. Raises RejectedError for one that looks like one."""
    name = type_.removesuffix(_FAILED)
    operation = OPERATIONS.get(name)
    if operation is None and name not in OTHERS and _TOKEN_LIKE.search(name):
        raise unknown_operation(type_, "type")
    return operation


@lru_cache(1024)
def meaning_of(
    type_: str,
    error: str | None = None,
    because: str = "",
    grant_type: str | None = None,
    known: tuple[bool, bool, bool] = (True, True, True),
) -> Meaning | None:
    """Return what an event comes to, None for no token operation. Raises RejectedError for an event that cannot be.

    ``because``: its ``reason``, else its ``detail``. ``known``: whether it has a user, a user name and a client.
    """
    operation = operation_of(type_)
    name = type_.removesuffix(_FAILED)
    if operation is not None and name == LOGIN:
        grant = GRANT_NAMES.get(grant_type, OTHER) if grant_type else None
        operation = _issued(grant) if grant else None
    if operation is None:
        return None
    if name == type_:
        return Meaning(*operation) if operation.action else None
    if error is None:
        raise RejectedError(Reason.MISSING_KEY, "error")
    for rule in (*RULES.get(name, ()), *COMMON):
        if _fits(rule, error, because, known):
            return Meaning(rule.action, *operation[1:], rule.error or None) if rule.action else None
    return Meaning("token.validation_failed", *operation[1:], error)


def _fits(rule: Rule, error: str, because: str, known: tuple[bool, bool, bool]) -> bool:
    return (
        (not rule.errors or error in rule.errors)
        and (not rule.because or any(because.startswith(text) if text else not because for text in rule.because))
        and all(asked in {None, its} for asked, its in zip(rule[4:], known, strict=True))
    )
