"""The times of Keycloak's records: RFC 3339 in JSON, the local time of a zone in plain text, milliseconds in its REST interface."""

from collections.abc import Callable
from datetime import UTC
from zoneinfo import ZoneInfo

from parsers.rfc3339 import LocalReader, Reader, Written


class Clock:
    """Reads times, remembering the last minute. What is none is None."""

    def __init__(self, zone: str) -> None:
        """``zone``: an IANA name, of times without a zone. Raises ValueError for one that is not known."""
        try:
            local = LocalReader(UTC if zone == "UTC" else ZoneInfo(zone))
        except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"log_time_zone: {zone!r} is no IANA time zone") from None
        self.rfc3339: Callable[[str], Written | None] = Reader().read
        """Of records in JSON."""
        self.local: Callable[[str], Written | None] = local.read
        """Of lines, ``2026-11-29 10:00:00,123``."""


def milliseconds(number: int) -> Written:
    """Return the time of an event of the REST interface."""
    return number, None
