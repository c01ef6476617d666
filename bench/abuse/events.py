"""Events of the corpus, as parsers make them; and as the lines of a native log."""

import functools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final
from zlib import crc32

import orjson

from parsers.contract import OUTCOMES, Event, EventRow, Tags

START_MS: Final = 1_793_577_600_000
"""Monday, 2026-11-02T00:00:00Z."""
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
REALM: Final = "corp"
ENDPOINTS: Final = {
    "token.userinfo_accessed": "userinfo",
    "token.introspected": "introspection",
    "token.revoked": "revocation",
}


def event(
    time_ms: float,
    action: str,
    client: str,
    *,
    user: str | None = None,
    ip: str | None = None,
    agent: str | None = None,
    error: str = "",
    grant: str = "",
    scopes: str | None = None,
) -> EventRow:
    """Return an event."""
    time = round(time_ms)
    event_id = f"{time:x}-{crc32(f'{action} {client} {user} {ip}'.encode()):08x}"
    return time, None, _tags(action, client, error, grant), user, ip, agent, scopes, None, event_id, None


@functools.cache
def _tags(action: str, client: str, error: str, grant: str) -> Tags:
    if action.startswith("token.issued."):
        grant = action.removeprefix("token.issued.")
    elif action == "token.refreshed":
        grant = "refresh_token"
    return Tags(action, client, ENDPOINTS.get(action, "token"), error, grant, OUTCOMES[action], REALM)


def native(rows: Iterable[EventRow]) -> Iterator[bytes]:
    """Yield the lines of a native log that these events are in."""
    for row in rows:
        each = Event(*row)
        details = {
            "client_id": each.tags.client_id or None,
            "grant_type": each.tags.grant_type or None,
            "scopes": each.scopes.split() if each.scopes else None,
            "ip_address": each.ip,
            "user_agent": each.user_agent,
            "error": each.tags.error or None,
            "realm": each.tags.realm,
            "endpoint": each.tags.endpoint,
        }
        second, ms = divmod(each.time_ms, 1000)
        record = {
            "id": each.event_id,
            "created_at": f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03}Z",
            "action": each.tags.action,
            "user_id": each.user_id,
            "details": {name: value for name, value in details.items() if value is not None},
        }
        yield orjson.dumps(record) + b"\n"
