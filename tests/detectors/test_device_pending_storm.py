"""Storms of pending device codes: they are told, and are low."""

from ingestor.detectors.device_pending_storm import DevicePendingStorm, DevicePendingStormOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.device_pending_storm import pending
from tests.support.detecting import last_words


def found(*events: EventRow, options: DevicePendingStormOptions | None = None) -> list[Finding]:
    return last_words(DevicePendingStorm(options or DevicePendingStormOptions()), *events)


def test_ten_codes_are_polled_all_the_time() -> None:
    polls = [pending(5 * tick + code / 10) for tick in range(180) for code in range(10)]
    assert not found(*polls[:1799])
    (finding,) = found(*polls)
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "tv", 1800)


def test_one_code_that_is_polled_too_fast_is_none() -> None:
    assert not found(*[pending(n / 10, error="slow_down" if n % 50 else "authorization_pending") for n in range(9000)])


def test_other_addresses_and_clients_do_not_count() -> None:
    assert not found(*[pending(n / 4, ip=f"203.0.113.{n % 2}") for n in range(3500)])
    assert not found(*[pending(n / 4, client=f"tv-{n % 2}") for n in range(3500)])
    assert not found(*[pending(n) for n in range(20_000)])
