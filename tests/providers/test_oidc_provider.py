"""A real oidc-provider 9.13.3, and what was done to it: ``lib/`` events as pino writes them."""

import time
from typing import Final

import pytest

import parsers
from parsers.contract import Event, Rejection, events_of
from parsers.oidc_provider import meaning
from parsers.oidc_provider.meaning import Meaning
from tests.providers.truth import operations, read, told

SERVER: Final = "oidc-provider-9.13.3"
LOG: Final = read(SERVER, "A.log")
OPERATIONS: Final = operations(SERVER, "A", "pino/A.log")
NOT_LOGGED: Final = {"get_token": "The server answers 404 and logs nothing."}


@pytest.fixture(scope="module", params=["oidc_provider", "auto"])
def outcomes(request: pytest.FixtureRequest) -> list[object]:
    return list(parsers.find(request.param).parse(LOG, time.time_ns() // 1_000_000))


def test_every_operation_that_the_log_can_show_comes_out_exactly(outcomes: list[object]) -> None:
    wrong = {each.name for each in OPERATIONS if told(outcomes, each) != each.expected}  # type: ignore[arg-type]  # outcomes
    assert wrong == set(NOT_LOGGED)


def test_nothing_is_rejected(outcomes: list[object]) -> None:
    assert [outcome for outcome in outcomes if isinstance(outcome, Rejection)] == []


def test_who_asked_is_told(outcomes: list[object]) -> None:
    for each in OPERATIONS:
        for ordinal in each.lines:
            for row in events_of(outcomes[ordinal]):  # type: ignore[arg-type]  # outcomes
                event = Event(*row)
                assert event.ip == each.sent["ip"]
                assert event.user_agent
                assert event.event_id
                if each.sent.get("expires_in"):
                    assert event.expires_in == each.sent["expires_in"]
                if each.name in {"code_ok", "refresh_ok", "device_ok"}:
                    assert event.user_id == each.sent["user"]


def test_a_client_that_does_not_exist_is_told_where_the_request_named_it(outcomes: list[object]) -> None:
    (operation,) = (each for each in OPERATIONS if each.name == "hostile_client_quote")
    (row,) = (row for ordinal in operation.lines for row in events_of(outcomes[ordinal]))  # type: ignore[arg-type]  # outcomes
    assert Event(*row).tags.client_id == 'x","clientId":"root'


@pytest.mark.parametrize(
    ("error", "detail", "expected"),
    [
        ("invalid_grant", "refresh token already used", Meaning("token.reuse_detected", "invalid_grant")),
        ("invalid_grant", "authorization code is expired", Meaning("token.expired", "expired_code")),
        ("invalid_grant", "authorization code already consumed", Meaning("token.validation_failed", "invalid_code")),
        ("invalid_grant", "refresh token already used by you", Meaning("token.validation_failed", "invalid_grant")),
        ("invalid_request", "code_verifier must be a string", Meaning("token.pkce_failed", "invalid_grant")),
        ("slow_down", "", Meaning("token.authorization_pending", "slow_down")),
        ("no_such_error", "", Meaning("token.validation_failed", "unknown")),
    ],
)
def test_a_failure_means(error: str, detail: str, expected: Meaning) -> None:
    assert meaning.of_error(error, detail) == expected


def test_an_event_that_the_library_does_not_have_is_no_token_operation_that_goes_missing() -> None:
    line = b'{"time":1795992124738,"event":"grant.succes","oidc":{"clientId":"web"},"req":{}}\n'
    (outcome,) = parsers.find("oidc_provider").parse(line, time.time_ns() // 1_000_000)
    assert outcome == Rejection(outcome.reason, "event: no event of oidc-provider")  # type: ignore[union-attr]  # a rejection
