"""Findings in words."""

import pytest

from ingestor.model.finding import Finding, Severity, StoredFinding, stored_finding
from ingestor.model.finding_words import about, evidence


def finding(
    client_id: str = "", realm: str = "", user_id: str | None = None, tag: str = "", **lists: tuple[str, ...]
) -> StoredFinding:
    incident = Finding(Severity.LOW, client_id, realm, 0, 9, 1_200, user_id=user_id, **lists)  # type: ignore[arg-type]
    return stored_finding("replay", incident, host="h", tags={"realm": realm, "client_id": tag or client_id})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (finding("app"), "app"),
        (finding("app", "acme"), "acme/app"),
        (finding("app", "acme", tag="_other"), "acme/app"),
        (finding("app", "acme", "ada"), "user ada at acme/app"),
        (finding(realm="acme", user_id="ada"), "user ada in realm acme"),
        (finding(user_id="ada"), "user ada"),
        (finding(realm="acme"), "realm acme"),
        (finding(clients=("a",)), "client a"),
        (finding(realm="acme", clients=("a", "b", "c")), "realm acme, clients a, b and 1 more"),
        (finding(), "no client"),
    ],
)
def test_whom_it_is_about(found: StoredFinding, said: str) -> None:
    assert about(found) == said


def test_from_where_it_came() -> None:
    addresses = tuple(f"203.0.113.{number}" for number in range(30))
    assert evidence(finding()) == "1,200 events"
    assert evidence(finding(ips=addresses[:1])) == "1,200 events from 203.0.113.0"
    assert evidence(finding(ips=addresses[:2])) == "1,200 events from 203.0.113.0 and 203.0.113.1"
    assert evidence(finding(ips=addresses[:3])) == "1,200 events from 203.0.113.0, 203.0.113.1 and 1 more"
    assert evidence(finding(ips=addresses), 1) == "1,200 events from 203.0.113.0 and 19 or more"
