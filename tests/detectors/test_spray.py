"""Sprays: what it must find, and an office on the day on which all passwords change, which is none."""

from ingestor.detectors.spray import Spray, SprayOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.spray import login
from tests.detectors.cases.user_attacked import wrong
from tests.support.detecting import last_words, saved, severities

OFFICE = "198.51.100.7"


def found(*events: EventRow, options: SprayOptions | None = None) -> list[Finding]:
    return last_words(Spray(options or SprayOptions()), *events)


def spray(failures: int, users: int, addresses: int = 1) -> list[EventRow]:
    return [wrong(20 * n, f"u-{n % users}", f"203.0.113.{n % addresses}") for n in range(failures)]


def test_one_address_tries_many_users() -> None:
    assert not found(*spray(24, 24))
    assert not found(*spray(40, 14))
    (finding,) = found(*spray(25, 15))
    assert (finding.severity, finding.client_id, finding.ips, finding.events) == (
        Severity.MEDIUM,
        "",
        ("203.0.113.0",),
        25,
    )


def test_many_addresses_share_the_work() -> None:
    assert not found(*spray(24, 24, 5))
    assert not found(*spray(45, 24, 5))
    assert not found(*spray(40, 40, 4))
    (finding,) = found(*spray(25, 25, 5))
    assert (finding.severity, finding.client_id, len(finding.ips)) == (Severity.MEDIUM, "web", 5)


def test_people_have_some_minutes_to_get_in() -> None:
    assert not found(*[wrong(3 * n, f"u-{n}") for n in range(49)])
    assert found(*[wrong(3 * n, f"u-{n}") for n in range(50)])
    assert not found(*[wrong(7 * n, f"u-{n}") for n in range(26)])
    assert found(*[wrong(7 * n, f"u-{n}") for n in range(27)])


def test_tries_too_far_apart_and_of_others_do_not_count() -> None:
    assert not found(*[wrong(40 * n, f"u-{n}") for n in range(60)])
    assert not found(*[wrong(n, f"u-{n}", f"203.0.113.{n}") for n in range(24)])
    assert not found(*[wrong(n, None) for n in range(60)])
    assert not found(*[wrong(n, f"u-{n}", None) for n in range(60)])
    assert not found(*[wrong(n, f"u-{n}", error="invalid_client") for n in range(60)])
    assert not found(*[wrong(n, f"u-{n}", grant="refresh_token") for n in range(60)])


def test_users_who_try_again_and_again_are_no_spray() -> None:
    assert found(*spray(60, 20))
    assert not found(*[wrong(n, f"u-{n % 14}") for n in range(100)])
    outage = [wrong(8 * n, f"u-{n // 4}") for n in range(100)]
    assert not found(*outage)


def test_on_the_day_on_which_all_passwords_change_people_get_in() -> None:
    """An office of 2,000 users behind one address: one or two failures each, and a login within a minute."""
    day = []
    for n in range(2000):
        day += [wrong(2.5 * n + 20 * again, f"u-{n}", OFFICE) for again in range(1 + n % 2)]
        day.append(login(2.5 * n + 40, f"u-{n}", OFFICE))
    day.sort(key=lambda row: row[0])
    assert not found(*day)
    assert found(*[row for row in day if row[2].outcome == "failure"])
    elsewhere = [row if row[2].outcome == "failure" else (*row[:4], "192.0.2.9", *row[5:]) for row in day]
    assert found(*elsewhere)


def test_logins_of_others_do_not_hide_it() -> None:
    hidden = [each for n in range(60) for each in (wrong(10 * n, f"u-{n}"), login(10 * n + 1, "mine"))]
    assert found(*hidden)


def test_a_token_for_one_of_the_users_makes_it_worse() -> None:
    tried = spray(30, 30)
    assert severities(found(*tried, login(700, "u-3", "203.0.113.0"))) == [Severity.HIGH]
    assert severities(found(*tried, login(700, "u-3", OFFICE), login(700, "u-99", "203.0.113.0"))) == [Severity.MEDIUM]


def test_a_pause_ends_it() -> None:
    again = [wrong(5000 + 20 * n, f"u-{n}", "203.0.113.0") for n in range(30)]
    assert [finding.events for finding in found(*spray(30, 30), *again)] == [30, 30]


def test_late_tries_count_while_they_are_in_the_window() -> None:
    tried = [wrong(1000 + n, f"u-{n}") for n in range(49)]
    assert found(*tried, wrong(1048 - 900, "u-49"))
    assert not found(*tried, wrong(1047 - 900, "u-49"))


def test_who_failed_is_known_after_a_restart() -> None:
    before = [wrong(2 * n, f"u-{n}") for n in range(40)]
    after = [*[login(90 + n, f"u-{n}") for n in range(20)], *[wrong(200 + n, f"u-{40 + n}") for n in range(3)]]
    detector, memory = Spray(SprayOptions()), dict[str, bytes]()
    last_words(detector, *before)
    saved(detector, memory)
    again = Spray(SprayOptions())
    again.restore(memory)
    assert not last_words(again, *after)
    assert found(*before, *after[-3:])


def test_who_failed_is_no_longer_than_what_is_remembered() -> None:
    detector = Spray(SprayOptions())
    for hour in range(8):
        last_words(detector, *[wrong(7200 * hour + n, f"u-{hour}-{n}", f"203.0.113.{n % 250}") for n in range(600)])
    assert len(detector._failed) < 4000
