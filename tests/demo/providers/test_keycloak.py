"""The demo's log of Keycloak is as Keycloak writes it, and what it is said not to say it does not say."""

import re
from functools import cache
from random import Random
from typing import Final

import orjson

import parsers
from ingestor.demo.endpoint import Day, Ledger, write_day
from ingestor.demo.providers import PROVIDERS, Kind
from ingestor.demo.providers.keycloak_events import quoted
from ingestor.demo.traffic import simulate
from parsers.contract import Event, events_of
from tests.providers.truth import read

END_MS: Final = 1_793_525_400_123
SEED: Final = 29
KEYS: Final = re.compile(r'(?:^|, )(\w+)="')


@cache
def day() -> Day:
    return write_day(PROVIDERS["keycloak"], END_MS, SEED)


@cache
def events() -> list[Event]:
    log = b"".join(line.data for line in day().lines)
    return [Event(*row) for outcome in parsers.find("keycloak").parse(log, END_MS) for row in events_of(outcome)]


def messages(log: bytes) -> set[tuple[str, tuple[str, ...], str]]:
    """Return the type, the keys and the error with its reason of all token events of a log."""
    found = set()
    for line in log.splitlines():
        message = orjson.loads(line)["message"] if line.startswith(b"{") else ""
        if message.startswith("type="):
            because = re.search(r'error="\w+"(, reason="[^"]*)?', message)
            type_ = message.split('"')[1]
            found.add((type_, tuple(KEYS.findall(message)), because.group() if because else ""))
    return found


def is_within(keys: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether these keys stand in the others, in this order."""
    rest = iter(others)
    return all(key in rest for key in keys)


def test_each_event_has_keys_that_a_real_one_has_in_its_order() -> None:
    real = messages(read("keycloak-26.7.3", "console-json/A.log"))
    types = {type_ for type_, _, _ in real}
    written = messages(b"".join(line.data for line in day().lines if line.kind is Kind.EVENT))
    assert {type_ for type_, _, _ in written} - types == {"JWT_AUTHORIZATION_GRANT", "PERMISSION_TOKEN"}
    for type_, keys, because in written:
        like = [others for other, others, _ in real if other == type_]
        assert not like or any(is_within(keys, others) for others in like), (type_, keys, like)
        reasons = {reason for other, _, reason in real if other == type_ and reason.startswith(because.split(" '")[0])}
        assert not like or reasons or "client_not_found" in because, (type_, because)


def test_a_request_is_logged_once_but_for_those_that_the_demo_names() -> None:
    operations = simulate(END_MS, Random(SEED))
    waiting = sum(operation.error == "authorization_pending" for operation in operations)
    refused = sum(operation.grant_type == "ciba" and operation.error is not None for operation in operations)
    expired = sum(operation.error == "expired_code" for operation in operations)
    assert waiting
    assert expired
    assert day().unlogged == waiting + refused
    assert len(events()) == len(operations) - waiting - refused + expired


def test_what_the_log_is_said_not_to_say_it_does_not_say() -> None:
    assert {event.user_agent for event in events()} == {None}
    assert {event.event_id for event in events()} == {None}
    assert {event.tags.action for event in events() if event.expires_in is not None} == {"token.refreshed"}
    assert "expired_code" not in {event.tags.error for event in events()}
    assert "token.rate_limited" not in {event.tags.action for event in events()}
    assert len({(event.time_ms, event.fraction) for event in events()}) == len(events())


def test_lines_are_in_the_order_of_their_times() -> None:
    keys = [line.key for line in day().lines if line.kind is Kind.EVENT]
    padded = [f"{key[:-1]:0<29}" for key in keys]
    assert padded == sorted(padded)


def test_nobody_who_sends_a_name_can_forge_a_key() -> None:
    message = quoted({"type": "CODE_TO_TOKEN_ERROR", "clientId": 'x", error="none\r\n'})
    assert message == r'type="CODE_TO_TOKEN_ERROR", clientId="x\", error=\"none  "'
    hostile = {event.tags.client_id for event in events() if event.error_detail == "client_not_found"}
    assert "web-app,outcome=success events=999i 0 token_events" in hostile
    assert Ledger.of(day().lines).events == len(events())
