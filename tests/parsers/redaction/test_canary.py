"""Canary secrets in every key of every kind of line: no event, rejection or redacted text holds one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from parsers.contract import BLANK, IGNORED, Outcome, Rejection
from parsers.native import NativeParser

NOW_MS = 1_793_600_000_000
CORE = "cAnArY7Qx"
SHAPES = {
    "jwt": f"eyJhbGciOiJSUzI1NiJ9.{CORE}eyJzdWIiOiJhbGljZSJ9.{CORE}",
    "bearer": f"Bearer {CORE}",
    "basic": f"Authorization: Basic {CORE}==",
    "code": f"https://a.example/cb?code={CORE}&state=1",
    "encoded": f"redirect=https%3A%2F%2Fa%2Fcb%3Fcode%3D{CORE}%26x",
    "form": f"grant_type=refresh_token&refresh_token={CORE}&client_secret={CORE}",
    "nested": json.dumps({"a": {"client_secret": CORE, "tokens": [CORE]}}),
    "escaped": json.dumps({"a": json.dumps({"refresh_token": f"x {CORE}"})}),
    "prefix": f"ghp_{CORE}0123456789abcdef",
    "opaque": f"{CORE}pZ3k8Wq1Yt6Rm0Vb9Ns4Hd7Jf2Lg5XcEaUiOoB3nM6kQ8zT1wP4vS7yR0",  # longer than any identifier
    "url": f"https://bob:{CORE}@a.example/",
    "element": f"<client_secret>{CORE}</client_secret>",
    "path": f"/revoke/refresh_token/{CORE}",
    "input": f'<input name="code" value="{CORE}">',
    "invisible": f"pass\u200bword={CORE}",
    "fullwidth": f"\uff43\uff4f\uff44\uff45\uff1d{CORE}",
    "key": f"-----BEGIN EC PRIVATE KEY-----\n{CORE}\n-----END EC PRIVATE KEY-----",
}
LINE: dict[str, Any] = {
    "id": "9f1c",
    "created_at": "2026-11-01T09:30:00.123Z",
    "action": "token.validation_failed",
    "user_id": "u-1",
    "resource_type": "oauth_token",
    "resource_id": "web-app",
    "extra": "x",
    "details": {
        "client_id": "web-app",
        "grant_type": "authorization_code",
        "scopes": "openid",
        "ip_address": "203.0.113.9",
        "user_agent": "curl/8",
        "error": "invalid_grant",
        "expires_in": 3600,
        "realm": "main",
        "endpoint": "token",
        "extra": "x",
    },
}
PROSE = [
    f"Invalid client secret {CORE}",
    f'Code "{CORE}" is invalid',
    f"token unknown: {CORE}",
]
PATHS = [(key,) for key in LINE if key != "details"] + [("details", key) for key in LINE["details"]]
SECRET_PATHS = [
    ("password",),
    ("refresh_token",),
    ("extra",),
    ("details", "client_secret"),
    ("details", "code"),
    ("details", "extra"),
]


def with_value(path: tuple[str, ...], value: object) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(json.dumps(LINE))
    *parents, last = path
    for parent in parents:
        line = line[parent]
    line[last] = value
    return line if not parents else {**LINE, parents[0]: line}


def lines(path: tuple[str, ...], value: str) -> Iterator[bytes]:
    """The value at the path in a good line, in rejected and ignored ones, broken ones, and one too long to be shown whole."""
    yield json.dumps({**with_value(path, value), "filler": "z" * 5_000}).encode()
    for shape in (value, [value], {"x": [value]}, {value: 1}):
        good = with_value(path, shape)
        yield json.dumps(good).encode()
        yield json.dumps({**good, "created_at": "yesterday"}).encode()
        yield json.dumps({**good, "action": "token.unheard_of"}).encode()
        yield json.dumps({**good, "action": "user.login"}).encode()
        yield json.dumps([good]).encode()
        yield json.dumps(good).encode()[:-2]
        yield json.dumps(good).encode() + b"\xff"


def outputs(parser: NativeParser, line: bytes) -> Iterator[str]:
    for _ in range(2):  # the second time through what was remembered
        (outcome,) = parser.parse(line + b"\n", NOW_MS)
        yield repr(outcome)
    yield parser.redact(line)
    yield repr(parser.counts)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_with_a_shape_in_any_key_reaches_no_output(shape: str) -> None:
    parser = NativeParser()
    for path in PATHS:
        for line in lines(path, SHAPES[shape]):
            for output in outputs(parser, line):
                assert CORE not in output, (path, line[:600], output)


@pytest.mark.parametrize("sentence", PROSE)
@pytest.mark.parametrize("key", ["user_agent", "error", "scopes"])
def test_a_secret_in_a_sentence_in_a_text_reaches_no_output(key: str, sentence: str) -> None:
    parser = NativeParser()
    for line in lines(("details", key), sentence):
        for output in outputs(parser, line):
            assert CORE not in output, (line[:600], output)


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_a_secret_without_a_shape_in_a_key_we_do_not_know_reaches_no_output(path: tuple[str, ...]) -> None:
    parser = NativeParser()
    for line in lines(path, "plainword"):
        for output in outputs(parser, line):
            if '{"plainword": 1}' not in line.decode(errors="replace"):  # a key shows, its value does not
                assert "plainword" not in output, (line[:600], output)


def test_the_good_lines_here_are_events() -> None:
    kinds: list[Outcome] = NativeParser().parse(json.dumps(LINE).encode(), NOW_MS)
    assert kinds[0] not in (IGNORED, BLANK)
    assert not isinstance(kinds[0], Rejection)
