"""A success after failures: what it must find, and what looks like it and is none."""

from ingestor.detectors.fail_then_success import MOST_RUNS, FailThenSuccess, FailThenSuccessOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

DAY, MINUTE = 86_400, 60
LATER = 14 * DAY
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.7"


def wrong_secret(second: float, ip: str = ELSEWHERE, client: str = "app") -> EventRow:
    return event("token.validation_failed", second, client, error="invalid_client", ip=ip, event_id=f"f{second}")


def token(second: float, ip: str = ELSEWHERE, client: str = "app") -> EventRow:
    return event("token.issued.client_credentials", second, client, ip=ip, event_id=f"s{second}")


def wrong_password(second: float, ip: str = ELSEWHERE, user: str | None = "alice", grant: str = "password") -> EventRow:
    row = event("token.validation_failed", second, error="invalid_grant", ip=ip, user=user)
    return *row[:2], row[2]._replace(grant_type=grant), *row[3:]


def login(second: float, ip: str = ELSEWHERE, user: str = "alice") -> EventRow:
    return event("token.issued.password", second, ip=ip, user=user)


def weeks(*events: EventRow) -> list[EventRow]:
    """Return two weeks in which a client and a user are at home, and these events."""
    days = [each for day in range(14) for each in (token(day * DAY, HOME), login(day * DAY + 1, HOME))]
    return [*days, *events]


def found(*events: EventRow, options: FailThenSuccessOptions | None = None) -> list[Finding]:
    return last_words(FailThenSuccess(options or FailThenSuccessOptions()), *events)


def guesses(count: int, ip: str = ELSEWHERE) -> list[EventRow]:
    return [wrong_secret(LATER + 10 * n, ip) for n in range(count)]


def attempts(count: int, ip: str = ELSEWHERE, user: str | None = "alice") -> list[EventRow]:
    return [wrong_password(LATER + 10 * n, ip, user) for n in range(count)]


def test_a_secret_that_is_right_at_last_on_another_network() -> None:
    assert not found(*weeks(*guesses(4), token(LATER + 300)))
    (finding,) = found(*weeks(*guesses(5), token(LATER + 300)))
    assert (finding.severity, finding.client_id, finding.user_id, finding.events) == (Severity.MEDIUM, "app", None, 6)
    assert (finding.first_seen_ms, finding.last_seen_ms) == (START_MS + LATER * 1000, START_MS + (LATER + 300) * 1000)
    assert (finding.ips, finding.event_ids[-1]) == ((ELSEWHERE,), f"s{LATER + 300}")
    assert severities(found(*weeks(*guesses(29), token(LATER + 300)))) == [Severity.MEDIUM]
    assert severities(found(*weeks(*guesses(30), token(LATER + 300)))) == [Severity.HIGH]


def test_a_secret_that_was_changed_fails_where_the_client_always_is() -> None:
    assert not found(*weeks(*guesses(29, "203.0.113.99"), token(LATER + 300, "203.0.113.99")))
    assert severities(found(*weeks(*guesses(300, HOME), token(LATER + 3001, HOME)))) == [Severity.LOW]


def test_a_rotation_of_all_secrets_is_low_at_most() -> None:
    clients = [f"app-{n}" for n in range(20)]
    days = [token(day * DAY + n, f"203.0.{n}.1", client) for day in range(14) for n, client in enumerate(clients)]
    failing = [wrong_secret(LATER + m * 30 + n, f"203.0.{n}.1", c) for m in range(120) for n, c in enumerate(clients)]
    mended = [token(LATER + 3600 + n, f"203.0.{n}.1", client) for n, client in enumerate(clients)]
    assert set(severities(found(*days, *failing, *mended))) == {Severity.LOW}


def test_a_client_that_is_set_up_is_low() -> None:
    assert severities(found(*guesses(9), token(LATER + 300))) == [Severity.LOW]
    week = [token(day * DAY, HOME) for day in range(8, 14)]
    assert severities(found(*week, *guesses(9), token(LATER + 300))) == [Severity.LOW]
    assert severities(found(token(7 * DAY, HOME), *week, *guesses(9), token(LATER + 300))) == [Severity.MEDIUM]


def test_a_client_that_comes_from_everywhere_is_low() -> None:
    apps = [token(day * DAY + n, f"203.0.{n}.7") for day in range(14) for n in range(40)]
    assert severities(found(*apps, *guesses(40), token(LATER + 500))) == [Severity.LOW]


def test_a_password_that_is_right_at_last() -> None:
    assert not found(*weeks(*attempts(4), login(LATER + 300)))
    assert severities(found(*weeks(*attempts(5), login(LATER + 300)))) == [Severity.LOW]
    assert severities(found(*weeks(*attempts(9), login(LATER + 300)))) == [Severity.LOW]
    (finding,) = found(*weeks(*attempts(10), login(LATER + 300)))
    assert (finding.severity, finding.user_id, finding.client_id) == (Severity.MEDIUM, "alice", "app")
    assert severities(found(*weeks(*attempts(30), login(LATER + 300)))) == [Severity.HIGH]


def test_who_mistypes_at_home_is_nobody_to_talk_of() -> None:
    assert not found(*weeks(*attempts(29, HOME), login(LATER + 300, HOME)))
    assert severities(found(*weeks(*attempts(30, HOME), login(LATER + 300, HOME)))) == [Severity.LOW]


def test_of_an_unknown_user_little_can_be_said() -> None:
    assert severities(found(*attempts(29), login(LATER + 300))) == [Severity.LOW]
    assert severities(found(*attempts(30), login(LATER + 300))) == [Severity.MEDIUM]


def test_two_thousand_users_behind_one_address_are_not_one_who_fails() -> None:
    users = [f"u-{n % 2000}" for n in range(8000)]
    office = [
        login(LATER + n / 10, user=user) if n % 5 == 0 else wrong_password(LATER + n / 10, user=user)
        for n, user in enumerate(users)
    ]
    assert not found(*office)
    assert not found(*weeks(*attempts(50, user=None), login(LATER + 501)))


def test_only_the_same_client_user_and_address_count() -> None:
    assert not found(*weeks(*guesses(30), token(LATER + 300, client="other")))
    assert not found(*weeks(*guesses(30), token(LATER + 300, HOME)))
    assert not found(*weeks(*attempts(30), login(LATER + 300, user="bob")))
    assert not found(*weeks(*attempts(30), token(LATER + 300)))
    refreshes = [wrong_password(LATER + n, grant="refresh_token") for n in range(40)]
    assert not found(*weeks(*refreshes, login(LATER + 300)))
    outage = [event("token.validation_failed", LATER + n, error="server_error", ip=ELSEWHERE) for n in range(40)]
    assert not found(*weeks(*outage, token(LATER + 300)))


def test_the_success_has_to_come_soon_and_the_failures_in_a_row() -> None:
    last = LATER + 40
    assert found(*weeks(*guesses(5), token(last + 15 * MINUTE)))
    assert not found(*weeks(*guesses(5), token(last + 15 * MINUTE + 1)))
    slowly = [wrong_secret(LATER + 15 * MINUTE * n) for n in range(5)]
    assert found(*weeks(*slowly, token(LATER + 61 * MINUTE)))
    too_slowly = [wrong_secret(LATER + 901 * n) for n in range(9)]
    assert not found(*weeks(*too_slowly, token(LATER + 901 * 8 + 1)))


def test_a_success_after_enough_failures_ends_the_row() -> None:
    again = [wrong_secret(LATER + 400 + n) for n in range(4)]
    assert len(found(*weeks(*guesses(5), token(LATER + 300), *again, token(LATER + 500)))) == 1
    assert (
        len(found(*weeks(*guesses(5), token(LATER + 300), *again, wrong_secret(LATER + 450), token(LATER + 500)))) == 1
    )


def test_late_events() -> None:
    first, *others = guesses(5)
    assert [each.events for each in found(*weeks(*others, first, token(LATER + 300)))] == [6]
    assert not found(*weeks(*others, wrong_secret(LATER - 3600), token(LATER + 300)))
    assert not found(*weeks(*guesses(5), token(LATER - 1)))
    assert found(*weeks(*guesses(5), token(LATER - 1, HOME), token(LATER + 300)))


def test_who_is_allowed_is_left_out() -> None:
    events = weeks(*guesses(30), token(LATER + 300))
    off = FailThenSuccessOptions(clients={("", "app"): FailThenSuccessOptions(enabled=False)})
    assert not found(*events, options=off)
    assert not found(*events, options=FailThenSuccessOptions(networks=("198.51.100.0/24",)))
    assert found(*events, options=FailThenSuccessOptions(networks=("10.0.0.0/8",)))


def test_memory_is_bounded_and_successes_change_it_once_a_day() -> None:
    detector, memory = FailThenSuccess(FailThenSuccessOptions()), dict[str, bytes]()
    last_words(detector, *weeks())
    saved(detector, memory)
    last_words(detector, *weeks()[-2:], *weeks()[-2:])
    assert saved(detector, memory) == 0
    last_words(detector, *[wrong_secret(n / 100, f"10.0.{n % 250}.{n // 250}", f"c-{n}") for n in range(20_000)])
    saved(detector, memory)
    assert sum(name.startswith("run") for name in memory) == MOST_RUNS
    again = FailThenSuccess(FailThenSuccessOptions())
    again.restore(memory)
    right = [token(200, f"10.0.{n % 250}.{n // 250}", f"c-{n}") for n in range(20_000)]
    assert not last_words(detector, *right)
    assert not last_words(again, *right)
    assert saved(detector, {}) == saved(again, {})
