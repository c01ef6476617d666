"""The text kept of a rejected line shows what kind of line it was, and nothing that could be a secret."""

import json
import random
import time
from typing import Any

import pytest

from parsers.native import KEPT
from parsers.redaction.lines import LOOK_BYTES, SHOWN_BYTES, redact_line

CANARY = "hunter2"  # no shape whatever
LINE: dict[str, Any] = {
    "id": "9f1c",
    "created_at": "2026-11-01T09:30:00.123Z",
    "action": "token.isued",
    "user_id": "u-1",
    "unknown": CANARY,
    "number": 7331,
    "list": [CANARY],
    "credentials": {"id": CANARY, "client_id": CANARY},
    "details": {
        "client_id": "web-app",
        "scopes": ["openid", "profile"],
        "client_secret": CANARY,
        "error": f"code={CANARY}x",
        "user_agent": 'a " b',
        "nested": {"user_id": "u-2", "y": CANARY},
    },
}
TEXT = json.dumps(LINE, separators=(",", ":"))
# Where a line that lost its head begins, nobody can tell: an object with known keys might be the event itself.
DAMAGEABLE = json.dumps(
    {
        **LINE,
        "credentials": {"x": CANARY},
        "details": {**LINE["details"], "error": "no secret", "nested": {"y": CANARY}},
    },
    separators=(",", ":"),
)


def show(line: str | bytes) -> str:
    shown = redact_line(line if isinstance(line, bytes) else line.encode(), KEPT)
    assert len(shown.encode()) <= SHOWN_BYTES
    assert shown.isprintable()
    return shown


def test_known_keys_are_shown_and_others_masked() -> None:
    shown = json.loads(show(TEXT))
    assert shown["user_id"] == "u-1"
    assert shown["details"]["client_id"] == "web-app"
    assert shown["details"]["scopes"] == ["openid", "profile"]
    assert shown["details"]["error"] == "code=[redacted:secret]"
    assert shown["details"]["nested"] == {"user_id": "u-2", "y": "[masked]"}
    assert shown["number"] == 7331
    assert shown["unknown"] == shown["list"] == shown["credentials"] == shown["details"]["client_secret"] == "[masked]"


def test_a_list_shows_that_it_is_one_unless_a_secret_runs_through_it() -> None:
    assert json.loads(show('{"user_id":["u-1","u-2"],"id":[]}')) == {"user_id": ["u-1", "u-2"], "id": []}
    assert CANARY not in show(json.dumps({"details": {"scopes": ["Bearer", CANARY]}}))


@pytest.mark.parametrize("position", range(0, len(DAMAGEABLE), 3))
def test_a_line_cut_anywhere_shows_no_masked_value(position: int) -> None:
    assert CANARY not in show(DAMAGEABLE[:position])
    assert CANARY not in show(DAMAGEABLE[position:])


def test_a_damaged_line_shows_no_masked_value() -> None:
    plain = DAMAGEABLE.encode()
    lot = random.Random(3)
    for _ in range(3000):
        damaged = bytearray(plain)
        for _ in range(lot.randrange(1, 5)):
            damaged[lot.randrange(len(damaged))] = lot.randrange(256)
        assert CANARY not in show(bytes(damaged)), bytes(damaged)


@pytest.mark.parametrize(
    "line",
    [
        f'"{CANARY}"',
        f'["{CANARY}"]',
        f"{{foo: {CANARY}}}",
        f"{{'foo': '{CANARY}'}}",
        f'{CANARY}"',
        f"level=info foo={CANARY} password={CANARY}",
        f'Nov  1 09:30:00 host app[1]: {{"foo":"{CANARY}"',
        json.dumps(LINE).encode("utf-16").decode("latin-1"),
    ],
)
def test_other_formats_show_no_value(line: str) -> None:
    assert CANARY not in show(line)
    assert CANARY not in show(line.encode("latin-1"))


def test_what_stands_before_the_object_is_shown() -> None:
    assert show('Nov  1 host app[1]: {"user_id":"u-1",').startswith('Nov  1 host app[1]: {"user_id":"u-1"')
    assert show("plain words of somebody") == "plain words of somebody"


def test_broken_json_still_shows_known_keys() -> None:
    assert show('{"user_id":"u-1","n":NaN,"details":{"scopes":["openid"],"client_id":"web') == (
        '{"user_id":"u-1","[masked]":"[masked]","details":{"scopes":["openid"],"client_id":"' + '"'
    )


def test_control_characters_and_escapes_are_replaced() -> None:
    assert "\x1b" not in show("\x1b[31mred\x1b[0m\u202e")
    assert "\\u001b" not in show('{"user_id":"a\\u001b[31m"}')


def test_a_huge_line_costs_little() -> None:
    start = time.process_time()
    for line in (
        '{"user_agent":"' + "x" * 1_000_000,
        "{" * 1_000_000,
        '"' * 1_000_000,
        "\\" * 1_000_000,
        "a=b " * 250_000,
    ):
        show(line)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("quote", ['{"user_agent":"', ""])
def test_the_head_of_a_secret_is_not_shown_where_the_line_is_cut(quote: str) -> None:
    # The long token before it is masked, so that what stands at the cut is within the kilobyte that is shown.
    for seen in range(1, 20):
        line = (
            (quote + "eyJ" + "a" * LOOK_BYTES)[: LOOK_BYTES - seen - 1]
            + " "
            + "eyJhbGciOiJSUzI1NiJ9.e30.abc"
            + "b" * 100
        )
        shown = show(line)
        assert shown.startswith(quote + "[redacted:jwt]")
        assert "e" not in shown.removeprefix(quote + "[redacted:jwt]")


def test_what_an_unknown_key_opens_stays_masked() -> None:
    assert CANARY not in show('{"credentials":{"id":"' + CANARY + '","client_id":["' + CANARY + '"]},"broken')
    assert '"user_id":"u-1"' in show('{"credentials":{"id":"' + CANARY + '"},"user_id":"u-1","broken')


def test_after_a_stray_word_nothing_is_believed() -> None:
    # The stray quotes turn what is between strings into strings, here within the list of a known key.
    assert CANARY not in show('{"details":{"scopes":["openid","pro"file"],"token":' + f'{CANARY}","error":"x"}}}}')


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        # times, actions, client ids, numbers, error codes and addresses, by name or by what they are
        ('{"time":"2026-11-01 09:30","x":"2026-11-01T09:30:00,1Z"}', None),
        ('{"type":"LOGIN_ERROR","clientId":"web","realmName":"acme","error":"invalid_code","ipAddress":"203.0.113.9"}', None),
        ('{"x":"invalid_grant","y":"203.0.113.9:443","z":"2001:db8::1","n":-1.5,"b":false,"o":null}', None),
        ('{"log.level":"INFO","kc.clientId":"web","status":401,"hostname":"idp-1","pid":12}', None),
        ('{"code":401,"error":{"code":"invalid_grant"},"errorCode":"E-17"}', None),
        ('{"attributes":[{"key":"OAuth2ClientID","value":{"stringValue":"web"}}]}', None),
        # wrappers
        ('{"log":"{\\"action\\":\\"token.x\\",\\"password\\":\\"hunter2\\"}","stream":"stdout"}',
         '{"log":"{\\"action\\":\\"token.x\\",\\"password\\":\\"[masked]\\"}","stream":"stdout"}'),
        ('2026-11-01T09:30:00.1Z stdout F {"action":"token.x","k":"hunter2"}',
         '2026-11-01T09:30:00.1Z stdout F {"action":"token.x","k":"[masked]"}'),
        # assignments
        ('time="2026-11-01T09:30:00Z" level=info msg="no such client" note="hunter2" path=/token',
         'time="2026-11-01T09:30:00Z" level=info msg="no such client" note="[masked]" path=/token'),
        ('INFO [org.keycloak.events] (t-1) type="LOGIN", clientId="web", sessionId="hunter2"',
         'INFO [org.keycloak.events] (t-1) type="LOGIN", clientId="web", sessionId="[masked]"'),
        ('203.0.113.9 - - [01/Nov/2026:09:30:00 +0000] "POST /token HTTP/1.1" 401 12 "-" "curl/8"', None),
    ],
)  # fmt: skip
def test_a_person_recognises_the_line(line: str, shown: str | None) -> None:
    got = show(line)
    assert got == (shown or line)


@pytest.mark.parametrize(
    "line",
    [
        f'{{"{key}":"hunter2"}}'
        for key in (
            *(
                "password",
                "passwd",
                "client_secret",
                "clientSecret",
                "access_token",
                "refreshToken",
                "id_token",
                "code",
            ),
            *("authCode", "code_verifier", "assertion", "SAMLResponse", "state", "nonce", "otp", "pin", "session_id"),
            *("sessionId", "sid", "cookie", "Set-Cookie", "Authorization", "x-api-key", "apiKey", "privateKey", "jwt"),
            *("credentials", "token", "ticket", "csrf_token", "signature", "password_hash", "salt", "token_id", "note"),
        )
    ]
    + [
        '{"name":"password","value":"hunter2"}',
        '{"key":"client_secret","value":{"stringValue":"hunter2"}}',
        '{"field":"otp","value":7331,"x":"hunter2"}',
        '{"headers":{"authorization":["Basic","hunter2"],"x-custom":"hunter2"}}',
        '{"code":"\u00b2","x":"hunter2"}',
        '{"secrets":{"client_id":"hunter2","ip":"203.0.113.9"}}',
        '{"args":["--user","hunter2"]}',
        '{"body":"hunter2"}',
        '{"message":"password=hunter2"}',
        '{"message":"{\\"password\\":\\"hunter2\\"}"}',
        '{"message":"{\\"password\\":\\"hunter2"}',
        '{"details":{"hunter2',
        '{"details":{"hunter2","x":1',
        '{"hunter2id":{"a"',
        "/token?client_id=web&state=hunter2&x=hunter2",
        "time=2026-11-01T09:30:00Z session_id=hunter2 foo=\"hunter2\" bar='hunter2'",
        '{"a":' * 30 + '{"message":"hunter2"}' + "}" * 30,
    ],
)
def test_secrets_stay_masked_whatever_holds_them(line: str) -> None:
    for damaged in (line, f"12:30 INFO {line}", line[:-1]):
        assert CANARY not in show(damaged).replace("hunter2id", "")


def test_utf_16_is_read_as_text() -> None:
    assert show('{"action":"token.x","note":"hunter2"}'.encode("utf-16")) == '{"action":"token.x","note":"[masked]"}'
