"""Phishing with device codes: what it must find, and what looks like it and is none."""

import pytest

from ingestor.detectors.device_code_phishing import DeviceCodePhishing, DeviceCodePhishingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

DAY = 86_400
LATER = 15 * DAY
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.7"


def device(second: float, user: str | None = "alice", ip: str = ELSEWHERE, client: str = "cli") -> EventRow:
    return event("token.issued.device_code", second, client, user=user, ip=ip, event_id=f"{user}-{second}")


def present(second: float, user: str = "alice", ip: str = HOME, action: str = "token.refreshed") -> EventRow:
    return event(action, second, "web", user=user, ip=ip)


def weeks(*users: str, days: int = 15) -> list[EventRow]:
    """Return two ordinary weeks in which users are at home."""
    return [present(day * DAY + n, user) for day in range(days) for n, user in enumerate(users or ("alice",))]


def found(*events: EventRow, options: DeviceCodePhishingOptions | None = None) -> list[Finding]:
    return last_words(DeviceCodePhishing(options or DeviceCodePhishingOptions()), *events)


def test_a_first_device_is_low_one_elsewhere_is_low_and_both_together_are_high() -> None:
    (finding,) = found(*weeks(), device(LATER))
    assert (finding.severity, finding.client_id, finding.user_id, finding.events) == (Severity.HIGH, "cli", "alice", 1)
    assert (finding.ips, finding.event_ids) == ((ELSEWHERE,), (f"alice-{LATER}",))
    assert finding.first_seen_ms == START_MS + LATER * 1000
    assert severities(found(*weeks(), device(LATER, ip=HOME))) == [Severity.LOW]
    again = device(LATER - 5 * DAY, ip=HOME), device(LATER)
    assert severities(found(*weeks(days=10), again[0], *weeks(), again[1])) == [Severity.LOW]


def test_a_device_on_the_network_of_the_user_is_not_elsewhere() -> None:
    assert severities(found(*weeks(), device(LATER, ip="203.0.113.200"))) == [Severity.LOW]
    at_work = [
        present(day * DAY + 99, ip="198.51.100.1", action="token.issued.authorization_code") for day in range(15)
    ]
    assert severities(found(*weeks(), *at_work, device(LATER))) == [Severity.LOW]


def test_who_is_known_on_the_other_kind_of_address_only_may_be_at_home() -> None:
    assert severities(found(*weeks(), device(LATER, ip="2001:db8:1::1"))) == [Severity.LOW]
    assert severities(found(*weeks(), present(LATER, ip="2001:db8:2::1"), device(LATER, ip="2001:db8:1::1"))) == [
        Severity.HIGH
    ]


def test_of_users_of_whom_nothing_else_is_known_only_the_first_device_is_told() -> None:
    assert severities(found(*weeks("bob"), device(LATER))) == [Severity.LOW]
    assert severities(found(*weeks(days=1), device(LATER))) == []
    assert not found(*weeks("bob"), device(LATER, user=None))


def test_it_has_to_be_learned_who_has_devices() -> None:
    start = weeks(days=14)
    assert severities(found(*start, device(13 * DAY + 9))) == [Severity.LOW]
    assert not found(*start, device(13 * DAY + 9, ip=HOME))
    assert severities(found(*weeks(days=15), device(14 * DAY + 9))) == [Severity.HIGH]


def test_a_device_is_known_for_14_days() -> None:
    daily = weeks(days=40)
    before = [each for each in daily if each[0] < START_MS + 20 * DAY * 1000]
    assert severities(found(*before, device(20 * DAY, ip=HOME))) == [Severity.LOW]
    for apart, events in ((14, 1), (15, 2)):
        rest = [each for each in daily if START_MS + 20 * DAY * 1000 <= each[0] < START_MS + (20 + apart) * DAY * 1000]
        devices = found(*before, device(20 * DAY, ip=HOME), *rest, device((20 + apart) * DAY, ip=HOME))
        assert len(devices) == events


def televisions() -> list[EventRow]:
    """Return 20 days on which users of televisions have their first devices at home."""
    homes = {f"tv-{n}": f"203.0.{n}.7" for n in range(60)}
    shown = []
    for day in range(20):
        shown += [present(day * DAY + n, user, ip) for n, (user, ip) in enumerate(homes.items())]
        shown += [device(day * DAY + 3600, user, homes[user], "tv") for user in list(homes)[3 * day : 3 * day + 3]]
        shown.append(present(day * DAY, "bob", HOME))
    return shown


def test_where_users_have_first_devices_all_the_time_these_are_nothing() -> None:
    usual, late = televisions(), 19 * DAY + 7200
    start = len(found(*usual))
    assert len(found(*usual, device(late, "bob", HOME, "tv"))) == start
    assert len(found(*usual, device(late, "bob", ELSEWHERE, "tv"))) == start
    assert len(found(*usual, device(late, "bob", ELSEWHERE, "cli"))) == start + 1


def test_a_device_that_is_none_of_the_client_is_medium_even_there() -> None:
    usual, late = televisions(), 19 * DAY + 7200
    start = len(found(*usual))
    script, update = (
        event("token.issued.device_code", late, "tv", user="bob", ip=ELSEWHERE, agent=agent)
        for agent in ("python-requests/2.32", "curl/9.1")
    )
    assert severities(found(*usual, script))[start:] == [Severity.MEDIUM]
    assert not severities(found(*usual, update))[start:]
    at_home = event("token.issued.device_code", late, "tv", user="bob", ip=HOME, agent="NewTV/1")
    assert not severities(found(*usual, at_home))[start:]


def test_several_users_on_one_network_are_one_incident_and_worse_even_where_it_is_routine() -> None:
    users = [f"victim-{n}" for n in range(5)]
    phished = [device(LATER + 600 * n, user) for n, user in enumerate(users)]
    (finding,) = found(*weeks(*users), *phished)
    assert (finding.severity, finding.events, finding.user_id) == (Severity.HIGH, 5, None)
    routine = DeviceCodePhishingOptions(routine=1)
    days = [device(day * DAY + 9, f"tv-{day}", f"203.0.{day}.7") for day in (12, 13, 14)]
    quiet = [*weeks(*users), *days]
    start = len(found(*quiet, options=routine))
    assert not found(*quiet, *phished[:2], options=routine)[start:]
    (worse,) = found(*quiet, *phished[:3], options=routine)[start:]
    assert (worse.severity, worse.events) == (Severity.MEDIUM, 3)


def test_a_pause_ends_it() -> None:
    users = ["alice", "bob"]
    told = found(*weeks(*users, days=18), device(LATER, "alice"), device(LATER + DAY + 1, "bob"))
    assert [finding.events for finding in told] == [1, 1]


def test_late_events_are_judged_by_what_was_read_before() -> None:
    assert severities(found(*weeks(), device(LATER - 3 * DAY))) == [Severity.HIGH]
    assert severities(found(*weeks(), present(LATER - DAY, ip=ELSEWHERE), device(LATER))) == [Severity.LOW]


@pytest.mark.parametrize("odd", [-START_MS / 1000, 16 * DAY])
def test_one_event_of_1970_or_of_tomorrow_is_one_day(odd: float) -> None:
    assert severities(found(present(odd, "bob"), *weeks(days=13), device(13 * DAY))) == [Severity.LOW]


def test_who_is_allowed_is_left_out() -> None:
    off = DeviceCodePhishingOptions(clients={("", "cli"): DeviceCodePhishingOptions(enabled=False)})
    assert not found(*weeks(), device(LATER), options=off)
    assert not found(*weeks(), device(LATER), options=DeviceCodePhishingOptions(networks=("198.51.100.0/24",)))
    browser = DeviceCodePhishingOptions(user_agents=("Firefox/*",))
    at_home = [
        event("token.refreshed", LATER + n, user="alice", ip=ELSEWHERE, agent=("Firefox/1", "App/1")[n]) for n in (0, 1)
    ]
    assert severities(found(*weeks(), at_home[0], device(LATER + 9), options=browser)) == [Severity.HIGH]
    assert severities(found(*weeks(), *at_home, device(LATER + 9), options=browser)) == [Severity.LOW]


def test_memory_is_bounded_and_changes_with_new_days_alone() -> None:
    detector, memory = DeviceCodePhishing(DeviceCodePhishingOptions()), dict[str, bytes]()
    last_words(detector, *weeks(days=2))
    saved(detector, memory)
    last_words(detector, *weeks(days=2))
    assert saved(detector, memory) == 0
    last_words(detector, *[device(n / 100, f"u-{n}", f"10.0.{n % 250}.1", f"c-{n}") for n in range(50_000)])
    saved(detector, memory)
    assert sum(name.startswith("first") for name in memory) == 1000
    assert sum(map(len, memory.values())) < 1_600_000
