"""docs/keycloak.md: what it says of Keycloak is so in the real logs."""

import re
from typing import Final

import pytest

import parsers
from parsers.contract import Event, events_of
from parsers.keycloak.advice import FORGEABLE, NO_SUCCESS
from tests.docs.markdown import ROOT, blocks, prose, tables
from tests.providers.test_keycloak import LOGS, NEW, NOT_LOGGED, NOW_MS, OLD, Log, events, parsed
from tests.providers.truth import operations, read, told

PAGE: Final = (ROOT / "docs/keycloak.md").read_text("utf-8")
APPEAR: Final[dict[str, tuple[str, ...]]] = {
    "client credentials": ("cc_ok", "cc_ok_post", "cc_ok_jwt"),
    "authorization code": ("code_ok", "code_ok_spa_offline"),
    "password": ("password_ok", "password_ok_email"),
    "device code": ("device_ok",),
    "CIBA": ("ciba_ok",),
    "token exchange": ("exchange_ok",),
    "refresh": ("refresh_ok",),
    "UserInfo": ("userinfo_ok",),
    "introspection, also of a token that is not active": ("introspect_active", "introspect_inactive"),
    "revocation, also of a token that is none": ("revoke_refresh", "revoke_garbage"),
    "wrong secret, unknown client, disabled client": ("cc_wrong_secret", "cc_unknown_client", "cc_disabled_client"),
    "client without the right to the grant": ("cc_no_service_account", "password_not_allowed", "device_not_allowed"),
    "unknown scope": ("cc_invalid_scope",),
    "wrong code": ("code_wrong", "code_wrong_uuid"),
    "wrong or missing PKCE verifier": ("pkce_wrong_verifier", "pkce_missing_verifier"),
    "refresh token used again": ("refresh_reused",),
    "expired refresh token": ("refresh_expired",),
    "wrong password, unknown user, locked user": ("password_wrong", "password_unknown_user", "lockout_right_password"),
    "device that polls too fast": ("device_slow_down",),
    "expired device code": ("device_expired",),
    "UserInfo with an expired token": ("userinfo_expired_token",),
    "UserInfo with a wrong token": ("userinfo_bad_token",),
}
"""Each row of the page, and what was done to the server."""
NEVER: Final[dict[str, tuple[str, ...]]] = {
    "an unsupported grant, no grant, or a parameter that is there twice": (
        *("unsupported_grant", "hostile_grant", "missing_grant", "empty_body", "duplicate_parameter"),
    ),
    "a refresh without a token": ("refresh_missing",),
    "a device that polls and has to wait": ("device_pending",),
    "CIBA: polling, a denial, a second use": ("ciba_pending", "ciba_denied", "ciba_reused"),
    "introspection of a refresh token (Keycloak 26.7.3)": ("introspect_refresh",),
}
(MAIN,) = (log for log in LOGS if log.name == "console-json/A.log")
(OLDER,) = (log for log in LOGS if log.name == "console-json/E.log")


def part(mark: str) -> str:
    """Return what follows a comment, up to the next heading."""
    return PAGE.partition(f"<!-- {mark}:")[2].partition("\n\n")[2].partition("\n\n#")[0]


def logged(log: Log) -> dict[str, list[tuple[str, str | None]]]:
    """Return action and error of what came of each kind of operation."""
    outcomes = parsed(log, "auto")
    found: dict[str, list[tuple[str, str | None]]] = {}
    for each in operations(log.server, log.run, log.name):
        found.setdefault(each.name, []).extend((action, error) for action, _, error in told(outcomes, each))
    return found


def test_which_events_appear() -> None:
    (heading, _, *rows), *_ = tables(part("appear"))
    assert heading == ["request", "event", "error"]
    assert {row[0] for row in rows} == APPEAR.keys()
    found = logged(MAIN)
    for request, event, error in rows:
        for name in APPEAR[request]:
            assert set(found[name]) == {(event.strip("`"), error.strip("`") or None)}, name


def test_which_events_never_appear() -> None:
    items = re.findall(r"^- (.+)$", part("never").partition("\n\n")[0], re.MULTILINE)
    assert items == list(NEVER)
    assert {name for names in NEVER.values() for name in names} == NOT_LOGGED.keys()
    found = logged(MAIN)
    assert [name for names in NEVER.values() for name in names if found[name]] == []


def test_codes_that_are_no_good_look_alike() -> None:
    for log in (MAIN, OLDER):
        found = logged(log)
        for name in ("code_wrong", "code_reused", "code_expired"):
            assert ("token.validation_failed", "invalid_code") in found[name]
        assert ("token.reuse_detected", "invalid_code") in found["code_expired"]
    assert ("token.reuse_detected", "invalid_code") in logged(OLDER)["code_reused"]
    reused = [event for event in events(parsed(MAIN, "auto")) if event.tags.error == "invalid_code"]
    assert {event.tags.client_id for event in reused if event.tags.action == "token.reuse_detected"} == {""}


def test_version_21_gives_no_reasons() -> None:
    found = logged(OLDER)
    for name in ("refresh_reused", "refresh_expired", "refresh_garbage"):
        assert set(found[name]) == {("token.validation_failed", "invalid_grant")}


def test_what_the_dashboards_cannot_show() -> None:
    for log in LOGS:
        made = events(parsed(log, "keycloak"))
        assert made
        assert {event.user_agent for event in made} == {None}
        assert {event.tags.action for event in made if event.expires_in is not None} <= {"token.refreshed"}
        at_userinfo = [event for event in made if event.tags.endpoint == "userinfo" and event.tags.outcome == "failure"]
        assert {event.tags.client_id for event in at_userinfo} <= {""}
    names = {"alice", "bob", "bob@example.org", "ALICE"}
    assert names.isdisjoint(event.user_id for event in events(parsed(MAIN, "keycloak")))
    assert re.findall(r"^- \*\*([^*]+)\*\*", PAGE, re.MULTILINE) == [
        *(
            "User agents",
            "Lifetimes",
            "The client of a failure at UserInfo",
            "Names of users",
            "Networks behind a proxy",
        ),
    ]


def test_a_log_by_default_has_failures_only_and_validate_says_so() -> None:
    (log,) = (log for log in LOGS if log.name == "defaults-file-json/B.log")
    assert {event.tags.outcome for event in events(parsed(log, "keycloak"))} == {"failure"}
    (option,) = set(re.findall(r"--spi-\S+", "".join(block.text for block in blocks(PAGE, "sh"))))
    assert option in NO_SUCCESS
    assert re.findall(r"--log-file-output=json", FORGEABLE + PAGE)


def test_realms_have_names_from_26_on_and_by_configuration_before() -> None:
    (block,) = (block for block in blocks(PAGE, "toml") if "[realms]" in block.text)
    assert {event.tags.realm for event in events(parsed(MAIN, "keycloak"))} <= {"acme", "globex", "master", ""}
    realm_id = re.findall(r'"([0-9a-f-]{36})"', block.text)
    line = read(NEW, "api-events/A.log").split(b"\n")[0]
    assert realm_id[0].encode() in line
    for realms, shown in (({}, realm_id[0]), ({realm_id[0]: "acme"}, "acme")):
        (outcome,) = parsers.find("keycloak", realms=realms).parse(line, NOW_MS)
        assert [Event(*row).tags.realm for row in events_of(outcome)] == [shown]
    assert all(re.fullmatch("[0-9a-f-]{36}|", event.tags.realm) for event in events(parsed(OLDER, "keycloak")))


def test_only_what_is_not_safe_is_warned_of() -> None:
    for log in LOGS:
        lines = parsed(log, "keycloak")
        advice = parsers.find("keycloak").advice
        texts = read(log.server, log.name).split(b"\n")
        warned = FORGEABLE in advice(list(zip(texts, lines, strict=False)))
        assert warned == (log.name in {"noquotes-console-plain/Q.log", "file-plain/E.log"})


def test_addresses_are_the_leftmost() -> None:
    for name, expected in (("xff_list", "203.0.113.77"), ("xff_port", "203.0.113.78"), ("xff_ipv6", "2001:db8::7")):
        outcomes = parsed(MAIN, "keycloak")
        (operation,) = (each for each in operations(NEW, "A", MAIN.name) if each.name == name)
        assert [Event(*row).ip for i in operation.lines for row in events_of(outcomes[i])] == [expected]


@pytest.mark.parametrize("version", [NEW, OLD])
def test_its_versions_are_those_of_the_logs(version: str) -> None:
    assert version.removeprefix("keycloak-") in prose(PAGE)
