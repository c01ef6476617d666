"""What is new of a confidential client: what it must find, and what looks like it and is none."""

from collections.abc import Iterable

from ingestor.detectors.new_for_client import NewForClient, NewForClientOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

DAY = 86_400
GRANT = "token.issued.client_credentials"
HOME = "198.51.100.9"


def token(
    second: float, ip: str = HOME, agent: str = "billing/1.0", client: str = "app", action: str = GRANT
) -> EventRow:
    return event(action, second, client, ip=ip, agent=agent)


def days(count: int, client: str = "app") -> list[EventRow]:
    """Return a month of ordinary nights, or less."""
    return [token(day * DAY + hour * 3600, client=client) for day in range(count) for hour in range(3)]


def found(*events: EventRow, options: NewForClientOptions | None = None) -> list[Finding]:
    return last_words(NewForClient(options or NewForClientOptions()), *events)


def learned(*events: EventRow, clients: Iterable[str] = ("app",)) -> list[Finding]:
    """Return what is found of events after two ordinary weeks."""
    return found(*(each for client in clients for each in days(14, client)), *events)


def test_the_more_is_new_the_worse_it_is() -> None:
    other = 14 * DAY
    (finding,) = learned(token(other, "203.0.113.7"))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 1)
    assert (finding.ips, finding.user_agents) == (("203.0.113.7",), ("billing/1.0",))
    assert finding.first_seen_ms == START_MS + other * 1000
    assert severities(learned(token(other, agent="curl/8"))) == [Severity.LOW]
    assert severities(learned(token(other, action="token.issued.token_exchange"))) == [Severity.LOW]
    assert severities(learned(token(other, "203.0.113.7", "curl/8"))) == [Severity.MEDIUM]
    exchange = token(other, "203.0.113.7", "curl/8", action="token.issued.token_exchange")
    assert severities(learned(exchange)) == [Severity.HIGH]


def test_an_incident_grows_with_what_is_new_and_ends_with_a_pause() -> None:
    first, second = 14 * DAY, 14 * DAY + 3600
    grown = learned(token(first, "203.0.113.7"), token(first + 1, "203.0.113.7"), token(second, "192.0.2.7"))
    assert [(finding.events, finding.ips) for finding in grown] == [(2, ("203.0.113.7", "192.0.2.7"))]
    assert len(learned(token(first, "203.0.113.7"), token(second + 1, "192.0.2.7"))) == 2


def test_it_has_to_be_learned() -> None:
    other = token(8 * DAY, "203.0.113.7")
    assert not found(*days(6), other)
    assert found(*days(7), other)
    assert not found(*days(7), other, options=NewForClientOptions(learning_days=8))


def test_what_was_seen_within_14_days_is_known() -> None:
    again = token(0, "203.0.113.7"), *days(15)
    assert not found(*again, token(14 * DAY + 9000, "203.0.113.9"))
    assert found(*again, token(15 * DAY + 9000, "203.0.113.9"))


def test_a_client_that_was_away_is_learned_anew() -> None:
    assert not found(*days(14), token(40 * DAY, "203.0.113.7"))


def test_a_neighbour_and_an_update_are_not_new() -> None:
    assert not learned(token(14 * DAY, "198.51.100.77", "billing/2.14.1"))
    v6 = [token(day * DAY, "2001:db8:1:2::3") for day in range(14)]
    assert not found(*v6, token(14 * DAY, "2001:db8:1:ffff::1"))
    assert found(*v6, token(14 * DAY, "2001:db8:2::1"))


def test_a_public_client_has_no_habits() -> None:
    public = [token(day * DAY, f"203.0.{day}.7", action="token.refreshed") for day in range(30)]
    assert not found(*public)
    first_secret = token(30 * DAY)
    assert not found(*public, first_secret, token(30 * DAY + 1, "203.0.113.7", action="token.refreshed"))


def test_a_client_that_comes_from_everywhere_has_no_new_network() -> None:
    everywhere = [token(day * DAY + n, f"203.0.{n}.7", f"agent-{n % 3}/1") for day in range(14) for n in range(30)]
    later = [token(14 * DAY + n, f"192.0.{n}.7", "curl/8") for n in range(30)]
    assert not found(*everywhere, *later)
    assert severities(found(*everywhere, token(14 * DAY, action="token.issued.jwt_bearer"))) == [Severity.LOW]


def test_a_deployment_of_many_clients_is_low() -> None:
    clients = [f"app-{n}" for n in range(10)]
    agents = [token(14 * DAY + 60 * n, agent="new-sdk/1", client=client) for n, client in enumerate(clients)]
    moved = [token(14 * DAY + 60 * n, "203.0.113.7", "new-sdk/1", client=client) for n, client in enumerate(clients)]
    assert severities(learned(*agents, clients=clients)) == [Severity.LOW] * 10
    assert severities(learned(*moved, clients=clients)) == [Severity.LOW] * 10
    assert severities(learned(*moved[:3], clients=clients)) == [Severity.MEDIUM] * 3
    slowly = [token(14 * DAY + 1300 * n, "203.0.113.7", "sdk/1", client=client) for n, client in enumerate(clients)]
    assert severities(learned(*slowly, clients=clients)) == [Severity.MEDIUM] * 10


def test_a_late_event_is_known_by_what_came_later_and_too_old_ones_tell_nothing() -> None:
    assert not learned(token(13 * DAY - 7200))
    assert learned(token(13 * DAY, "203.0.113.7"))
    assert not learned(event(GRANT, -40 * DAY, ip="203.0.113.7", agent="curl/8"))


def test_one_event_of_1970_or_of_tomorrow_changes_nothing() -> None:
    odd = [event(GRANT, -START_MS / 1000, ip=HOME, agent="billing/1.0"), token(DAY)]
    assert not found(*odd, *days(6), token(6 * DAY, "203.0.113.7"))
    assert not found(*days(3), token(20 * DAY), *days(10))


def test_who_is_allowed_is_left_out() -> None:
    stranger = token(14 * DAY, "203.0.113.7", "curl/8")
    other = NewForClientOptions(clients={("", "app"): NewForClientOptions(enabled=False)})
    for options in (
        NewForClientOptions(networks=("203.0.113.0/24",)),
        NewForClientOptions(user_agents=("curl/*",)),
        other,
    ):
        assert not found(*days(14), stranger, options=options)


def test_memory_is_bounded_and_changes_once_a_day() -> None:
    detector, memory = NewForClient(NewForClientOptions()), dict[str, bytes]()
    last_words(detector, *days(1))
    saved(detector, memory)
    last_words(detector, *days(1), *days(1))
    assert saved(detector, memory) == 0
    last_words(detector, *days(2))
    assert 0 < saved(detector, memory) < 300
    last_words(
        detector,
        *[token(2 * DAY + n, f"10.{n % 250}.{n // 250}.1", f"a{'b' * (n % 99)}", f"c-{n}") for n in range(5000)],
    )
    saved(detector, memory)
    assert len(memory) <= 6000
