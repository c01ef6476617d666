"""An authorization code that was redeemed already comes again (RFC 6749 section 4.1.2, RFC 9700 section 4.5).

Somebody has read it where it passed by, in a browser's history or a proxy's log; or a page was loaded twice.
"""

from dataclasses import dataclass

from ingestor.detectors.parts.reuse import Reuse, ReuseOptions, is_of_code
from parsers.contract import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReuseOptions(ReuseOptions):
    """Keycloak says of codes that have expired, too, that they were used: slow users are many."""

    many_unknown: int = 100


class CodeReuse(Reuse):
    """Finds it by user and client. Low from where the user's program redeemed codes, high with another program from another network.

    Blind: where the log names no user, as Keycloak's, until these are many; and where it tells no used code from a wrong one, as the
    logs of Hydra, oidc-provider and Authelia: there it is a case of code_guessing.
    """

    name = "code_reuse"
    title = "An authorization code is used again"
    learns_from = frozenset({"token.issued.authorization_code"})
    actions = frozenset({"token.reuse_detected"}) | learns_from
    options = CodeReuseOptions

    def is_of_mine(self, tags: Tags) -> bool:
        """Whether it is of a code."""
        return is_of_code(tags)


DETECTOR = CodeReuse
