"""A client gets very many tokens within a minute (OWASP API4:2023, unrestricted resource consumption)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestor.detectors.contract import Options
from ingestor.detectors.parts.flood import Flood
from ingestor.detectors.parts.memory import Key
from ingestor.detectors.parts.surge import MINUTE_MS
from parsers.contract import EventRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBurstOptions(Options):
    """How many tokens are a burst."""

    tokens: int = 300
    """So many in a minute, from one full minute to the next. One token serves a client until it expires."""


class TokenBurst(Flood[TokenBurstOptions]):
    """Finds it by client, of the grant `client_credentials`. Always low: a client that asks for a token with each request does the same all day.

    Blind: to fewer in a minute, all day long, and to who shares the work between two minutes. What is much for one client, the
    detector of volumes knows.
    """

    name = "token_burst"
    title = "A client gets very many tokens in a minute"
    actions = frozenset({"token.issued.client_credentials"})
    options = TokenBurstOptions
    thresholds = ("tokens",)

    def subjects_of(self, rows: Sequence[EventRow]) -> Iterable[Key]:
        """Return the clients."""
        return [(row[2].realm, row[2].client_id, "") for row in rows]

    def most(self, options: TokenBurstOptions) -> int:
        """Return the option."""
        return options.tokens

    def window_ms(self) -> int:
        """Return a minute."""
        return MINUTE_MS


DETECTOR = TokenBurst
