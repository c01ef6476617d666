"""Bursts of tokens, as one flood of two: what counts, what is late, and what is over."""

from ingestor.detectors.token_burst import TokenBurst, TokenBurstOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.detectors.cases.token_burst import token
from tests.support.detecting import last_words, saved

HOUR = 3600


def found(*events: EventRow, options: TokenBurstOptions | None = None) -> list[Finding]:
    return last_words(TokenBurst(options or TokenBurstOptions()), *events)


def burst(minute: int, tokens: int = 300, client: str = "app") -> list[EventRow]:
    return [token(60 * minute + n * 59 / tokens, client) for n in range(tokens)]


def test_so_many_in_a_minute() -> None:
    assert not found(*burst(1, 299))
    (finding,) = found(*burst(1, 300))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 300)
    assert (finding.first_seen_ms, finding.ips) == (START_MS + 60_000, ("203.0.113.7",))
    assert found(*burst(1, 5), options=TokenBurstOptions(tokens=5))


def test_all_of_the_minutes_with_too_many_belong_to_it() -> None:
    (finding,) = found(*burst(1, 500), *burst(2, 100), *burst(3, 400))
    assert (finding.events, finding.last_seen_ms) == (900, burst(3, 400)[-1][0])
    assert len(finding.event_ids) == 20


def test_others_do_not_count() -> None:
    assert not found(*[token(60 + n / 10, f"app-{n % 2}") for n in range(598)])
    assert not found(*[event("token.refreshed", 60 + n / 100) for n in range(500)])
    assert not found(*[token(n) for n in range(5000)])


def test_an_hour_without_one_ends_it() -> None:
    assert [finding.events for finding in found(*burst(0), *burst(60))] == [600]
    assert [finding.events for finding in found(*burst(0), *burst(62))] == [300, 300]
    usual = [token(60 * n + 5) for n in range(1, 62)]
    assert [finding.events for finding in found(*burst(0), *usual, *burst(62))] == [300, 300]


def test_what_is_late_does_not_count_and_a_wrong_clock_does_not_blind_it() -> None:
    assert not found(*burst(9, 299), token(8 * 60), token(HOUR / 10))
    assert found(*burst(9, 299), token(9 * 60))
    (finding,) = found(token(20 * HOUR), *burst(1))
    assert finding.events == 300


def test_who_is_allowed_is_left_out() -> None:
    assert not found(*burst(1), options=TokenBurstOptions(networks=("203.0.113.0/24",)))
    of_app = TokenBurstOptions(tokens=400)
    assert not found(*burst(1), options=TokenBurstOptions(clients={("", "app"): of_app}))
    assert found(*burst(1, client="other"), options=TokenBurstOptions(clients={("", "app"): of_app}))


def test_what_it_remembers_is_small() -> None:
    detector, memory = TokenBurst(TokenBurstOptions()), dict[str, bytes]()
    last_words(detector, *burst(1, 10_000))
    assert saved(detector, memory) < 3000
    for n in range(6000):
        last_words(detector, token(120 + n / 1000, f"app-{n}"))
    saved(detector, memory)
    assert len(memory) == 5000
