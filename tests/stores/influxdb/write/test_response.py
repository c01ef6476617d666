"""What an answer to a write means: the rows of design section 6, in the words of InfluxDB 1.6.7 and 2.7.12."""

import json
import re
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestor.stores.influxdb.write.response import (
    MOST_RETRY_AFTER_SECONDS,
    SHOWN_BYTES,
    Expired,
    Refused,
    Retry,
    Stored,
    TooLarge,
    WriteResponse,
    classify,
)

NOW = 1_795_600_000.0
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
BOUND = "dropped because it violates a Retention Policy Lower Bound at 2026-08-28T00:33:00.74764484Z"


def v1(message: str) -> bytes:
    return json.dumps({"error": message}).encode() + b"\n"


def v2(message: str, code: str = "invalid") -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


def retention2(dropped: int, oldest: str = "t,a=b", newest: str = "t,a=c", *, newest_bound: str = BOUND) -> bytes:
    return v2(
        f"failure writing points to database: partial write: dropped {dropped} points outside retention policy of duration"
        f" 2160h0m0s - oldest point {oldest} at 2026-05-10T00:33:00.5Z {BOUND}, newest point {newest} at"
        f" 2026-05-10T00:33:00.6Z {newest_bound} dropped={dropped} for database: 0d88cef0007d171a for retention policy: autogen",
        "unprocessable entity",
    )


def verdict(status: int, body: bytes = b"", **headers: str) -> WriteResponse:
    return classify(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, now=NOW)


def said(found: WriteResponse) -> str:
    """What of a verdict is shown to people."""
    return found.problem if isinstance(found, Retry) else found.reason if isinstance(found, Refused) else ""


def test_204_alone_is_an_acknowledgement() -> None:
    assert verdict(204) == Stored()
    for status in (200, 201, 202, 206, 299):
        assert isinstance(verdict(status, b"{}"), Retry)
    page = verdict(200, PAGE)
    assert isinstance(page, Retry)
    assert "sign-in page" in page.problem
    assert "<" not in page.problem


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 100])
def test_a_redirect_is_no_acknowledgement(status: int) -> None:
    assert isinstance(verdict(status, PAGE, location="http://127.0.0.1/login"), Retry)


@pytest.mark.parametrize("body", [b"", PAGE, v1("request entity too large"), v2("too large", "request too large")])
def test_t34_413_is_too_large_whoever_says_it(body: bytes) -> None:
    assert verdict(413, body) == TooLarge()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, v1("partial write: points beyond retention policy dropped=2")),
        (422, retention2(2)),
        (422, retention2(2, oldest=r"t,a=it's\ \"x\"", newest=r"t,a=don't\ do,b=\"that")),
        (500, v1("partial write: points beyond retention policy dropped=2")),
        (
            500,
            v2(
                "unexpected error writing points to database: partial write: points beyond retention policy dropped=2",
                "internal error",
            ),
        ),
    ],
    ids=["1.6.7", "2.7.12", "2.7.12, quotes in tags", "500", "early 2.x"],
)
def test_points_beyond_the_retention_are_expired_whatever_the_status(status: int, body: bytes) -> None:
    assert verdict(status, body) == Expired(2)


def test_points_that_are_dropped_for_another_bound_are_not_taken_for_the_oldest_ones() -> None:
    future = "dropped because it violates a Write Window Upper Bound at 2027-01-01T00:00:00Z"
    assert isinstance(verdict(422, retention2(2, newest_bound=future)), Refused)


CONFLICT = 'field type conflict: input field "expires_in" on measurement "token_events" is type integer, already exists as type string dropped=1'
REFUSALS = [
    (400, v1(f"partial write: {CONFLICT}"), "type conflict: input field expires_in on measurement token_events"),
    (
        422,
        v2(f"failure writing points to database: partial write: {CONFLICT}", "unprocessable entity"),
        "already exists as type string",
    ),
    (400, v1("unable to parse 'token_events,a=b events=x 1': invalid boolean"), "unable to parse ...: invalid boolean"),
    (400, v2("unable to parse 'token_events,a=b events=x 1': invalid boolean"), "unable to parse ...: invalid boolean"),
    (
        400,
        v1(
            "unable to parse 'a b=x': invalid boolean\nunable to parse 'c d=9i': unable to parse integer 9: strconv.ParseInt: out of range"
        ),
        "strconv.ParseInt: out of range",
    ),
    (
        422,
        v2(
            'failure writing points to database: partial write: input field "user_agent" on measurement "token_events" is too'
            " long, 1100000 > 1048576 dropped=1",
            "unprocessable entity",
        ),
        "input field user_agent on measurement token_events is too long",
    ),
    (
        400,
        v1("partial write: max key length exceeded: 70000 > 65535 dropped=1"),
        "max key length exceeded: 70000 > 65535",
    ),
    (
        400,
        v1(
            'partial write: max-values-per-tag limit exceeded (100000/100000): measurement="token_events" tag="client_id" value="evil" dropped=1'
        ),
        "max-values-per-tag limit exceeded (100000/100000)",
    ),
    (500, v1(f"partial write: {CONFLICT}"), "type conflict"),
    (
        500,
        v2(f"unexpected error writing points to database: partial write: {CONFLICT}", "internal error"),
        "type conflict",
    ),
]


@pytest.mark.parametrize(("status", "body", "shown"), REFUSALS)
def test_t35_t36_t37_a_point_that_is_to_blame_is_refused_with_the_servers_reason(
    status: int, body: bytes, shown: str
) -> None:
    found = verdict(status, body)
    assert isinstance(found, Refused)
    assert shown in found.reason
    assert "evil" not in found.reason


KEPT = [
    (400, v1("database is required")),
    (400, v1("retention policy not found: raw")),
    (500, v1("retention policy not found: norp")),
    (404, v1('database not found: "x"')),
    (404, v2("no dbrp mapping found", "not found")),
    (404, b"404 page not found\n"),
    (401, v1("authorization failed")),
    (401, v2("unauthorized access", "unauthorized")),
    (403, v1('"tokentail" user is not authorized to write to database "tokentail"')),
    (403, v2("insufficient permissions for write", "forbidden")),
    (500, v1("timeout")),
    (500, v1("engine is closed")),
    (400, v1("partial write: engine is closed dropped=3")),
    (400, v1("partial write: shard 5 is pending deletion dropped=10")),
    (400, v1("partial write: engine: cache-max-memory-size exceeded: (1073741825/1073741824) dropped=5000")),
    (500, v1("engine: cache maximum memory size exceeded")),
    (422, v2("failure writing points to database: partial write: cache maximum memory size exceeded")),
    (500, v2("partial write: write /data/wal/_00001.wal: no space left on device", "internal error")),
    (500, b""),
    (502, PAGE),
    (503, v2("unavailable", "unavailable")),
    (504, PAGE),
    (429, v2("too many requests", "too many requests")),
    (408, b""),
    (418, v1("partial write: " + CONFLICT)),
]


@pytest.mark.parametrize(("status", "body"), KEPT)
def test_what_is_no_points_fault_keeps_all_points(status: int, body: bytes) -> None:
    found = verdict(status, body)
    assert isinstance(found, Retry)
    assert str(status) in found.problem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        PAGE,
        b"Bad Request",
        b"null",
        b"[]",
        b'"partial write"',
        b'{"error":null}',
        b'{"error":""}',
        b'{"error":{"a":1}}',
        b'{"code":400}',
        b'{"code":"invalid","error":"partial write: x"}',
        b'{"detail":"partial write: points beyond retention policy dropped=2"}',
        b"\xff" * 50,
        b"[" * 100_000,
        v1("partial write: x")[:-5],
    ],
)
def test_a_400_that_is_not_influxdbs_json_refuses_nothing(body: bytes) -> None:
    for status in (400, 422, 500):
        assert isinstance(verdict(status, body), Retry)


def test_the_text_of_a_point_cannot_pass_for_the_servers_reason() -> None:
    forged = "points beyond retention policy dropped=5000"
    forged2 = (
        f"dropped 5000 points outside retention policy of duration 1h - oldest point x {BOUND}, newest point y {BOUND}"
    )
    for text in (forged, forged2, f"': {forged}", f"it's {forged}", "timeout", "it's read-only"):
        line = f'token_events,client_id=x user_agent="{text}" 1'
        for message in (
            f"unable to parse '{line}': invalid boolean",
            f"partial write: unable to parse '{line}': invalid boolean",
            f'partial write: max-values-per-tag limit exceeded (1/1): tag="client_id" value="{text}" dropped=1',
        ):
            assert isinstance(verdict(400, v1(message)), Refused)
            assert isinstance(verdict(400, v2(message)), Refused)
    assert isinstance(verdict(500, v1("disk failed near 'partial write: x'")), Retry)
    assert isinstance(verdict(400, v1(f"partial write: points beyond retention policy dropped={'9' * 5000}")), Expired)


HOSTILE = st.text(st.sampled_from("ab's\"\\ ,=\n\t:<#zo\x1b\u202e")).map(lambda text: f"Canary7{text}Canary7")


@given(HOSTILE, HOSTILE)
@example('Canary7 it\'s "quoted" Canary7', "Canary7\nunable to parse 'Canary7")
def test_the_shown_reason_holds_no_text_of_a_point(tag: str, field: str) -> None:
    line = f'token_events,client_id={tag} user_agent="{field}",secret="client_secret=Canary7" 1'
    quoted = json.dumps(tag)
    for message in (
        f"unable to parse '{line}': invalid boolean",
        f"unable to parse '{line}': invalid boolean\nunable to parse '{line}': bad timestamp",
        f"partial write: unable to parse '{line}': invalid boolean",
        f'partial write: max-values-per-tag limit exceeded (1/1): measurement="token_events" tag="client_id" value={quoted} dropped=1',
        f"partial write: dropped 2 points outside retention policy of duration 1h - oldest point {line} at x, newest point {line} at y",
    ):
        for status in (400, 403, 404, 422, 500):
            for body in (v1(message), v2(message)):
                shown = said(verdict(status, body))
                assert "Canary7" not in shown
                assert len(shown.encode()) <= SHOWN_BYTES + 150
                assert shown.isprintable()


def test_secrets_in_an_answer_are_masked_and_its_length_is_bounded() -> None:
    shown = said(
        verdict(401, v1("bad token: Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMTIz"))
    )
    assert "eyJ" not in shown
    huge = verdict(400, v1("unable to parse '" + "\\'" * 2_000_000 + "': bad \x1b[31m\u202etimestamp " + "x" * 10_000))
    assert len(said(huge).encode()) <= SHOWN_BYTES
    assert said(huge).isprintable()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 5 ", 5.0),
        ("0", 0.0),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Fri, 31 Dec 0000 23:59:59 GMT", None),
        ("Fri, 31 Dec 1 23:59:59 -0000", None),
        ("1000000000", None),
        ("9" * 5000, None),
        ("601", None),
        ("600", 600.0),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("soon", None),
        ("", None),
        ("\u0665", None),
        ("²", None),
        ("5, 10", None),
    ],
)
def test_t33_retry_after_is_honoured_when_it_is_sane(value: str, seconds: float | None) -> None:
    for status in (429, 503):
        found = verdict(status, b"", retry_after=value)
        assert isinstance(found, Retry)
        assert found.after_seconds == seconds


WORDS = st.sampled_from(
    ("Fri, 31 Dec ", "1999 ", "23:59:59", " GMT", " -0000", "+9999", "99", ":", "Feb", " ", "-", ",")
)


@given(st.text() | st.lists(WORDS).map("".join))
def test_t33_no_retry_after_whatever_raises_or_makes_wait_for_long(value: str) -> None:
    found = verdict(503, b"", retry_after=value)
    assert isinstance(found, Retry)
    assert found.after_seconds is None or 0 <= found.after_seconds <= MOST_RETRY_AFTER_SECONDS


@given(st.integers(100, 999), st.binary() | st.text().map(v1) | st.text().map(v2))
def test_no_answer_whatever_raises_or_passes_for_an_acknowledgement(status: int, body: bytes) -> None:
    found = verdict(status, body)
    assert isinstance(found, Stored) == (status == 204)
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f]*", said(found))
