"""From the lines of a log to the answers of section 7: what the daemon stored equals a plain-Python oracle over the lines.

The expectation is made beside each line, by hand-written rules, and shares no code with parser, identity or store.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestor.model.questions import Filters, Period
from ingestor.state.state import State
from ingestor.stores.embedded.answers import SqliteAnswers
from tests.support.oracle import Oracle
from tests.support.world import World, gz

START = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # the end of summer time of Berlin is in the second night
HOURS = 60
SUCCESS = [
    *(
        f"token.issued.{grant}"
        for grant in ("authorization_code", "refresh_token", "client_credentials", "device_code")
    ),
    *(
        f"token.issued.{grant}"
        for grant in ("token_exchange", "jwt_bearer", "password", "ciba", "other", "saml2_bearer")
    ),
    *("token.refreshed", "token.userinfo_accessed", "token.introspected", "token.revoked"),
]
FAILURE = [
    *("token.validation_failed", "token.pkce_failed", "token.expired", "token.reuse_detected", "token.rate_limited"),
]
ENDPOINT = {
    "token.userinfo_accessed": "userinfo",
    "token.introspected": "introspection",
    "token.revoked": "revocation",
    "token.refreshed": "token",
    "token.authorization_pending": "token",  # RFC 8628 section 3.4: the device polls the token endpoint
}
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"]


def logged(chance: random.Random) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Make a record and what must be stored of it (None: it is no token operation)."""
    moment = START + timedelta(milliseconds=chance.randrange(HOURS * 3_600_000))
    style = chance.randrange(4)
    if style == 0:  # whole seconds
        moment = moment.replace(microsecond=0)
        written, fraction, shown = moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "", moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    elif style == 1:  # microseconds with an offset, as PostgreSQL writes them
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000 + chance.randrange(1, 1000))
        local = moment.astimezone(ZoneInfo("Asia/Kolkata"))
        written, fraction = local.isoformat(timespec="microseconds"), f"{moment.microsecond:06}"
        shown = moment.strftime("%Y-%m-%dT%H:%M:%S.") + fraction + "Z"
    else:
        written = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fraction, shown = None, written
    action = chance.choice([*SUCCESS, *FAILURE, "token.authorization_pending", "user.login", "session.ended"])
    client = chance.choice(["web-app", "mobile", "größe-☃", "svc.billing", "a b,c=d"])
    user = chance.choice([None, "u-1", "u-2", "ürsula", "😀", ""])
    realm = chance.choice([None, None, "master"])
    error = chance.choice([None, "invalid_grant", "invalid_client", "no such thing"]) if action in FAILURE else None
    scopes = chance.choice([None, ["openid", "profile"], "openid", []])
    expires_in = chance.choice([None, 0, 300, 3600]) if action in SUCCESS else None
    ip = chance.choice([None, "203.0.113.9", "2001:db8::1"])
    grant_type = chance.choice([None, "authorization_code"])
    in_details = chance.random() < 0.8
    user_agent = chance.choice([None, "curl/8"])
    record = {
        "id": f"e-{chance.getrandbits(48):012x}",
        "created_at": written,
        "action": action,
        "user_id": user,
        "resource_type": "oauth_token",
        "resource_id": client,
        "details": {
            **({"client_id": client} if in_details else {}),
            "grant_type": grant_type,
            "scopes": scopes,
            "ip_address": ip,
            "user_agent": user_agent,
            "error": error,
            "expires_in": expires_in,
            "realm": realm,
            "unknown": {"key": [1, None]},
        },
    }
    if not action.startswith("token."):
        return record, None
    stored_action = "token.issued.other" if action == "token.issued.saml2_bearer" else action
    issued = stored_action.startswith("token.issued.")
    suffix = stored_action.rpartition(".")[2] if issued else None
    unset = "refresh_token" if action == "token.refreshed" else None
    scope = " ".join(scopes) if isinstance(scopes, list) else scopes
    return record, {
        "written_ms": int(moment.timestamp()) * 1000 + moment.microsecond // 1000,
        "fraction": fraction,
        "time": shown,
        "action": stored_action,
        "outcome": "success" if action in SUCCESS else "failure" if action in FAILURE else "pending",
        "client_id": client,
        "user_id": user or None,
        "grant_type": suffix or grant_type or unset,
        "scopes": scope or None,
        "ip": ip,
        "user_agent": user_agent,
        "error": "other" if error == "no such thing" else error,
        "error_detail": "no such thing" if error == "no such thing" else None,
        "expires_in": expires_in,
        "event_id": record["id"],
        "realm": realm,
        "endpoint": "token" if issued else ENDPOINT.get(action),
    }


def generation(chance: random.Random, count: int, source: str) -> tuple[bytes, list[dict[str, Any]]]:
    """Make the bytes of one generation, with broken and blank lines, and the events that they hold."""
    lines, events = [], []
    for ordinal in range(count):
        if chance.random() < 0.02:
            lines.append(chance.choice([b"", b"{broken", b'{"action":"token.refreshed"}', b"\xff"]))
            continue
        record, event = logged(chance)
        lines.append(json.dumps(record, ensure_ascii=chance.random() < 0.5).encode())
        if event is not None:
            events.append({**event, "ordinal": ordinal, "source": source, "host": "host-1"})
    h = int.from_bytes(hashlib.blake2b(lines[0][:1024], digest_size=8).digest(), "big")
    for event in events:
        slots = 1_000_000_000 if event["fraction"] == "" else 1_000_000
        event["time_ns"] = event["written_ms"] * 1_000_000 + (h + event["ordinal"]) % slots
    return b"\n".join(lines) + b"\n", events


def questions(zone: str) -> Iterator[tuple[Period, Filters]]:
    begin = int(START.timestamp()) * 10**9
    hour = 3600 * 10**9
    periods = [
        Period(begin - hour, begin + (HOURS + 1) * hour),
        Period(begin + 4 * hour, begin + 52 * hour),
        Period(begin + 7 * hour + 123_456_789, begin + 33 * hour + 5 * 60 * 10**9),
    ]
    filters = [Filters()]
    if zone in {"UTC", "America/St_Johns"}:
        filters += [
            Filters(client="größe-☃"),
            Filters(realm="master"),
            Filters(user="ürsula"),
            Filters(client="web-app", user="u-1"),
            Filters(outcome="failure", error="other"),
            Filters(ip="2001:db8::1"),
        ]
    yield from ((period, chosen) for period in periods for chosen in filters)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_store_answers_as_the_oracle_over_the_lines(world: World, seed: int) -> None:
    chance = random.Random(seed)
    expected: list[dict[str, Any]] = []
    world.log.path.touch()
    world.once()
    for rotation in range(3):
        data, events = generation(chance, 700, str(world.log.path))
        expected += events
        if rotation:
            gz(world.log.rename())
        world.log.write(data)
    world.once()
    oracle = Oracle(expected)
    reader = State.open_reader(world.state_directory)
    try:
        answers = SqliteAnswers(reader.connection)
        for zone in ZONES:
            for period, filters in questions(zone):
                about = f"{zone} {period} {filters}"
                assert answers.stats(period, filters) == oracle.stats(period, filters), about
                assert list(answers.events(period, filters)) == list(oracle.events(period, filters)), about
                assert list(answers.activity(period, filters, 50)) == list(oracle.activity(period, filters, 50)), about
                assert list(answers.top_clients(period, filters, 3)) == list(oracle.top_clients(period, filters, 3)), (
                    about
                )
                assert list(answers.top_users(period, filters, 3)) == list(oracle.top_users(period, filters, 3)), about
                assert list(answers.peak(period, filters, zone)) == list(oracle.peak(period, filters, zone)), about
                assert list(answers.analytics(period, filters, zone)) == list(
                    oracle.analytics(period, filters, zone)
                ), about
    finally:
        reader.close()
    assert sum(account.stored for account in world.ask(lambda state: state.accounts()).values()) == len(expected)
