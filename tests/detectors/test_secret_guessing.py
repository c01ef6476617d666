"""Guessing of secrets: what it must find, and what looks like it and is none."""

from ingestor.detectors.contract import ObservedEvents
from ingestor.detectors.secret_guessing import SecretGuessing, SecretGuessingOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import event


def failure(second: float, ip: str = "203.0.113.7", client_id: str = "app", error: str = "invalid_client") -> EventRow:
    return event("token.validation_failed", second, client_id, error=error, ip=ip)


def found(*events: EventRow, options: SecretGuessingOptions | None = None) -> list[Finding]:
    detector = SecretGuessing(options or SecretGuessingOptions())
    return list(
        detector.observe(
            ObservedEvents("audit.log", [each for each in events if each[2].action in detector.actions], events)
        )
    )


def test_many_addresses_take_turns() -> None:
    guesses = [failure(60 * n, f"203.0.113.{n % 5}") for n in range(10)]
    assert not found(*guesses[:9])
    (finding,) = found(*guesses)
    assert (finding.severity, finding.client_id, finding.events, len(finding.ips)) == (Severity.HIGH, "app", 10, 5)


def test_one_address_does_not_give_up() -> None:
    assert not found(*[failure(n) for n in range(29)])
    (finding,) = found(*[failure(n) for n in range(30)])
    assert (finding.severity, finding.ips) == (Severity.MEDIUM, ("203.0.113.7",))


def test_guesses_too_far_apart_and_of_others_do_not_count() -> None:
    addresses = [f"203.0.113.{n}" for n in range(20)]
    assert not found(*[failure(400 * n, ip) for n, ip in enumerate(addresses)])
    assert not found(*[failure(n, ip, client_id=f"app-{n % 3}") for n, ip in enumerate(addresses)])
    assert not found(*[failure(n, ip, error="invalid_grant") for n, ip in enumerate(addresses)])
    assert not found(*[failure(n, ip, client_id="") for n, ip in enumerate(addresses)])


def test_a_token_for_one_of_them_makes_it_worse() -> None:
    guesses = [failure(60 * n, f"203.0.113.{n % 5}") for n in range(10)]
    stranger = event("token.issued.client_credentials", 700, ip="198.51.100.1")
    guesser = event("token.issued.client_credentials", 900, ip="203.0.113.4")
    too_late = event("token.issued.client_credentials", 540 + 3 * 3600 + 1, ip="203.0.113.4")
    assert [finding.severity for finding in found(*guesses, stranger)] == [Severity.HIGH]
    assert [finding.severity for finding in found(*guesses, stranger, guesser)] == [Severity.CRITICAL]
    assert [finding.severity for finding in found(*guesses, too_late, guesser)] == [Severity.HIGH]


def test_the_success_belongs_to_the_finding_and_is_not_counted() -> None:
    guesses = [failure(60 * n, f"203.0.113.{n % 5}") for n in range(10)]
    success = event("token.issued.client_credentials", 900, ip="203.0.113.4", agent="okhttp/4", event_id="the-success")
    (before,), (after,) = found(*guesses), found(*guesses, success)
    assert (after.events, after.first_seen_ms) == (before.events, before.first_seen_ms)
    assert (before.last_seen_ms, after.last_seen_ms) == (guesses[-1][0], success[0])
    assert after.event_ids == (*before.event_ids, "the-success")
    assert after.user_agents == (*before.user_agents, "okhttp/4")
    assert after.ips == before.ips


def test_a_success_is_among_the_examples_however_many_there_are() -> None:
    guesses = [(*row[:8], f"guess-{n}", None) for n, row in enumerate(failure(n) for n in range(40))]
    success = event("token.issued.client_credentials", 900, event_id="the-success")
    (finding,) = found(*guesses, success)
    assert (len(finding.event_ids), finding.event_ids[-1]) == (20, "the-success")


def test_a_pause_ends_it() -> None:
    first = [failure(n) for n in range(40)]
    second = [failure(4000 + n) for n in range(40)]
    assert [finding.events for finding in found(*first, *second)] == [40, 40]


def test_a_client_that_fails_where_it_gets_tokens_is_itself() -> None:
    home = [event("token.issued.client_credentials", n, ip=f"10.0.{n}.1") for n in range(6)]
    guesses = [failure(60 + n, f"10.0.{n % 6}.9") for n in range(60)]
    assert found(*guesses)
    assert not found(*home, *guesses)
    assert not found(*home, *[failure(60 + n, "10.0.0.1") for n in range(100)])
    assert found(*home, *[failure(60 + n, f"10.1.{n % 6}.9") for n in range(60)])
    other = [event("token.issued.client_credentials", n, "other", ip=f"10.0.{n}.1") for n in range(6)]
    assert found(*other, *guesses)


def test_an_app_that_is_everywhere_is_at_home_nowhere() -> None:
    phones = [event("token.issued.authorization_code", n, ip=f"10.{n}.0.1") for n in range(60)]
    guesses = [failure(600 + n, f"10.{n % 60}.0.1") for n in range(60)]
    assert found(*phones, *guesses)


def test_who_is_allowed_is_left_out() -> None:
    guesses = [failure(n, f"10.0.0.{n % 5}") for n in range(40)]
    assert found(*guesses)
    assert not found(*guesses, options=SecretGuessingOptions(networks=("10.0.0.0/8",)))
    assert not found(*guesses, options=SecretGuessingOptions(user_agents=("curl/*",)))
    of_app = SecretGuessingOptions(failures=100, many_failures=100)
    assert not found(*guesses, options=SecretGuessingOptions(clients={("", "app"): of_app}))
    assert found(*guesses, options=SecretGuessingOptions(clients={("", "other"): of_app}))
