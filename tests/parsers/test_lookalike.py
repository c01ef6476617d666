"""A log that is not understood is named: real servers' logs (a few lines of each are here), wrappers, encodings, near misses."""

import bz2
import gzip
import json
import lzma
import random
import time
from pathlib import Path

import pytest
import zstandard

from parsers.formats.lookalike import lookalike

REAL = Path(__file__).parent / "lookalikes"
NATIVE = {
    "created_at": "2026-11-01T09:30:00.123Z",
    "action": "token.issued.client_credentials",
    "user_id": "u-1",
    "details": {"client_id": "web-app", "expires_in": 600, "scopes": ["openid"]},
}
TEXT = json.dumps(NATIVE)
JSON = "Keycloak's server log in JSON"
PLAIN = "Keycloak's server log in plain text"
DOCKER = "Docker's json-file around "
CRI = "the CRI format of Kubernetes (containerd, CRI-O) around "
PINO = "the log of oidc-provider (Node.js) written by pino"
REAL_LOGS = {
    "authelia-4.39.20-json-debug": "Authelia's log in JSON",
    "authelia-4.39.20-text-debug": "Authelia's log in plain text",
    "dex-2.45.1-json": "Dex's log in JSON",
    "django-oauth-toolkit-3.4.1-json": "the JSON log of a Django server (django-oauth-toolkit)",
    "hydra-26.2.0-docker": f"{DOCKER}Ory Hydra's log in JSON",
    "hydra-26.2.0-json": "Ory Hydra's log in JSON",
    "hydra-26.2.0-otlp-json": "OpenTelemetry traces (OTLP JSON)",
    "keycloak-21.1.2-api-admin-events": "Keycloak's list of admin events from its admin API",
    "keycloak-21.1.2-api-events": "Keycloak's list of events from its admin API",
    "keycloak-21.1.2-console-json": JSON,
    "keycloak-21.1.2-cri": CRI + JSON,
    "keycloak-21.1.2-docker": DOCKER + JSON,
    "keycloak-21.1.2-file-plain": PLAIN,
    "keycloak-26.7.3-api-admin-events": "Keycloak's list of admin events from its admin API",
    "keycloak-26.7.3-api-events": "Keycloak's list of events from its admin API",
    "keycloak-26.7.3-console-json": JSON,
    "keycloak-26.7.3-console-plain": PLAIN,
    "keycloak-26.7.3-cri": CRI + JSON,
    "keycloak-26.7.3-defaults-console-plain": PLAIN,
    "keycloak-26.7.3-defaults-file-json": JSON,
    "keycloak-26.7.3-docker": DOCKER + JSON,
    "keycloak-26.7.3-file-ecs": "Keycloak's server log in ECS (Elastic) JSON",
    "keycloak-26.7.3-file-json-mdc": JSON,
    "keycloak-26.7.3-noquotes-console-plain": PLAIN,
    "keycloak-26.7.3-noquotes-file-json": JSON,
    "keycloak-26.7.3-syslog-plain": f"syslog (RFC 5424) around {PLAIN}",
    "oidc-provider-9.13.3-cri": CRI + PINO,
    "oidc-provider-9.13.3-pino": PINO,
}


def named(data: bytes | str) -> str:
    data = data.encode() if isinstance(data, str) else data
    found = lookalike(data.removesuffix(b"\n").split(b"\n"), data[:4096])
    assert found is not None
    assert found.advice.endswith((".", "?"))
    return found.name


def changed(**values: object) -> str:
    """The native line with another value at a key, or at one of its details."""
    details = {key: value for key, value in values.items() if key in NATIVE["details"]}
    return json.dumps({**NATIVE, **values, "details": {**NATIVE["details"], **details}})  # type: ignore[dict-item]


@pytest.mark.parametrize("log", sorted(REAL_LOGS))
def test_real_logs_are_named(log: str) -> None:
    assert named((REAL / f"{log}.log").read_bytes()) == REAL_LOGS[log]


def test_every_real_log_is_expected() -> None:
    assert {path.stem for path in REAL.iterdir()} == REAL_LOGS.keys()


@pytest.mark.parametrize(
    ("log", "name"),
    [
        (json.dumps({"log": TEXT + "\n", "stream": "stdout", "time": "2026-11-01T09:30:00.1Z"}), "Docker's json-file"),
        (f"2026-11-01T09:30:00.123456789Z stdout F {TEXT}", "the CRI format of Kubernetes"),
        (f"2026-11-01T09:30:00.123456789Z stdout P {TEXT[:60]}", "the CRI format of Kubernetes"),
        (json.dumps({"MESSAGE": TEXT, "__REALTIME_TIMESTAMP": "1793525400123456"}), "journald's JSON"),
        (f"Nov  1 09:30:00 idp1 oidc[123]: {TEXT}", "syslog (RFC 3164)"),
        (f"<14>Nov  1 09:30:00 idp1 oidc: {TEXT}", "syslog (RFC 3164)"),
        (f"2026-11-01T09:30:00.123456+00:00 idp1 oidc[123]: {TEXT}", "syslog (RFC 3164)"),
        (f"<14>1 2026-11-01T09:30:00Z idp1 oidc 12 - - {TEXT}", "syslog (RFC 5424)"),
        (f'<14>1 2026-11-01T09:30:00Z idp1 oidc 12 ID1 [x@1 a="b"] {TEXT}', "syslog (RFC 5424)"),
        (json.dumps({"log": TEXT, "kubernetes": {"pod_name": "x"}}), "Fluentd's or Fluent Bit's JSON"),
        (json.dumps({"@timestamp": "x", "agent": {}, "message": TEXT}), "Filebeat's JSON"),
        (json.dumps({"jsonPayload": NATIVE, "logName": "x", "insertId": "y"}), "Google Cloud Logging's JSON"),
        (json.dumps({"version": "1.1", "host": "h", "short_message": TEXT}), "GELF (Graylog)"),
        (f"\x1e{TEXT}", "a JSON text sequence (RFC 7464)"),
        (json.dumps(TEXT), "JSON within a JSON string"),
        (f"idp-1  | {TEXT}", "docker compose's or kubectl's prefix"),
        (f"[pod/idp-0/idp] {TEXT}", "docker compose's or kubectl's prefix"),
        (f"2026-11-01T09:30:00.123456789Z {TEXT}", "docker compose's or kubectl's prefix"),
        (f"INFO 09:30 audit - {TEXT}", "a prefix before each JSON object"),
    ],
)
def test_wrappers_are_named(log: str, name: str) -> None:
    found = named(f"{log}\n" * 5)
    assert found.startswith(name)
    assert " P {" in log or found.endswith("around the native format")


@pytest.mark.parametrize(
    ("log", "name"),
    [
        (json.dumps(NATIVE, indent=2), "pretty-printed JSON, an event on several lines"),
        (json.dumps([NATIVE, NATIVE], indent=2), "pretty-printed JSON, an event on several lines"),
        (json.dumps([NATIVE, NATIVE]), "a JSON array"),
        (f"[{TEXT},\n{TEXT},\n{TEXT}]", "a JSON array, one element a line"),
        (f"[{TEXT}\n,{TEXT}\n,{TEXT}\n]", "a JSON array, one element a line"),
        (TEXT + TEXT, "several JSON objects on one line"),
        (TEXT[:70], "JSON that is damaged or broken off"),
        ("{'created_at': '2026-11-01', 'action': 'x'}", "objects in Python's, Ruby's or JavaScript's notation"),
        ("{:created_at=>1, :action=>2}", "objects in Python's, Ruby's or JavaScript's notation"),
        ("time,action,client,user\n2026-11-01T09:30:00Z,token.issued,web,u-1", "CSV"),
        ('"2026-11-01 09:30:00";"token.issued";"web";"u ""1"""', "CSV"),
        ("2026-11-01T09:30:00Z\ttoken.issued\tweb\tu-1", "CSV"),
        ('time=2026-11-01T09:30:00Z level=info msg="token issued" client=web', "logfmt (key=value)"),
        ('203.0.113.9 - - [01/Nov/2026:09:30:00 +0000] "POST /token HTTP/1.1" 200 12', "an access log"),
        ("CEF:0|v|p|1|100|token|5|src=203.0.113.9", "CEF (ArcSight)"),
        ('<?xml version="1.0"?>\n<events>\n<event/>\n</events>', "XML"),
        ("---\n- action: x\n- action: y", "YAML"),
        ("Server started, listening on port 8080\nGood bye", "plain text"),
        ("[1,2]\n3\n[]", "JSON values that are no objects"),
        ('{"a":1}\n{"b":{"c":2}}', "JSON lines of a kind that is not known here"),
        (b'{"user":"caf\xe9"}', "text that is not UTF-8 (Latin-1, perhaps)"),
        (changed(created_at="2026-11-01T09:30:00,123+0000"), "the native format with a comma in its times"),
        (changed(created_at=1793525400123), "the native format with times as numbers"),
        (changed(created_at="2026-11-01T09:30:00.123"), "the native format with times that have no zone"),
        (changed(created_at="Nov 1 2026"), "the native format with times that are not RFC 3339"),
        (changed(expires_in="600"), "the native format with a lifetime written as text"),
        (changed(action="TOKEN_ISSUED"), "the native format with actions in other words"),
        (changed(action="user.login"), "the native format with other actions than token operations"),
        (changed(action="token.unheard_of"), "the native format with actions `token.*` that are not in the vocabulary"),
        (changed(x=float("nan"), action="user.login"), "the native format with other actions than token operations"),
        (TEXT, "the native format"),
        ('{"date":"2026-11-01T09:30:00.123Z","type":"seacft","client_id":"x","log_id":"9"}', "Auth0's tenant log"),
        ('{"log_id":"9","data":{"date":"2026-11-01","type":"seacft"}}', "Auth0's log stream"),
        ('{"eventType":"app.oauth2.token.grant","published":"x","actor":{},"outcome":{}}', "Okta's System Log"),
        ('{"eventVersion":"1.08","eventSource":"cognito","eventName":"Token_POST"}', "AWS CloudTrail"),
        ('{"Records":[{"eventVersion":"1.08","eventSource":"x"}]}', "AWS CloudTrail"),
        ('{"category":"SignInLogs","properties":{}}', "sign-in logs of Microsoft Entra ID (Azure AD)"),
        ('{"level":30,"time":1,"pid":2,"hostname":"h","msg":"x"}', "the log of a Node.js program written by pino"),
    ],
)
def test_other_formats_and_near_misses_are_named(log: str | bytes, name: str) -> None:
    assert named(log).startswith(name)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named_with_what_is_in_them(codec: str) -> None:
    found = named(f"{TEXT}\n{TEXT}\n".encode(codec))
    assert found == f"{codec[:6].upper()} text around the native format"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(TEXT.encode()), "a gzip file under a plain name"),
        (zstandard.compress(TEXT.encode()), "a zstd file under a plain name"),
        (bz2.compress(TEXT.encode()), "a bzip2 file under a plain name"),
        (lzma.compress(TEXT.encode()), "an xz file under a plain name"),
        (b"SQLite format 3\0" + b"\0" * 50, "an SQLite database"),
        (random.Random(1).randbytes(4096), "binary data"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, name: str) -> None:
    assert named(data) == name


def test_a_hole_of_nuls_is_no_encoding() -> None:
    assert named(b"\0" * 4096 + TEXT.encode()) == "the native format"


def test_nothing_is_nothing() -> None:
    assert lookalike([]) is None
    assert lookalike([b"", b" \t", b"\0\0"]) is None


def test_banners_and_stack_traces_do_not_hide_a_server() -> None:
    log = (REAL / "keycloak-21.1.2-file-plain.log").read_bytes() + b"\tat org.example.Thing.call(Thing.java:1)\n" * 40
    assert named(log) == PLAIN


@pytest.mark.parametrize(
    "line",
    [
        *("}" * 60_000, '{"' * 30_000, '}{"' * 20_000, '"' * 60_000, " " * 60_000 + "x", "a=b " * 15_000),
        *(
            "[" * 60_000,
            ",a" * 30_000,
            '\\"' * 30_000,
            "=" * 60_000,
            "<1>1 " * 12_000,
            '{"log":' * 9_000,
            "}  " * 20_000,
        ),
    ],
)
def test_hostile_lines_cost_little(line: str) -> None:
    start = time.process_time()
    named(f"{line}\n" * 40)
    assert time.process_time() - start < 1
