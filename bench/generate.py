"""Write a native audit log for the benches: equal arguments, equal bytes.

    python -m bench.generate audit.log --lines 500000 --days 7

40 clients, 5,000 users, every action, days with a morning and an afternoon peak, lines of about 400 bytes in time order.
"""

import argparse
import random
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

SEED = 20261101
CLIENTS = 40
USERS = 5_000
START_MS = 1_793_491_200_000  # 2026-11-01T00:00:00Z
DAY_MS = 86_400_000
HOURS = (3, 2, 1, 1, 1, 2, 4, 8, 14, 17, 16, 13, 11, 14, 16, 15, 13, 11, 9, 8, 7, 6, 5, 4)
"""Relative load by hour of day."""
CUMULATIVE_HOURS = (0, *accumulate(HOURS))

ACTIONS = {
    "token.refreshed": 300,
    "token.issued.authorization_code": 220,
    "token.issued.client_credentials": 120,
    "token.userinfo_accessed": 120,
    "token.introspected": 90,
    "token.issued.refresh_token": 30,
    "token.validation_failed": 30,
    "token.revoked": 20,
    "token.authorization_pending": 20,
    "token.issued.device_code": 12,
    "token.expired": 10,
    "token.issued.token_exchange": 8,
    "token.issued.jwt_bearer": 6,
    "token.issued.password": 4,
    "token.pkce_failed": 4,
    "token.rate_limited": 3,
    "token.issued.ciba": 2,
    "token.reuse_detected": 2,
    "token.issued.other": 1,
}
ERRORS = {
    "token.validation_failed": ("invalid_grant", "invalid_client", "invalid_code", "invalid_scope"),
    "token.pkce_failed": ("invalid_grant",),
    "token.expired": ("expired_code", "expired_token"),
    "token.reuse_detected": ("invalid_grant",),
    "token.rate_limited": ("temporarily_unavailable",),
    "token.authorization_pending": ("authorization_pending", "slow_down"),
}
SCOPES = (
    ("openid", "profile", "email", "offline_access"),
    ("openid", "profile", "email"),
    ("openid", "offline_access"),
    ("orders:read", "orders:write"),
    ("reports:read",),
)
LIFETIMES = (300, 900, 3600, 3600, 3600, 86_400)
BROWSER = "Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"
SYSTEMS = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
AGENTS = (
    *(BROWSER.format(system=system, major=major) for system in SYSTEMS for major in (141, 142, 143)),
    *(f"Shop/{version} (iPhone; iOS 18.1; Scale/3.00)" for version in ("7.4.1", "7.4.0", "7.3.2", "7.1.0")),
    *(f"okhttp/{version}" for version in ("4.12.0", "4.11.0", "4.9.3")),
    *(f"python-requests/2.{minor}" for minor in ("32.3", "31.0", "28.1")),
    *("curl/8.5.0", "Go-http-client/2.0", "axios/1.7.7", "node"),
)


class User(NamedTuple):
    """Someone with the habits that a log shows."""

    id: str
    addresses: tuple[str, ...]
    agents: tuple[str, ...]


def lines(count: int, *, days: float = 7, seed: int = SEED, client_count: int = CLIENTS) -> Iterator[bytes]:
    """Yield ``count`` lines with their line ends."""
    rng = random.Random(seed)
    kinds = ("web-app", "mobile", "service", "partner")
    clients = [f"{kinds[number % 4]}-{number:02}" for number in range(client_count)]
    users = [_user(rng) for _ in range(USERS)]
    # A few clients and users make most of the events.
    client_weights = list(accumulate(1 / (rank + 1) for rank in range(client_count)))
    user_weights = list(accumulate(1 / (rank + 50) for rank in range(USERS)))
    actions, action_weights = list(ACTIONS), list(accumulate(ACTIONS.values()))
    scopes_of = {client: rng.choice(SCOPES) for client in clients}
    lifetime_of = {client: rng.choice(LIFETIMES) for client in clients}
    for index in range(count):
        action = rng.choices(actions, cum_weights=action_weights)[0]
        client = rng.choices(clients, cum_weights=client_weights)[0]
        user = rng.choices(users, cum_weights=user_weights)[0]
        written = _written(_time_ms((index + rng.random()) / count, days))
        record = _record(action, client, user, scopes_of[client], lifetime_of[client], rng)
        yield (
            orjson.dumps({"id": str(UUID(int=rng.getrandbits(128), version=4)), "created_at": written, **record})
            + b"\n"
        )


def write(path: Path, count: int, *, days: float = 7, seed: int = SEED) -> None:
    """Write a log of ``count`` lines."""
    with path.open("wb") as file:
        file.writelines(lines(count, days=days, seed=seed))


def _user(rng: random.Random) -> User:
    return User(
        str(UUID(int=rng.getrandbits(128), version=4)),
        tuple(
            f"203.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
            for _ in range(rng.choice((1, 1, 2)))
        ),
        tuple(rng.choices(AGENTS, k=rng.choice((1, 1, 2)))),
    )


def _time_ms(share: float, days: float) -> int:
    """Return the time by which this share of all events has happened."""
    day, rest = divmod(share * days, 1)
    load = rest * CUMULATIVE_HOURS[-1]
    hour = bisect(CUMULATIVE_HOURS, load) - 1
    within = (load - CUMULATIVE_HOURS[hour]) / HOURS[hour]
    return START_MS + int((day + (hour + within) / 24) * DAY_MS)


def _written(time_ms: int) -> str:
    second, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03}Z"


def _record(
    action: str, client: str, user: User, scopes: tuple[str, ...], lifetime: int, rng: random.Random
) -> dict[str, Any]:
    grant_type = action.removeprefix("token.issued.") if action.startswith("token.issued.") else None
    errors = ERRORS.get(action)
    return {
        "action": action,
        "user_id": None if grant_type == "client_credentials" or (errors and rng.random() < 0.5) else user.id,
        "resource_type": "oauth_token",
        "resource_id": client,
        "details": {
            "client_id": client,
            "grant_type": grant_type,
            "scopes": scopes,
            "ip_address": rng.choice(user.addresses),
            "user_agent": rng.choice(user.agents),
            "error": rng.choice(errors) if errors else None,
            "expires_in": lifetime if grant_type or action == "token.refreshed" else None,
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    write(arguments.path, arguments.lines, days=arguments.days, seed=arguments.seed)
