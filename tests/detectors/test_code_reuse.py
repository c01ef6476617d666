"""Reuse of authorization codes: what is theft, what is a page that was loaded twice, and how codes are told from refresh tokens."""

from ingestor.detectors.code_reuse import CodeReuse, CodeReuseOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.code_reuse import reuse
from tests.detectors.cases.made import event
from tests.support.detecting import last_words, severities

HOME, AWAY = "198.51.100.7", "203.0.113.66"
BROWSER, CURL = "Firefox/133", "curl/8"


def login(second: float, user: str = "u-1") -> EventRow:
    return event("token.issued.authorization_code", second, "web", user=user, ip=HOME, agent=BROWSER)


def found(*events: EventRow, options: CodeReuseOptions | None = None) -> list[Finding]:
    return last_words(CodeReuse(options or CodeReuseOptions()), *events)


def test_a_page_that_is_loaded_twice_is_low_and_a_stranger_high() -> None:
    assert severities(found(login(0), reuse(1, "u-1", HOME, BROWSER))) == [Severity.LOW]
    (finding,) = found(login(0), reuse(600, "u-1", AWAY, CURL))
    assert (finding.severity, finding.user_id, finding.ips) == (Severity.HIGH, "u-1", (AWAY,))
    assert severities(found(reuse(600, "u-1", AWAY, CURL))) == [Severity.MEDIUM]


def test_keycloak_says_so_of_slow_users_and_names_none() -> None:
    slow = [reuse(30 * n, None, None, None, client="") for n in range(100)]
    assert severities(found(*slow[:99])) == [Severity.LOW]
    assert severities(found(*slow)) == [Severity.MEDIUM]


def test_a_code_is_told_by_its_error_or_its_grant() -> None:
    def second_use(error: str, grant: str) -> EventRow:
        return event("token.reuse_detected", 0, "web", error=error, grant=grant, user="u-1", ip=AWAY)

    assert found(second_use("invalid_code", ""))
    assert found(second_use("invalid_grant", "authorization_code"))
    assert not found(second_use("invalid_grant", "refresh_token"))
    assert not found(second_use("invalid_grant", ""))


def test_a_refresh_is_no_login() -> None:
    refresh = event("token.refreshed", 5, "web", user="u-1", ip=AWAY, agent=CURL)
    assert severities(found(login(0), refresh, reuse(9, "u-1", AWAY, CURL))) == [Severity.HIGH]


def test_a_pause_ends_it() -> None:
    assert len(found(reuse(0, "u-1", HOME, BROWSER), reuse(3600, "u-1", HOME, BROWSER))) == 1
    assert len(found(reuse(0, "u-1", HOME, BROWSER), reuse(3601, "u-1", HOME, BROWSER))) == 2
