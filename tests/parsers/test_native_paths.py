"""The quick way through the native parser gives what the careful way gives, for any line in any order, counts included."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestor.config.settings import ErrorRule
from parsers.builder import DAY_MS
from parsers.contract import OUTCOMES
from parsers.native import NativeParser

NOW_MS = 1_793_600_000_000
ERRORS = {"the code is bad *": ErrorRule("invalid_code"), "slow": ErrorRule("slow_down", "token.rate_limited")}
PROXIES = ("10.0.0.0/8",)

# Few values of each key, so that lines meet values that earlier lines had; types that compare equal (1, 1.0, True) among them.
WRONG: list[Any] = [1, 1.0, True, False, 0, [], {}, [1], ["a", None], "", " ", 2**64, 1.5]
TEXTS: list[Any] = [
    None,
    "a",
    "A",
    "web-app",
    "x" * 300,
    "x" * 5000,
    "a\\b",
    "a\u2028",
    "é",
    "Bearer abc",
    "code=1x",
    "1",
    "True",
]
VALUES: dict[str, list[Any]] = {
    "created_at": [
        *(
            "2026-11-01T09:30:00.123Z",
            "2026-11-01T09:30:00Z",
            "2026-11-01 09:30:00.123456+00:00",
            "2026-11-01t09:30:00.5-01:30",
        ),
        *("1970-01-01T00:00:00+05:00", "2016-12-31T23:59:60Z", "2027-11-01T09:30:00.123Z", "2026-11-01T09:30:61.123Z"),
        *("2026-11-01T09:30:00", "2026-11-01T09:30", "2026-13-01T09:30:00.123Z", "2026-11-01T09:30:00.123Zx"),
    ],
    "action": [
        *sorted(OUTCOMES),
        "token.issued.urn:ietf:params:oauth:grant-type:device_code",
        "token.issued.x",
        "token.x",
        "user.login",
    ],
    "id": [*TEXTS, "9f1c7d2e-1111-4222-8333-444455556666"],
    "user_id": TEXTS,
    "resource_id": TEXTS,
}
DETAILS: dict[str, list[Any]] = {
    "client_id": TEXTS,
    "grant_type": [*TEXTS, "authorization_code", "refresh_token"],
    "scopes": [*TEXTS, ["openid", "a"], ["a"], "openid a", "o", ["o"], ["Bearer", "abc"]],
    "ip_address": [*TEXTS, "203.0.113.9", "unknown", "203.0.113.9, 10.1.2.3", "::1"],
    "user_agent": TEXTS,
    "error": [*TEXTS, "invalid_grant", "the code is bad today", "SLOW", "the code is bad code=1x"],
    "expires_in": [None, 3600, 3600.0, 0, -1, 2**31],
    "realm": TEXTS,
    "endpoint": [*TEXTS, "token", "userinfo"],
}


def objects(values: dict[str, list[Any]], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    # Two good values to one of anything: mostly lines that are events.
    good = {
        key: st.sampled_from(items[:3]) | st.sampled_from(items[:4]) | st.sampled_from(items + WRONG)
        for key, items in values.items()
    }
    required = {key: good.pop(key) for key in ("created_at", "action", "client_id") if key in good}
    return st.fixed_dictionaries(required, optional={**good, **more})


DETAIL_OBJECTS = objects(DETAILS)
RECORDS = objects(VALUES).flatmap(
    lambda record: (DETAIL_OBJECTS | DETAIL_OBJECTS | DETAIL_OBJECTS | st.sampled_from([*WRONG, None])).map(
        lambda details: {**record, "details": details}
    )
)
TEXT_LINES = RECORDS.map(lambda record: json.dumps(record).encode())
DAMAGED = st.builds(
    lambda line, at, insert: line[: at % len(line)] + insert + line[at % len(line) + 1 :],
    TEXT_LINES,
    st.integers(0, 2000),
    st.sampled_from([b"", b"\0", b"\xff", b'"', b"\\ud800", b"{", b"\r", b"NaN"]),
)
WRAPPED = st.builds(
    lambda line, head, tail: head + line + tail,
    TEXT_LINES,
    st.sampled_from([b"", b" ", b"\xef\xbb\xbf", b"\0\0", b"\t"]),
    st.sampled_from([b"\r", b" ", b"\0", b""]),
)
LINES = st.one_of(
    TEXT_LINES, TEXT_LINES, DAMAGED, WRAPPED, st.sampled_from([b"", b" \r", b"\0", b"[]", b"null", b'"a"', b"1"])
)

GOOD = (
    b'{"created_at":"2026-11-01T09:30:00.123Z","action":"token.refreshed","user_id":"1",'
    b'"details":{"client_id":"a","scopes":["1","True"],"expires_in":1,"ip_address":"unknown"}}'
)


def good_but(**changes: Any) -> bytes:
    """Return the good line with other values; a key of ``details`` is found by itself."""
    record = json.loads(GOOD)
    for key, value in changes.items():
        (record["details"] if key in DETAILS else record)[key] = value
    return json.dumps(record).encode()


def new() -> NativeParser:
    return NativeParser(errors=ERRORS, trusted_proxies=PROXIES)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=12))
@example([GOOD, good_but(user_id=1), good_but(user_id=True), good_but(client_id=["a"])])
@example([GOOD, good_but(expires_in=True), good_but(expires_in=1.0), good_but(expires_in=-1)])
@example(
    [GOOD, good_but(scopes=["1", "T"]), good_but(scopes="1T"), good_but(scopes=[1, True]), good_but(scopes={"1": 1})]
)
@example([GOOD, good_but(created_at="2027-11-01T09:30:00.123Z"), good_but(created_at="1970-01-01T00:00:00+05:00")])
@example([GOOD, good_but(id="code=1x"), good_but(id="a\u2028"), good_but(id=7), good_but(id="")])
@example([good_but(client_id=None, resource_id="a"), good_but(client_id=None, resource_id="b")])
def test_what_was_learned_changes_nothing(lines: list[bytes]) -> None:
    careful: Counter[str] = Counter()
    expected = []
    for line in lines:
        parser = new()  # has learned nothing
        expected.append(parser.parse_line(line, NOW_MS + DAY_MS))
        careful.update(parser.counts)

    quick = new()
    block = b"\n".join(lines) + b"\n"
    assert quick.parse(block, NOW_MS) == expected
    assert quick.parse(block, NOW_MS) == expected  # now everything was met before
    assert quick.counts == {name: 2 * count for name, count in careful.items()}


@given(st.lists(LINES, min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_a_full_memory_changes_nothing(lines: list[bytes]) -> None:
    import parsers.memory as module  # noqa: PLC0415  # to make its bounds small

    entries, module._ENTRIES = module._ENTRIES, 2  # type: ignore[misc]  # a constant everywhere else
    try:
        block = b"\n".join(lines * 2) + b"\n"
        assert new().parse(block, NOW_MS) == [new().parse_line(line, NOW_MS + DAY_MS) for line in lines * 2]
    finally:
        module._ENTRIES = entries  # type: ignore[misc]


def test_the_strategies_reach_the_quick_way() -> None:
    """Guards the tests above against comparing the careful way with itself."""
    parser = new()
    parser.parse(GOOD, NOW_MS)

    def refuse(line: bytes, _: int) -> None:
        raise AssertionError(line)

    parser.parse_line = refuse  # type: ignore[assignment,method-assign]
    assert len(parser.parse(GOOD + b"\n" + GOOD, NOW_MS)) == 2
