"""Volume against a client's own norm: what it must find, and what looks like it and is none."""

from ingestor.detectors.volume_anomaly import MOST_CLIENTS, VolumeAnomaly, VolumeAnomalyOptions
from ingestor.model.finding import Finding, Severity
from parsers.contract import EventRow
from tests.detectors.cases.made import START_MS, event
from tests.support.detecting import last_words, saved, severities, told

HOUR = 3600
WEEK = 7 * 24 * HOUR


def tokens(count: int, second: float, client: str = "app") -> list[EventRow]:
    """Return so many tokens within half an hour."""
    return [
        event("token.issued.client_credentials", second + n * 1800 / count, client, event_id=f"{client}-{second}-{n}")
        for n in range(count)
    ]


def usual(*weeks: int, client: str = "app") -> list[EventRow]:
    """Return so many tokens at the same hour of each week, and one an hour later."""
    return [
        each
        for week, count in enumerate(weeks)
        for each in (*tokens(count, week * WEEK, client), *tokens(1, week * WEEK + HOUR, client))
    ]


def found(*events: EventRow, options: VolumeAnomalyOptions | None = None) -> list[Finding]:
    return told(VolumeAnomaly(options or VolumeAnomalyOptions()), events)


def after(*events: EventRow) -> list[Finding]:
    """Return what is found after four weeks with 100 tokens at this hour."""
    return found(*usual(100, 100, 100, 100), *events)


def test_more_than_twice_the_usual_is_low_and_more_than_twice_of_that_is_medium() -> None:
    then = 4 * WEEK
    assert not after(*tokens(200, then))
    (finding,) = after(*tokens(201, then))
    assert (finding.severity, finding.client_id, finding.events) == (Severity.LOW, "app", 1)
    assert finding.first_seen_ms == START_MS + then * 1000 + round(1_800_000 * 200 / 201)
    assert finding.event_ids == (f"app-{then}-200",)
    assert severities(after(*tokens(400, then))) == [Severity.LOW]
    (worse,) = after(*tokens(401, then))
    assert (worse.severity, worse.events) == (Severity.MEDIUM, 201)


def test_it_needs_three_weeks_of_the_hour() -> None:
    assert not found(*usual(100, 100, 100), *tokens(900, 3 * WEEK))
    assert found(*tokens(1, -HOUR), *usual(100, 100, 100), *tokens(900, 3 * WEEK))
    assert not found(
        *tokens(1, -HOUR), *usual(100, 100, 100), *tokens(900, 3 * WEEK), options=VolumeAnomalyOptions(weeks=4)
    )


def test_few_tokens_are_nothing() -> None:
    assert not found(*usual(5, 5, 5, 5), *tokens(100, 4 * WEEK))
    assert found(*usual(5, 5, 5, 5), *tokens(101, 4 * WEEK))


def test_who_varies_may_vary() -> None:
    assert not found(*usual(100, 150, 60, 200), *tokens(360, 4 * WEEK))
    assert found(*usual(100, 100, 101, 99), *tokens(360, 4 * WEEK))


def test_one_odd_week_moves_nothing() -> None:
    assert not found(*usual(100, 100, 900, 100), *tokens(200, 4 * WEEK))
    assert found(*usual(100, 100, 900, 100), *tokens(201, 4 * WEEK))
    assert found(*usual(100, 100, 0, 100), *tokens(201, 4 * WEEK))


def test_summer_time_moves_a_job_by_an_hour() -> None:
    weeks = usual(900, 900, 900, 900)
    assert not found(*weeks, *tokens(900, 4 * WEEK + HOUR))
    assert not found(*weeks, *tokens(900, 4 * WEEK - HOUR))
    assert found(*weeks, *tokens(900, 4 * WEEK + 2 * HOUR))


def test_the_next_hours_belong_to_it_and_a_pause_ends_it() -> None:
    first, next_hour, later = (tokens(900, 4 * WEEK + hour * HOUR) for hour in (0, 1, 5))
    assert [finding.events for finding in after(*first, *next_hour)] == [1400]
    assert [finding.events for finding in after(*first, *later)] == [700, 800]


def test_a_busy_day_of_many_clients_is_low() -> None:
    clients = [f"app-{n}" for n in range(6)]
    weeks = [each for client in clients for each in usual(100, 100, 100, 100, client=client)]
    peak = [tokens(1000, 4 * WEEK, client) for client in clients]
    at_once = sorted((each for events in peak for each in events), key=lambda row: row[0])
    assert severities(found(*weeks, *at_once)) == [Severity.LOW] * 6
    assert severities(found(*weeks, *peak[0], *peak[1], *peak[2])) == [Severity.MEDIUM] * 3


def test_others_grow_and_do_not_matter() -> None:
    assert not after(*tokens(900, 4 * WEEK, "other"))
    users = [event("token.issued.authorization_code", 4 * WEEK + n) for n in range(900)]
    assert not after(*users)


def test_late_events_count_for_their_hour() -> None:
    late = tokens(201, 4 * WEEK)
    assert len(after(*tokens(1, 4 * WEEK + 9 * HOUR), *late)) == 1
    assert not after(*tokens(1, 4 * WEEK + 9 * HOUR), *late[:200])
    assert len(after(*late[:150], *tokens(1, 4 * WEEK + 9 * HOUR), *late[150:])) == 1
    assert not after(*tokens(1, 20 * WEEK), *late)


def test_an_event_of_1970_or_of_tomorrow_blinds_nobody() -> None:
    odd = event("token.issued.client_credentials", -START_MS / 1000)
    assert not found(odd, *usual(1), *tokens(900, WEEK))
    assert len(after(odd, *tokens(1, 4 * WEEK + 23 * HOUR), *tokens(201, 4 * WEEK))) == 1


def test_after_weeks_of_nothing_it_is_learned_anew() -> None:
    assert not after(*tokens(900, 20 * WEEK))


def test_who_is_allowed_is_left_out() -> None:
    events = [*usual(100, 100, 100, 100), *tokens(900, 4 * WEEK)]
    off = VolumeAnomalyOptions(clients={("", "app"): VolumeAnomalyOptions(enabled=False)})
    for options in (
        off,
        VolumeAnomalyOptions(user_agents=("curl/*",)),
        VolumeAnomalyOptions(networks=("203.0.113.0/24",)),
    ):
        assert not found(*events, options=options)
    assert found(*events, options=VolumeAnomalyOptions(clients={("", "other"): VolumeAnomalyOptions(enabled=False)}))


def test_memory_is_bounded_and_a_count_is_a_small_piece() -> None:
    detector, memory = VolumeAnomaly(VolumeAnomalyOptions()), dict[str, bytes]()
    last_words(detector, *tokens(50, 0))
    saved(detector, memory)
    last_words(detector, *tokens(50, 60))
    assert saved(detector, memory) < 40
    last_words(detector, *[each for n in range(MOST_CLIENTS + 500) for each in tokens(1, 0, f"client-{n}")])
    saved(detector, memory)
    assert len(memory) == 2 * MOST_CLIENTS
