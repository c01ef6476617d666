"""Real Keycloaks 26.7.3 and 21.1.2, and what was done to them, against what their logs become.

Whatever does not come out exactly is named, each with the reason that lies in the log.
"""

import re
from collections import Counter
from typing import Any, Final, NamedTuple

import orjson
import pytest

import parsers
from parsers.contract import Event, Outcome, Reason, Rejection, events_of
from tests.providers.truth import operations, read, told

NOW_MS: Final = 1_798_761_600_000
PARSERS: Final = ("keycloak", "auto")
NEW, OLD = "keycloak-26.7.3", "keycloak-21.1.2"

NOT_LOGGED: Final = dict.fromkeys(
    [
        *(
            "refresh_missing",
            "unsupported_grant",
            "missing_grant",
            "empty_body",
            "duplicate_parameter",
            "hostile_grant",
        ),
        *("introspect_refresh", "device_pending", "ciba_pending", "ciba_reused", "ciba_denied"),
    ],
    "Keycloak logs nothing of it.",
)
EXPIRED_CODE: Final = {
    "code_expired": "The event is that of a wrong code, and OAuth2CodeParser says of an expired code that it was used before."
}
NO_SUCCESSES: Final = dict.fromkeys(
    [
        *("cc_ok", "cc_ok_post", "cc_ok_realm2", "cc_ok_jwt", "cc_ok_quoted_id", "code_ok", "code_ok_spa_offline"),
        *("refresh_ok", "refresh_ok_scope_down", "refresh_scope_up", "refresh_ok_offline", "password_ok_offline"),
        "password_ok_short",
    ],
    "Keycloak logs no success by default.",
)
BROKEN_LINES: Final = dict.fromkeys(
    [
        *("hostile_client_newline", "hostile_client_crlf_forge", "hostile_client_json_forge", "hostile_client_lf_only"),
        "hostile_client_control_run",
    ],
    "The line break in the client id is one in the log.",
)
BY_DEFAULT: Final = {**NO_SUCCESSES, **EXPIRED_CODE, "refresh_missing": NOT_LOGGED["refresh_missing"]}
NO_QUOTES: Final = {
    name: NOT_LOGGED[name] for name in NOT_LOGGED if not re.match("refresh|introspect|device|ciba", name)
}
VERSION_21: Final = {
    **{name: why for name, why in NOT_LOGGED.items() if not re.match("introspect|ciba", name)},
    **EXPIRED_CODE,
    **dict.fromkeys(
        [
            "exchange_ok",
            "exchange_ok_audience",
            "exchange_bad_subject",
            "exchange_bad_audience",
            "exchange_not_allowed",
        ],
        "The server fails where token exchange is off, and logs its own failure alone.",
    ),
    "jwt_bearer_unsupported": NOT_LOGGED["unsupported_grant"],
    "long_username_20k": "The server fails, and logs its own failure alone.",
    "code_reused": "OAuth2CodeParser tells of the reuse beside the event, which is that of a wrong code.",
    "code_missing": "Version 21 gives no reason, so it is the event of a code of wrong form.",
    "refresh_reused": "Version 21 gives no reason, so it is the event of a session that has ended.",
    "refresh_expired": "Version 21 gives no reason, so it is the event of a wrong token.",
    "userinfo_expired_token": "Version 21 gives no reason, so it is the event of a wrong token.",
}


class Log(NamedTuple):
    """A log of a run."""

    server: str
    run: str
    name: str
    missing: dict[str, str]
    """Operations that do not come out exactly, and why."""
    exact: int
    """How many do."""


LOGS: Final = (
    Log(NEW, "A", "console-json/A.log", {**NOT_LOGGED, **EXPIRED_CODE}, 193),
    Log(NEW, "A", "file-ecs/A.log", {**NOT_LOGGED, **EXPIRED_CODE}, 193),
    Log(NEW, "A", "syslog-plain/A.log", {**NOT_LOGGED, **EXPIRED_CODE}, 193),
    Log(NEW, "P", "console-plain/P.log", {**NOT_LOGGED, **EXPIRED_CODE}, 203),
    Log(NEW, "B", "defaults-file-json/B.log", BY_DEFAULT, 59),
    Log(NEW, "B", "defaults-console-plain/B.log", BY_DEFAULT, 59),
    Log(NEW, "Q", "noquotes-file-json/Q.log", NO_QUOTES, 72),
    Log(NEW, "Q", "noquotes-console-plain/Q.log", {**NO_QUOTES, **BROKEN_LINES}, 67),
    Log(OLD, "E", "console-json/E.log", VERSION_21, 189),
    Log(OLD, "E", "file-plain/E.log", {**VERSION_21, **BROKEN_LINES}, 184),
)
FORGEABLE: Final = ("noquotes-console-plain/Q.log", "file-plain/E.log")


def text_of(log: Log) -> bytes:
    """Return the lines of a log, without the header of syslog."""
    data = read(log.server, log.name)
    return re.sub(rb"^<\d+>1 (?:\S+ ){5}- \xef\xbb\xbf", b"", data, flags=re.MULTILINE)


def parsed(log: Log, parser: str, **options: Any) -> list[Outcome]:
    return parsers.find(parser, **options).parse(text_of(log), NOW_MS)


def events(outcomes: list[Outcome]) -> list[Event]:
    return [Event(*row) for outcome in outcomes for row in events_of(outcome)]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_every_operation_that_the_log_can_show_comes_out_exactly(log: Log, parser: str) -> None:
    outcomes = parsed(log, parser)
    done = operations(log.server, log.run, log.name)
    wrong = [each for each in done if told(outcomes, each) != each.expected]
    assert {each.name for each in wrong} == log.missing.keys()
    assert len(done) - len(wrong) == log.exact


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_nothing_is_rejected_that_is_not_broken(log: Log, parser: str) -> None:
    lines = text_of(log).split(b"\n")
    outcomes = parsed(log, parser)
    rejected = [line for line, outcome in zip(lines, outcomes, strict=False) if isinstance(outcome, Rejection)]
    if log.name not in FORGEABLE:
        assert rejected == []
        return
    # Of each record with a line break in a value both halves, or the one that a banner could be.
    halves = (b"clientId=", b", userId=null, ipAddress=203.0.113.68", b"forged")
    assert rejected
    assert all(any(half in line for half in halves) for line in rejected)


def comparable(event: Event) -> Event:
    """Return an event as every form of a run has it: to the millisecond, and without an id."""
    return event._replace(fraction=None, event_id=None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("console-json/A.log", "file-ecs/A.log"),
        ("console-json/A.log", "syslog-plain/A.log"),
        ("defaults-file-json/B.log", "defaults-console-plain/B.log"),
    ],
)
def test_the_forms_of_a_run_give_the_same_events(first: str, second: str) -> None:
    one, other = (next(log for log in LOGS if log.name == name) for name in (first, second))
    made = [comparable(event) for event in events(parsed(one, "keycloak"))]
    assert made == [comparable(event) for event in events(parsed(other, "keycloak"))]


def test_what_log_mdc_knows_beside_the_message_is_the_only_difference() -> None:
    mdc = events(parsed(Log(NEW, "P", "file-json-mdc/P.log", {}, 0), "keycloak"))
    plain = events(parsed(Log(NEW, "P", "console-plain/P.log", {}, 0), "keycloak"))
    differing = [(a, b) for a, b in zip(map(comparable, mdc), map(comparable, plain), strict=True) if a != b]
    assert [(a.tags.action, a.tags.client_id, a.tags.realm) for a, _ in differing] == [
        ("token.reuse_detected", "web-app", "acme")
    ]
    assert [(b.tags.action, b.tags.client_id, b.tags.realm) for _, b in differing] == [("token.reuse_detected", "", "")]


@pytest.mark.parametrize(
    ("server", "json", "plain"),
    [
        (NEW, "noquotes-file-json/Q.log", "noquotes-console-plain/Q.log"),
        (OLD, "console-json/E.log", "file-plain/E.log"),
    ],
)
def test_plain_text_without_quotes_loses_what_holds_a_line_break_and_nothing_else(
    server: str, json: str, plain: str
) -> None:
    run = json[-5]
    whole = Counter(map(comparable, events(parsed(Log(server, run, json, {}, 0), "keycloak"))))
    lines = Counter(map(comparable, events(parsed(Log(server, run, plain, {}, 0), "keycloak"))))
    assert lines - whole == Counter()
    lost = list((whole - lines).elements())
    assert len(lost) == len(BROKEN_LINES)
    assert {(event.tags.action, event.ip) for event in lost} == {("token.validation_failed", "203.0.113.68")}


@pytest.mark.parametrize(("server", "run", "log"), [(NEW, "A", "console-json/A.log"), (OLD, "E", "console-json/E.log")])
def test_an_event_of_the_rest_interface_is_the_one_of_the_log(server: str, run: str, log: str) -> None:
    names = {realm_id: row["realm"] for realm_id, row in realms(server, run).items()}
    logged = events(parsed(Log(server, run, log, {}, 0), "keycloak", realms=names))
    represented = events(parsed(Log(server, run, f"api-events/{run}.log", {}, 0), "keycloak", realms=names))
    assert len(represented) > 100

    def said(event: Event) -> Event:
        """Without what differs: the log is written some milliseconds later, with spaces for other blanks."""
        tags = event.tags._replace(client_id=event.tags.client_id.replace("\N{REPLACEMENT CHARACTER}", " "))
        return comparable(event)._replace(time_ms=0, tags=tags)

    assert Counter(map(said, represented)) - Counter(map(said, logged)) == Counter()
    assert {event.tags.realm for event in represented} <= {"acme", "globex"}


def realms(server: str, run: str) -> dict[str, dict[str, Any]]:
    """Return what was sent in some operation to each realm, by the realm's id."""
    found: dict[str, dict[str, Any]] = {}
    log = f"console-json/{run}.log"
    lines = read(server, log).split(b"\n")
    for each in operations(server, run, log):
        for ordinal in each.lines:
            realm_id = re.search(rb'realmId=(?:\\")?([0-9a-f-]{36})', lines[ordinal])
            if realm_id and "realm" in each.sent and lines[ordinal].count(b"type=") == 1:
                found.setdefault(realm_id[1].decode(), each.sent)
    return found


def test_nothing_comes_of_what_administrators_do() -> None:
    for server, run in ((NEW, "A"), (OLD, "E")):
        outcomes = parsers.find("auto").parse(read(server, f"api-admin-events/{run}.log"), NOW_MS)
        assert {str(outcome) for outcome in outcomes} == {"NoEvent.IGNORED"}


@pytest.mark.parametrize("log", [log for log in LOGS if log.server == NEW], ids=lambda log: log.name)
def test_who_asked_for_what_is_told(log: Log) -> None:
    outcomes = parsed(log, "keycloak")
    told_users = 0
    for each in operations(log.server, log.run, log.name):
        made = [Event(*row) for ordinal in each.lines for row in events_of(outcomes[ordinal])]
        if len(made) != 1 or not each.expected or each.name == "code_expired":
            continue
        (event,) = made
        sent = each.sent
        if "realm" in sent:
            assert event.tags.realm == sent["realm"]
        if "ip" in sent and not each.name.startswith("refresh_disabled"):
            assert event.ip == sent["ip"]
        if event.expires_in is not None:
            assert event.expires_in == sent["expires_in"]
        if event.tags.outcome == "success" and "scope" in sent and event.scopes:
            assert set(event.scopes.split()) == set(sent["scope"].split())
        if event.user_id is not None:
            told_users += 1
            assert sent.get("user_id", event.user_id) == event.user_id
        if sent.get("endpoint") in {"token", "userinfo", "introspection", "revocation", "device"}:
            assert event.tags.endpoint == sent["endpoint"]
    assert told_users >= (0 if log.run == "Q" else 9)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_no_service_account_is_a_user(log: Log) -> None:
    rows = [orjson.loads(line) for line in read(log.server, f"TRUTH-{log.run}.jsonl").splitlines()]
    (accounts,) = (row["service_accounts"] for row in rows if not row["n"])
    assert accounts
    users = {event.user_id for event in events(parsed(log, "keycloak"))}
    assert users.isdisjoint(user_id for _, user_id in accounts)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name)
def test_a_password_that_was_typed_as_a_user_name_does_not_come_out(log: Log) -> None:
    secret = b"Hunter2!made-up-password"
    parser = parsers.find("keycloak")
    lines = [line for line in text_of(log).split(b"\n") if secret in line]
    assert lines or log.run == "B"
    for line in lines:
        for spoilt in (line, line[:-3], line.replace(b"ipAddress", b"ipAddres"), line[1:]):
            (outcome,) = parser.parse(spoilt, NOW_MS)
            assert "Hunter2" not in f"{outcome!r} {parser.redact(spoilt)}"


def test_the_lines_that_a_client_id_forges_in_plain_text_are_rejected_where_they_differ_from_keycloaks() -> None:
    (log,) = (log for log in LOGS if log.name == "file-plain/E.log")
    forged = [event for event in events(parsed(log, "keycloak")) if event.tags.client_id == "forged"]
    assert forged == []
    reasons = Counter(outcome.reason for outcome in parsed(log, "keycloak") if isinstance(outcome, Rejection))
    assert reasons == {Reason.WRONG_TYPE: 6, Reason.INVALID_JSON: 5}
