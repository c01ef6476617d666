"""The last uses of users: by user agent, of the newest pages, and after a restart as before it."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.detectors.parts.last_uses import MOST_PLACES, LastUses, Use
from parsers.contract import Event, EventRow
from tests.detectors.cases.made import event
from tests.support.detecting import saved

PAGE = 256
MOST = 4 * PAGE
USES = st.lists(
    st.tuples(st.sampled_from(["u-1", "u-2", "u-3"]), st.sampled_from("abc"), st.integers(1, 280)), max_size=9
)


def use(second: float, user: str | None = "u-1", agent: str | None = "a", client: str = "app") -> EventRow:
    return event("token.refreshed", second, client, user=user, agent=agent, ip=f"10.0.0.{round(second) % 250}")


def seen(uses: LastUses, user: str = "u-1", client: str = "app") -> list[Use]:
    return list(uses.of(Event(*use(0, user, client=client))))


def test_each_place_has_its_last_use() -> None:
    uses = LastUses()
    rows = [use(1), use(2, agent="b"), use(3), use(251), use(4, agent=None), use(5, "u-2"), use(6, client="other")]
    uses.note(rows)
    assert [(ip, agent) for _, ip, agent in seen(uses)] == [
        ("10.0.0.2", "b"),
        ("10.0.0.3", "a"),
        ("10.0.0.1", "a"),
        ("10.0.0.4", None),
    ]
    assert [agent for _, _, agent in seen(uses, client="other")] == ["a"]
    assert len(seen(uses, "u-2")) == 1
    assert seen(uses, "u-3") == []


def test_a_user_has_so_many_places_at_most() -> None:
    uses = LastUses()
    for n in range(100):
        uses.note([use(n, agent=f"agent-{n}")])
    assert [agent for _, _, agent in seen(uses)] == [f"agent-{n}" for n in range(100 - MOST_PLACES, 100)]


def test_events_without_a_user_are_not_kept() -> None:
    uses = LastUses()
    uses.note([use(1, user=None)])
    assert not uses.dump()


@given(USES)
def test_a_restart_changes_nothing(runs: list[tuple[str, str, int]]) -> None:
    whole, uses, memory, second = LastUses(most=MOST), LastUses(most=MOST), dict[str, bytes](), 0
    for user, agent, times in runs:
        for _ in range(times):
            second += 1
            for each in (whole, uses):
                each.note([use(second, user, agent)])
        saved(uses, memory)
        assert len(memory) <= MOST // PAGE
        uses = LastUses(most=MOST)
        uses.restore(memory)
        assert not uses.dump()
        assert [seen(uses, f"u-{n}") for n in range(1, 4)] == [seen(whole, f"u-{n}") for n in range(1, 4)]
