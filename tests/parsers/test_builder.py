"""The builder: what a provider gives it comes out in the contract's form, or as the rejection that says why not."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.builder import DAY_MS, EventBuilder
from parsers.contract import BLANK, CLIENT_REQUIRED, OUTCOMES, Event, Reason, Rejection
from parsers.form import fault_of_event
from parsers.native import NativeParser
from parsers.records import RejectedError, each_line

NOW_MS = 1_793_600_000_000
GOOD: dict[str, Any] = {"time": NOW_MS, "action": "token.validation_failed", "client_id": "web"}
PENDING = "token.authorization_pending"
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.binary()
OPTIONAL = (
    "user_id",
    "grant_type",
    "scopes",
    "ip",
    "user_agent",
    "error",
    "expires_in",
    "event_id",
    "realm",
    "endpoint",
)


def test_it_makes_what_the_native_parser_makes_of_the_same() -> None:
    line = (
        b'{"id":7,"created_at":"2026-11-01T09:30:00.1Z","action":"token.issued.password","user_id":"caf\xc3\xa9","details":'
        b'{"client_id":"a\\\\b","scopes":["a","b"],"ip_address":"198.51.100.7, 10.0.0.1","user_agent":"x password=y",'
        b'"error":"slow","expires_in":60.0,"realm":" r ","endpoint":"token"}}'
    )
    options: dict[str, Any] = {
        "errors": {"slow": SimpleNamespace(error="slow_down", action=None)},
        "trusted_proxies": ["10.0.0.0/8"],
    }
    native, builder = NativeParser(**options), EventBuilder(**options)
    made = builder.event(
        NOW_MS,
        time="2026-11-01T09:30:00.1Z",
        action="token.issued.password",
        client_id="a\\b",
        user_id="cafe\u0301",
        scopes="a b",
        ip="198.51.100.7, 10.0.0.1",
        user_agent="x password=y",
        error="slow",
        expires_in=60,
        event_id=7,
        realm=" r ",
        endpoint="token",
    )
    assert made == native.parse(line, NOW_MS)[0]
    assert made.__class__ is tuple
    assert builder.counts == native.counts == {"redacted_secret": 1}


@pytest.mark.parametrize(
    ("changes", "rejection"),
    [
        ({"time": None}, Rejection(Reason.MISSING_KEY, "ts")),
        ({"time": "yesterday"}, Rejection(Reason.BAD_TIMESTAMP, "ts: not an RFC 3339 timestamp")),
        ({"time": True}, Rejection(Reason.WRONG_TYPE, "ts: not a string")),
        ({"time": -1}, Rejection(Reason.OUT_OF_RANGE, "ts: before 1970 or more than a day ahead")),
        ({"time": NOW_MS + DAY_MS + 1}, Rejection(Reason.OUT_OF_RANGE, "ts: before 1970 or more than a day ahead")),
        ({"action": "token.suspicious"}, Rejection(Reason.UNKNOWN_ACTION, "action: not in the vocabulary")),
        ({"action": None}, Rejection(Reason.MISSING_KEY, "action")),
        ({"client_id": "", "action": "token.issued.x"}, Rejection(Reason.MISSING_KEY, "client")),
        ({"client_id": []}, Rejection(Reason.WRONG_TYPE, "client: neither a string nor an integer")),
        ({"scopes": 1}, Rejection(Reason.WRONG_TYPE, "scopes: neither a list of strings nor a string")),
        ({"expires_in": -1}, Rejection(Reason.OUT_OF_RANGE, "expires_in: not from 0 to 2147483647")),
    ],
)
def test_a_rejection_names_the_providers_key(changes: dict[str, Any], rejection: Rejection) -> None:
    builder = EventBuilder(names={"time": "ts", "client_id": "client"})
    assert builder.event(NOW_MS, **{**GOOD, **changes}) == rejection


@pytest.mark.parametrize("client", [None, "", " "])
@pytest.mark.parametrize("action", OUTCOMES)
def test_a_client_is_required_where_it_must_have_been_known(action: str, client: str | None) -> None:
    outcome = EventBuilder().event(NOW_MS, time=NOW_MS, action=action, client_id=client)
    if action in CLIENT_REQUIRED:
        assert outcome == Rejection(Reason.MISSING_KEY, "client_id")
        outcome = EventBuilder(clients_unknown=True).event(NOW_MS, time=NOW_MS, action=action)
    event = Event(*outcome)  # type: ignore[misc]  # an event
    assert event.tags.action == action
    assert event.tags.client_id == ""


def test_those_are_what_gives_a_token_and_a_poll() -> None:
    assert {*(a for a in OUTCOMES if a.startswith("token.issued.")), "token.refreshed", PENDING} == CLIENT_REQUIRED


def test_whether_a_client_is_required_goes_by_the_action_that_is_stored() -> None:
    errors = {"wait": SimpleNamespace(error="authorization_pending", action=PENDING)}
    failure = {"time": NOW_MS, "action": "token.validation_failed", "error": "wait"}
    assert EventBuilder(errors).event(NOW_MS, **failure) == Rejection(Reason.MISSING_KEY, "client_id")
    assert EventBuilder(errors).event(NOW_MS, **failure, client_id="tv").__class__ is tuple


FEW = st.sampled_from(
    ["web", "203.0.113.9", "no address", "a b", "ghp_0123456789abcdefABCDEF0123456789abcd", "", None, 1, True]
)
AGAIN = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["token.refreshed", "token.expired", "token.issued.x", "x", None]),
        "client_id": FEW,
        "error_detail": FEW,
        **dict.fromkeys(OPTIONAL, FEW),
        "scopes": FEW | st.lists(FEW, max_size=2),
    }
)


@given(st.lists(AGAIN, max_size=8))
def test_what_was_there_before_comes_out_as_it_did(events: list[dict[str, Any]]) -> None:
    """And is counted as often."""
    builder = EventBuilder()
    others = [EventBuilder() for _ in events]
    for values, other in zip(events, others, strict=True):
        assert builder.event(NOW_MS, time=NOW_MS, **values) == other.event(NOW_MS, time=NOW_MS, **values)
    assert builder.counts == sum((Counter(other.counts) for other in others), Counter())


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(OPTIONAL, ANYTHING)), ANYTHING, ANYTHING, st.sampled_from([*OUTCOMES, "x"]))
def test_whatever_it_is_given_comes_out_in_form_or_is_rejected(
    optional: dict[str, Any], time: Any, client_id: Any, action: str
) -> None:
    for given_time, client in ((time, client_id), (NOW_MS, client_id), (NOW_MS, "web")):
        outcome = EventBuilder().event(NOW_MS, time=given_time, action=action, client_id=client, **optional)
        if not isinstance(outcome, Rejection):
            assert isinstance(outcome, tuple)
            assert fault_of_event(outcome, NOW_MS + DAY_MS) is None


@pytest.mark.parametrize("argument", ["user_id", "user_agent", "error", "event_id", "realm", "client_id", "scopes"])
def test_a_secret_is_masked_and_counted_whatever_it_is_given_as(argument: str) -> None:
    builder = EventBuilder()
    for _ in range(2):
        outcome = builder.event(NOW_MS, **{**GOOD, argument: "Bearer cAnArY7Qx"})
        assert "cAnArY" not in repr(outcome)
        assert "redacted" in repr(Event(*outcome))  # type: ignore[misc]  # an event
    assert builder.counts == {"redacted_credential": 2}


def test_each_line_answers_for_blanks_and_rejections() -> None:
    def read(line: bytes) -> Rejection:
        raise RejectedError(Reason.NOT_AN_OBJECT, line.decode())

    assert each_line(b"", read) == []
    assert each_line(b"a\n\n b \r\n\0\n\xef\xbb\xbfc", read) == [
        Rejection(Reason.NOT_AN_OBJECT, "a"),
        BLANK,
        Rejection(Reason.NOT_AN_OBJECT, "b"),
        Rejection(Reason.INVALID_JSON, "nothing but NUL bytes"),
        Rejection(Reason.NOT_AN_OBJECT, "c"),
    ]


def test_a_rejection_names_what_the_provider_calls_its_action() -> None:
    outcome = EventBuilder(names={"action": "type"}).event(NOW_MS, time=NOW_MS, action="token.eaten", client_id="web")
    assert outcome == Rejection(Reason.UNKNOWN_ACTION, "type: not in the vocabulary")


def test_milliseconds_may_be_written_with_decimals() -> None:
    assert EventBuilder().event(NOW_MS, **{**GOOD, "time": float(NOW_MS)}) == EventBuilder().event(NOW_MS, **GOOD)


def test_the_written_digits_are_those_of_the_time() -> None:
    event: Any = EventBuilder().event(NOW_MS, **{**GOOD, "time": "2026-10-01T09:30:00Z"})
    assert fault_of_event(event, NOW_MS) is None
    assert fault_of_event((event[0] + 123, *event[1:]), NOW_MS) == "fraction: not that of time_ms"


MOMENTS: st.SearchStrategy[Any] = st.sampled_from(
    [
        "2026-11-01T09:30:00.123Z",
        "2026-11-01T09:30:00Z",
        "2026-11-01",
        "",
        1_793_491_200_000,
        -1,
        2**70,
        1.0,
        True,
        None,
        (5, ""),
        [],
    ]
)
ANY: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, "", "web", "é ", 1, 1.0, True, -5, 2**31, [], ["openid"], ["a", 1], ("openid",), {}, "openid  email"),
        *(
            "192.0.2.7",
            "nowhere",
            "invalid_grant",
            "gone wrong",
            "password=hunter2hunter2",
            "x" * 1500,
            "\x1b[0m",
            "token",
        ),
        "6e81e992-3591-4b0e-a030-69b64e544224",
    ]
)
ARGUMENTS = (
    *(
        "client_id",
        "user_id",
        "grant_type",
        "scopes",
        "ip",
        "user_agent",
        "error",
        "error_detail",
        "expires_in",
        "event_id",
    ),
    *("realm", "endpoint"),
)
SAID = st.fixed_dictionaries(
    {
        "time": MOMENTS,
        "action": st.sampled_from(["token.refreshed", "token.revoked", "token.issued.x", "token.x", None, 1]),
    },
    optional=dict.fromkeys(ARGUMENTS, ANY),
)


@given(st.lists(SAID, min_size=1, max_size=8))
def test_what_was_there_before_changes_nothing(events: list[dict[str, Any]]) -> None:
    seasoned, counted = EventBuilder(), Counter[str]()
    for said in events * 2:
        fresh = EventBuilder()
        expected = fresh.event(1_900_000_000_000, **said)
        counted.update(fresh.counts)
        assert seasoned.event(1_900_000_000_000, **said) == expected
    assert seasoned.counts == dict(counted)
