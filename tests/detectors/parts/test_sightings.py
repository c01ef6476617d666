"""Sightings: as a dict would have them, as long as it is not too much; and the same after a restart."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.parts.sightings import NEVER, Sightings, key_of

MOST = 2048


def restarted(memory: dict[str, bytes]) -> Sightings:
    again = Sightings("seen", MOST)
    again.restore(memory)
    return again


def save(sightings: Sightings, memory: dict[str, bytes]) -> int:
    changes = sightings.dump()
    for name, piece in changes.items():
        if piece is None:
            memory.pop(name, None)
        else:
            memory[name] = piece
    return sum(len(piece or b"") for piece in changes.values())


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20_000), st.booleans()), max_size=60))
def test_it_is_a_dict_of_the_newest_days(seen: list[tuple[int, int, bool]]) -> None:
    expected: dict[int, int] = {}
    sightings, memory = Sightings("seen", MOST), dict[str, bytes]()
    for number, day, restarts in seen:
        key = key_of("user", str(number))
        assert sightings.see(key, day) == expected.get(key, NEVER)
        expected[key] = max(day, expected.get(key, NEVER))
        assert sightings.last(key) == expected[key]
        if restarts:
            save(sightings, memory)
            sightings = restarted(memory)
    assert sightings.last(key_of("nobody")) == NEVER


def test_keys_with_the_same_place_are_told_apart() -> None:
    sightings = Sightings("seen", MOST)
    keys = [7 + number * 2 * MOST for number in range(50)]
    for day, key in enumerate(keys):
        sightings.see(key, day + 1)
    assert [sightings.last(key) for key in keys] == list(range(1, 51))


def test_the_oldest_quarter_is_forgotten_also_by_the_saved_memory() -> None:
    sightings, memory = Sightings("seen", MOST), dict[str, bytes]()
    keys = [key_of(str(number)) for number in range(MOST + 1)]
    for key in keys:
        sightings.see(key, 9)
        save(sightings, memory)
    known = [sightings.last(key) == 9 for key in keys]
    assert known == [False] * (MOST // 4) + [True] * (MOST - MOST // 4 + 1)
    assert sightings.forgotten == MOST // 4
    again = restarted(memory)
    assert [again.last(key) == 9 for key in keys] == known
    assert sum(map(len, memory.values())) == 8 * (MOST - MOST // 4 + 1)


def test_a_dump_costs_what_was_seen() -> None:
    sightings, memory = Sightings("seen", MOST), dict[str, bytes]()
    for number in range(1000):
        sightings.see(key_of(str(number)), 9)
    assert save(sightings, memory) == 8000
    assert save(sightings, memory) == 0
    sightings.see(key_of("0"), 9)
    sightings.see(key_of("1"), 8)
    assert save(sightings, memory) == 0
    sightings.see(key_of("0"), 10)
    assert save(sightings, memory) == 8 * (1001 - 512)
