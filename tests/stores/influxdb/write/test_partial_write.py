"""Halving, against a model of a server that has any set of bad points, any retention and any limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestor.stores.influxdb.write import partial_write as shipment_module
from ingestor.stores.influxdb.write.partial_write import FEWEST_POINTS, PartialWrite, Progress
from ingestor.stores.influxdb.write.response import Expired, Refused, Retry, Stored, TooLarge, WriteResponse


@dataclass
class Server:
    """Takes points by their index, as InfluxDB does: in part, and naming none."""

    times: list[int]
    bad: set[int] = field(default_factory=set)
    """Refused for what they are; the others of the request are stored."""
    illegible: set[int] = field(default_factory=set)
    """Refused, and 1.x does not say so when there is something beyond the retention, too."""
    bound: int = 0
    """Older points are dropped."""
    most: int = 10**9
    atomic: bool = False
    """Store nothing of a request with a bad point, as 2.x does for one that it cannot parse."""
    stored: set[int] = field(default_factory=set)
    requests: int = 0

    def take(self, points: Sequence[int]) -> WriteResponse:
        self.requests += 1
        if len(points) > self.most:
            return TooLarge()
        old = {point for point in points if self.times[point] < self.bound}
        refused = set(points) & (self.bad | self.illegible) - old
        if self.atomic and refused:
            return Refused("no")
        self.stored |= set(points) - old - refused
        if refused & self.bad:
            return Refused("no")
        if old:
            return Expired(len(old))
        return Refused("no") if refused else Stored()


def ship(shipment: PartialWrite, answer: Callable[[Sequence[int]], WriteResponse], *, proven: bool, most: int) -> bool:
    """Send until the end, or ``most`` requests; return whether it ended."""
    for _ in range(most):
        part = shipment.next
        if part is None:
            break
        assert list(part) == sorted(set(part)), "lines are taken from the batch in order"
        proven = shipment.apply(answer(part), proven=proven) is Progress.STORED or proven
    return shipment.next is None


@st.composite
def servers(draw: st.DrawFn) -> Server:
    times = draw(st.lists(st.integers(1, 9), max_size=60))
    indexes = st.sets(st.integers(0, max(0, len(times) - 1)), max_size=12)
    return Server(
        times,
        bad=draw(indexes) if times else set(),
        illegible=draw(indexes) if times else set(),
        bound=draw(st.sampled_from((0, 0, 5, 10))),
        most=draw(st.sampled_from((10**9, 20, 1))),
        atomic=draw(st.booleans()),
    )


@given(servers())
@example(Server([1, 9, 9], illegible={1}, bound=5))
def test_every_point_meets_its_fate_in_a_bounded_number_of_requests(server: Server) -> None:
    size = len(server.times)
    shipment = PartialWrite(server.times)
    # A point is halved at most six times here, and a part with old ones is sent once more without them.
    most = 2 * (2 * size + 1) + size
    assert ship(shipment, server.take, proven=True, most=most)
    old = {point for point in range(size) if server.times[point] < server.bound}
    refused = (server.bad | server.illegible) - old
    assert server.stored == set(range(size)) - old - refused
    assert sorted(shipment.expired) == sorted(old)
    assert sorted(point.point for point in shipment.refused) == sorted(refused)


@given(servers())
def test_nothing_is_refused_before_a_point_was_taken_and_everything_ends_after_it(server: Server) -> None:
    size = len(server.times)
    old = {point for point in range(size) if server.times[point] < server.bound}
    good = set(range(size)) - old - server.bad - server.illegible
    shipment = PartialWrite(server.times)
    ended = ship(shipment, server.take, proven=False, most=6 * size + 10)
    assert server.stored == good
    if not good:
        assert shipment.refused == []
        assert ended == (len(old) == size)
    else:
        assert ended
        assert {point.point for point in shipment.refused} == (server.bad | server.illegible) - old


@pytest.mark.parametrize("verdict", [Refused("no"), TooLarge()])
def test_a_bad_first_point_does_not_keep_the_others_from_being_sent(verdict: WriteResponse) -> None:
    shipment = PartialWrite(range(8))
    sent = 0

    def answer(points: Sequence[int]) -> WriteResponse:
        nonlocal sent
        sent += 1
        return verdict if 0 in points else Stored()

    assert ship(shipment, answer, proven=False, most=20)
    assert [refused.point for refused in shipment.refused] == [0]
    assert sent == 8, "three halvings, the point alone, three other parts, the point once more"


def test_what_a_whole_set_up_refuses_asks_for_a_wait_at_every_single_point() -> None:
    shipment = PartialWrite(range(4))
    told = [shipment.apply(Refused("no"), proven=False) for _ in range(50)]
    assert told.count(Progress.SORTED) == 3
    assert set(told[-40:]) == {Progress.NOTHING}
    assert shipment.refused == []


def test_a_shipment_says_when_nothing_is_left_but_what_was_refused_alone() -> None:
    shipment = PartialWrite(range(3))
    said = []
    for _ in range(8):
        shipment.apply(Refused("no"), proven=False)
        said.append(shipment.unproven)
    assert said == [False, False, False, False, True, True, True, True], "two halvings, three points"
    shipment.apply(Retry("down"), proven=False)
    assert shipment.unproven
    for _ in range(3):
        shipment.apply(Refused("no"), proven=True)
    assert not shipment.unproven


@given(st.integers(1, 50), st.lists(st.sampled_from((Retry("down"), Expired(0), Expired(51)))))
def test_an_answer_that_tells_nothing_changes_nothing(size: int, verdicts: list[WriteResponse]) -> None:
    shipment = PartialWrite(range(size))
    for verdict in verdicts:
        assert shipment.apply(verdict, proven=True) is Progress.NOTHING
        assert shipment.next == range(size)
    assert shipment.apply(Stored(), proven=False) is Progress.STORED
    assert (shipment.next, shipment.refused, shipment.expired) == (None, [], [])


def test_what_is_cut_off_is_sent_in_smaller_parts_in_order_until_all_is_stored() -> None:
    shipment = PartialWrite(range(5000))
    sizes, stored = [], list[int]()
    while (part := shipment.next) is not None:
        sizes.append(len(part))
        cut_off = len(part) > 700
        told = shipment.apply(Retry("cut off", smaller=True) if cut_off else Stored(), proven=False)
        assert told is (Progress.NOTHING if cut_off else Progress.STORED), "still a problem, which is waited out"
        stored += [] if cut_off else part
    assert sizes == [5000, 2500, 1250, *[625] * 8], "what was too much once is not tried again"
    assert stored == list(range(5000))


def test_parts_do_not_become_smaller_without_end() -> None:
    shipment = PartialWrite(range(5000))
    for _ in range(100):
        assert shipment.apply(Retry("cut off", smaller=True), proven=True) is Progress.NOTHING
    assert shipment.next == range(FEWEST_POINTS)
    assert shipment.apply(Retry("down"), proven=True) is Progress.NOTHING
    assert shipment.next == range(FEWEST_POINTS)


@given(servers(), st.sets(st.integers(1, 200)))
def test_links_that_cut_off_change_no_fate(server: Server, cut_off: set[int]) -> None:
    """``cut_off``: which requests are, by number: drawn at once, since a link that always cuts off never ends."""
    size = len(server.times)
    shipment = PartialWrite(server.times)

    def answer(points: Sequence[int]) -> WriteResponse:
        verdict = server.take(points)  # stored, perhaps, though nobody heard of it
        return Retry("cut off", smaller=True) if server.requests in cut_off else verdict

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipment_module, "FEWEST_POINTS", 3)
        assert ship(shipment, answer, proven=True, most=10_000)
    old = {point for point in range(size) if server.times[point] < server.bound}
    refused = (server.bad | server.illegible) - old
    assert server.stored == set(range(size)) - old - refused
    assert sorted(shipment.expired) == sorted(old)
    assert sorted(point.point for point in shipment.refused) == sorted(refused)


def test_a_point_that_is_too_large_alone_is_refused_and_says_why() -> None:
    shipment = PartialWrite([1])
    assert shipment.apply(TooLarge(), proven=True) is Progress.SORTED
    assert shipment.refused == [(0, "larger than the server takes")]


def test_no_points_need_no_request() -> None:
    assert PartialWrite([]).next is None
