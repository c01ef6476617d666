"""A flood of new clients: what it must find, and what looks like it and is none."""

from collections.abc import Iterable

from ingestor.detectors.new_clients import MOST_REALMS, NewClients, NewClientsOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

DAY = 86_400
LATER = 10 * DAY


def first(second: float, client: str, realm: str = "", ip: str = "198.51.100.7") -> EventRow:
    return event("token.issued.client_credentials", second, client, realm=realm, ip=ip, event_id=client)


def refused(second: float, client: str, error: str = "invalid_client") -> EventRow:
    return event("token.validation_failed", second, client, error=error, ip="198.51.100.7")


def days(count: int = 10) -> list[EventRow]:
    """Return ordinary days with 40 clients."""
    return [event("token.refreshed", day * DAY + n, f"app-{n}") for day in range(count) for n in range(40)]


def flood(count: int, second: float = LATER, apart: float = 60, name: str = "new") -> list[EventRow]:
    return [first(second + n * apart, f"{name}-{n}") for n in range(count)]


def addresses(count: int, second: float = LATER) -> list[EventRow]:
    return [refused(second + n, f"http://10.0.0.{n}/client.json") for n in range(count)]


def found(*events: EventRow, options: NewClientsOptions | None = None) -> list[Finding]:
    return last_words(NewClients(options or NewClientsOptions()), *events)


def test_fifteen_new_clients_within_an_hour_are_medium() -> None:
    assert not found(*days(), *flood(14))
    (finding,) = found(*days(), *flood(15))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.MEDIUM, "", 15)
    assert (finding.first_seen_ms, finding.last_seen_ms) == (START_MS + LATER * 1000, START_MS + (LATER + 840) * 1000)
    assert (len(finding.clients), finding.ips, finding.event_ids[0]) == (15, ("198.51.100.7",), "new-0")
    assert severities(found(*days(), *flood(100))) == [Severity.MEDIUM]
    assert found(*days(), *flood(15, apart=240))
    assert not found(*days(), *flood(99, apart=260))


def test_refused_addresses_are_medium_and_high_among_many_new_clients() -> None:
    assert not found(*days(), *addresses(4))
    assert severities(found(*days(), *addresses(5))) == [Severity.MEDIUM]
    assert severities(found(*days(), *addresses(30))) == [Severity.HIGH]
    assert severities(found(*days(), *flood(11), *addresses(4, LATER + 700))) == [Severity.MEDIUM]
    assert severities(found(*days(), *flood(10), *addresses(5, LATER + 700))) == [Severity.HIGH]


def test_the_same_refused_address_and_other_refused_ids_do_not_count() -> None:
    assert not found(*days(), *[refused(LATER + n, "https://client.example/id") for n in range(99)])
    assert not found(*days(), *[refused(LATER + n, f"invented-{n}") for n in range(99)])
    assert not found(*days(), *[refused(LATER + n, f"https://client.example/{n}", "invalid_scope") for n in range(99)])
    assert not found(*days(), *[refused(LATER + n, "") for n in range(99)])


def test_a_first_start_learns() -> None:
    assert not found(*flood(500, apart=1))
    assert not found(*days(6), *flood(500, 6 * DAY + 100))
    assert found(*days(7), *flood(500, 7 * DAY))


def test_clients_that_were_seen_within_14_days_are_not_new() -> None:
    monthly = [*flood(30, 0), *days(40)]
    assert not found(*[each for each in monthly if each[0] < START_MS + 14 * DAY * 1000], *flood(30, 14 * DAY))
    assert found(*[each for each in monthly if each[0] < START_MS + 16 * DAY * 1000], *flood(30, 16 * DAY))


def test_where_each_installation_is_a_client_as_many_as_usual_are_nothing() -> None:
    installed = [first(day * DAY + n * 100, f"phone-{day}-{n}") for day in range(8, 22) for n in range(200)]
    everything = sorted([*days(30), *installed], key=lambda row: row[0])
    usual = [first(22 * DAY + n * 100, f"phone-22-{n}") for n in range(200)]
    learning = found(*everything)
    assert found(*everything, *usual) == learning
    assert len(found(*everything, *flood(100, 23 * DAY, apart=30))) == len(learning) + 1


def test_realms_are_apart() -> None:
    split = [first(LATER + n, f"new-{n}", realm=f"realm-{n % 2}") for n in range(28)]
    assert not found(*days(), *split)
    assert [
        each.realm for each in found(*days(), *[first(LATER + n, f"new-{n}", realm="acme") for n in range(15)])
    ] == ["acme"]


def test_it_grows_and_a_pause_ends_it() -> None:
    more = flood(20, LATER + 2000, name="more")
    assert [each.events for each in found(*days(), *flood(15), *more)] == [35]
    later = flood(20, LATER + 2 * 3600, name="later")
    assert [each.events for each in found(*days(), *flood(15), *later)] == [15, 20]


def test_late_events_count_within_the_hour() -> None:
    start = flood(14)
    assert found(*days(), *start, first(LATER - 600, "late"))
    assert not found(*days(), *start, first(LATER - 3600, "late"))
    assert not found(*days(), *flood(3, LATER + 9 * 3600, name="other"), *start, first(LATER, "late"))


def test_an_event_of_1970_or_of_tomorrow_is_one_day() -> None:
    for odd in (first(-START_MS / 1000, "odd"), first(8 * DAY, "odd")):
        assert not found(odd, *days(6), *flood(99, 5 * DAY + 100))


def test_who_is_allowed_is_left_out() -> None:
    assert not found(*days(), *flood(99), options=NewClientsOptions(networks=("198.51.100.0/24",)))
    off = NewClientsOptions(enabled=False)
    clients = {("", f"new-{n}"): off for n in range(90)}
    assert not found(*days(), *flood(99), options=NewClientsOptions(clients=clients))


def clients(count: int) -> Iterable[EventRow]:
    return (first(LATER + n / 1000, f"n-{n}", f"realm-{n % 300}") for n in range(count))


def test_memory_is_bounded_and_changes_with_new_clients_alone() -> None:
    detector, memory = NewClients(NewClientsOptions()), dict[str, bytes]()
    last_words(detector, *days())
    saved(detector, memory)
    last_words(detector, *days())
    assert saved(detector, memory) == 0
    last_words(detector, *clients(70_000))
    saved(detector, memory)
    assert sum(name.startswith("realm") for name in memory) == MOST_REALMS
    assert sum(len(piece) for name, piece in memory.items() if name.startswith("seen")) < 65_536 * 8
