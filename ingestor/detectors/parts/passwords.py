"""Failures by which somebody tries to be a user: a wrong password, or whatever else stands for it."""

from typing import Final

from parsers.contract import Tags

FAILED: Final = "token.validation_failed"
_OF_TOKENS: Final = frozenset(
    {"refresh_token", "authorization_code", "device_code", "token_exchange", "jwt_bearer", "client_credentials"}
)
"""Grants whose ``invalid_grant`` is about a code or a token: an app that was logged out has many of these."""


def is_wrong_password(tags: Tags) -> bool:
    """Whether a user did not get in, by the grants ``password`` and ``ciba``, or one that the log does not tell."""
    return tags.action == FAILED and tags.error == "invalid_grant" and tags.grant_type not in _OF_TOKENS
