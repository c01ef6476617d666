"""Storms at the rate limit: they are told, and are low."""

from ingestor.detectors.rate_limit_storm import RateLimitStorm, RateLimitStormOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.rate_limit_storm import refusal
from tests.support.detecting import last_words


def found(*events: EventRow, options: RateLimitStormOptions | None = None) -> list[Finding]:
    return last_words(RateLimitStorm(options or RateLimitStormOptions()), *events)


def test_a_client_is_refused_again_and_again() -> None:
    refusals = [refusal(9 * n, ip=f"203.0.113.{n}") for n in range(100)]
    assert not found(*refusals[:99])
    (finding,) = found(*refusals)
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 100)
    (finding,) = found(*[refusal(n / 10) for n in range(5000)])
    assert (finding.severity, finding.events) == (Severity.LOW, 5000)


def test_where_no_client_is_known_it_is_the_address() -> None:
    (finding,) = found(*[refusal(n, client="") for n in range(100)])
    assert (finding.client_id, finding.ips) == ("", ("203.0.113.7",))
    assert not found(*[refusal(n, client="", ip=f"203.0.113.{n}") for n in range(99)])
    assert not found(*[refusal(n, client="", ip=None) for n in range(200)])


def test_refusals_too_far_apart_and_of_others_do_not_count() -> None:
    assert not found(*[refusal(10 * n) for n in range(300)])
    assert not found(*[refusal(n, f"app-{n % 5}") for n in range(400)])


def test_a_pause_ends_it() -> None:
    first, second = [refusal(n) for n in range(100)], [refusal(4000 + n) for n in range(100)]
    assert [finding.events for finding in found(*first, *second)] == [100, 100]
