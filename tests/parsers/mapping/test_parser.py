"""A mapping's parser: what becomes of lines, and that neither a mapping nor a line makes it fail."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parsers
from parsers import testing
from parsers.builder import DAY_MS
from parsers.contract import ENDPOINTS, ERRORS, GRANT_TYPES, IGNORED, Event, NoEvent, Outcome, Reason, Rejection
from parsers.form import fault_of_event
from parsers.mapping import MappingError, read_mapping
from parsers.mapping import parser as parser_module
from parsers.mapping.compiled import finder
from parsers.mapping.definition import FIELDS
from parsers.mapping.rule_reading import ACTIONS
from parsers.vocabulary import ErrorRule

NOW_MS = 1_793_600_000_000
AT = "2026-11-01T09:30:00Z"
FIELDS_OF_ALL = '[fields]\ntime = "at"\nclient_id = "client"\n'


def outcomes(mapping: str, *records: Any, **options: Any) -> list[Outcome]:
    parser = parsers.find("mapping:/etc/tokentail/acme.toml", mapping=mapping, **options)
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return parser.parse(b"\n".join(lines) + b"\n", NOW_MS)


def event(mapping: str, record: dict[str, Any], **options: Any) -> Event:
    (outcome,) = outcomes(mapping, {"at": AT, **record}, **options)
    return made(outcome)


def made(outcome: Outcome) -> Event:
    assert isinstance(outcome, tuple)
    assert not isinstance(outcome, Rejection)
    return Event(*outcome)


def rejection(mapping: str, record: Any) -> tuple[Reason, str]:
    (outcome,) = outcomes(mapping, record)
    assert isinstance(outcome, Rejection), outcome
    return outcome.reason, outcome.detail


def rules(*written: str, head: str = "", fields: str = "") -> str:
    return f"{head}\n{FIELDS_OF_ALL}{fields}\n" + "".join(f"[[rules]]\n{each}\n" for each in written)


# What a rule makes of a line


def test_the_first_rule_that_fits_decides() -> None:
    mapping = rules(
        'when = { type = "a", ok = true }\naction = "token.revoked"',
        'when = { type = ["a", "b"] }\naction = "token.introspected"',
        'when = { "http.status" = { from = 400, to = 499 } }\naction = "token.validation_failed"',
        'when = { type = { matches = "c.*" }, user = { absent = true } }\naction = "token.userinfo_accessed"',
        'action = "ignore"',
    )
    records: list[dict[str, Any]] = [
        {"type": "a", "ok": True},
        {"type": "a", "ok": 1},
        {"type": "b"},
        {"type": "x", "http": {"status": "404"}},
        {"type": "cc"},
        {"type": "cc", "user": "u"},
        {"type": ["a"]},
    ]
    found = outcomes(mapping, *({"at": AT, **record} for record in records))
    assert [outcome if outcome is IGNORED else made(outcome).tags.action for outcome in found] == [
        *("token.revoked", "token.introspected", "token.introspected", "token.validation_failed"),
        *("token.userinfo_accessed", IGNORED, IGNORED),
    ]


@pytest.mark.parametrize(
    ("grant", "action"),
    [
        ("Code", "token.issued.authorization_code"),
        ("client_credentials", "token.issued.client_credentials"),
        ("urn:ietf:params:oauth:grant-type:device_code", "token.issued.device_code"),
        ("refresh_token", "token.refreshed"),
        ("Refresh", "token.refreshed"),
        ("magic", "token.issued.other"),
        (None, "token.issued.other"),
        (7, "token.issued.other"),
    ],
)
def test_the_grant_of_the_line_is_in_the_action(grant: Any, action: str) -> None:
    mapping = rules(
        'action = "token.issued.{grant}"',
        fields='grant_type = "grant"\n[grants]\nCode = "authorization_code"\nRefresh = "refresh_token"',
    )
    found = event(mapping, {"client": "web", "grant": grant})
    assert (found.tags.action, found.tags.outcome, found.tags.endpoint) == (action, "success", "token")


def test_a_rule_says_error_endpoint_and_grant_and_where_else_values_stand() -> None:
    mapping = rules(
        'when = { type = "a" }\naction = "token.validation_failed"\nerror = "invalid_client"\nendpoint = "introspection"\n'
        'grant_type = "client_credentials"\ndrop = ["user_id"]\nfields = { client_id = "claimed" }',
        'action = "token.validation_failed"',
        fields='user_id = "user"\nerror = "why"\n[errors]\n"*too old*" = { error = "expired_code", action = "token.expired" }',
    )
    one = event(mapping, {"type": "a", "client": "x", "claimed": "web", "user": "u", "why": "no such secret"})
    assert one.tags == (
        "token.validation_failed",
        "web",
        "introspection",
        "invalid_client",
        "client_credentials",
        "failure",
        "",
    )
    assert (one.user_id, one.error_detail) == (None, "no such secret")
    other = event(mapping, {"client": "web", "user": "u", "why": "Code is TOO OLD"})
    assert (other.tags.action, other.tags.error, other.error_detail) == (
        "token.expired",
        "expired_code",
        "Code is TOO OLD",
    )


def test_the_configuration_goes_before_the_mapping_about_errors() -> None:
    mapping = rules(
        'action = "token.validation_failed"',
        fields='error = "why"\n[errors]\n"*old*" = "expired_code"\nbad = "unknown"',
    )
    mine: dict[str, ErrorRule] = {"*too*": _Meaning("invalid_code"), "bad": _Meaning("invalid_grant")}
    assert event(mapping, {"why": "too old"}, errors=mine).tags.error == "invalid_code"
    assert event(mapping, {"why": "old"}, errors=mine).tags.error == "expired_code"
    assert event(mapping, {"why": "bad"}, errors=mine).tags.error == "invalid_grant"


class _Meaning:
    action = None

    def __init__(self, error: str) -> None:
        self.error = error


def test_values_are_taken_as_logs_write_them() -> None:
    mapping = rules(
        'action = "token.issued.password"',
        head='empty = ["-", "null"]',
        fields=(
            'user_id = "user | login"\nscopes = { path = "scopes", separator = "," }\nexpires_in = "ttl"\nevent_id = "n"\n'
            'realm = "tenant"\nip = "ips[0]"\nuser_agent = "agent"\n[realms]\n"7f" = "corp"'
        ),
    )
    record = {
        "client": 17,
        "user": "-",
        "login": "al",
        "scopes": "a, b,c",
        "ttl": "3600",
        "n": 5,
        "tenant": "7f",
        "ips": ["::ffff:192.0.2.1", "x"],
        "agent": "curl/8",
    }
    found = event(mapping, record)
    assert found[3:9] == ("al", "192.0.2.1", "curl/8", "a b c", 3600, "5")
    assert (found.tags.client_id, found.tags.realm) == ("17", "corp")
    assert event(mapping, {**record, "tenant": "other"}).tags.realm == "other"
    assert event(mapping, {**record, "scopes": ["a", "b"]}).scopes == "a b"


def test_named_groups_of_the_rule_that_fits_are_values() -> None:
    mapping = rules(
        'when = { text = { matches = \'denied (?P<who>\\S+).*\' }, type = "x" }\naction = "token.revoked"',
        "when = { text = { matches = '(denied|refused) (?P<client>\\S+): (?P<why>.*)' } }\naction = \"token.validation_failed\"",
        fields='user_id = "$who"\nerror = "$why"\nip = "$client"',
    ).replace('client_id = "client"', 'client_id = "$client"')
    found = event(mapping, {"text": "denied web: bad secret", "client": "forged"})
    assert (found.tags.client_id, found.error_detail, found.user_id) == ("web", "bad secret", None)
    assert event(mapping, {"text": "denied al", "type": "x"}).user_id == "al"


def test_named_groups_may_be_those_of_all_rules() -> None:
    mapping = rules(
        "when = { text = { matches = '(?P<who>b)ob.*' } }\naction = \"token.revoked\"",
        'action = "token.introspected"',
        fields="user_id = \"$who\"\n[groups]\ntext = '(?P<who>[a-z]+) did it'",
    )
    assert event(mapping, {"text": "al did it"}).user_id == "al"
    assert event(mapping, {"text": "al did nothing"}).user_id is None
    assert event(mapping, {"text": 5}).user_id is None
    assert event(mapping, {"text": "bob did it"}).user_id == "b"  # the rule's own goes first


@pytest.mark.parametrize(
    "wrapped",
    [
        {"inner": {"type": "a", "client": "web"}},
        {"inner": json.dumps({"type": "a", "client": "web"}), "type": "b"},
        {"deep": {"inner": {"type": "a", "client": "web"}}, "type": "b", "client": "outer"},
        {"type": "a", "client": "web"},
        {"inner": "no object", "type": "a", "client": "web"},
        {"inner": "{broken", "type": "a", "client": "web"},
    ],
)
def test_an_object_within_the_line_is_read_as_if_it_were_the_line(wrapped: dict[str, Any]) -> None:
    mapping = rules('when = { type = "a" }\naction = "token.revoked"', head='unwrap = "inner | deep.inner"')
    assert event(mapping, wrapped).tags.client_id == "web"


def test_a_success_has_no_error() -> None:
    mapping = rules('action = "token.revoked"', fields='error = "code"\nerror_detail = "why"')
    found = event(mapping, {"code": "0", "why": "fine"})
    assert (found.tags.error, found.error_detail) == ("", None)


def test_errors_may_be_numbers_and_have_a_text_beside_them() -> None:
    mapping = rules(
        'action = "token.validation_failed"',
        fields='error = "code"\nerror_detail = "why"\n[errors]\n70008 = "invalid_grant"',
    )
    found = event(mapping, {"code": 70008, "why": "it ended, password=hunter2"})
    assert (found.tags.error, found.error_detail) == ("invalid_grant", "it ended, password=[redacted:secret]")
    assert event(mapping, {"code": "invalid_grant"}).error_detail is None


# Lines that are no events


def test_what_lacks_something_is_rejected_with_its_path() -> None:
    mapping = rules(
        'when = { type = "a" }\naction = "token.issued.password"',
        head='require = ["type", "data.id"]',
        fields='ip = "ip"',
    )
    good = {"at": AT, "type": "a", "data": {"id": 1}, "client": "web"}
    assert outcomes(mapping, good)[0].__class__ is tuple
    for change, expected in (
        ({"data": {}}, (Reason.MISSING_KEY, "data.id")),
        ({"at": ""}, (Reason.MISSING_KEY, "at")),
        ({"at": "soon"}, (Reason.BAD_TIMESTAMP, "at: not written as the mapping says")),
        ({"at": "2036-11-01T09:30:00Z"}, (Reason.OUT_OF_RANGE, "at: before 1970 or more than a day ahead")),
        ({"client": " "}, (Reason.MISSING_KEY, "client")),
        ({"client": ["web"]}, (Reason.WRONG_TYPE, "client: neither a string nor an integer")),
        ({"ip": 5}, (Reason.WRONG_TYPE, "ip: not a string")),
    ):
        assert rejection(mapping, {**good, **change}) == expected
    assert outcomes(mapping, {**good, "type": "b", "at": "soon"}) == [IGNORED]


def test_a_line_of_no_rule_is_ignored_or_rejected_as_the_mapping_says() -> None:
    rule = 'when = { type = "a" }\naction = "token.revoked"'
    assert outcomes(rules(rule), {"type": "b"}) == [IGNORED]
    assert rejection(rules(rule, head='otherwise = "reject"'), {"type": "b"}) == (
        Reason.UNKNOWN_ACTION,
        "no rule is about the line",
    )
    told = rules(rule, 'when = { type = { matches = "tok.*" } }\naction = "reject"')
    assert rejection(told, {"type": "token_minted"}) == (Reason.UNKNOWN_ACTION, "rule 2 rejects it: type")


@pytest.mark.parametrize("line", [b"Listening on 127.0.0.1", b"[1]", b"5", b"\xff\xfe", b"'{'", b"null"])
def test_lines_that_are_no_json_are_ignored_if_the_mapping_says_so(line: bytes) -> None:
    rule = 'action = "token.revoked"'
    assert isinstance(outcomes(rules(rule), line)[0], Rejection)
    assert outcomes(rules(rule, head='not_json = "ignore"'), line) == [IGNORED]


@pytest.mark.parametrize("line", [b'{"at":', b"{}{}", b'{"a":"\xff"}', b"{'a': 1}", b'{"at":"2026'])
def test_a_damaged_object_is_never_ignored(line: bytes) -> None:
    (outcome,) = outcomes(rules('action = "token.revoked"', head='not_json = "ignore"'), line)
    assert isinstance(outcome, Rejection)


def test_functions_are_made_of_rules_with_the_first_line_that_gets_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where logs are detected, most of the mappings that ship never get one."""
    making = Mock(wraps=finder)
    monkeypatch.setattr(parser_module, "finder", making)
    parsers.find("auto").parse(b'{"created_at":"2026-11-01T09:30:00Z","action":"token.refreshed"}\n', NOW_MS)
    assert making.call_count == 0
    outcomes(rules('action = "token.revoked"'), {"at": AT}, {"at": AT})
    assert making.call_count == 1


def test_a_log_that_never_names_a_client_says_so() -> None:
    rule = 'action = "token.refreshed"'
    assert rejection(rules(rule), {"at": AT}) == (Reason.MISSING_KEY, "client")
    assert event(rules(rule, head="clients_unknown = true"), {}).tags.client_id == ""


# The contract


MAPPING = rules(
    'when = { type = "ok", "data.n" = { from = 0 } }\naction = "token.issued.{grant}"',
    'when = { type = ["no", "never"] }\naction = "token.validation_failed"\ndrop = ["user_id"]',
    "when = { text = { matches = '(?P<client>\\S+) was (?P<what>[a-z]+)' } }\naction = \"token.revoked\"",
    'when = { type = { matches = "[a-z]{3}" } }\naction = "reject"',
    head='require = ["at"]\nnot_json = "ignore"\nempty = ["-"]',
    fields=(
        'user_id = "data.users[role=owner].id | user"\nip = "ip"\nuser_agent = "$what | agent"\nerror = "error"\nrealm = "realm"\n'
        'grant_type = "grant"\nscopes = "scopes"\nexpires_in = "ttl"\nevent_id = "id"\nerror_detail = "why"'
    ),
).replace('client_id = "client"', 'client_id = "client | $client"')
LINES = [
    (
        b'{"at":"2026-11-01T09:30:00.12Z","type":"ok","data":{"n":1,"users":[{"role":"owner","id":"u-1"}]},"client":"web",'
        b'"grant":"password","scopes":["a"],"ttl":60,"id":"e-1","realm":"r","ip":"192.0.2.1","agent":"curl/8"}'
    ),
    b'{"at":"2026-11-01T09:30:00Z","type":"no","client":"web","user":"u-1","error":"invalid_grant","why":"no such code"}',
    b'{"at":"2026-11-01T09:30:00Z","text":"web was revoked"}',
]
OTHERS = [b'{"at":"2026-11-01T09:30:00Z","type":"new"}', b'{"type":"ok"}', b"a banner", b'{"at":1,"type":"x"}']


def test_a_mapping_keeps_the_contract() -> None:
    testing.check_parser(lambda **options: parsers.find("mapping:/m.toml", mapping=MAPPING, **options), LINES, OTHERS)


WORDS = st.sampled_from(
    ["ok", "no", "a", "b.c", '"x.y"', "list[0]", "t[type=u].id", "$g", "a | b", "-", "", "0", "401"]
)
TESTS = st.one_of(
    WORDS,
    st.integers(-5, 500),
    st.booleans(),
    st.lists(WORDS | st.integers(), max_size=3),
    st.fixed_dictionaries({"matches": st.sampled_from(["(?P<g>.*)", "[0-9]+", "(", "(a+)+", "x|(?P<h>y)"])}),
    st.fixed_dictionaries({"absent": st.booleans()}),
    st.fixed_dictionaries({}, optional={"from": st.integers(), "to": st.floats()}),
)
RULES = st.fixed_dictionaries(
    {"action": st.sampled_from(ACTIONS)},
    optional={
        "when": st.dictionaries(WORDS, TESTS, max_size=3),
        "error": st.sampled_from(sorted(ERRORS)),
        "endpoint": st.sampled_from(sorted(ENDPOINTS)),
        "grant_type": st.sampled_from(sorted(GRANT_TYPES)),
        "drop": st.lists(st.sampled_from(FIELDS), max_size=2),
        "fields": st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=2),
    },
)
MAPPINGS = st.fixed_dictionaries(
    {
        "fields": st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=6).map(
            lambda fields: {"time": "at", **fields}
        ),
        "rules": st.lists(RULES, min_size=1, max_size=4),
    },
    optional={
        "require": st.lists(WORDS, max_size=1),
        "not_json": st.sampled_from(["ignore", "reject"]),
        "otherwise": st.sampled_from(["ignore", "reject"]),
        "empty": st.lists(WORDS, max_size=1),
        "clients_unknown": st.booleans(),
        "grants": st.dictionaries(WORDS, st.sampled_from(sorted(GRANT_TYPES)), max_size=1),
        "realms": st.dictionaries(WORDS, WORDS, max_size=1),
    },
)
VALUES = st.recursive(
    WORDS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["b", "c", "type", "id", "x.y"]), inner, max_size=3)
    ),
    max_leaves=5,
)
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "x.y", "list", "t", "$g", "ok"]), VALUES, max_size=5)


@settings(deadline=None)
@given(MAPPINGS, st.lists(RECORDS, max_size=3), st.binary(max_size=30))
def test_no_mapping_and_no_line_makes_it_raise(mapping: dict[str, Any], records: list[Any], rubbish: bytes) -> None:
    text = _toml(mapping)
    try:
        read_mapping(text)
    except MappingError:
        return
    lines = [json.dumps({"at": AT, **record}).encode() for record in records] + [rubbish.replace(b"\n", b"")]
    parser = parsers.find("mapping:/m.toml", mapping=text)
    for line in lines:
        (outcome,) = parser.parse(line + b"\n", NOW_MS)
        if outcome.__class__ is tuple:
            assert fault_of_event(outcome, NOW_MS + DAY_MS) is None
        else:
            assert isinstance(outcome, Rejection | NoEvent)
            assert not isinstance(outcome, Rejection) or outcome.reason is not Reason.PARSER_FAILED
        parser.redact(line)


def _toml(value: Any) -> str:
    """Write a mapping as TOML: all tables within braces, which may stand for any."""

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(key)} = {inline(inner)}" for key, inner in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(inline, value)) + "]"
        return repr(value) if isinstance(value, float) else json.dumps(value)

    return "\n".join(f"{key} = {inline(inner)}" for key, inner in value.items())


HOSTILE = (
    '","type":"ok","client":"forged',
    'x", error="none',
    "$client",
    "x\r\n{}",
    "\u202egrof\0",
    "\\",
    "a" * 40_000,
    "web was revoked",
    "é\ud800",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_value_forges_no_other(hostile: str) -> None:
    plain = outcomes(
        MAPPING, {"at": AT, "type": "no", "client": "web", "user": "u", "error": "x", "why": "y", "agent": "z"}
    )[0]
    for key in ("user", "why", "agent"):
        record = {
            "at": AT,
            "type": "no",
            "client": "web",
            "user": "u",
            "error": "x",
            "why": "y",
            "agent": "z",
            key: hostile,
        }
        (outcome,) = outcomes(MAPPING, record)
        one, other = made(outcome), made(plain)
        assert one.tags == other.tags
        assert (one.time_ms, one.ip, one.expires_in, one.user_id) == (other.time_ms, None, None, None)
