"""What events mean, row by row of the parser's README."""

import re
from pathlib import Path
from typing import Final

import pytest

import parsers.keycloak
from parsers.contract import ERRORS, OUTCOMES, Reason
from parsers.keycloak.meaning import COMMON, OPERATIONS, OTHERS, RULES, meaning_of, operation_of
from parsers.records import RejectedError
from parsers.vocabulary import OTHER

README: Final = Path(parsers.keycloak.__file__).with_name("README.md").read_text("utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.partition("<!-- rules:")[2].partition("\n\nAn error")[0].splitlines()
    if line.startswith(("| `", "| each"))
]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_rows_are_found() -> None:
    assert len(ROWS) > 45
    told = {name.removesuffix("_ERROR") for row in ROWS for name in words(row[0])}
    assert OPERATIONS.keys() - told == {"JWT_BEARER", "VERIFIABLE_CREDENTIAL_PRE_AUTHORIZED_GRANT"}  # of previews


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(words(row[0])[:1] + words(row[1])[:1] + [row[2]]))
def test_a_row_is_so(row: list[str]) -> None:
    kind, errors, because, becomes, error = row
    types = [word for word in words(kind) if re.fullmatch("[A-Z0-9_]+", word)]
    if kind.startswith("each"):
        types = [f"{name}_ERROR" for name, operation in OPERATIONS.items() if operation.action]
    for type_ in types:
        if type_ == "USER_INFO_REQUEST_ERROR" and kind.startswith("each"):
            continue  # which names the token's client, not the one that asks
        found: list[str | None] = [None]
        if errors:
            found = [*words(errors)] or ["consent_denied", "invalid_request"]
        for keycloak_error in found:
            is_login = type_.startswith("LOGIN") and "without `grant_type`" not in kind
            meaning = meaning_of(
                type_,
                keycloak_error if type_.endswith("_ERROR") else None,
                "" if because.startswith("(none") else because,
                "password" if is_login else None,
                (
                    "with a user" in kind or not type_.startswith("CODE_TO_TOKEN"),
                    "without `username`" not in kind,
                    "without `clientId`" not in kind,
                ),
            )
            if becomes.startswith("ignored"):
                assert meaning is None
                continue
            assert meaning is not None
            assert meaning.action == words(becomes)[0]
            assert ([meaning.error] if meaning.error else []) == words(error)


def test_every_rule_is_of_the_vocabulary() -> None:
    assert RULES.keys() <= OPERATIONS.keys()
    for rule in (*COMMON, *(rule for rules in RULES.values() for rule in rules)):
        assert rule.error in ERRORS | {""}
        assert rule.action in OUTCOMES or not rule.action
        assert bool(rule.error) == (OUTCOMES.get(rule.action, "success") != "success")
    for operation in OPERATIONS.values():
        assert (
            operation.grant is None
            or operation.grant == OTHER
            or f"token.issued.{operation.grant}" in OUTCOMES
            or (operation.action == "token.refreshed")
        )


def test_no_rule_is_in_the_shadow_of_another() -> None:
    for rules in (COMMON, *RULES.values()):
        for number, rule in enumerate(rules):
            for before in rules[:number]:
                asks_nothing_more = before[3:] == ((), None, None, None)
                includes = not before.errors or (rule.errors and {*rule.errors} <= {*before.errors})
                assert not (asks_nothing_more and includes)


@pytest.mark.parametrize(
    "type_",
    [
        *("LOGOUT", "REGISTER", "UPDATE_CONSENT_ERROR", "CLIENT_REGISTER_ERROR"),
        *("USER_DISABLED_BY_TEMPORARY_LOCKOUT", "IDENTITY_PROVIDER_RETRIEVE_TOKEN_ERROR", "CODE_TO_NOTHING", "login"),
        *sorted(OTHERS),
    ],
)
def test_other_types_are_none_of_a_token(type_: str) -> None:
    assert operation_of(type_) is None
    assert meaning_of(type_) is None


@pytest.mark.parametrize("type_", ["TOKEN_MAGIC", "TOKEN_MAGIC_ERROR", "OAUTH2_DEVICE_X", "INTROSPECT_ANYTHING"])
def test_an_unknown_type_that_looks_like_a_token_operation_is_told(type_: str) -> None:
    with pytest.raises(RejectedError, match=f"^type: {type_}$") as caught:
        operation_of(type_)
    assert caught.value.rejection.reason is Reason.UNKNOWN_ACTION


@pytest.mark.parametrize("type_", ["TOKEN x", "A" * 61 + "TOKEN", "TOKEN\x1b[31m"])
def test_what_is_no_name_of_a_type_is_not_shown(type_: str) -> None:
    with pytest.raises(RejectedError, match=r"^type: not in the vocabulary$"):
        operation_of(type_)


def test_a_failure_has_an_error() -> None:
    with pytest.raises(RejectedError) as caught:
        meaning_of("CLIENT_LOGIN_ERROR")
    assert caught.value.rejection == (Reason.MISSING_KEY, "error")


@pytest.mark.parametrize(
    ("grant_type", "action"),
    [
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "token.issued.jwt_bearer"),
        ("urn:example:magic", "token.issued.other"),
    ],
)
def test_a_login_with_another_grant_is_that_grant(grant_type: str, action: str) -> None:
    meaning = meaning_of("LOGIN", grant_type=grant_type)
    assert meaning is not None
    assert meaning.action == action
