"""Guessing of codes: what it must find, and pages that redeem theirs twice, slow users and busy servers, which are none."""

from ingestor.detectors.code_guessing import CodeGuessing, CodeGuessingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.code_guessing import failure, redeemed
from tests.detectors.cases.made import event
from tests.support.detecting import last_words, severities

PKCE = "token.pkce_failed"


def found(*events: EventRow, options: CodeGuessingOptions | None = None) -> list[Finding]:
    return last_words(CodeGuessing(options or CodeGuessingOptions()), *events)


def test_one_address_tries_codes() -> None:
    tries = [failure(60 * n) for n in range(5)]
    assert not found(*tries[:4])
    (finding,) = found(*tries)
    assert (finding.severity, finding.client_id, finding.ips) == (Severity.MEDIUM, "web", ("203.0.113.7",))
    many = [failure(30 * n) for n in range(20)]
    assert severities(found(*many[:19])) == [Severity.MEDIUM]
    assert severities(found(*many)) == [Severity.HIGH]
    assert severities(found(*[failure(30 * n, action=PKCE) for n in range(20)])) == [Severity.HIGH]


def test_many_addresses_share_the_work() -> None:
    tries = [failure(30 * n, ip=f"203.0.113.{n % 10}") for n in range(20)]
    assert not found(*tries[:19])
    (finding,) = found(*tries)
    assert (finding.severity, finding.client_id, len(finding.ips)) == (Severity.MEDIUM, "web", 10)


def test_tries_too_far_apart_and_of_others_do_not_count() -> None:
    assert not found(*[failure(250 * n) for n in range(40)])
    assert not found(*[failure(n, client=f"web-{n}") for n in range(40)])
    expired = [event("token.expired", n, "web", error="expired_code", grant="authorization_code") for n in range(40)]
    assert not found(*expired)
    wrong = [event("token.validation_failed", n, "web", error="invalid_grant") for n in range(40)]
    assert not found(*wrong)


def test_a_page_that_redeems_its_code_twice_is_none() -> None:
    twice = [each for n in range(30) for each in (redeemed(20 * n), failure(20 * n + 0.5))]
    assert not found(*twice)
    assert found(*[each for each in twice if each[2].outcome == "failure"])
    assert not found(*[failure(20 * n, ip=None) for n in range(4)])


def test_a_busy_server_has_some_wrong_codes() -> None:
    server = [failure(3 * n) if n % 20 == 10 else redeemed(3 * n) for n in range(1000)]
    assert not found(*server)
    others = [failure(3 * n) if n % 20 == 10 else redeemed(3 * n, "other") for n in range(1000)]
    assert found(*others)


def test_successes_of_long_ago_do_not_speak_for_anybody() -> None:
    busy = [failure(0), *[redeemed(n) for n in range(1, 60)]]
    assert not found(*busy, *[failure(100 + n) for n in range(20)])
    assert found(*busy, *[failure(2700 + n) for n in range(20)])


def test_a_code_that_is_redeemed_after_very_many_tries_makes_it_worse() -> None:
    assert severities(found(*[failure(n) for n in range(20)], redeemed(60))) == [Severity.CRITICAL]
    assert severities(found(*[failure(n) for n in range(10)], redeemed(60))) == [Severity.MEDIUM]
    shared = [failure(10 * n, ip=f"203.0.113.{n % 10}") for n in range(30)]
    assert severities(found(*shared, redeemed(400, ip="203.0.113.3"))) == [Severity.MEDIUM]


def test_a_pause_ends_it() -> None:
    first, second = [failure(n) for n in range(6)], [failure(4000 + n) for n in range(6)]
    assert [finding.events for finding in found(*first, *second)] == [6, 6]


def test_late_tries_count_while_they_are_in_the_window() -> None:
    tries = [failure(1000 + n) for n in range(4)]
    assert found(*tries, failure(103))
    assert not found(*tries, failure(102))
