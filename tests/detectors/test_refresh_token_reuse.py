"""Reuse of refresh tokens: what is theft, what is a lost answer, and what cannot be told."""

import pytest

from ingestor.detectors.parts.last_uses import MOST_USES
from ingestor.detectors.refresh_token_reuse import RefreshTokenReuse, RefreshTokenReuseOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import event
from tests.detectors.cases.refresh_token_reuse import reuse
from tests.support.detecting import last_words, saved, severities

HOME, SAME_NETWORK, AWAY = "198.51.100.7", "198.51.100.8", "203.0.113.66"
APP, TABLET, CURL = "App/1", "Tablet/1", "curl/8"
LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


def refresh(second: float, ip: str | None = HOME, agent: str | None = APP, user: str | None = "u-1") -> EventRow:
    return event("token.refreshed", second, "app", user=user, ip=ip, agent=agent)


def found(*events: EventRow, options: RefreshTokenReuseOptions | None = None) -> list[Finding]:
    return last_words(RefreshTokenReuse(options or RefreshTokenReuseOptions()), *events)


@pytest.mark.parametrize(
    ("second", "ip", "agent", "severity"),
    [
        (10, HOME, APP, LOW),
        (4000, HOME, APP, LOW),  # it tried again until the outage was over
        (4000, SAME_NETWORK, APP, LOW),
        (30, AWAY, APP, LOW),  # a phone that changes networks
        (31, AWAY, APP, MEDIUM),
        (10, HOME, CURL, MEDIUM),
        (10, AWAY, CURL, HIGH),
        (4000, AWAY, CURL, HIGH),
        (10, None, CURL, MEDIUM),
        (10, HOME, None, LOW),
        (10, AWAY, None, HIGH),
    ],
)
def test_it_is_as_bad_as_it_is_far_away(second: float, ip: str | None, agent: str | None, severity: Severity) -> None:
    (finding,) = found(refresh(0), reuse(second, "u-1", ip, agent))
    assert (finding.severity, finding.client_id, finding.user_id, finding.events) == (severity, "app", "u-1", 1)


def test_where_the_log_has_no_user_agents_the_network_decides() -> None:
    assert severities(found(refresh(0, agent=None), reuse(4000, "u-1", HOME, None))) == [LOW]
    assert severities(found(refresh(0, agent=None), reuse(30, "u-1", AWAY, None))) == [MEDIUM]
    assert severities(found(refresh(0, agent=None), reuse(31, "u-1", AWAY, None))) == [HIGH]
    assert severities(found(refresh(0, ip=None, agent=None), reuse(31, "u-1", AWAY, None))) == [MEDIUM]


def test_a_second_device_is_compared_with_itself() -> None:
    devices = refresh(0), refresh(5, AWAY, TABLET)
    assert severities(found(*devices, reuse(9, "u-1", AWAY, TABLET))) == [LOW]
    assert severities(found(*devices, reuse(9, "u-1", HOME, APP))) == [LOW]
    assert severities(found(*devices, reuse(600, "u-1", HOME, APP))) == [MEDIUM]  # the last one was somebody else
    assert severities(found(refresh(0), refresh(5, HOME, TABLET), reuse(600, "u-1", HOME, APP))) == [LOW]


def test_a_phone_comes_from_all_of_its_networks() -> None:
    networks = refresh(0, HOME), refresh(600, "100.64.0.1"), refresh(1200, "2001:db8:7::1")
    for ip in (HOME, "100.64.0.1", "2001:db8:7::2"):
        assert severities(found(*networks, reuse(4000, "u-1", ip, APP))) == [LOW]
    assert severities(found(*networks, reuse(4000, "u-1", AWAY, APP))) == [MEDIUM]
    unnamed = refresh(0, HOME, None), refresh(600, "100.64.0.1", None)
    assert severities(found(*unnamed, reuse(4000, "u-1", HOME, None))) == [MEDIUM]
    assert severities(found(*unnamed, reuse(20, "u-1", HOME, None))) == [LOW]


def test_a_thief_who_was_first_is_seen_by_the_one_who_was_robbed() -> None:
    assert severities(found(refresh(0), refresh(3600, AWAY, CURL), reuse(7200, "u-1", HOME, APP))) == [MEDIUM]
    assert severities(found(refresh(3600, AWAY, CURL), reuse(7200, "u-1", HOME, APP))) == [HIGH]


def test_a_program_that_logged_in_is_no_stranger() -> None:
    login = event("token.issued.authorization_code", 5, "app", user="u-1", ip=AWAY, agent=TABLET)
    assert severities(found(refresh(0), login, reuse(600, "u-1", AWAY, TABLET))) == [LOW]
    assert severities(found(login, refresh(60, HOME, CURL), reuse(600, "u-1", AWAY, TABLET))) == [MEDIUM]


def test_the_first_one_stands_for_the_refresh_that_nobody_saw() -> None:
    first, second = reuse(0, "u-1", HOME, APP), reuse(600, "u-1", AWAY, CURL)
    assert severities(found(first)) == [MEDIUM]
    assert [(each.severity, each.events) for each in found(first, second)] == [(HIGH, 2)]
    assert [(each.severity, each.events) for each in found(first, reuse(9, "u-1", HOME, APP))] == [(MEDIUM, 2)]


def test_others_do_not_count() -> None:
    stranger = reuse(9, "u-1", AWAY, CURL)
    assert severities(found(refresh(0, user="u-2"), stranger)) == [MEDIUM]
    assert severities(found(refresh(0), reuse(9, "u-1", AWAY, CURL, client="other"))) == [MEDIUM]
    service = event("token.issued.client_credentials", 5, "app", user="u-1", ip=AWAY, agent=CURL)
    assert severities(found(refresh(0), service, stranger)) == [HIGH]
    of_code = event(
        "token.reuse_detected",
        9,
        "app",
        user="u-1",
        ip=AWAY,
        agent=CURL,
        error="invalid_code",
        grant="authorization_code",
    )
    assert not found(refresh(0), of_code)


def test_a_success_is_what_harmless_ones_have() -> None:
    assert severities(found(refresh(0), reuse(40, "u-1", AWAY, APP), refresh(60, AWAY))) == [MEDIUM]


def test_many_of_users_whom_nobody_names_are_told() -> None:
    unknown = [reuse(300 * n, None, HOME, None) for n in range(10)]
    assert severities(found(*unknown[:9])) == [LOW]
    assert severities(found(*unknown)) == [MEDIUM]
    assert severities(found(*unknown, options=RefreshTokenReuseOptions(many_unknown=11))) == [LOW]


def test_a_pause_ends_it_and_a_late_event_belongs_to_it() -> None:
    assert len(found(reuse(0, "u-1", HOME, APP), reuse(3600, "u-1", HOME, APP))) == 1
    assert len(found(reuse(0, "u-1", HOME, APP), reuse(3601, "u-1", HOME, APP))) == 2
    assert [finding.events for finding in found(reuse(9000, "u-1", HOME, APP), reuse(5400, "u-1", HOME, APP))] == [2]
    assert [finding.events for finding in found(reuse(9000, "u-1", HOME, APP), reuse(5399, "u-1", HOME, APP))] == [1]


def test_it_remembers_as_many_refreshes_as_it_says() -> None:
    others = [refresh(1, user=f"u-{n}") for n in range(2, MOST_USES + 200)]
    stranger = reuse(9, "u-1", AWAY, CURL)
    assert severities(found(refresh(0), *others[: MOST_USES - 200], stranger)) == [HIGH]
    assert severities(found(refresh(0), *others, stranger)) == [MEDIUM]


def test_a_dump_costs_what_has_come() -> None:
    detector, memory = RefreshTokenReuse(RefreshTokenReuseOptions()), dict[str, bytes]()
    last_words(detector, *[refresh(0, user=f"user-{n}") for n in range(10_000)])
    whole = saved(detector, memory)
    last_words(detector, *[refresh(1, user=f"user-{n}") for n in range(10)])
    assert saved(detector, memory) < whole / 100
    assert saved(detector, memory) == 0
