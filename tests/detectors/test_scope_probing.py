"""Probing of scopes: what it must find, and what looks like it and is none."""

from ingestor.detectors.scope_probing import ScopeProbing, ScopeProbingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

DAY = 86_400
LATER = 14 * DAY


def refused(second: float, asked: str | None, client: str = "app", error: str = "invalid_scope") -> EventRow:
    return event("token.validation_failed", second, client, error=error, scopes=asked)


def granted(second: float, scopes: str | None = "read", client: str = "app") -> EventRow:
    return event("token.issued.client_credentials", second, client, scopes=scopes)


def found(*events: EventRow, options: ScopeProbingOptions | None = None) -> list[Finding]:
    return last_words(ScopeProbing(options or ScopeProbingOptions()), *events)


def learned(*events: EventRow) -> list[Finding]:
    """Return what is found of events after two ordinary weeks."""
    return found(*[granted(day * DAY) for day in range(14)], *events)


def test_the_first_refusal_is_low_and_known_for_14_days() -> None:
    (finding,) = found(refused(0, "admin"))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 1)
    assert finding.first_seen_ms == START_MS
    daily = [refused(day * DAY, "admin") for day in range(30)]
    assert len(found(*daily)) == 1
    assert len(found(refused(0, "admin"), refused(14 * DAY, "admin"))) == 1
    assert len(found(refused(0, "admin"), refused(15 * DAY, "admin"))) == 2


def test_several_different_ones_within_an_hour_are_medium() -> None:
    asked = [refused(LATER + 1800 * n, f"admin-{n}") for n in range(4)]
    assert severities(learned(*asked[:2])) == [Severity.LOW]
    (finding,) = learned(*asked[:3])
    assert (finding.severity, finding.events) == (Severity.MEDIUM, 3)
    same = [refused(LATER + n, "admin") for n in range(9)]
    assert severities(learned(*same)) == [Severity.LOW]
    slowly = [refused(LATER + 1801 * n, f"admin-{n}") for n in range(4)]
    assert severities(learned(*slowly)) == [Severity.LOW]


def test_what_was_asked_may_stand_in_the_text() -> None:
    texts = [(*refused(LATER + n, None)[:9], f"Invalid scopes: s{n} (invalid_request)") for n in range(3)]
    assert severities(learned(*texts)) == [Severity.MEDIUM]
    assert severities(learned(*[refused(LATER + n, None) for n in range(3)])) == [Severity.LOW]


def test_a_scope_that_it_never_had_is_high_after_that() -> None:
    asked = [refused(LATER + 60 * n, f"admin-{n}") for n in range(3)]
    assert severities(learned(*asked, granted(LATER + 900, "read admin-4"))) == [Severity.HIGH]
    assert severities(learned(*asked, granted(LATER + 900, "read"))) == [Severity.MEDIUM]
    assert severities(learned(*asked, granted(LATER + 120 + 3 * 3600, "write"))) == [Severity.HIGH]
    assert severities(learned(*asked, granted(LATER + 121 + 3 * 3600, "write"))) == [Severity.MEDIUM]
    assert severities(learned(*asked, granted(LATER + 900, "write", "other"))) == [Severity.MEDIUM]
    assert not learned(granted(LATER, "write"))


def test_an_administrator_who_allows_it_is_low() -> None:
    assert severities(learned(refused(LATER, "write"), granted(LATER + 600, "write"))) == [Severity.LOW]


def test_a_developer_of_a_new_client_may_try() -> None:
    attempts = [refused(n, f"scope-{n}") for n in range(9)]
    assert severities(found(*attempts, granted(600, "scope"))) == [Severity.LOW]
    week = [granted(day * DAY) for day in range(7)]
    tries = [refused(6 * DAY + n, f"scope-{n}") for n in range(9)]
    assert severities(found(*week[:6], *tries)) == [Severity.LOW]
    assert severities(found(*week, *tries)) == [Severity.MEDIUM]


def test_other_failures_and_unknown_clients_do_not_count() -> None:
    assert not learned(*[refused(LATER + n, f"s{n}", error="invalid_grant") for n in range(9)])
    assert not learned(*[refused(LATER + n, f"s{n}", client="") for n in range(9)])
    assert severities(learned(*[refused(LATER + n, f"s{n}", error="insufficient_scope") for n in range(9)])) == [
        Severity.MEDIUM
    ]


def test_a_pause_ends_it_and_late_events_belong_to_it() -> None:
    assert [each.events for each in found(refused(0, "a"), refused(3 * 3600, "b"), refused(6 * 3600 + 1, "c"))] == [
        2,
        1,
    ]
    assert [each.events for each in found(refused(9000, "a"), refused(0, "b"))] == [2]
    assert [each.events for each in found(refused(20_000, "a"), refused(0, "b"))] == [1]


def test_who_is_allowed_is_left_out() -> None:
    off = ScopeProbingOptions(clients={("", "app"): ScopeProbingOptions(enabled=False)})
    for options in (
        off,
        ScopeProbingOptions(networks=("203.0.113.0/24",)),
        ScopeProbingOptions(user_agents=("curl/*",)),
    ):
        assert not found(refused(0, "admin"), options=options)
    office = event("token.validation_failed", 0, error="invalid_scope", scopes="admin", ip="10.0.0.1")
    assert found(office, refused(1, "admin"), options=ScopeProbingOptions(networks=("10.0.0.0/8",)))


def test_memory_is_bounded_and_changes_once_a_day() -> None:
    detector, memory = ScopeProbing(ScopeProbingOptions()), dict[str, bytes]()
    day = [*[granted(n, "read write") for n in range(99)], *[refused(n, "admin") for n in range(99)]]
    last_words(detector, *day)
    saved(detector, memory)
    last_words(detector, *day)
    assert saved(detector, memory) == 0
    last_words(detector, *[refused(n / 100, f"s{n}", f"invented-{n % 5000}") for n in range(20_000)])
    saved(detector, memory)
    assert len(memory) == 4_000 + 500
