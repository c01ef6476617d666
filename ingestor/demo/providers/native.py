"""The native format (design section 2), as a token endpoint of one's own writes it. Pure."""

from operator import attrgetter
from random import Random
from typing import Final

import orjson

from ingestor.demo.personas import DAY_MS
from ingestor.demo.providers.contract import Kind, Line, Provider, rfc3339
from ingestor.demo.providers.damage import cut_short, not_utf8, with_values, without
from ingestor.demo.traffic import Operation

_OTHER_ACTIONS: Final = (
    *("user.login", "user.logout", "user.mfa_enrolled", "session.ended", "client.updated", "consent.granted"),
)


def _lines(operation: Operation, _: int, rng: Random) -> list[Line]:
    event_id = f"{rng.getrandbits(64):016x}"
    row = {
        "id": event_id,
        "created_at": rfc3339(operation.time_ms),
        "action": operation.action,
        "user_id": operation.user,
        "resource_type": "oauth_token",
        "resource_id": operation.client,
        "details": {
            "client_id": operation.client,
            "endpoint": operation.endpoint,
            "grant_type": operation.grant_type,
            "scopes": operation.scopes,
            "ip_address": operation.address,
            "user_agent": operation.agent,
            "error": operation.error,
            "expires_in": operation.expires_in,
        },
    }
    return [Line(operation.time_ms, orjson.dumps(row) + b"\n", Kind.EVENT, operation.action, event_id)]


def _other(time_ms: int, rng: Random) -> Line:
    row = {
        "id": f"{rng.getrandbits(64):016x}",
        "created_at": rfc3339(time_ms),
        "action": rng.choice(_OTHER_ACTIONS),
        "user_id": f"u-{1000 + rng.randrange(DAY_MS) % 600}",
        "resource_type": "user",
        "details": {"ip_address": f"203.0.113.{1 + rng.randrange(250)}"},
    }
    return Line(time_ms, orjson.dumps(row) + b"\n", Kind.IGNORED)


def _cut_within_a_secret(line: bytes) -> bytes:
    # What `tokentail rejected list` must not show, though no parser can tell where the value ends.
    secret = {"action": orjson.loads(line)["action"], "client_secret": "correct-horse-battery-staple"}
    return orjson.dumps(secret)[:-8]


NATIVE: Final = Provider(
    name="native format",
    log="tokentail's native format",
    file_name="token-audit.log",
    usual_path="/var/log/your-endpoint/audit.log",
    lines=_lines,
    other=_other,
    damages=(
        cut_short,
        _cut_within_a_secret,
        with_values(action=42),
        with_values(action="token.teleported"),
        without("created_at"),
        with_values(created_at="yesterday, about noon"),
        not_utf8("resource_type"),
    ),
    key=attrgetter("event_id"),
    keys="event ids",
)
