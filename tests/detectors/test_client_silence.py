"""Silence of a steady client: what it must find, and what looks like it and is none."""

from collections.abc import Container

from ingestor.detectors.client_silence import ClientSilence, ClientSilenceOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities, told

TWO_WEEKS = 336
HOUR_MS = 3_600_000


def hour_of(hour: int, *, app: bool, others: int = 20) -> list[EventRow]:
    """Return an hour in which an app gets a token, or none, and others get some."""
    events = [event("token.refreshed", hour * 3600 + 60 * n, f"other-{n % 7}") for n in range(others)]
    return [event("token.issued.client_credentials", hour * 3600 + 5, "app"), *events] if app else events


def hours(count: int, silent: Container[int] = (), *, others: int = 20, start: int = 0) -> list[EventRow]:
    return [each for hour in range(start, count) for each in hour_of(hour, app=hour not in silent, others=others)]


def found(*events: EventRow, options: ClientSilenceOptions | None = None) -> list[Finding]:
    return told(ClientSilence(options or ClientSilenceOptions()), events)


def test_three_hours_of_silence_are_low_and_twelve_are_medium() -> None:
    assert not found(*hours(TWO_WEEKS + 3, range(TWO_WEEKS, 999)))
    (finding,) = found(*hours(TWO_WEEKS + 4, range(TWO_WEEKS, 999)))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 3)
    assert finding.first_seen_ms == START_MS + TWO_WEEKS * HOUR_MS
    assert finding.last_seen_ms == START_MS + (TWO_WEEKS + 3) * HOUR_MS + 9 * 60_000
    assert severities(found(*hours(TWO_WEEKS + 12, range(TWO_WEEKS, 999)))) == [Severity.LOW]
    assert severities(found(*hours(TWO_WEEKS + 13, range(TWO_WEEKS, 999)))) == [Severity.MEDIUM]
    (whole,) = found(*hours(TWO_WEEKS + 60, range(TWO_WEEKS, 999)))
    assert whole.events == 24


def test_a_client_that_rests_is_not_steady() -> None:
    nights = [hour for hour in range(TWO_WEEKS) if hour % 24 in {2, 3}]
    assert not found(*hours(TWO_WEEKS + 9, {*nights, *range(TWO_WEEKS, 999)}))
    assert found(*hours(TWO_WEEKS + 9, {*nights[:16], *range(TWO_WEEKS, 999)}))
    assert not found(*hours(TWO_WEEKS + 9, {*nights[:17], *range(TWO_WEEKS, 999)}))
    assert not found(*hours(319 + 9, range(319, 999)))
    assert found(*hours(320 + 9, range(320, 999)))


def test_an_outage_of_all_is_no_silence_of_one() -> None:
    before, after = hours(TWO_WEEKS), hours(TWO_WEEKS + 16, start=TWO_WEEKS + 8)
    failures = [
        event("token.validation_failed", TWO_WEEKS * 3600 + n * 10, f"c{n % 9}", error="server_error")
        for n in range(2900)
    ]
    assert not found(*before, *failures, *after)
    quiet_night = [each for hour in range(TWO_WEEKS, TWO_WEEKS + 8) for each in hour_of(hour, app=False, others=9)]
    assert not found(*before, *quiet_night, *after)


def test_a_return_ends_it() -> None:
    silent = {*range(TWO_WEEKS, TWO_WEEKS + 6), *range(TWO_WEEKS + 9, TWO_WEEKS + 13)}
    assert [finding.events for finding in found(*hours(TWO_WEEKS + 20, silent))] == [5, 3]


def test_failures_are_no_tokens() -> None:
    events = hours(TWO_WEEKS + 4, range(TWO_WEEKS, 999))
    failing = event("token.validation_failed", (TWO_WEEKS + 1) * 3600 + 9, "app", error="invalid_client")
    assert found(*[*events[:-60], failing, *events[-60:]])


def test_while_its_own_log_is_not_read_no_time_goes_on() -> None:
    detector = ClientSilence(ClientSilenceOptions())
    other = [each for hour in range(TWO_WEEKS + 9) for each in hour_of(hour, app=False)]
    assert not last_words(detector, *hours(TWO_WEEKS), source="one.log")
    assert not last_words(detector, *other, source="two.log")
    assert last_words(detector, *hours(TWO_WEEKS + 9, range(TWO_WEEKS, 999), start=TWO_WEEKS), source="one.log")


def test_late_events_are_not_missed() -> None:
    events = hours(TWO_WEEKS + 3, range(TWO_WEEKS, 999))
    late = event("token.issued.client_credentials", TWO_WEEKS * 3600 + 5, "app")
    assert not found(*events, late, *hours(TWO_WEEKS + 4, range(TWO_WEEKS, 999), start=TWO_WEEKS + 3))
    assert found(*events, late, *hours(TWO_WEEKS + 5, range(TWO_WEEKS, 999), start=TWO_WEEKS + 3))
    gaps = {*range(100, 140), *range(TWO_WEEKS, 999)}
    caught_up = [event("token.issued.client_credentials", hour * 3600, "app") for hour in range(100, 140)]
    assert not found(*hours(TWO_WEEKS, gaps), *hours(TWO_WEEKS + 4, gaps, start=TWO_WEEKS))
    assert found(*hours(TWO_WEEKS, gaps), *caught_up, *hours(TWO_WEEKS + 4, gaps, start=TWO_WEEKS))


def test_an_event_of_1970_or_of_tomorrow_is_no_hour() -> None:
    for odd in (
        event("token.refreshed", -START_MS / 1000, "other-1"),
        event("token.refreshed", (TWO_WEEKS + 23) * 3600, "other-1"),
    ):
        assert not found(*hours(TWO_WEEKS), odd, *hours(TWO_WEEKS + 3, range(TWO_WEEKS, 999), start=TWO_WEEKS))
        assert found(*hours(TWO_WEEKS), odd, *hours(TWO_WEEKS + 4, range(TWO_WEEKS, 999), start=TWO_WEEKS))


def test_who_is_not_to_be_watched_is_left_out() -> None:
    events = hours(TWO_WEEKS + 9, range(TWO_WEEKS, 999))
    off = ClientSilenceOptions(clients={("", "app"): ClientSilenceOptions(enabled=False)})
    assert not found(*events, options=off)
    assert not found(*events, options=ClientSilenceOptions(networks=("203.0.113.0/24",)))


def test_memory_is_bounded_and_changes_once_an_hour() -> None:
    detector, memory = ClientSilence(ClientSilenceOptions()), dict[str, bytes]()
    last_words(detector, *hours(3))
    saved(detector, memory)
    last_words(detector, *hours(3, start=2))
    assert saved(detector, memory) == 0
    last_words(detector, *hours(4, start=3))
    assert 0 < saved(detector, memory) < 900
    last_words(detector, *[event("token.refreshed", n, f"invented-{n}") for n in range(5000)])
    saved(detector, memory)
    assert len(memory) == 4001
    assert found(
        *hours(TWO_WEEKS),
        *[event("token.refreshed", TWO_WEEKS * 3600, f"i-{n}") for n in range(5000)],
        *hours(TWO_WEEKS + 4, range(TWO_WEEKS, 999), start=TWO_WEEKS),
    )
