"""Lines that others published, and what becomes of each: samples of detections, of collectors, and of the vendors themselves.

None of them is in this repository, for the sake of their licences. ``TOKENTAIL_TEST_PUBLIC_SAMPLES`` names a folder with
checkouts of their repositories, each by its name; docs/testing.md says how to get them.
"""

import functools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import pytest
import yaml

import parsers
from parsers.contract import Event, Outcome, Rejection, events_of
from tests.docs.markdown import blocks

FOLDER: Final = os.environ.get("TOKENTAIL_TEST_PUBLIC_SAMPLES", "")
NOW_MS: Final = 1_798_761_600_000

Told: TypeAlias = tuple[str, str]
"""(action, error)"""
CODE: Final = ("token.issued.authorization_code", "")
MACHINE: Final = ("token.issued.client_credentials", "")
REFRESH: Final = ("token.refreshed", "")
REUSE: Final = ("token.reuse_detected", "invalid_grant")
INTROSPECTED: Final = ("token.introspected", "")
OTHER: Final = ("token.issued.other", "")
REFUSED: Final = "token.validation_failed"
BAD_SECRET: Final = (REFUSED, "invalid_client")

PANTHER: Final = "panther-analysis/rules"
ELASTIC: Final = "integrations/packages"
SEKOIA: Final = "intake-formats"
AMAZON: Final = "amazon-cognito-developer-guide/doc_source"
AZURE: Final = "azure/data_stream/signinlogs/_dev/test/pipeline"


class File(NamedTuple):
    """A file of samples. All that it has and that is not ``told`` of gives no event."""

    parser: str
    path: str
    told: dict[str, Told]
    """By the name of the sample, or by its number in the file; ``*`` is all."""


FILES: Final = (
    File("auth0", f"{PANTHER}/auth0_rules/auth0_token_reuse.yml", {"Auth0 Bot Detection Policy Disabled": REUSE}),
    File("auth0", f"{ELASTIC}/auth0/data_stream/logs/_dev/test/pipeline/test-token-xchg-success.json", {"*": CODE}),
    File("okta", f"{PANTHER}/okta_rules/okta_app_refresh_access_token_reuse.yml", {"Reuse Event": REUSE}),
    File(
        "entra",
        f"{PANTHER}/azure_signin_rules/azure_failed_signins.yml",
        {"Failed Sign-In": BAD_SECRET, "Successful Sign-In": MACHINE},
    ),
    File("entra", f"{PANTHER}/azure_signin_rules/azure_legacyauth.yml", {"Failed Sign-In": BAD_SECRET}),
    File("entra", f"{PANTHER}/azure_signin_rules/azure_risklevel_passthrough.yml", {"*": BAD_SECRET}),
    File(
        "entra",
        f"{PANTHER}/azure_signin_rules/azure_ropc_login_no_mfa.yml",
        {
            "ROPC Login Without MFA": ("token.issued.password", ""),
            "Failed ROPC Login": (REFUSED, "invalid_grant"),
        },
    ),
    File(
        "entra",
        f"{PANTHER}/azure_signin_rules/azure_graph_session_multiple_ips.yml",
        {"Non-Interactive Sign-In via NonInteractiveUserSignInLogs Category": OTHER},
    ),
    File("entra", f"{PANTHER}/azure_signin_rules/azure_vscode_oauth_phishing.yml", {"*": OTHER}),
    File("entra", f"{PANTHER}/azure_signin_rules/azure_device_code_broker_client.yml", {}),
    File("entra", f"{ELASTIC}/{AZURE}/test-service-principal.log", {"1": BAD_SECRET}),
    File("entra", f"{ELASTIC}/{AZURE}/test-alternative-time-and-duration-as-string.log", {"1": MACHINE}),
    File("entra", f"{ELASTIC}/{AZURE}/test-non-interactive-user.log", {"1": OTHER}),
    File(
        "entra",
        f"{ELASTIC}/{AZURE}/test-signinlogs-raw.log",
        dict.fromkeys("2345", (REFUSED, "interaction_required")),
    ),
    File(
        "entra", f"{SEKOIA}/Azure/azure-ad/tests/empty_geolocalisation.json", {"message": ("token.issued.password", "")}
    ),
    File("entra", f"{SEKOIA}/Azure/azure-ad/tests/sign-in_activity4.json", {}),
    File("entra", f"{SEKOIA}/Azure/azure-ad/tests/sign-in_activity6.json", {"message": REFRESH}),
    File("entra", f"{SEKOIA}/Azure/azure-ad/tests/sign-in_activity7.json", {"message": MACHINE}),
    File("entra", f"{SEKOIA}/Azure/azure-ad/tests/graph_activity.json", {}),
    File("entra", f"{SEKOIA}/Microsoft/microsoft-entraid-graphapi/tests/test_signin.json", {}),
    File("entra", f"{SEKOIA}/Microsoft/microsoft-entraid-graphapi/tests/test_directory_audit.json", {}),
    File("cognito", f"{SEKOIA}/AWS/aws-cloudtrail/tests/test_insight.json", {}),
    File("cognito", f"{AMAZON}/understanding-amazon-cognito-entries.md", {"8": CODE, "9": MACHINE, "10": REFRESH}),
    *(
        File(
            "pingam",
            f"{ELASTIC}/forgerock/data_stream/{stream}/_dev/test/pipeline/test-am-access.log",
            {"2": OTHER, "4": INTROSPECTED, "6": OTHER, "14": INTROSPECTED},
        )
        for stream in ("am_access", "audit")
    ),
    *(
        File("keycloak", f"{SEKOIA}/Keycloak/keycloak-events/tests/{name}.json", told)
        for name, told in {
            "test_code_to_token_error": {"message": (REFUSED, "invalid_code")},
            "test_refresh_token": {"message": REFRESH},
            "test_user_info_request": {"message": ("token.userinfo_accessed", "")},
            "test_login_error": {},
            "test_login_success": {},
            "test_logout": {},
        }.items()
    ),
)


class _WithoutTimes(yaml.SafeLoader):
    """Leaves times as they are written, as a log has them."""


_WithoutTimes.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _of_rule(text: str) -> dict[str, Any]:
    rule = yaml.load(text, _WithoutTimes)  # noqa: S506 - a safe one
    tests = rule.get("Tests", []) if isinstance(rule, dict) else []
    return {test["Name"]: test["Log"] for test in tests if isinstance(test.get("Log"), dict)}


def _numbered(found: list[Any]) -> dict[str, Any]:
    return {str(number): sample for number, sample in enumerate(found, 1)}


def _of_json(text: str) -> dict[str, Any]:
    data = json.loads(text)
    return _numbered(data["events"]) if "events" in data else {"message": json.loads(data["input"]["message"])}


KINDS: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    ".yml": _of_rule,
    ".json": _of_json,
    ".log": lambda text: _numbered([json.loads(line) for line in text.splitlines()]),
    ".md": lambda text: _numbered([json.loads(block.text) for block in blocks(text)]),
}


def checkout(repository: str) -> Path:
    """Return the folder of a repository; skip the test where it is not."""
    if not FOLDER or not Path(FOLDER, repository).is_dir():
        pytest.skip(f"no public samples here: {repository}")
    return Path(FOLDER, repository)


def samples(path: Path) -> dict[str, bytes]:
    """Return the samples of a file, each as the line that a log has."""
    found = KINDS[path.suffix](path.read_text("utf-8"))
    return {name: json.dumps(sample).encode() for name, sample in found.items()}


_parser: Final = functools.cache(parsers.find)


def told(parser: str, line: bytes) -> Outcome | list[Told]:
    """Return what the events of a line say, or what it is."""
    (outcome,) = _parser(parser).parse(line, NOW_MS)
    events = [Event(*row) for row in events_of(outcome)]
    return [(event.tags.action, event.tags.error) for event in events] or outcome


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path)
def test_each_line_is_the_event_that_it_is_published_as(file: File) -> None:
    repository, _, path = file.path.partition("/")
    found = samples(checkout(repository) / path)
    assert found
    assert file.told.keys() <= {*found, "*"}
    own = file.parser if file.parser == "keycloak" else f"mapping:{file.parser}"
    for name, line in found.items():
        expected = file.told.get(name, file.told.get("*"))
        for parser in ("auto", own):
            outcome = told(parser, line)
            assert outcome == [expected] if expected else not isinstance(outcome, list | Rejection), (name, outcome)


@pytest.mark.parametrize(("folder", "parser"), [("auth0", "auth0"), ("okta", "okta"), ("azure_signin", "entra")])
def test_no_other_line_of_a_detection_is_an_event(folder: str, parser: str) -> None:
    rules = checkout("panther-analysis") / f"rules/{folder}_rules"
    named = {Path(FOLDER, file.path) for file in FILES}
    lines = [line for path in rules.glob("*.yml") if path not in named for line in samples(path).values()]
    assert len(lines) > 20
    assert [
        line for line in lines for each in ("auto", f"mapping:{parser}") if isinstance(told(each, line), list)
    ] == []


# Auth0 publishes the schema of each type of event, and says in words what it is.

NO_REQUEST: Final = {"resource_cleanup"}
"""Types that speak of tokens and tell of no request."""


def test_each_exchange_that_auth0_publishes_has_its_outcome() -> None:
    seen = set[str]()
    for schema in sorted((checkout("auth0-log-schemas") / "schemas/log-types").glob("*.schema.json")):
        name = schema.name.removesuffix(".schema.json")
        meaning = json.loads(schema.read_text("utf-8")).get("description", "")
        if name in NO_REQUEST or not re.search("exchange|refresh token", meaning, re.IGNORECASE):
            continue
        seen.add(name)
        data = {"type": name, "date": "2026-11-29T10:30:00.000Z", "client_id": "web-app", "description": ""}
        (outcome,) = _parser("mapping:auth0").parse(json.dumps({"log_id": "9", "data": data}).encode(), NOW_MS)
        (row,) = events_of(outcome)
        assert Event(*row).tags.outcome == ("failure" if "failed" in meaning.lower() else "success"), meaning
    assert len(seen) > 35
