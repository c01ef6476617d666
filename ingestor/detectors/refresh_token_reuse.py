"""A refresh token that was exchanged already comes again (RFC 9700 section 4.14.2).

One of the two who have it has stolen it, or the client has lost an answer and asks again.
"""

from dataclasses import dataclass

from ingestor.detectors.parts.reuse import Reuse, ReuseOptions, is_of_code
from ingestor.detectors.parts.surge import SUCCESSES
from parsers.contract import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReuseOptions(ReuseOptions):
    """Okta's grace has the same length by default."""


class RefreshTokenReuse(Reuse):
    """Finds it by user and client. Low from where the user's program got tokens, high with another program from another network.

    Blind: to a thief at the user's own place with the user's own program, such as malware, which is low; and to what happened before the last 16,384
    tokens of users, which makes any reuse medium. Where the log has no user agents, a phone that changes networks looks like a thief.
    """

    name = "refresh_token_reuse"
    title = "A refresh token is used again"
    learns_from = SUCCESSES - {"token.issued.client_credentials"}
    actions = frozenset({"token.reuse_detected"}) | learns_from
    options = RefreshTokenReuseOptions

    def is_of_mine(self, tags: Tags) -> bool:
        """Whether it is not of a code."""
        return not is_of_code(tags)


DETECTOR = RefreshTokenReuse
