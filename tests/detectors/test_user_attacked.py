"""A user who is attacked: what it must find, and somebody with a telephone and an old password, who is none."""

from ingestor.detectors.user_attacked import UserAttacked, UserAttackedOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import event
from tests.detectors.cases.user_attacked import wrong
from tests.support.detecting import last_words, severities


def found(*events: EventRow, options: UserAttackedOptions | None = None) -> list[Finding]:
    return last_words(UserAttacked(options or UserAttackedOptions()), *events)


def tries(count: int, networks: int, start: float = 0) -> list[EventRow]:
    return [wrong(start + 60 * n, ip=f"203.0.{n % networks}.7") for n in range(count)]


def test_many_addresses_take_turns() -> None:
    assert not found(*tries(9, 5))
    assert not found(*tries(30, 4))
    (finding,) = found(*tries(10, 5))
    assert (finding.severity, finding.client_id, finding.user_id, finding.events) == (Severity.MEDIUM, "", "u-1", 10)
    assert severities(found(*tries(29, 19))) == [Severity.MEDIUM]
    assert severities(found(*tries(29, 20))) == [Severity.HIGH]


def test_somebody_with_an_old_password_is_low() -> None:
    assert severities(found(*[wrong(60 * n, ip=f"198.51.100.{n}") for n in range(30)])) == [Severity.LOW]
    assert severities(found(*[wrong(60 * n, ip=f"2001:db8:1:{n}::7") for n in range(30)])) == [Severity.LOW]
    assert severities(found(*[wrong(60 * n, ip=f"2001:db8:{n}::7") for n in range(30)])) == [Severity.HIGH]


def test_tries_too_far_apart_and_of_others_do_not_count() -> None:
    assert not found(*[wrong(300 * n, ip=f"203.0.{n}.7") for n in range(40)])
    assert not found(*[wrong(n, f"u-{n % 4}", f"203.0.{n}.7") for n in range(36)])
    assert not found(*[wrong(n, None, f"203.0.{n}.7") for n in range(40)])
    assert not found(*[wrong(n, ip=f"203.0.{n}.7", error="server_error") for n in range(40)])


def test_an_app_that_was_logged_out_tries_no_password() -> None:
    for grant in ("refresh_token", "authorization_code", "device_code"):
        assert not found(*[wrong(n, ip=f"203.0.{n}.7", grant=grant) for n in range(40)])
    for grant in ("password", "ciba", ""):
        assert found(*[wrong(n, ip=f"203.0.{n}.7", grant=grant) for n in range(40)])


def test_a_token_for_one_of_the_addresses_makes_it_worse() -> None:
    attacker = event("token.issued.password", 700, "web", user="u-1", ip="203.0.3.7")
    at_home = event("token.issued.password", 700, "web", user="u-1", ip="192.0.2.1")
    neighbour = event("token.issued.password", 700, "web", user="u-2", ip="203.0.3.7")
    assert severities(found(*tries(10, 5), attacker)) == [Severity.HIGH]
    assert severities(found(*tries(10, 5), at_home, neighbour)) == [Severity.MEDIUM]


def test_a_pause_ends_it() -> None:
    assert [finding.events for finding in found(*tries(10, 5), *tries(10, 5, start=4200))] == [10, 10]


def test_late_tries_count_while_they_are_in_the_window() -> None:
    nine = [wrong(5000 + n, ip=f"203.0.{n}.7") for n in range(9)]
    assert found(*nine, wrong(5008 - 1800))
    assert not found(*nine, wrong(5007 - 1800))
