"""Scraping of profiles: what it must find, and servers, offices and phones that ask for many, which are none."""

from ingestor.detectors.userinfo_scraping import UserinfoScraping, UserinfoScrapingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import event
from tests.detectors.cases.userinfo_scraping import access
from tests.support.detecting import last_words, told

DAY, HOUR = 86_400, 3600
USERS = [f"u-{n}" for n in range(1000)]
SERVER = "10.0.0.9"


def home_of(user: str) -> str:
    return f"198.51.{int(user[2:]) % 200}.7"


def usual(days: int) -> list[EventRow]:
    """Return days on which everybody refreshes at home, and a server asks for everybody."""
    return [
        each
        for day in range(days)
        for n, user in enumerate(USERS)
        for each in (
            event("token.refreshed", day * DAY + 30 * n, "app", user=user, ip=home_of(user)),
            access(day * DAY + 30 * n + 1, user, SERVER),
        )
    ]


def found(*events: EventRow, options: UserinfoScrapingOptions | None = None) -> list[Finding]:
    return told(UserinfoScraping(options or UserinfoScrapingOptions()), events)


def scraping(start: float, users: int, ip: str = "203.0.113.66", every: float = 1) -> list[EventRow]:
    return [access(start + every * n, user, ip) for n, user in enumerate(USERS[:users])]


def test_profiles_of_many_users_are_read_from_elsewhere() -> None:
    (finding,) = found(*usual(2), *scraping(2 * DAY, 400))
    assert (finding.severity, finding.client_id, finding.ips) == (Severity.MEDIUM, "app", ("203.0.113.66",))
    assert 300 <= finding.events <= 500
    assert not found(*usual(2), *scraping(2 * DAY, 50))
    assert not found(*usual(2), *scraping(2 * DAY, 400), options=UserinfoScrapingOptions(users=500))


def test_it_may_be_slow_or_from_many_addresses() -> None:
    assert found(*usual(2), *scraping(2 * DAY, 900, every=8))
    assert not found(*usual(2), *scraping(2 * DAY, 900, every=80))
    shared = [each for n in range(20) for each in scraping(2 * DAY + n, 400, f"203.0.{n}.1")[n::20]]
    assert found(*usual(2), *sorted(shared, key=lambda row: row[0]))


def test_the_same_profile_over_and_over_is_none() -> None:
    assert not found(*usual(2), *[access(2 * DAY + n, USERS[n % 20], "203.0.113.66") for n in range(2000)])


def test_whoever_was_there_before_may_ask_for_many() -> None:
    """The server of the client, an API that looks at tokens this way, an office."""
    assert not found(*usual(3))
    day_before = [access(DAY - 1, USERS[n], "203.0.113.66") for n in range(100)]
    on_the_day = [access(DAY + HOUR, USERS[n], "203.0.113.66") for n in range(100)]
    rest = usual(2)[len(usual(1)) :]
    assert not found(*usual(1), *day_before, *rest, *scraping(2 * DAY, 900))
    assert found(*usual(1), *on_the_day, *rest, *scraping(2 * DAY, 900))


def test_users_who_move_are_at_their_own_place() -> None:
    office = [
        each
        for n, user in enumerate(USERS)
        for each in (
            event("token.issued.authorization_code", 2 * DAY + n, "app", user=user, ip="203.0.113.66"),
            access(2 * DAY + n + 0.5, user, "203.0.113.66"),
        )
    ]
    assert not found(*usual(2), *office)


def test_it_is_quiet_where_it_does_not_know() -> None:
    assert not found(*usual(1), *scraping(DAY - HOUR, 900))
    assert not found(*usual(2), *[access(2 * DAY + n, f"new-{n}", "203.0.113.66") for n in range(900)])
    assert not found(*usual(2), *[access(2 * DAY + n, None, "203.0.113.66") for n in range(900)])
    assert not found(*usual(2), *[access(2 * DAY + n, user, None) for n, user in enumerate(USERS)])
    other = [access(2 * DAY + n, user, "203.0.113.66", client="other") for n, user in enumerate(USERS)]
    assert not last_words(UserinfoScraping(UserinfoScrapingOptions()), *usual(2), *other)


def test_a_pause_ends_it() -> None:
    assert len(found(*usual(2), *scraping(2 * DAY, 400), *scraping(2 * DAY + 2 * HOUR, 400))) == 2
