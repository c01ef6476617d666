"""Incidents that grow: what is over or pushed out within one block is told, too."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.parts.incidents import Incidents, worse
from ingestor.detectors.parts.surge import Subject
from ingestor.model.finding import Severity
from parsers.contract import Event
from tests.detectors.cases.made import START_MS, event


def at(second: float) -> Event:
    return Event(*event("token.refreshed", second, user=f"u-{second}"))


def test_one_that_is_over_is_told_before_the_next_one_of_its_subject() -> None:
    incidents, subject = Incidents(), Subject("", "app")
    for second in (0, 3600, 7201):
        incidents.add(subject, at(second), Severity.LOW)
    assert [(each.first_seen_ms - START_MS, each.events) for each in incidents.take()] == [(0, 2), (7_201_000, 1)]
    assert not incidents.take()


def test_one_that_is_pushed_out_is_told() -> None:
    incidents = Incidents(most=1)
    for second, client in ((0, "one"), (1, "two"), (2, "one")):
        incidents.add(Subject("", client), at(second), Severity.LOW)
    assert [(each.client_id, each.events) for each in incidents.take()] == [("one", 1), ("two", 1), ("one", 1)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from((1, 5, 1800, 4000)),
        st.sampled_from((0, 0, 3000, 5000)),
        st.sampled_from((None, *Severity)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(1, 3))
def test_whatever_is_pushed_out_or_begins_anew_in_a_block_is_told(
    steps: list[tuple[str, int, int, Severity | None]], most: int
) -> None:
    told: list[dict[tuple[str, int], tuple[int, Severity]]] = [{}, {}, {}]
    for last, block in zip(told, (1, 7, 1000), strict=True):
        incidents, now = Incidents(most=most), 0.0
        for number, (client, later, late, severity) in enumerate(steps):
            now += later + 0.001
            incidents.add(Subject("", client), at(now - late), severity)
            if (number + 1) % block == 0 or number + 1 == len(steps):
                last.update({(it.client_id, it.first_seen_ms): (it.events, it.severity) for it in incidents.take()})
    assert told[0] == told[1] == told[2]


def test_what_is_older_by_more_than_the_pause_belongs_to_none() -> None:
    incidents, subject = Incidents(), Subject("", "app")
    incidents.add(subject, at(7200), Severity.LOW)
    assert incidents.add(subject, at(3600), Severity.LOW) is not None
    assert incidents.add(subject, at(3599), Severity.LOW) is None


def test_it_is_about_a_user_as_long_as_there_is_one() -> None:
    incidents, subject = Incidents(), Subject("", "app")
    incidents.add(subject, at(0), Severity.LOW)
    assert [each.user_id for each in incidents.take()] == ["u-0"]
    incidents.add(subject, at(1), Severity.LOW)
    assert [each.user_id for each in incidents.take()] == [None]


def test_severity_only_grows_unless_it_is_rated_anew() -> None:
    incidents, subject = Incidents(), Subject("", "app")
    for severity in (Severity.LOW, Severity.HIGH, Severity.MEDIUM):
        incidents.add(subject, at(0), severity)
    assert [each.severity for each in incidents.take()] == [Severity.HIGH]
    incidents.rate(subject, START_MS, Severity.LOW)
    assert [each.severity for each in incidents.take()] == [Severity.LOW]
    incidents.rate(subject, START_MS + 3_600_001, Severity.HIGH)
    assert not incidents.take()
    assert worse(Severity.CRITICAL, Severity.LOW) is Severity.CRITICAL
    assert worse(None, Severity.LOW) is Severity.LOW
    assert worse(None, None) is None


def test_what_is_nothing_to_tell_is_told_once_it_is() -> None:
    incidents, subject = Incidents(), Subject("", "app")
    incidents.add(subject, at(0), None)
    assert not incidents.take()
    incidents.add(subject, at(1), Severity.LOW)
    assert [(each.severity, each.events) for each in incidents.take()] == [(Severity.LOW, 2)]
