"""Sharing of one user's tokens: what it must find, and what looks like it and is none."""

from ingestor.detectors.token_sharing import MOST_ROAMING, TokenSharing, TokenSharingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities

HOUR = 3600
AGENTS = (
    "Firefox/1",
    "Chrome/1",
    "Safari/1",
    "App/1 (iPhone)",
    "App/1 (Pixel)",
    "curl/1",
    "okhttp/1",
    "node",
    "axios/1",
)


def refresh(
    second: float, network: int = 0, agent: str | None = "App/1", user: str | None = "alice", client: str = "app"
) -> EventRow:
    ip = f"203.0.{network}.7"
    return event("token.refreshed", second, client, user=user, ip=ip, agent=agent, event_id=f"e{second}")


def places(networks: int, agents: int, *, apart: float = 60) -> list[EventRow]:
    """Return refreshes from so many networks and agents, each as often as the other allows."""
    return [refresh(n * apart, n % networks, AGENTS[n % agents]) for n in range(max(networks, agents))]


def found(*events: EventRow, options: TokenSharingOptions | None = None) -> list[Finding]:
    return last_words(TokenSharing(options or TokenSharingOptions()), *events)


def test_many_networks_and_many_agents_are_medium() -> None:
    assert not found(*places(5, 3))
    assert not found(*places(4, 4))
    (finding,) = found(*places(5, 4))
    assert (finding.severity, finding.client_id, finding.user_id, finding.events) == (
        Severity.MEDIUM,
        "app",
        "alice",
        4,
    )
    assert (finding.first_seen_ms, finding.last_seen_ms) == (START_MS + 60_000, START_MS + 240_000)
    assert finding.ips == ("203.0.1.7", "203.0.2.7", "203.0.3.7", "203.0.4.7")
    assert len(finding.user_agents) == 4
    assert finding.event_ids == ("e60", "e120", "e180", "e240")


def test_very_many_of_one_kind_are_low_and_of_both_high() -> None:
    assert not found(*places(11, 1))
    assert severities(found(*places(12, 1))) == [Severity.LOW]
    assert not found(*places(1, 7))
    assert severities(found(*places(1, 8))) == [Severity.LOW]
    assert severities(found(*places(12, 7))) == [Severity.MEDIUM]
    assert severities(found(*places(12, 8))) == [Severity.HIGH]


def test_a_phone_and_an_update_are_harmless() -> None:
    commuter = [refresh(n * 900, n % 11, f"App/{n}.0 (iPhone; iOS 18.{n})") for n in range(96)]
    assert not found(*commuter)
    household = [refresh(n * 900, 0, AGENTS[n % 7]) for n in range(96)]
    assert not found(*household)
    neighbours = [
        event("token.refreshed", n, user="alice", ip=f"203.0.113.{n}", agent=AGENTS[n % 7]) for n in range(99)
    ]
    assert not found(*neighbours)


def test_users_behind_one_address_are_different_users() -> None:
    office = [
        event("token.refreshed", n, user=f"u-{n % 2000}", ip="203.0.113.1", agent=AGENTS[n % 9]) for n in range(4000)
    ]
    assert not found(*office)
    assert not found(*[refresh(n, n, AGENTS[n % 9], user=None) for n in range(99)])
    assert not found(*[refresh(n, n, AGENTS[n % 9], client=f"app-{n}") for n in range(99)])


def test_a_place_counts_for_24_hours() -> None:
    assert not found(*places(5, 4, apart=8 * HOUR))
    assert severities(found(*places(5, 4, apart=8 * HOUR - 1))) == [Severity.MEDIUM]
    assert severities(found(refresh(-20 * HOUR), *places(5, 4))) == [Severity.MEDIUM]


def test_what_was_there_yesterday_is_no_new_place() -> None:
    week = [each for day in range(7) for each in (refresh(day * 86_400 + n, n % 4, AGENTS[n % 3]) for n in range(12))]
    assert not found(*week, refresh(6 * 86_400 + 60, 4, AGENTS[3]))


def test_it_grows_and_a_pause_ends_it() -> None:
    more = [refresh(10 * HOUR, 77), refresh(60 * HOUR, 78)]
    assert [finding.events for finding in found(*places(5, 4), *more)] == [5]
    again = [refresh(80 * HOUR + n, 100 + n % 5, AGENTS[n % 4]) for n in range(5)]
    assert [finding.events for finding in found(*places(5, 4), *again)] == [4, 4]


def test_late_events_count() -> None:
    assert severities(found(*reversed(places(5, 4)))) == [Severity.MEDIUM]
    assert not found(*places(5, 4)[:4], refresh(-3 * 24 * HOUR, 9, AGENTS[8]))


def test_without_agents_it_is_low() -> None:
    assert severities(found(*[refresh(n, n, None) for n in range(40)])) == [Severity.LOW]


def test_who_is_allowed_is_left_out() -> None:
    off = TokenSharingOptions(clients={("", "app"): TokenSharingOptions(enabled=False)})
    assert not found(*places(12, 8), options=off)
    assert not found(*places(12, 8), options=TokenSharingOptions(networks=("203.0.0.0/16",)))


def test_memory_is_bounded_and_changes_with_new_places_alone() -> None:
    detector, memory = TokenSharing(TokenSharingOptions()), dict[str, bytes]()
    last_words(detector, *places(5, 4))
    saved(detector, memory)
    last_words(detector, *places(5, 4))
    assert saved(detector, memory) == 0
    users = [refresh(n / 100, n % 2, "App/1", f"u-{n // 2}") for n in range(100_000)]
    last_words(detector, *users)
    saved(detector, memory)
    assert sum(name.startswith("roaming") for name in memory) == MOST_ROAMING
    assert sum(map(len, memory.values())) < 1_400_000
