"""The window of a case: bounded, by time, and its figures as if counted anew."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.parts.evidence import Hit
from ingestor.detectors.parts.window import MOST_HITS, Window

WORDS = st.sampled_from(["", "a", "b", "c"])
HITS = st.tuples(st.integers(0, 500), WORDS, WORDS, WORDS, WORDS, WORDS)
SPAN = 100


@given(st.lists(HITS, max_size=60))
def test_figures_are_as_if_counted_anew(hits: list[Hit]) -> None:
    window, newest = Window(), 0
    for hit in hits:
        newest = max(newest, hit[0])
        window.add(hit, newest - SPAN)
        again = Window(window.hits)
        assert window.figures._replace(addresses=()) == again.figures._replace(addresses=())
        assert {*window.figures.addresses} == {*again.figures.addresses}
        assert window.hits == sorted(window.hits)
        assert all(each[0] >= newest - SPAN for each in window.hits)
        assert all(
            window.has(user, ip) == any(each[3] == user and each[1] == ip for each in window.hits)
            for user in "abc"
            for ip in "abc"
        )


def test_an_unknown_value_is_no_value() -> None:
    window = Window()
    for n in range(40):
        window.add((n, "", "", "", "", ""), 0)
        assert window.figures[1:5] == (0, 0, 0, 0)


def test_the_newest_are_kept() -> None:
    window = Window()
    for n in range(MOST_HITS + 50):
        window.add((n, f"ip-{n}", "", "", "", ""), 0)
    assert [hit[0] for hit in window.hits] == list(range(50, MOST_HITS + 50))
    assert window.figures.ips == MOST_HITS
