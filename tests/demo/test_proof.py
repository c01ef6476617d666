"""The proof fails for each way in which a store can be wrong."""

from collections import Counter

import pytest

from ingestor.demo.endpoint import Ledger
from ingestor.demo.personas import ATTACK_PATTERN, ATTACKED_CLIENT
from ingestor.demo.proof import prove
from ingestor.demo.providers import NATIVE, Kind, Line
from ingestor.model.accounting import Account
from ingestor.model.finding import Finding, Severity, StoredFinding, stored_finding
from ingestor.model.questions import Record
from parsers.contract import Reason

SOURCE = "audit.log"


def record(event_id: str, action: str = "token.refreshed", source: str = SOURCE) -> Record:
    return Record(
        *("2026-11-01T09:30:00Z", action, "success", "web-app", None, None, None, None, None, None, None, None),
        event_id,
        *(None, None, source, "here"),
    )


LEDGER = Ledger.of(
    [
        Line(1, b"", Kind.EVENT, "token.refreshed", "a"),
        Line(2, b"", Kind.EVENT, "token.revoked", "b"),
        Line(3, b"", Kind.REJECTED),
        Line(4, b"", Kind.IGNORED),
    ]
)
RIGHT = [record("a"), record("b", "token.revoked")]


def finding(pattern: str, client_id: str) -> StoredFinding:
    found = Finding(severity=Severity.MEDIUM, client_id=client_id, realm="", first_seen_ms=1, last_seen_ms=2, events=9)
    return stored_finding(pattern, found, host="here", tags={"client_id": "_other", "realm": ""})


FOUND = [finding("spray", "web-app"), finding(ATTACK_PATTERN, ATTACKED_CLIENT)]


def account(**changes: int) -> Account:
    counts = {"read": 4, "stored": 2, "ignored": 1, "expired": 0} | changes
    return Account(rejected=Counter({Reason.INVALID_JSON: 1}), **counts)


def test_what_is_right_has_no_difference() -> None:
    proof = prove(LEDGER, account(), RIGHT, SOURCE, NATIVE.key, FOUND)
    assert proof.holds
    assert proof.differences == ()
    assert proof.attack == FOUND[1]
    assert proof.others == (FOUND[0],)


def test_events_of_other_logs_do_not_count() -> None:
    assert prove(LEDGER, account(), [*RIGHT, record("z", source="other.log")], SOURCE, NATIVE.key, FOUND).holds


@pytest.mark.parametrize(
    ("records", "difference"),
    [
        (RIGHT[:1], "events written and not stored: 1, but must be 0"),
        ([*RIGHT, record("z")], "events stored and not written: 1, but must be 0"),
        ([*RIGHT, RIGHT[0]], "events stored more than once: 1, but must be 0"),
        ([RIGHT[0], record("b", "token.refreshed")], "token.revoked in the store: 0, but must be 1"),
    ],
)
def test_a_store_that_is_wrong_is_found_out(records: list[Record], difference: str) -> None:
    proof = prove(LEDGER, account(), records, SOURCE, NATIVE.key, FOUND)
    assert not proof.holds
    assert difference in proof.differences


@pytest.mark.parametrize("changes", [{"read": 3}, {"stored": 1}, {"ignored": 0}, {"expired": 1}])
def test_an_account_that_is_wrong_is_found_out(changes: dict[str, int]) -> None:
    assert not prove(LEDGER, account(**changes), RIGHT, SOURCE, NATIVE.key, FOUND).holds


def test_an_attack_that_is_not_found_is_a_difference() -> None:
    others = [FOUND[0], finding(ATTACK_PATTERN, "web-app")]
    proof = prove(LEDGER, account(), RIGHT, SOURCE, NATIVE.key, others)
    assert proof.differences == ("no detector has found the attack",)
    assert proof.others == tuple(others)
