"""A real Dex 2.45.1, and what was done to it: its log in JSON, which has some of the failures and no success."""

import time
from typing import Final

import pytest

import parsers
from parsers.contract import Event, Outcome, Rejection, events_of
from tests.providers.truth import operations, read, told

SERVER: Final = "dex-2.45.1"
LOG: Final = read(SERVER, "A.log")
OPERATIONS: Final = operations(SERVER, "A", "json/A.log")
SUCCESSES: Final = {"code_ok", "refresh_ok", "refresh_after_reuse", "userinfo_ok", "password_ok"}
"""Dex does not log that it gave a token, or answered at UserInfo."""
NOT_LOGGED: Final = {
    *("code_reused", "code_wrong", "code_wrong_redirect", "pkce_wrong_verifier", "pkce_missing_verifier"),
    *("refresh_garbage", "password_wrong", "device_pending", "device_slow_down", "device_expired"),
    # An unknown client has no line, whatever its name.
    *("hostile_client_quote", "hostile_client_newline", "hostile_client_ansi", "hostile_client_html"),
    *("hostile_client_nul", "hostile_client_long4k", "hostile_client_secret"),
}
OTHERWISE: Final = {
    "cc_ok": "This Dex refuses the grant client_credentials: 400, and the line says so.",
    "cc_unknown_client": "The same: it looks at the grant before the client.",
}


@pytest.fixture(scope="module", params=["mapping:dex", "auto"])
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    return parsers.find(request.param).parse(LOG, time.time_ns() // 1_000_000)


def test_every_operation_that_the_log_can_show_comes_out_exactly(outcomes: list[Outcome]) -> None:
    wrong = {each.name for each in OPERATIONS if told(outcomes, each) != each.expected}
    assert wrong == SUCCESSES | NOT_LOGGED | set(OTHERWISE)


def test_what_is_not_told_has_no_line_in_the_log() -> None:
    assert [each.name for each in OPERATIONS if each.name in SUCCESSES | NOT_LOGGED and each.lines] == []


def test_what_comes_out_otherwise_is_what_dex_answered(outcomes: list[Outcome]) -> None:
    refused = [each for each in OPERATIONS if each.name in OTHERWISE]
    assert {each.sent["error"] for each in refused} == {"unsupported_grant_type"}
    for each in refused:
        assert told(outcomes, each) == [("token.validation_failed", "failure", "unsupported_grant_type")]


def test_nothing_is_rejected(outcomes: list[Outcome]) -> None:
    assert [outcome for outcome in outcomes if isinstance(outcome, Rejection)] == []


def test_the_client_of_a_wrong_secret_is_told(outcomes: list[Outcome]) -> None:
    (operation,) = (each for each in OPERATIONS if each.name == "code_wrong_secret")
    (row,) = events_of(outcomes[operation.lines[0]])
    assert Event(*row).tags.client_id == operation.sent["client"]
