"""Secrets in sentences and paths: what is masked, and that ordinary error messages stay readable."""

import pytest

from parsers.redaction.redact import redact_identifier, redact_text

SECRET = "s3cr3t-Value"
LEAKS = [
    # a name, then the value
    f"invalid password {SECRET}",
    "Invalid password hunter2",
    "invalid password CorrectHorse",
    f"Invalid client secret {SECRET}",
    f"wrong secret: {SECRET}",
    f"Invalid grant: authorization code {SECRET} not found",
    f"The code {SECRET} has expired",
    f"refresh token ({SECRET}) revoked",
    f"refresh_token {SECRET} revoked",
    f"refreshToken {SECRET} revoked",
    "refresh token 9f1c7d2e-1111-4222-8333-444455556666 not found",
    "user code WDJB-MJHT expired",
    "user code WDJBMJHT expired",
    "OTP 123456 wrong",
    "verification code 123456 is wrong",
    f"password was {SECRET}",
    f"Password is {SECRET}.",
    f"api key {SECRET} unknown",
    f"code verifier {SECRET} does not match",
    f"session {SECRET} expired",
    # in quotes
    'Code "plain" is invalid',
    "code 'plain' not found",
    "code `plain` not found",
    'Code \\"plain\\" is invalid',
    "Code &quot;plain&quot; is invalid",
    'The client secret is "two words"',
    'code not found "plain"',
    'authorization code "plain',
    # behind a verdict
    f"code not found: {SECRET}",
    "code not found: plain",
    f"token unknown: {SECRET} from 10.0.0.1",
    f"invalid refresh token: {SECRET}",
    f"the password was not accepted: {SECRET}",
    "token is invalid = '12'",
    "refresh token not found 5f7c8ec7c33c",
    "client secret does not match: expected s3cr3t-Value",
    f"secret mismatch (got {SECRET})",
    f"token with value {SECRET}",
    f"Invalid code - {SECRET}",
    f"Map(code -> {SECRET})",
    f"code|{SECRET}",
    # in a path
    f"GET /revoke/refresh_token/{SECRET}",
    f"GET /token/code/{SECRET}",
    f"GET /introspect/access_token/{SECRET}?x=1",
    f"POST https://a.example/password/reset/{SECRET}",
    f"/password-reset/{SECRET}",
    f"/sessions/{SECRET}/revoke",
    f"url=%2Ftoken%2Fcode%2F{SECRET}",
    f'"\\/refresh_token\\/{SECRET}"',
]
ORDINARY = [
    "invalid password for user bob",
    "Invalid password for user: bob",
    "password expired",
    "Password Expired",
    "PASSWORD_EXPIRED",
    "Invalid client secret",
    "Invalid client secret.",
    "client secret is missing",
    "The client secret provided is invalid",
    "refresh token expired",
    "refresh token expired 2026-11-01T09:30:00Z",
    "refresh token expired: please log in again",
    "token expired: 300s",
    "authorization code not found",
    "Authorization code doesn't match",
    "Authorization code has already been redeemed",
    "Invalid code (expired)",
    "Token is not active",
    "token is 5 minutes old",
    "token 2 of 3",
    "token user=bob",
    "Invalid token (aud: web)",
    "Invalid token, client_id=web-app, realm=main",
    "Invalid token for client web-app-2 from 203.0.113.9",
    "token endpoint returned 401",
    "Token NOT FOUND",
    "token not found in cache",
    "token invalid: 401",
    "the access token's signature",
    'invalid_token error="x"',
    'error="invalid_token" error_description="The token is bad"',
    "code challenge method S256",
    "code verifier S256",
    "error code 50034",
    "error code AADSTS50034 in tenant",
    "Status code BadRequest400",
    "exit code 0x80004005",
    "Unexpected token < in JSON at position 0",
    "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "token at /app/node_modules/oauth/token/index.js:12:5",
    "token verification threw TokenExpiredError",
    "refresh token JwtValidationException: bad",
    "code src/main/Token.java:12",
    "token https://issuer.example/path2",
    "access token 10.0.0.1:443",
    "password alice@example.com",
    "Mozilla/5.0 (X11) Code/1.85.1 Chrome/114.0.5735.289 Electron/25.9.7",
    "Visual Studio Code 1.85.1",
    "1Password 7.9.1; one/1Password/7.9.1",
    "KeePassXC 2.7, PassKit/1.0, okhttp/4.9, OTP/26.0.2",
    "hackney/1.18.1 OTP/25",
    "GET /oauth2/token/introspect",
    "GET /realms/main/protocol/openid-connect/token/v2",
    "POST /password/reset, /users/password/edit",
    "GET /session/end",
    "/usr/lib/code/token/parser2.py",
    "openid profile read:user token code",
    "client_secret_basic or client_secret_post, not private_key_jwt",
    "Client secret expired 2026-11-01",
    "Invalid token - user alice42 is locked, session - closed",
    "authorization_code -> access_token",
    "expired code, retry 3 of 5; token, then https://a.example/x1y2z3",
    "Invalid grant: authorization code, client web-app",
    "Basic auth is off; pass the client secret in the body, not the URL",
    "The code has expired (issued 2026-11-01T09:30:00Z, lifetime 60s)",
    "The access token was issued for audience api2",
    "Token was not issued by https://issuer.example/realms/main1",
    "password must have 8 characters",
    "Secret manager returned HTTP 503",
    "JWT token with alg HS256 is not allowed, expected RS256",
    "Bearer token JWT expired",
    "[redacted:secret] token [redacted:jwt] code: [redacted:secret]",
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_in_a_sentence_is_masked_once_and_for_all(text: str) -> None:
    counts: dict[str, int] = {}
    masked = redact_text(text, counts)
    for secret in (SECRET, "hunter2", "CorrectHorse", "9f1c", "MJHT", "123456", "plain", "two words", "'12'", "5f7c"):
        assert secret not in masked
    assert counts == {"redacted_secret": 1}
    assert redact_text(masked) == masked


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_sentence_stays(text: str) -> None:
    assert redact_text(text) == text


def test_the_rest_of_the_sentence_stays() -> None:
    assert redact_text(f"Token inválido: {SECRET} (web)") == "Token inválido: [redacted:secret] (web)"
    assert redact_text(f"The code '{SECRET}' is wrong") == "The code '[redacted:secret]' is wrong"
    assert redact_text(f"tried {SECRET} as password") == "tried [redacted:secret] as password"
    assert (
        redact_text(f'"{SECRET}" does not match stored password')
        == '"[redacted:secret]" does not match stored password'
    )
    assert redact_text(f"verifyPassword('bob', '{SECRET}') failed") == "verifyPassword([redacted:secret]) failed"
    assert redact_text(f"https://{SECRET}@github.com/a") == "https://[redacted:password]@github.com/a"
    assert redact_text(f"/unlock?k={SECRET}&x=1") == "/unlock?k=[redacted:secret]&x=1"
    assert redact_text(f"code {SECRET} not found") == "code [redacted:secret] not found"
    assert redact_text(f"/code/{SECRET}/info?x=1") == "/code/[redacted:secret]/info?x=1"


def test_an_identifier_has_no_sentences() -> None:
    assert redact_identifier("Token App2") == "Token App2"
    assert redact_identifier("Bob's code 'x2'") == "Bob's code 'x2'"
    assert redact_identifier(f"https://a.example/refresh_token/{SECRET}").endswith("/[redacted:secret]")
