"""What the words of a native line mean: grants, endpoints and error texts, in the closed sets of ``parsers.contract``."""

from collections.abc import Mapping
from typing import Final, Protocol

from parsers.contract import ERRORS, FAILURES, GRANT_TYPES, ISSUED_PREFIX, OUTCOMES
from parsers.redaction.redact import Counts, redact_text
from parsers.text import normal_field
from parsers.wildcards import matches

OTHER: Final = "other"

GRANT_NAMES: Final = {
    **{grant: grant for grant in GRANT_TYPES},
    "urn:ietf:params:oauth:grant-type:device_code": "device_code",  # RFC 8628 section 3.4
    "urn:ietf:params:oauth:grant-type:token-exchange": "token_exchange",  # RFC 8693 section 2.1
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "jwt_bearer",  # RFC 7523 section 2.1
    "urn:openid:params:grant-type:ciba": "ciba",  # OpenID Connect CIBA section 10.1
}
"""What a request calls its grant, to our name. Case matters, as in RFC 6749."""

_ENDPOINTS: Final = {
    "token.refreshed": "token",
    "token.authorization_pending": "token",  # RFC 8628 section 3.5: polling is a token request
    "token.userinfo_accessed": "userinfo",
    "token.introspected": "introspection",
    "token.revoked": "revocation",
}


def endpoint_of(action: str) -> str:
    """Return where this action happens when that is certain, else an empty string: any endpoint can refuse."""
    return "token" if action.startswith(ISSUED_PREFIX) else _ENDPOINTS.get(action, "")


class ErrorRule(Protocol):
    """What an endpoint's own error text means."""

    @property
    def error(self) -> str:
        """A word of ``parsers.contract.ERRORS``."""
        ...

    @property
    def action(self) -> str | None:
        """A failure (or pending) action that this text tells, or None for the written one."""
        ...


class ErrorMapping:
    """An endpoint's own error texts and their meanings.

    A pattern is the whole text, upper and lower case alike, ``*`` standing for anything. A text without ``*`` goes
    before all patterns, which are tried in the order they were given.
    """

    def __init__(self, meanings: Mapping[str, ErrorRule]) -> None:
        """Raise ValueError for a meaning outside the vocabulary."""
        self._exact: dict[str, ErrorRule] = {}
        self._patterns: list[tuple[list[str], ErrorRule]] = []
        for pattern, meaning in meanings.items():
            if meaning.error not in ERRORS:
                raise ValueError(f"{pattern!r}: {meaning.error!r} is not one of {', '.join(sorted(ERRORS))}")
            if meaning.action is not None and meaning.action not in FAILURES:
                raise ValueError(f"{pattern!r}: {meaning.action!r} is not one of {', '.join(FAILURES)}")
            folded = pattern.strip().casefold()
            if "*" in folded:
                self._patterns.append((folded.split("*"), meaning))
            else:
                self._exact[folded] = meaning

    def find(self, text: str) -> ErrorRule | None:
        """Return what the text (edges stripped) means, or None when no pattern has it."""
        folded = text.casefold()
        exact = self._exact.get(folded)
        if exact is not None:
            return exact
        return next((meaning for pieces, meaning in self._patterns if matches(folded, pieces)), None)

    def read(self, text: str, action: str, counts: Counts) -> tuple[str, str | None, str]:
        """Return the ``error`` tag, ``error_detail`` and the action of a line that says ``text``.

        A text changes the action of a failure alone: an error message never makes a failure of a success.
        """
        text = text.strip()
        meaning = self.find(text)
        error = meaning.error if meaning else text if text in ERRORS else OTHER
        if meaning and meaning.action and OUTCOMES[action] == "failure":
            action = meaning.action
        return error, None if error == text else normal_field(redact_text(text, counts)) or None, action
