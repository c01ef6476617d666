"""Lines of Keycloak in each of their forms: what they become, and what is told of those that become nothing."""

import itertools
import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

import parsers
from parsers.address import client_address
from parsers.contract import BLANK, IGNORED, Event, Outcome, Rejection, events_of
from parsers.keycloak import KeycloakParser
from parsers.keycloak.advice import FORGEABLE, NO_SUCCESS
from parsers.redaction.identifiers import Identifiers
from parsers.text import normal_tag
from tests.parsers.keycloak.test_message import TYPED
from tests.parsers.keycloak.writer import HEAD, message, message_of_21, plain, sanitized

NOW_MS: Final = 1_798_761_600_000
CODE: Final = {
    **HEAD,
    "type": "CODE_TO_TOKEN",
    "userId": "63357e22-7575-4334-8470-d3f44b89d087",
    "grant_type": "authorization_code",
    "scope": "openid email",
}
ISSUED: Final = {key: value for key, value in CODE.items() if key != "error"}
USED: Final = (
    "Code '48ec5c1a-e54a-617e-45ac-e86340bb481d' already used for userSession 'x' and client "
    "'2cf68493-70a0-41b2-9bcc-ccb3068d9a54'."
)
CODES: Final = "org.keycloak.protocol.oidc.utils.OAuth2CodeParser"


def logged(text: str, logger: str = "org.keycloak.events", **more: Any) -> bytes:
    record = {"timestamp": "2026-11-29T10:00:00.123456789Z", "loggerName": logger, "message": text, **more}
    return json.dumps(record).encode()


def ecs(text: str) -> bytes:
    return json.dumps(
        {"@timestamp": "2026-11-29T10:00:00.5Z", "log.logger": "org.keycloak.events", "message": text}
    ).encode()


def represented(values: dict[str, str], **more: Any) -> bytes:
    head = {key: value for key, value in values.items() if key in HEAD and key != "realmName"}
    details = {key: value for key, value in values.items() if key not in HEAD}
    return json.dumps({"id": "e-1", "time": 1795946400123, **head, "details": details, **more}).encode()


def outcome(line: bytes, **options: Any) -> Outcome:
    (found,) = KeycloakParser(**options).parse(line + b"\n", NOW_MS)
    return found


def event(line: bytes, **options: Any) -> Event:
    found = outcome(line, **options)
    assert found.__class__ is tuple, found
    return Event(*found)


def reason(line: bytes) -> str:
    found = outcome(line)
    assert isinstance(found, Rejection)
    return f"{found.reason}: {found.detail}"


# Each form


@pytest.mark.parametrize(
    "line",
    [
        logged(message(ISSUED)),
        ecs(message(ISSUED)),
        plain(message(ISSUED)).encode(),
        logged(message_of_21(ISSUED)),
        logged(message(ISSUED, "'")),
        represented(ISSUED),
        b"\xef\xbb\xbf  " + logged(message(ISSUED)) + b"\r\0",
    ],
)
def test_a_form_is_read(line: bytes) -> None:
    found = event(line, realms={HEAD["realmId"]: "acme"})
    assert found.tags.action == "token.issued.authorization_code"
    assert found.tags.client_id == "web"
    assert found.tags.realm == "acme"
    assert found.tags.endpoint == "token"
    assert found.user_id == ISSUED["userId"]
    assert found.ip == "203.0.113.9"
    assert found.scopes == "openid email"
    assert found.error_detail is None


def test_the_id_of_an_event_and_of_a_realm_are_kept() -> None:
    found = event(represented(ISSUED))
    assert found.event_id == "e-1"
    assert found.tags.realm == HEAD["realmId"]


@pytest.mark.parametrize("sort", ["json", "ecs", "plain"])
@given(client=TYPED, address=TYPED, name=TYPED)
def test_nothing_that_strangers_send_forges_anything(sort: str, client: str, address: str, name: str) -> None:
    values = {**HEAD, "clientId": client, "ipAddress": address, "grant_type": "client_credentials", "username": name}
    written = message(values)
    found = event(logged(written) if sort == "json" else ecs(written) if sort == "ecs" else plain(written).encode())
    named = sanitized(client).replace('\\"', '"')
    assert found.tags.client_id == ("" if named == "null" else normal_tag(Identifiers().read(named)))
    assert found.tags.action == "token.validation_failed"
    assert found.tags.error == "invalid_client"
    assert found.user_id is None
    assert found.ip == client_address(sanitized(address).replace('\\"', '"'))
    assert found.error_detail == "client_not_found"


@given(st.data(), st.sampled_from([logged(message(CODE)), plain(message(CODE)).encode(), represented(CODE)]))
def test_half_a_line_tells_nothing_else(data: st.DataObject, line: bytes) -> None:
    half = line[: data.draw(st.integers(0, len(line)))]
    for row in events_of(outcome(half)):
        whole, found = event(line), Event(*row)
        assert found.tags == whole.tags
        assert (found.user_id, found.ip, found.time_ms) == (whole.user_id, whole.ip, whole.time_ms)


def test_a_record_that_syslog_cut_is_an_event() -> None:
    values = {**HEAD, "error": "invalid_request", "reason": "Invalid scopes: " + "s" * 2000}
    found = event(plain(message(values))[:2048].encode())
    assert (found.tags.client_id, found.tags.error) == ("web", "invalid_scope")


def test_a_long_value_hides_nothing() -> None:
    for long in ("s" * 40_000, '"' * 20_000, "\\" * 20_000, ", error=" * 5_000):
        found = event(logged(message({**HEAD, "reason": long, "clientId": long[:254]})))
        assert found.tags.error == "invalid_client"
        assert found.ip == HEAD["ipAddress"]


# Times


@pytest.mark.parametrize(
    ("written", "time_ms", "fraction"),
    [
        ("2026-11-29T10:00:00Z", 1795946400000, ""),
        ("2026-11-29T10:00:00.5Z", 1795946400500, "5"),
        ("2026-11-29T10:00:00.21Z", 1795946400210, "21"),
        ("2026-11-29T10:00:00.123Z", 1795946400123, None),
        ("2026-11-29T10:00:00.12345Z", 1795946400123, "12345"),
        ("2026-11-29T10:00:00.123456789Z", 1795946400123, "123456789"),
        ("2026-11-29T11:00:00.123456789+01:00", 1795946400123, "123456789"),
        ("2026-11-29T09:59:60.000000001Z", 1795946400000, "000000001"),
    ],
)
def test_times_have_one_to_nine_digits(written: str, time_ms: int, fraction: str | None) -> None:
    found = event(logged(message(ISSUED), timestamp=written))
    assert (found.time_ms, found.fraction) == (time_ms, fraction)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-29",
        "2026-11-29T10:00:61Z",
        "2026-13-29T10:00:00Z",
        "2026-11-29T10:00:00.\N{ARABIC-INDIC DIGIT ONE}234Z",
        "2026-11-29T10:00:00.1234",
    ],
)
def test_what_is_no_time_is_told(written: str) -> None:
    assert reason(logged(message(ISSUED), timestamp=written)) == "bad_timestamp: timestamp: not a time"


@pytest.mark.parametrize(
    ("zone", "time_ms"),
    [("UTC", 1795946400123), ("Europe/Berlin", 1795942800123), ("Asia/Kolkata", 1795926600123)],
)
def test_plain_text_has_the_time_of_a_zone(zone: str, time_ms: int) -> None:
    line = plain(message(ISSUED)).encode()
    assert event(line, log_time_zone=zone).time_ms == time_ms
    assert event(logged(message(ISSUED)), log_time_zone=zone).time_ms == 1795946400123


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    lines = [
        plain(message(ISSUED)).replace("2026-11-29 10:00", f"2026-10-25 0{hour}:30").encode() for hour in (1, 2, 3)
    ]
    times = [event(line, log_time_zone="Europe/Berlin").time_ms for line in lines]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [3_600_000, 7_200_000]


def test_a_zone_that_is_none_is_refused() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="log_time_zone"):
            KeycloakParser(log_time_zone=zone)


@pytest.mark.parametrize(
    "head",
    [
        *(
            "2026-11-29 10:00:00,123 INFO  [org.keycloak.events] (executor-thread-1)",
            "2026-11-29 10:00:00.123 WARN  [org.keycloak.events] (x)",
        ),
        "2026-11-29 10:00:00,123 traceId=b636ac, parentId=d59, spanId=d59, sampled=true WARN  [org.keycloak.events] (executor-thread-1)",
        "2026-11-29 10:00:00,123 INFO  {kc.clientId=web, kc.realmName=acme} [org.keycloak.events] (executor-thread-1)",
        "2026-11-29 10:00:00,123 TRACE [org.keycloak.events] (executor-thread-1)",
    ],
)
def test_plain_text_has_more_in_its_head_at_times(head: str) -> None:
    found = event(f"{head} {message(ISSUED)}".encode())
    assert (found.time_ms, found.tags.client_id) == (1795946400123, "web")


# Values


def test_a_users_name_is_that_of_the_refresh_token_where_the_event_has_none() -> None:
    values = {**HEAD, "type": "REFRESH_TOKEN_ERROR", "error": "invalid_token", "refresh_token_sub": "u-1"}
    found = event(logged(message({**values, "reason": "Stale token"})))
    assert (found.user_id, found.tags.action) == ("u-1", "token.reuse_detected")
    assert found.error_detail == "Stale token (invalid_token)"


def test_a_service_account_is_no_user() -> None:
    values = {**ISSUED, "type": "CLIENT_LOGIN", "grant_type": "client_credentials"}
    assert event(logged(message(values))).user_id is None


@pytest.mark.parametrize(
    ("written", "expires_in"),
    [
        ("300", 300),
        ("1795946700", 300),
        ("0", 0),
        ("1795946000", None),
        ("-1", None),
        ("soon", None),
        ("9" * 30, None),
        ("٣٠٠", None),
    ],
)
def test_a_lifetime_is_written_as_such_or_as_its_end(written: str, expires_in: int | None) -> None:
    values = {**ISSUED, "type": "REFRESH_TOKEN", "access_token_expiration_time": written}
    assert event(logged(message(values))).expires_in == expires_in


@pytest.mark.parametrize(
    ("written", "ip"),
    [("[2001:db8::7]", "2001:db8::7"), ('unknown"x', None), ("null", None), ("203.0.113.9:80", "203.0.113.9")],
)
def test_an_address_is_one_or_none(written: str, ip: str | None) -> None:
    assert event(logged(message({**ISSUED, "ipAddress": written}))).ip == ip


def test_what_is_redacted_is_counted_each_time() -> None:
    parser = KeycloakParser()
    line = logged(message({**HEAD, "clientId": "ghp_" + "a1B2" * 9})) + b"\n"
    parser.parse(line * 3, NOW_MS)
    assert sum(count for name, count in parser.counts.items() if name.startswith("redacted")) == 3


def test_a_code_that_was_used_before_is_told_by_another_logger() -> None:
    for line in (logged(USED, CODES), plain(USED, CODES).encode()):
        found = event(line)
        assert found.tags.action == "token.reuse_detected"
        assert (found.tags.error, found.tags.client_id, found.tags.grant_type) == (
            "invalid_code",
            "",
            "authorization_code",
        )
        assert "48ec5c1a" not in repr(found)
    context = {"kc.clientId": "web", "kc.realmName": "acme", "kc.ipAddress": "203.0.113.9", "kc.x": 3}
    found = event(logged(USED, CODES, mdc=context))
    assert (found.tags.client_id, found.tags.realm, found.ip) == ("web", "acme", "203.0.113.9")
    assert outcome(logged("Invalid format of the code", CODES)) is IGNORED


# What becomes no event


@pytest.mark.parametrize(
    "line",
    [
        logged("Keycloak stopped in 1.351s", "io.quarkus"),
        logged('operationType="CREATE", realmId="x", clientId="y"'),
        logged("type"),
        logged(message({**ISSUED, "type": "LOGIN"}).replace(', grant_type="authorization_code"', "")),
        logged('type="LOGOUT", nothing that holds together'),
        represented({**ISSUED, "type": "LOGOUT"}),
        b'{"time":1,"realmId":"r","operationType":"UPDATE","authDetails":{"clientId":"x"}}',
        plain("Keycloak stopped in 1.351s", "io.quarkus").encode(),
        plain(message(ISSUED), "org.example").encode(),
        *(b"Updating the configuration and installing your custom providers, if any. Please wait.",),
        *(b"\tat org.keycloak.services.Foo.bar(Foo.java:3)", b"\t... 81 more", b'Caused by: java.lang.Error: {"a":1}'),
        b"insert into EVENT_ENTITY (CLIENT_ID, IP) values (?, ?) [22001-214]",
    ],
)
@pytest.mark.parametrize("parser", ["keycloak", "auto"])
def test_what_is_no_token_operation_is_ignored(line: bytes, parser: str) -> None:
    assert parsers.find(parser).parse(line, NOW_MS) == [IGNORED]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (logged(message({**HEAD, "type": "TOKEN_MAGIC"})), "unknown_action: type: TOKEN_MAGIC"),
        (represented({**HEAD, "type": "TOKEN_MAGIC"}), "unknown_action: type: TOKEN_MAGIC"),
        (logged(message(ISSUED)[:-1]), "wrong_type: message: its values do not hold together"),
        (logged("type=CLIENT_LOGIN, clientId=two"), "wrong_type: message: its values do not hold together"),
        (logged(message({**ISSUED, "clientId": "null"})), "missing_key: clientId"),
        (
            logged(message({**HEAD, "type": "CODE_TO_TOKEN_ERROR"}).replace(', error="client_not_found"', "")),
            "missing_key: error",
        ),
        (logged(message(ISSUED), timestamp=None), "missing_key: timestamp"),
        (logged(None), "missing_key: message"),  # type: ignore[arg-type]  # that is the fault
        (logged(message(ISSUED), timestamp=3), "wrong_type: timestamp"),
        (
            logged(message(ISSUED), timestamp="2036-01-01T00:00:00Z"),
            "out_of_range: timestamp: before 1970 or more than a day ahead",
        ),
        (represented(ISSUED, time=None), "missing_key: time"),
        (represented(ISSUED, time="3"), "wrong_type: time"),
        (represented(ISSUED, details=[]), "wrong_type: details"),
        (b'{"a":1}', "missing_key: loggerName, or else type and realmId"),
        (b"[1]", "not_an_object: the line"),
        (b'{"timestamp":"2026', "invalid_json: not JSON at character 18"),
        (
            b"lines, userId=null, ipAddress=203.0.113.68, error=client_not_found",
            "invalid_json: neither a record nor text between records",
        ),
        (b"web\xff", "invalid_utf8: not UTF-8 at byte 3"),
        (b'{"loggerName":"org.keycloak.events","message":"\xff"}', "invalid_utf8: not UTF-8 at byte 47"),
        (b"\0\0", "invalid_json: nothing but NUL bytes"),
    ],
)
def test_what_is_broken_is_rejected(line: bytes, why: str) -> None:
    assert reason(line) == why


def test_blank_lines_are_blank() -> None:
    assert KeycloakParser().parse(b"\n \t\r\n" + logged(message(ISSUED)), NOW_MS)[:2] == [BLANK, BLANK]
    assert KeycloakParser().parse(b"", NOW_MS) == []


@pytest.mark.parametrize(
    ("line", "known"),
    [
        *(
            (logged("x", "io.quarkus"), True),
            (ecs("x"), True),
            (represented(ISSUED), True),
            (plain("x").encode(), True),
        ),
        *((b"Caused by: java.lang.Error", True), (b"lines, clientId=x [org.keycloak.events]", True)),
        *((b'{"created_at":"2026-11-01T09:30:00Z","action":"login"}', False), (b"nonsense", False), (b"", False)),
    ],
)
def test_it_recognises_its_lines(line: bytes, known: bool) -> None:
    assert KeycloakParser().recognises(line) is known


# Advice


def advice(*lines: bytes, parser: str = "keycloak") -> list[str]:
    made = parsers.find(parser)
    found = made.parse(b"\n".join(lines), NOW_MS)
    advise = made.advice
    return list(advise(list(zip(lines, found, strict=True))))


@pytest.mark.parametrize("parser", ["keycloak", "auto"])
def test_it_warns_of_plain_text_that_can_be_forged_and_of_failures_alone(parser: str) -> None:
    failure, success = logged(message(HEAD)), logged(message(ISSUED))
    assert advice(plain(message_of_21(HEAD)).encode(), parser=parser) == [FORGEABLE]
    assert advice(logged(message_of_21(HEAD)), plain(message(HEAD)).encode(), parser=parser) == []
    assert advice(*[failure] * 20, parser=parser) == [NO_SUCCESS]
    assert advice(*[failure] * 20, success, parser=parser) == []
    assert advice(*[failure] * 19, parser=parser) == []
    native = b'{"created_at":"2026-11-01T09:30:00Z","action":"token.validation_failed","details":{"client_id":"web"}}'
    assert advice(*[native] * 30, parser=parser) == []
