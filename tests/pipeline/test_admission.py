"""Budgets of client ids and realms; the same lines give the same series whenever they are read (design section 3)."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.points import OTHER, Admitted, SeriesTable
from ingestor.pipeline.admission import Admission
from parsers.contract import Tags

Line = tuple[str, bool, str]


def tags(client: str, *, success: bool = True, realm: str = "") -> Tags:
    action, outcome = ("token.refreshed", "success") if success else ("token.validation_failed", "failure")
    return Tags(action, client, "", "", "", outcome, realm)


def read(
    lines: Iterable[Line], admission: Admission, table: SeriesTable, *, start: int = 0, repeat: bool = False
) -> list[tuple[str, str, str | None]]:
    """Return (realm tag, client tag, client field) of each line."""
    found = []
    for ordinal, (client, success, realm) in enumerate(lines, start):
        resolution = admission.resolve(tags(client, success=success, realm=realm), ordinal, repeat=repeat)
        series = table.by_number[resolution.series]
        found.append((series.realm, series.client_id, resolution.client))
    return found


def fresh(
    admitted: tuple[Admitted, ...] = (),
    *,
    clients: int = 1000,
    failing_clients: int = 200,
    realms: int = 100,
    failing_realms: int = 20,
) -> tuple[Admission, SeriesTable]:
    table = SeriesTable()
    admission = Admission(
        "audit",
        "host-1",
        table,
        clients=clients,
        failing_clients=failing_clients,
        realms=realms,
        failing_realms=failing_realms,
        admitted=admitted,
    )
    return admission, table


def test_invented_clients_cannot_use_up_the_budget_of_real_ones() -> None:
    admission, table = fresh(clients=3, failing_clients=2)
    attack = [(f"invented-{n}", False, "") for n in range(100)]
    assert [client for _, client, _ in read(attack, admission, table)].count(OTHER) == 98
    real = [(f"real-{n}", True, "") for n in range(4)]
    assert [client for _, client, _ in read(real, admission, table, start=100)] == [
        "real-0",
        "real-1",
        "real-2",
        OTHER,
    ]


def test_the_true_id_of_an_unadmitted_client_is_kept() -> None:
    admission, table = fresh(clients=0, failing_clients=0)
    assert read([("web", True, "")], admission, table) == [("", OTHER, "web")]


def test_a_client_that_calls_itself_other_is_not_mixed_up_with_the_overflow() -> None:
    admission, table = fresh()
    assert read([(OTHER, True, "")], admission, table) == [("", OTHER, OTHER)]


def test_an_event_without_a_client_takes_nobodys_place() -> None:
    admission, table = fresh(clients=0, failing_clients=0, realms=1)
    lines = [("", False, ""), ("", True, "a"), ("", False, "")]
    expected = [("", "", None), ("a", "", None), ("", "", None)]
    assert read(lines, admission, table) == expected
    assert admission.new == [Admitted("a", "", 1, by_success=True)], "the realm alone"
    assert read(lines, admission, table, repeat=True) == expected
    assert (admission.clients, len(admission.settled())) == (0, 2)


def test_client_ids_repeat_across_realms_and_realms_have_a_budget() -> None:
    admission, table = fresh(clients=2, realms=2)
    lines = [("web", True, "a"), ("web", True, "b"), ("web", True, "c"), ("web", True, "a")]
    assert read(lines, admission, table) == [
        ("a", "web", None),
        ("b", "web", None),
        (OTHER, OTHER, "web"),
        ("a", "web", None),
    ]


def test_invented_realms_cannot_use_up_the_budget_of_real_ones() -> None:
    admission, table = fresh(realms=2, failing_realms=3)
    attack = [("x", False, f"invented-{n}") for n in range(100)]
    assert [realm for realm, _, _ in read(attack, admission, table)].count(OTHER) == 97
    real = [("web", True, f"real-{n}") for n in range(3)]
    assert [realm for realm, _, _ in read(real, admission, table, start=100)] == ["real-0", "real-1", OTHER]


def test_a_success_admits_a_realm_that_failures_could_not() -> None:
    lines: list[Line] = [("web", False, "main"), ("web", True, "main"), ("web", False, "main")]
    admission, table = fresh(failing_realms=0)
    expected = [(OTHER, "web", None), ("main", "web", None), ("main", "web", None)]
    assert read(lines, admission, table) == expected
    assert read(lines, admission, table, repeat=True) == expected
    assert admission.new[1:] == [Admitted("main", "", 1, by_success=True), Admitted("main", "web", 1, by_success=True)]


def test_a_realm_that_was_admitted_before_there_were_two_budgets_stays() -> None:
    known = tuple(Admitted(f"r{n}", "", n, by_success=True) for n in range(100))
    admission, table = fresh(known)
    lines = [("web", True, "r99"), ("web", False, "new"), ("web", True, "newer")]
    assert [realm for realm, _, _ in read(lines, admission, table, start=100)] == ["r99", "new", OTHER]


def test_a_client_admitted_late_belongs_to_other_before_that_place_for_ever() -> None:
    lines: list[Line] = [("x", False, ""), ("web", False, ""), ("web", True, ""), ("web", False, "")]
    admission, table = fresh(clients=1, failing_clients=1)
    expected = [("", "x", None), ("", OTHER, "web"), ("", "web", None), ("", "web", None)]
    assert read(lines, admission, table) == expected
    assert read(lines, admission, table, repeat=True) == expected


LINES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.booleans(), st.sampled_from(["", "r1", "r2", "r3"])), max_size=40
)


@given(
    lines=LINES,
    cut=st.integers(0, 40),
    clients=st.integers(0, 3),
    failing=st.integers(0, 2),
    realms=st.integers(0, 2),
    failing_realms=st.integers(0, 2),
)
def test_reading_again_after_a_restart_at_any_place_makes_the_same_series(
    lines: list[Line], cut: int, clients: int, failing: int, realms: int, failing_realms: int
) -> None:
    def start(*admitted: Admitted) -> tuple[Admission, SeriesTable]:
        return fresh(admitted, clients=clients, failing_clients=failing, realms=realms, failing_realms=failing_realms)

    admission, table = start()
    whole = read(lines, admission, table)

    before, table = start()
    read(lines[:cut], before, table)
    after, table = start(*before.new)
    rest = []
    for ordinal, (client, success, realm) in list(enumerate(lines))[cut:]:
        resolution = after.resolve(tags(client, success=success, realm=realm), ordinal, repeat=False)
        series = table.by_number[resolution.series]
        rest.append((series.realm, series.client_id, resolution.client))
    assert rest == whole[cut:]

    assert read(lines, *start(*before.new, *after.new), repeat=True) == whole


def test_a_settled_resolution_is_remembered_and_an_unsettled_one_is_not() -> None:
    admission, table = fresh(clients=1, failing_clients=0)
    read([("web", True, ""), ("late", False, "")], admission, table)
    assert tags("web") in admission.settled()
    assert tags("late", success=False) not in admission.settled()
