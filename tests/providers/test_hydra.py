"""Two runs of a real Hydra 26.2.0: its log, with and without leaked headers, and its audit events."""

import base64
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pytest

import parsers
from parsers.contract import Event, Outcome, Rejection, events_of
from tests.providers.truth import Operation, Told, operations, read, told

SERVER: Final = "hydra-26.2.0"
RUNS: Final = ("A", "L")
NOT_IN_THE_LOG: Final = {"code_wrong": "A wrong code, a missing one and a used device code are the same words."}
NOT_AUDITED: Final = NOT_IN_THE_LOG | {
    "get_token": "It has no span event.",
    "userinfo_ok": "It has no span event.",
    "userinfo_no_token": "It has no span event.",
    "userinfo_bad_token": "It has no span event.",
    "userinfo_expired": "It has no span event.",
    "introspect_inactive": "It has no span event.",
    "code_expired": "The reason is that of any code.",
    "revoke_wrong_secret": "It has no span event.",
    "hostile_client_bad_utf8": "Hydra's exporter drops all events of that moment.",
}


def parsed(name: str) -> list[Outcome]:
    return parsers.find("hydra").parse(read(SERVER, name), time.time_ns() // 1_000_000)


def stored(expected: Sequence[Told]) -> list[Told]:
    """Return what is expected as it is stored: an error outside the closed set is ``other``."""
    return [
        (action, outcome, "other" if error == "request_unauthorized" else error) for action, outcome, error in expected
    ]


def without_grant(expected: Sequence[Told]) -> list[Told]:
    """Return what the log can tell of it: neither the grant nor a refresh."""
    return [
        ("token.issued.other", outcome, error)
        if action == "token.refreshed" or ".issued." in action
        else (action, outcome, error)
        for action, outcome, error in stored(expected)
    ]


@pytest.mark.parametrize("run", RUNS)
def test_every_operation_that_the_log_can_show_comes_out_exactly(run: str) -> None:
    outcomes = parsed(f"{run}.log")
    done = operations(SERVER, run, f"json/{run}.log")
    assert {each.name for each in done if told(outcomes, each) != without_grant(each.expected)} == set(NOT_IN_THE_LOG)
    assert sum(told(outcomes, each) == stored(each.expected) for each in done) >= 76


@pytest.mark.parametrize("run", RUNS)
def test_every_operation_that_is_audited_comes_out_exactly(run: str) -> None:
    events = [Event(*row) for outcome in parsed(f"{run}.otlp") for row in events_of(outcome)]

    def audited(operation: Operation) -> list[Told]:
        first, last = (datetime.fromisoformat(operation.sent[key]).timestamp() * 1000 for key in ("t0", "t1"))
        meanwhile = [event for event in events if first - 1 <= event.time_ms <= last]
        return [(event.tags.action, event.tags.outcome, event.tags.error or None) for event in meanwhile]

    wrong = {each.name for each in operations(SERVER, run, "") if audited(each) != each.expected}
    assert wrong == set(NOT_AUDITED)


@pytest.mark.parametrize("name", [f"{run}.{kind}" for run in RUNS for kind in ("log", "otlp")])
def test_nothing_is_rejected(name: str) -> None:
    assert [outcome for outcome in parsed(name) if isinstance(outcome, Rejection)] == []


def test_no_secret_that_hydra_leaks_comes_out() -> None:
    """``log.leak_sensitive_values`` writes whole headers: client secrets, bearer tokens, cookies."""
    parser, log = parsers.find("hydra"), read(SERVER, "L.log")
    headers = re.findall(rb'"(?:authorization|cookie)":\["(Basic |Bearer )?([^"]{16,})"\]', log)
    leaked = {value.decode() for _, value in headers}
    basic = {base64.b64decode(value + b"===").decode("latin-1") for kind, value in headers if kind == b"Basic "}
    leaked |= {password for each in basic if len(password := each.partition(":")[2]) > 8}
    assert len(leaked) > 20
    said = repr(parser.parse(log, time.time_ns() // 1_000_000)) + "".join(map(parser.redact, log.splitlines()))
    assert [secret for secret in leaked if secret in said] == []


def test_audit_events_tell_who_it_was() -> None:
    events = [Event(*row) for outcome in parsed("A.otlp") for row in events_of(outcome)]
    refreshed = next(event for event in events if event.tags.action == "token.refreshed")
    assert (refreshed.tags.client_id, refreshed.user_id, refreshed.ip) == ("web-app", "alice", "203.0.113.21")
    own = next(event for event in events if event.tags.grant_type == "client_credentials")
    assert (own.tags.client_id, own.user_id) == ("billing-service", None)
