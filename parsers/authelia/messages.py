"""What messages mean, remembered apart from the id of the request in them, which is new in each line."""

from typing import Final

from parsers.authelia.meaning import ENDPOINTS, Meaning, of_message
from parsers.memory import remember

_BEFORE_ID: Final = frozenset(
    f"{subject} {word}{beside} with id "
    for subject in ENDPOINTS
    for word in ("Request", "Response")
    for beside in ("", " for Request")
)
"""What stands before an id that ``of_message`` skips, whatever it is, as long as no quote is in it."""
_MOST_CHARS: Final = 1024
"""Of what Authelia says of a failure."""


class Messages:
    """Remembers what messages mean."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, ...], Meaning | None] = {}

    def meaning(self, message: str, error: str | None) -> Meaning | None:
        """Return what ``of_message`` does."""
        parts = message.split("'", 2)
        if len(parts) < 3 or parts[0] not in _BEFORE_ID:
            return of_message(message, error)
        key = (parts[0], parts[2], error)
        try:
            return self._known[key]
        except KeyError:
            meant = of_message(message, error)
            remember(self._known, key, meant, _MOST_CHARS)
            return meant
