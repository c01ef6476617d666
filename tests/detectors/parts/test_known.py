"""What has come before: the newest are known, and after a restart as before it."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.contract import Memory
from ingestor.detectors.parts.known import Known

MOST = 4
COMING = st.lists(st.integers(0, 12), max_size=80)


def saved(known: Known, memory: dict[str, bytes]) -> None:
    for name, piece in known.dump().items():
        if piece is None:
            memory.pop(name, None)
        else:
            memory[name] = piece


def restored(memory: Memory) -> Known:
    known = Known(most=MOST)
    known.restore(memory)
    return known


def state(known: Known) -> list[int | None]:
    return [known.since((f"{n}",)) for n in range(13)]


@given(COMING)
def test_at_least_so_many_are_known_and_at_most_twice(coming: list[int]) -> None:
    known = Known(most=MOST)
    for time, n in enumerate(coming):
        known.note((f"{n}",), time)
    newest = list(dict.fromkeys(reversed(coming)))
    assert all((f"{n}",) in known for n in newest[:MOST])
    assert sum(since is not None for since in state(known)) <= 2 * MOST
    for n in range(13):
        since = known.since((f"{n}",))
        assert since is None or coming[since] == n


@given(COMING, st.sets(st.integers(0, 80)))
def test_a_restart_changes_nothing(coming: list[int], kills: set[int]) -> None:
    whole, known, memory = Known(most=MOST), Known(most=MOST), dict[str, bytes]()
    for time, n in enumerate(coming):
        for each in (whole, known):
            each.note((f"{n}",), time)
        if time in kills:
            saved(known, memory)
            known = restored(memory)
        assert state(known) == state(whole)


def test_who_is_known_costs_no_dump() -> None:
    known, memory = Known(), dict[str, bytes]()
    known.note(("a",), 1)
    saved(known, memory)
    known.note(("a",), 2)
    assert not known.dump()
    assert known.since(("a",)) == 1
