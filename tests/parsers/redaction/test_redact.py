"""Shapes of secrets: what is masked, what survives, and that hostile text costs linear time."""

import base64
import json
import random
import re
import secrets
import string
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.redaction.redact import LOOK_CHARS, redact_identifier, redact_text

Redact: TypeAlias = Callable[[str, dict[str, int]], str]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
ORDINARY_TEXT = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Dalvik/2.1.0 (Linux; U; Android 11; SM-G991B Build/RP1A.200720.012)",
    "[FBAN/FBIOS;FBAV/302.0.0.47.117;FBBV/267000000;FBDV/iPhone12,1]",
    "aws-sdk-java/2.17.100 Linux/5.10.0-1160.el7.x86_64 OpenJDK_64-Bit_Server_VM/11.0.12+7 Java/11.0.12 io/sync",
    "https://login.example.com/common/oauth2/v2.0/authorize?client_id=abc&response_type=code&scope=openid",
    "https://example.com/Users/JohnDoe/Library/Application2023/v2/things/that/are/long",
    "https://www.googleapis.com/auth/userinfo.email openid profile offline_access",
    "api://9f1c7d2e-1111-4222-8333-444455556666/access_as_user",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "this-is-a-long-kebab-case-identifier-v2-for-a-service",
    "invalid code",
    "code is invalid",
    "Bearer token expired",
    "invalid bearer token",
    "Basic authentication failed",
    "status code: 400",
    "token_type=Bearer",
    "error_code=1234",
    "error code: 404, code: 404; code=404",
    "A header with Bearer <token> is expected",
    "GET /token/<code>/info with <client_secret>, see the manual",
    "<message>invalid code</message><status>400</status>",
    "code_challenge=plain&code_challenge_method=S256",
    "https://example.com:8443/a@b",
    "error_code=1234&errorCode: 12 exit-code=1 country_code=DE zipcode=12345 barcode=x",
    '{"value":"web","name":"username"} <input value="web" id="client">',
    "encode=x unicode: y, bypass: z, compass=n, spin=2, residue: 3, topology: flat",
    "(client_id)=(web) already exists",
    "password_policy=strict token_endpoint=https://a/b secretary: Bob",
]
ORDINARY_IDENTIFIERS = [
    "web-app",
    "9f1c7d2e-1111-4222-8333-444455556666",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "4bf92f3577b34da6a3ce929d0e0e47364bf92f3577b34da6a3ce929d0e0e4736",
    "iWvKMhHbYzwJ0xQ7eTgA6kLrXc1dSpNf",
    "1234567890-abcdefghij.apps.googleusercontent.com",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "google-oauth2|103547991597142817347",
    "alice@example.com",
    "00uab1cdEFGhij2klM3n",
    "arn:aws:iam::123456789012:user/Dev",
    "90020201101000000000000000000000000000000000000000000000",
    "https://sts.windows.net/9f1c7d2e-1111-4222-8333-444455556666/",
    "service-account-my-long-name-production-eu-west-1",
    "redirect_uri:https://verifier.example/cb",
    "did:web:example.com:verifier:app1",
    "https://claude.ai/oauth/claude-code-client-metadata",
    "https://app.example/token/client.json",
    "Password Manager 2, Code Runner, Token App2",
    "session-manager/v2",
]
SECRET = "s3cr3t-Value"
LEAKS = [
    # itself
    JWT.replace("c2lnbmF0", SECRET),
    f"eyJhbGciOiJkaXIifQ..{SECRET}.x.y",
    f"ghp_{SECRET}0123456789",
    f"xoxb-12345-{SECRET}",
    f"-----BEGIN RSA PRIVATE KEY-----\nMII{SECRET}\n-----END RSA PRIVATE KEY----- after",
    f"-----BEGIN PRIVATE KEY-----\nMII{SECRET}",
    # a scheme or a header
    f"Bearer {SECRET}",
    f"bearer%20{SECRET}",
    f"x%20Bearer%20{SECRET}",
    f"DPoP {SECRET}",
    f"Authorization: Basic {SECRET}==",
    f"Authorization: Digest username=a, response={SECRET}",
    f'{{"authorization":"Custom a {SECRET}"}}',
    f"Cookie: a=b; sid={SECRET}",
    f"https://user:{SECRET}@example.com/",
    # a name before it
    *(
        f"{name}={SECRET}"
        for name in ("code", "refresh_token", "access_token", "id_token", "client_secret", "password")
    ),
    *(f"{name}={SECRET}" for name in ("assertion", "client_assertion", "code_verifier", "device_code", "SAMLResponse")),
    *(f"{name}={SECRET}" for name in ("clientSecret", "refreshToken", "api_key", "x-api-key", "auth_req_id", "otp")),
    f"https://app.example/cb?code={SECRET}&state=1",
    f"redirect_uri=https%3A%2F%2Fa%2Fcb%3Fcode%3D{SECRET}%26state%3D1&client_id=web",
    f"a%253Fcode%253D{SECRET}",
    f"grant_type=authorization_code&code={SECRET}",
    f"Invalid code: {SECRET}",
    f"x&amp;code={SECRET}",
    f"code\\u003d{SECRET}",
    f"{{'client_secret': '{SECRET}', 'a': 1}}",
    json.dumps({"a": {"refresh_token": SECRET}}),
    json.dumps({"tokens": [SECRET, SECRET]}),
    json.dumps({"credentials": {"value": SECRET}}),
    json.dumps({"body": json.dumps({"client_secret": f"two words {SECRET}"})}),
    json.dumps({"body": json.dumps({"body": json.dumps({"password": f'quote " {SECRET}'})})}),
    quote(json.dumps({"refresh_token": SECRET})),
    *(
        f"{name}={SECRET}"
        for name in ("session_code", "PHPSESSID", "JSESSIONID", "oauth_verifier", "2fa", "sig", "pass")
    ),
    *(f"{name}={SECRET}" for name in ("password_confirmation", "user_code", "user[password]", "codes[0]", "session")),
    *(f"{name}: {SECRET}" for name in ("api key", "code verifier", "session id", "pass phrase", "one-time code")),
    *(
        f"client_secret{sign}{SECRET}"
        for sign in (" == ", " := ", " => ", "\n=\n", "%20%3D%20", "+=+", "&#61;", "&equals;")
    ),
    *(f"client_secret={sign}a {SECRET}{sign}" for sign in ("&#39;", "&apos;", "&#x22;", "&amp;quot;", "`", "\\u0027")),
    f"code=<{SECRET}>",
    f"code=123-{SECRET}",
    f"GET failed\\ncode={SECRET}",
    f"user%5Bpassword%5D={SECRET}",
    f"https://app.example/#access_token={SECRET}&state=1",
    f"code=[redacted:secret]{SECRET}",
    f"Authorization: [redacted:credential] {SECRET}",
    f"cookies={{'a':'{SECRET}'}}",
    # fields of forms
    f'<input name="code" value="{SECRET}"/>',
    json.dumps({"name": "client_secret", "value": SECRET}),
    f'<input value="{SECRET}" name="user[password]">',
    f'{{"val": "100% {SECRET}", "field": "new.password"}}',
    f"value=%22{SECRET}%22%20name=%22x-code-verifier%22",
    f"value=&quot;{SECRET}&quot; id=&quot;user_password&quot;",
    f'form-data; name="client_secret"\r\n\r\n{SECRET}\r\n--',
    *(
        json.dumps({key: "client_secret", value: SECRET})
        for key, value in (("key", "val"), ("k", "v"), ("name", "value"))
    ),
    # what code, databases and languages print
    f"Key (code)=({SECRET}) already exists.",
    f"Key (refresh_token, client_id)=({SECRET}, web) already exists.",
    f"Key (client_id, refresh_token)=(web, {SECRET}) already exists.",
    f"code=b'{SECRET}'",
    f'code: Some("{SECRET}")',
    f'TokenRequest(grant=x, code="{SECRET}")',
    f'"code" => "{SECRET}"',
    f"TokenRequest[refreshToken={SECRET}]",
    f"curl --client-secret={SECRET} -d 'code={SECRET}'",
    f"Passwort: {SECRET}",
    f"SSWS {SECRET}",
    f"user_pin={SECRET} db_pass={SECRET} connect.sid={SECRET} x-amz-signature={SECRET}",
    # elements
    f"<password>{SECRET}</password>",
    f"<password>two words {SECRET}",
    f"<ns:client_secret a='b'>\n {SECRET}\n</ns:client_secret>",
    f"<code> {SECRET} </code>",
    f"<code><![CDATA[{SECRET}]]></code>",
    f"&lt;refresh_token&gt;{SECRET}&lt;/refresh_token&gt;",
    f"%3Cpassword%3E{SECRET}%3C%2Fpassword%3E",
    f"\\u003ccode\\u003e{SECRET}\\u003c/code\\u003e",
    f"<saml:Assertion ID='a'><saml:NameID>bob</saml:NameID><x>{SECRET}</x></saml:Assertion>",
    f"<wsse:Password Type='http://a/b#PasswordText'>{SECRET}</wsse:Password>",
    # a vendor's prefix
    *(
        f"failed with {prefix}{SECRET}0123"
        for prefix in ("GOCSPX-", "4/0A", "xapp-1-", "glrt-", "hf_", "sk_live_", "ATATT3")
    ),
    # an address
    f"redis://:a@{SECRET}@10.0.0.1/",
    f"https%3A%2F%2Fuser%3A{SECRET}%40example.com",
]
NAMES = (
    "token id_token token_hint secret client_secret secret_key shared_secret_value client_secret_post password passwd passphrase pass_code"
    " pwd assertion client_assertion saml_response api_key access_key private_key secret-key encryption_key signing_key session session_id"
    " auth_code authorization_code device_code user_code verification_code recovery_code backup_code access_code security_code"
    " activation_code confirmation_code reset_code login_code session_code sms_code email_code mfa_code 2fa_code otp_code one_time_code"
    " onetimecode pairing_code code_verifier code otp pin ticket ticket_id credential credentials auth_req_id oauth_verifier sid phpsessid sess pass"
    " pw 2fa mfa totp jwt dpop sig amz-signature"
)
MAKERS = {
    "base64url of 256 bits": lambda: secrets.token_urlsafe(32),
    "base64 of 256 bits": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "hex of 128 bits": lambda: secrets.token_hex(16),
    "base32 of 256 bits": lambda: base64.b32encode(secrets.token_bytes(32)).decode().strip("="),
    "forty lower-case letters and digits": lambda: "".join(
        random.choices(string.ascii_lowercase + string.digits, k=40)
    ),
}


@pytest.mark.parametrize("text", ORDINARY_TEXT)
def test_ordinary_text_survives(text: str) -> None:
    counts: dict[str, int] = {}
    assert redact_text(text, counts) == text
    assert counts == {}


@pytest.mark.parametrize("text", ORDINARY_IDENTIFIERS)
def test_ordinary_identifiers_survive(text: str) -> None:
    assert redact_identifier(text) == text


@given(
    st.builds("{}-{}".format, st.uuids(), st.integers(0, 10**12 - 1)) | st.text("0123456789", min_size=1, max_size=64)
)
def test_a_uuid_with_a_number_and_a_long_number_are_no_secrets(text: str) -> None:
    """Seen at first sight, and in the way that others go."""
    assert redact_identifier(text) == text
    assert redact_identifier(f" {text}") == f" {text}"


@pytest.mark.parametrize("text", LEAKS)
@pytest.mark.parametrize("redact", [redact_text, redact_identifier])
def test_a_secret_with_a_shape_is_masked_once_and_for_all(text: str, redact: Redact) -> None:
    counts: dict[str, int] = {}
    masked = redact(text, counts)
    assert SECRET not in masked
    assert "[redacted:" in masked
    assert sum(counts.values()) >= 1
    assert redact(masked, {}) == masked


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize(
    "change", [str, str.upper, str.title, lambda name: name.replace("_", "-"), lambda name: name.replace("_", " ")]
)
def test_every_name_of_a_secret_is_known(name: str, change: Callable[[str], str]) -> None:
    written = change(name)
    tag = written.replace(" ", "")
    for text in (f"{written}=hunter", f'a "{written}":"hunter"', f"<{tag}>hunter</{tag}>"):
        assert "hunter" not in redact_text(text)


def test_the_rest_of_the_text_stays() -> None:
    assert (
        redact_text(f"https://app.example/cb?code={SECRET}&state=1 failed")
        == "https://app.example/cb?code=[redacted:secret]&state=1 failed"
    )
    assert redact_text(f'{{"refresh_token":"{SECRET}","a":1}}') == '{"refresh_token":"[redacted:secret]","a":1}'


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (f"Authorization: Bearer {JWT}", {"redacted_credential": 1}),  # three expressions know it
        (f"code={JWT}", {"redacted_jwt": 1}),
        (f"password={SECRET} token={SECRET} ghp_{SECRET}0123456789", {"redacted_secret": 2, "redacted_token": 1}),
        (json.dumps({"tokens": [JWT, JWT]}), {"redacted_secret": 1}),
        ("[redacted:secret] and code=[redacted:jwt]", {}),
        (f"[redacted:secret] and code={SECRET}", {"redacted_secret": 1}),
        (f"tokens: ['[redacted:secret]', '{SECRET}']", {"redacted_secret": 1}),
    ],
)
def test_each_mask_counts_once(text: str, counts: dict[str, int]) -> None:
    counted: dict[str, int] = {}
    redact_text(text, counted)
    assert counted == counts


@pytest.mark.parametrize("name", MAKERS)
def test_random_tokens_are_opaque(name: str) -> None:
    # By lot, so not all: one in a thousand may look written by a person. The bound fails by chance less than once in 10^9.
    made = [MAKERS[name]() for _ in range(2000)]
    assert sum(token in redact_text(f"failed with {token} today") for token in made) <= 15


def test_random_identifiers_are_masked_and_stay_apart() -> None:
    one, two = (
        redact_identifier("Aa0_" * 9 + token) for token in ("x" * 20 + "1" + "y9" * 10, "x" * 20 + "2" + "y9" * 10)
    )
    assert re.fullmatch(r"\[redacted:opaque:[0-9a-f]{16}\]", one)
    assert one != two


def test_the_hash_in_a_mask_parts_a_million_users() -> None:
    # 64 bits: a chance of 3 in 10^8 that any two of them meet. With 32 bits a hundred did.
    users = {redact_identifier(f"{'Aa0_' * 16}{number:06}") for number in range(0, 1_000_000, 20)}
    assert len(users) == 50_000


def test_three_uuids_are_an_authorization_code() -> None:
    uuid = "9f1c7d2e-1111-4222-8333-444455556666"
    assert redact_text(f"{uuid} but {uuid}.{uuid}.{uuid}") == f"{uuid} but [redacted:code]"


def test_what_is_too_long_is_cut_without_the_head_of_a_secret() -> None:
    for seen in range(1, 20):  # characters of the token before the cut
        text = ("word " * LOOK_CHARS)[: LOOK_CHARS - seen - 1] + " " + JWT
        assert text[LOOK_CHARS - 1] == JWT[seen - 1]
        assert redact_text(text).rpartition("…")[0].endswith(("word ", "word", "w", "wo", "wor", " "))
    assert redact_text("a" * 10_000) != redact_text("a" * 10_001)
