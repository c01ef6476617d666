"""The bounded memory: who is forgotten, what is dumped, and how much that takes."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.parts.memory import BoundedMemory
from tests.support.detecting import saved

MOST = 5
STEPS = st.lists(st.tuples(st.sampled_from(["put", "mark", "forget"]), st.integers(0, 12)), max_size=60)


def memory(most: int = MOST) -> BoundedMemory[list[int]]:
    return BoundedMemory(list, list, most=most)


def content(of: BoundedMemory[list[int]]) -> list[tuple[str, list[int] | None]]:
    return [(key[0], of.get(key)) for key in of]


@given(STEPS, st.sets(st.integers(0, 60)))
def test_a_restart_changes_nothing(steps: list[tuple[str, int]], kills: set[int]) -> None:
    whole, killed, kept = memory(), memory(), dict[str, bytes]()
    for time, (step, n) in enumerate(steps):
        key = (f"k-{n}",)
        for each in (whole, killed):
            if step == "put":
                each.put(key, [time])
            elif step == "forget":
                each.forget(key)
            elif (value := each.get(key)) is not None:
                value.append(time)
                each.mark(key)
        if time in kills:
            saved(killed, kept)
            killed = memory()
            killed.restore(kept)
            assert len(kept) == len(killed)
        assert content(killed) == content(whole)
        assert len(whole) <= MOST


def test_the_one_that_was_put_first_is_forgotten() -> None:
    made = memory()
    for n in range(MOST):
        made.put((f"k-{n}",), [n])
    made.put(("k-0",), [0])
    made.mark(("k-1",))
    made.put(("new",), [9])
    assert [key for key, _ in content(made)] == ["k-2", "k-3", "k-4", "k-0", "new"]
    assert made.forgotten == 1


def test_pieces_take_no_more_than_they_hold() -> None:
    made = memory(2000)
    for n in range(2000):
        made.put((f"k-{n}",), [n])
    tracemalloc.start()
    try:
        pieces = made.dump()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(pieces) == 2000
    assert taken < 2000 * 500
