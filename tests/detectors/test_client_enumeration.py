"""Enumeration of clients: what it must find, and a cluster whose secrets were changed, which is none."""

from ingestor.detectors.client_enumeration import ClientEnumeration, ClientEnumerationOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.client_enumeration import failure
from tests.detectors.cases.made import event
from tests.support.detecting import last_words, severities


def token(second: float, client: str, ip: str = "203.0.113.7") -> EventRow:
    return event("token.issued.client_credentials", second, client, ip=ip)


def found(*events: EventRow, options: ClientEnumerationOptions | None = None) -> list[Finding]:
    return last_words(ClientEnumeration(options or ClientEnumerationOptions()), *events)


def test_one_address_tries_many_clients() -> None:
    tries = [failure(60 * n, f"guess-{n}") for n in range(15)]
    assert not found(*tries[:14])
    (finding,) = found(*tries)
    assert (finding.severity, finding.client_id, finding.ips) == (Severity.MEDIUM, "", ("203.0.113.7",))
    assert len(finding.clients) == 15


def test_many_addresses_share_the_work() -> None:
    tries = [failure(20 * n, f"guess-{n}", f"203.0.113.{n % 5}") for n in range(30)]
    assert not found(*tries[:29])
    (finding,) = found(*tries)
    assert (finding.severity, finding.client_id, len(finding.ips)) == (Severity.MEDIUM, "", 5)
    assert not found(*[failure(20 * n, f"guess-{n}", f"203.0.113.{n % 4}") for n in range(20)])


def test_tries_too_far_apart_and_of_others_do_not_count() -> None:
    assert not found(*[failure(70 * n, f"guess-{n}") for n in range(40)])
    assert not found(*[failure(n, f"guess-{n}", f"203.0.113.{n}") for n in range(29)])
    assert not found(*[failure(n, f"guess-{n}", error="invalid_grant") for n in range(40)])
    assert not found(*[failure(n, "") for n in range(40)])
    assert not found(*[failure(n, f"guess-{n}", None) for n in range(40)])


def test_clients_that_try_again_and_again_are_no_search() -> None:
    assert found(*[failure(n * 10, f"guess-{n % 15}") for n in range(45)])
    assert not found(*[failure(n / 10, f"app-{n % 10}") for n in range(600)])


def test_a_cluster_whose_secrets_were_changed_is_at_home() -> None:
    home = [token(n, f"svc-{n}", "10.0.0.1") for n in range(40)]
    retries = [failure(100 + n, f"svc-{n % 40}", f"10.0.0.{n % 9}") for n in range(120)]
    assert found(*retries)
    assert not found(*home, *retries)
    assert found(*home, *[failure(100 + n, f"svc-{n}", "203.0.113.7") for n in range(15)])


def test_a_token_for_one_of_them_makes_it_worse() -> None:
    tries = [failure(n, f"guess-{n}") for n in range(20)]
    assert severities(found(*tries, token(60, "guess-3"))) == [Severity.HIGH]
    assert severities(found(*tries, token(60, "neighbour"))) == [Severity.MEDIUM]
    assert severities(found(*tries, token(60, "guess-3", "198.51.100.1"))) == [Severity.MEDIUM]


def test_a_pause_ends_it() -> None:
    first = [failure(n, f"guess-{n}") for n in range(15)]
    second = [failure(4000 + n, f"guess-{n}") for n in range(15)]
    assert [finding.events for finding in found(*first, *second)] == [15, 15]


def test_late_tries_count_while_they_are_in_the_window() -> None:
    tries = [failure(1000 + n, f"guess-{n}") for n in range(14)]
    assert found(*tries, failure(113, "guess-14"))
    assert not found(*tries, failure(112, "guess-14"))
