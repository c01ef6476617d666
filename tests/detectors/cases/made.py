"""Events as detectors are shown them."""

from typing import Final

from parsers.contract import OUTCOMES, EventRow, Tags

START_MS: Final = 1_767_225_600_000


def event(
    action: str,
    second: float,
    client_id: str = "app",
    *,
    error: str = "",
    endpoint: str = "token",
    realm: str = "",
    user: str | None = None,
    ip: str | None = "203.0.113.7",
    agent: str | None = "curl/8",
    scopes: str | None = None,
    event_id: str | None = None,
    grant: str = "",
) -> EventRow:
    """Return an event so many seconds after the start."""
    grant = action.removeprefix("token.issued.") if action.startswith("token.issued.") else grant
    grant = "refresh_token" if action == "token.refreshed" else grant
    tags = Tags(action, client_id, endpoint, error, grant, OUTCOMES[action], realm)
    return START_MS + round(second * 1000), None, tags, user, ip, agent, scopes, None, event_id, None
