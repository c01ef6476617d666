"""Two runs of a real Authelia 4.39.20: its log in JSON at level debug, and in text at level info."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pytest

import parsers
from parsers.authelia import logfmt, meaning
from parsers.authelia.meaning import INVALID_CLIENT, INVALID_GRANT, INVALID_REQUEST, Meaning
from parsers.contract import IGNORED, Event, Outcome, Reason, Rejection, events_of
from parsers.records import RejectedError
from tests.providers.truth import Operation, Told, operations, read

SERVER: Final = "authelia-4.39.20"
NOT_LOGGED: Final = {"introspect_active": "Only that the introspection began, and a failed one begins so, too."}
NOT_IN_THE_LOG: Final = {
    "refresh_reused": "A used refresh token is inactive, as any that is revoked.",
    "hostile_grant": "The server answers invalid_request, and says the same words as in unsupported_grant, which is that.",
}
NO_SUCCESS: Final = {"cc_ok", "code_ok", "code_ok_spa", "refresh_ok", "userinfo_ok", "revoke_refresh", *NOT_LOGGED}
"""What is not there at level info. That a token is inactive has a line at level error."""
RUNS: Final = {"A": set(NOT_LOGGED), "T": NO_SUCCESS}
PARSERS: Final = ("authelia", "auto")

NO_ACCESS_TOKEN: Final = "bearer authorization failed as the token is not an Access Token"


def parsed(run: str, parser: str = "authelia") -> list[Outcome]:
    return parsers.find(parser).parse(read(SERVER, f"{run}.log"), time.time_ns() // 1_000_000)


def events(run: str, parser: str) -> list[Event]:
    return [Event(*row) for outcome in parsed(run, parser) for row in events_of(outcome)]


def without_grant(expected: list[Told]) -> list[Told]:
    """Return what the log can tell of it: neither the grant nor a refresh."""
    return [
        ("token.issued.other" if action == "token.refreshed" or ".issued." in action else action, outcome, error)
        for action, outcome, error in expected
    ]


def told_in_order(run: str, parser: str) -> Iterator[tuple[Operation, list[Event]]]:
    """Yield each operation that has events, with these: times are whole seconds, so the order of the lines tells whose they are."""
    left = iter(events(run, parser))
    for operation in operations(SERVER, run, ""):
        if operation.name not in RUNS[run]:
            yield operation, [next(left) for _ in operation.expected]
    assert list(left) == []


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("parser", PARSERS)
def test_every_operation_that_the_log_can_show_comes_out_exactly(run: str, parser: str) -> None:
    wrong = set()
    for operation, found in told_in_order(run, parser):
        said = [(event.tags.action, event.tags.outcome, event.tags.error or None) for event in found]
        if said != without_grant(operation.expected):
            wrong.add(operation.name)
        for event in found:
            began, ended = (datetime.fromisoformat(operation.sent[key]).timestamp() * 1000 for key in ("t0", "t1"))
            assert began - 1000 < event.time_ms <= ended
            assert event.ip == operation.sent["ip"]
            assert event.tags.endpoint == operation.sent["endpoint"]
    assert wrong == set(NOT_IN_THE_LOG)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("parser", PARSERS)
def test_nothing_is_rejected(run: str, parser: str) -> None:
    assert [outcome for outcome in parsed(run, parser) if isinstance(outcome, Rejection)] == []


def test_the_client_is_told_where_a_token_was_issued_and_where_it_does_not_exist() -> None:
    named = {operation.name: event.tags.client_id for operation, found in told_in_order("A", "auto") for event in found}
    assert (named["cc_ok"], named["code_ok"], named["userinfo_ok"]) == ("billing-service", "web-app", "spa")
    assert named["cc_unknown_client"] == "no-such-client"
    assert named["hostile_client_quote"] == "x' has successfully been processed 'q'"
    assert named["cc_wrong_secret"] == ""


@pytest.mark.parametrize(
    ("message", "error", "expected"),
    [
        ("Access Request failed with error: Who knows.", None, Meaning(meaning.FAILED, "token", None, "Who knows.")),
        (
            "Access Response for Request with id '1' failed to be created with error: Could not find the requested resource(s).",
            None,
            Meaning(meaning.FAILED, "token", None, "invalid_token", ""),
        ),
        (
            "Access Request encountered an error while trying to hydrate the claims",
            "The requested scope is invalid, unknown, or malformed.",
            Meaning(meaning.FAILED, "token", None, "invalid_scope", ""),
        ),
        (
            f"Access Request failed with error: {INVALID_GRANT} Token expired. Refresh Token expired at 'x'.",
            None,
            Meaning("token.expired", "token", None, "invalid_grant", "Token expired. Refresh Token expired at 'x'."),
        ),
        (
            f"Access Request failed with error: {INVALID_GRANT} The 'redirect_uri' value 'The PKCE code ' does not match.",
            None,
            Meaning(
                meaning.FAILED,
                "token",
                None,
                "invalid_grant",
                "The 'redirect_uri' value 'The PKCE code ' does not match.",
            ),
        ),
        (
            f"Access Request failed with error: {INVALID_REQUEST} The PKCE code challenge.",
            None,
            Meaning(meaning.FAILED, "token", None, "invalid_request", "The PKCE code challenge."),
        ),
        (
            "Access Request failed with error: The device_code has expired, and the device authorization session has concluded.",
            None,
            Meaning("token.expired", "token", None, "expired_token", ""),
        ),
        (
            "User Info Request with id '1' failed with error: Token expired. Access Token expired at 'x'.",
            None,
            Meaning("token.expired", "userinfo", None, "invalid_token", "Access Token expired at 'x'."),
        ),
        (
            f"User Info Request with id '1' on client with id 'spa' failed with error: {NO_ACCESS_TOKEN}",
            None,
            Meaning(meaning.FAILED, "userinfo", "spa", "invalid_token", ""),
        ),
        (
            "Introspection Request with id '1' failed with error: The request could not be authorized. Wrong secret.",
            None,
            Meaning(meaning.FAILED, "introspection", None, "invalid_client", "Wrong secret."),
        ),
        (
            "Device Authorization Request failed with error during the Device Authorization Flow",
            INVALID_CLIENT,
            Meaning(meaning.FAILED, "device", None, "invalid_client", ""),
        ),
        ("Device Authorization Request failed with error during the User Authorization Flow", "Token expired.", None),
        ("Introspection Request with id '1' was successfully processed", None, None),
        ("Authorization Request failed with error: Token expired.", None, None),
        ("Access Request with id '1' on client with id 'web' is being processed", None, None),
        ("He said: Access Request with id '1' on client with id 'web' has successfully been processed", None, None),
    ],
)
def test_sentences(message: str, error: str | None, expected: Meaning | None) -> None:
    assert meaning.of_message(message, error) == expected


def test_an_error_of_a_token_request_in_unknown_words_is_rejected() -> None:
    line = b'{"level":"error","msg":"Access Request went astray","time":"2026-11-29T23:04:07Z"}\n'
    (outcome,) = parsers.find("authelia").parse(line, time.time_ns() // 1_000_000)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == Reason.UNKNOWN_ACTION


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/oidc/token", "token"), ("/auth/api/oidc/device-authorization", "device"), ("/api/firstfactor", None)],
)
def test_rate_limits_of_the_endpoints_are_told(path: str, expected: str | None) -> None:
    line = f'time="2026-11-29T23:04:07Z" level=warning msg="Rate Limit Exceeded" bucket=1 method=POST path={path} remote_ip=203.0.113.9'
    (outcome,) = parsers.find().parse(line.encode(), time.time_ns() // 1_000_000)
    if expected is None:
        assert outcome is IGNORED
    else:
        event = Event(*events_of(outcome)[0])
        assert (event.tags.action, event.tags.endpoint) == ("token.rate_limited", expected)


# logrus' text


def test_a_line_of_text_is_those_of_its_pairs_that_are_asked_for() -> None:
    line = rb'time="2026-11-29T23:04:06Z" level=info file= msg="a \"b\" \\ \n\u00e4\U0001f600\x80" path=/x level=error'
    assert logfmt.read(line, {"time", "level", "file", "msg", "stack"}) == {
        "time": "2026-11-29T23:04:06Z",
        "level": "info",
        "file": "",
        "msg": 'a "b" \\ \nä😀\ufffd',
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'time="2026" level=error msg="Access Request fai', Reason.NOT_AN_OBJECT),
        (b'time="2026" level=error msg="a"b', Reason.NOT_AN_OBJECT),
        (b'time="2026" and more', Reason.NOT_AN_OBJECT),
        (b'time="2026" msg="\xff"', Reason.INVALID_UTF8),
    ],
)
def test_a_broken_line_of_text_is_rejected(line: bytes, reason: Reason) -> None:
    with pytest.raises(RejectedError) as raised:
        logfmt.read(line, {"time"})
    assert raised.value.rejection.reason == reason
