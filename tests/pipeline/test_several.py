"""Lines of several events through the real pipeline, on each store: stored once each, whatever is repeated, killed or reclassified."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.settings import LogSettings, StoreSettings
from ingestor.daemon.daemon import Daemon
from ingestor.jobs.backfill import Backfilled, backfill
from ingestor.jobs.replay import Replayed, replay
from ingestor.jobs.verify import Verified, verify
from ingestor.model.accounting import Account
from ingestor.model.questions import Filters
from ingestor.state.state import State
from ingestor.stores.registry import store_of
from parsers.contract import Reason
from tests.support.influx import write_lines
from tests.support.installed import install_parser
from tests.support.questions import ALWAYS
from tests.support.servers import query
from tests.support.several import NOW_MS, SeveralParser, line, record
from tests.support.world import World

NOON_MS = 1_790_847_000_000
EARLIER, LATER = "2026-10-01T09:30:00.000Z", "2026-10-01T09:30:00.999Z"


def new_database(request: pytest.FixtureRequest, name: str) -> StoreSettings:
    server = request.getfixturevalue(f"{name}_or_why")
    if isinstance(server, str):
        pytest.skip(server)
    made: StoreSettings = server.make()
    return made


@pytest.fixture(params=["sqlite", "influxdb1", "influxdb2"])
def world(request: pytest.FixtureRequest, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A log of lines of several events, read by a parser that is installed beside tokentail's own."""
    if request.param != "sqlite":
        world.store = new_database(request, request.param)
    install_parser(tmp_path / "packages", "several", "tests.support.several:SeveralParser")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    world.log_settings = (LogSettings(str(world.log.path), parser="several"),)
    return world


def write(world: World, *lines: bytes) -> None:
    with world.log.path.open("ab") as log:
        log.write(b"".join(each + b"\n" for each in lines))


def read_by(monkeypatch: pytest.MonkeyPatch, version: str, *left_out: str) -> None:
    """Have other rules from now on."""
    monkeypatch.setattr(SeveralParser, "left_out", left_out)
    monkeypatch.setattr(SeveralParser, "version", version)


@contextmanager
def daemon_of(world: World) -> Iterator[Daemon]:
    world.stop()
    state = State.open(world.state_directory, "host-1")
    daemon = Daemon(world.settings, state)
    try:
        yield daemon
    finally:
        daemon.close()
        state.close()


def backfilled(world: World) -> Backfilled:
    with daemon_of(world) as daemon:
        return backfill(daemon.pipeline, [str(world.log.path)])[0]


def replayed(world: World) -> Replayed:
    with daemon_of(world) as daemon:
        return replay(daemon.pipeline, NOW_MS)


def account(world: World) -> Account:
    (found,) = world.ask(lambda state: state.accounts()).values()
    assert found.pending == 0
    return found


def figures(world: World) -> tuple[int, int, int, int]:
    """Return read, stored, rejected and ignored, after a look at whether the store agrees."""
    world.check_agreement()
    found = account(world)
    return found.read, found.stored, found.total_rejected, found.ignored


def proof(world: World) -> Verified:
    return world.ask(lambda state: verify(world.settings, state, [str(world.log.path)]))[0]


def by_action(world: World) -> dict[str, int]:
    """Return the events of the store, one by one, when they are those of its counters."""

    def ask(state: State) -> dict[str, int]:
        store = store_of(world.settings)
        with store.open_answers(state.connection if store.in_state else None) as answers:
            found = Counter(event.action for event in answers.events(ALWAYS, Filters()))
        sql = "SELECT action, sum(events) FROM token_events_1h JOIN series ON number = series GROUP BY action"
        assert {action: events for action, events in state.connection.execute(sql) if events} == found
        return dict(found)

    return world.ask(ask)


def lines_of(counts: Iterable[int]) -> list[bytes]:
    """Return lines of so many equal events each, all in one millisecond."""
    return [line(*[record()] * count) for count in counts]


def test_equal_events_of_a_line_are_stored_apart_and_counted(world: World) -> None:
    write(world, *lines_of([1, 2, 3, 50, 1, 2]), b"", b"[]", b"[7]", *lines_of([4] * 300))
    world.once()
    events = 1 + 2 + 3 + 50 + 1 + 2 + 1200
    assert figures(world) == (events + 2, events, 1, 1)
    assert by_action(world) == {"token.refreshed": events}
    found = proof(world)
    assert (found.events, found.stored, found.good) == (events, events, True)
    assert world.ask(lambda state: [generation.most_events for generation in state.generations()]) == [50]


def test_times_and_precisions_may_differ_within_a_line(world: World) -> None:
    written = ["2026-10-01T09:30:00Z", EARLIER, LATER, "2026-10-01T09:30:00.000123Z", "2026-10-01T23:59:59Z"]
    write(world, *[line(*(record(at=at) for at in written))] * 3)
    world.once()
    assert figures(world) == (15, 15, 0, 0)
    assert proof(world).good


def test_what_is_read_again_is_stored_once(world: World) -> None:
    """A crash, a start that goes on, a backfill, and again."""
    write(world, *lines_of([3, 1, 2] * 200))
    for _ in range(5):
        world.daemon.step(world.now)
    world.stop()
    write(world, *lines_of([5] * 20))
    world.once()
    assert figures(world) == (1300, 1300, 0, 0)
    for _ in range(2):
        done = backfilled(world)
        assert (done.lines, done.new, done.again, done.stored) == (620, 0, 0, 1300)
        assert figures(world) == (1300, 1300, 0, 0)
        assert proof(world).good


SEVERAL = [
    line(record(), record("token.revoked"), record("token.revoked")),
    line(record("token.revoked"), record(), record("token.introspected", at=EARLIER)),
    line(record("token.revoked", at=LATER), record(at=LATER), record("token.revoked", at=EARLIER), record(at=EARLIER)),
    line(record("token.introspected")),
    line(record("token.revoked"), record("token.introspected")),
]
ALL = {"token.refreshed": 4, "token.revoked": 6, "token.introspected": 3}


@pytest.mark.parametrize("left_out", ["token.revoked", "token.refreshed", "token.introspected"])
def test_fewer_events_of_a_line_by_other_rules_leave_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    lines = [each for each in SEVERAL if each != line(record(left_out))]
    before = Counter(ALL) if len(lines) == len(SEVERAL) else Counter(ALL) - Counter({left_out: 1})
    write(world, *lines * 3)
    world.once()
    assert by_action(world) == {action: 3 * count for action, count in before.items()}
    read_by(monkeypatch, "2", left_out)
    assert not proof(world).good
    after = {action: 3 * count for action, count in before.items() if action != left_out}
    for _ in range(2):
        backfilled(world)
        assert by_action(world) == after
        assert figures(world) == (sum(after.values()), sum(after.values()), 0, 0)
        assert proof(world).good


def test_verify_tells_what_is_left_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world, line(record(), record("token.revoked")), line(record(), record()))
    world.once()
    read_by(monkeypatch, "2", "token.revoked")
    found = proof(world)
    assert (found.events, found.stored, found.left_over, found.good) == (3, 3, 1, False)
    assert [(fault.line, fault.what) for fault in found.faults] == [(1, "left over")]


@pytest.mark.parametrize("left_out", ["token.revoked", "token.refreshed", "token.introspected"])
def test_more_events_of_a_line_by_other_rules_are_stored_and_counted(
    world: World, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    """Also of lines that were ignored."""
    read_by(monkeypatch, "1", left_out)
    write(world, *SEVERAL, line(record(left_out), record(left_out)), line(record("user.login")))
    world.once()
    ignored = 2 + (left_out == "token.introspected")
    before = sum(count for action, count in ALL.items() if action != left_out)
    assert figures(world) == (before + ignored, before, 0, ignored)
    read_by(monkeypatch, "2")
    events = sum(ALL.values()) + 2
    for _ in range(2):
        backfilled(world)
        assert by_action(world) == {**ALL, left_out: ALL[left_out] + 2}
        assert figures(world) == (events + 1, events, 0, 1)
        assert proof(world).good


def test_there_and_back_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write(world, *SEVERAL)
    world.once()
    for version, left_out in [("2", ["token.revoked"]), ("3", []), ("4", ["token.refreshed"]), ("5", [])]:
        read_by(monkeypatch, version, *left_out)
        backfilled(world)
        if left_out:
            continue
        assert by_action(world) == ALL
        assert figures(world) == (13, 13, 0, 0)
    assert proof(world).good


def test_a_rejected_line_that_is_several_events_by_now_is_replayed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(world, line(record(), record("token.minted"), record()), *lines_of([2]))
    world.once()
    assert figures(world) == (3, 2, 1, 0)
    read_by(monkeypatch, "2", "token.minted")
    assert replayed(world) == Replayed(stored=1, ignored=0, rejected=0, not_found=0)
    for _ in range(2):
        assert figures(world) == (4, 4, 0, 0)
        assert by_action(world) == {"token.refreshed": 4}
        assert world.rejected() == [Reason.UNKNOWN_ACTION], "the file has it, the listing does not"
        assert replayed(world) == Replayed(0, 0, 0, 0)
        backfilled(world)
    assert proof(world).good


def test_one_bad_event_rejects_its_line_alone(world: World) -> None:
    bad: list[dict[str, Any]] = [record(at="yesterday"), {"action": "token.refreshed"}, record("token.minted")]
    write(world, *[line(record(), each, record()) for each in bad], *lines_of([3]))
    world.once()
    assert figures(world) == (6, 3, 3, 0)
    assert world.rejected() == [Reason.BAD_TIMESTAMP, Reason.MISSING_KEY, Reason.UNKNOWN_ACTION]


def test_a_half_line_that_goes_on_as_several_events_is_rejected_no_longer(world: World) -> None:
    world.store = StoreSettings() if world.store.type == "sqlite" else world.store
    whole = line(record(), record(), record())
    with world.log.path.open("wb") as log:
        log.write(lines_of([1])[0] + b"\n" + whole[:-20])
    world.once()
    with world.log.path.open("ab") as log:
        log.write(whole[-20:] + b"\n")
    world.once()
    assert figures(world) == (4, 4, 0, 0)
    assert proof(world).good


def test_an_event_whose_written_time_no_other_has_any_more_stays_and_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows where it was: the promise is that figures and accounts agree with what is stored."""
    write(world, line(record(), record("token.revoked", at=LATER)))
    world.once()
    read_by(monkeypatch, "2", "token.revoked")
    backfilled(world)
    assert by_action(world) == {"token.refreshed": 1, "token.revoked": 1}
    assert figures(world) == (2, 2, 0, 0)


def test_events_of_a_line_that_the_store_refuses_are_listed_and_replayed_one_by_one(
    world: World, request: pytest.FixtureRequest
) -> None:
    if world.store.type == "sqlite":
        pytest.skip("it refuses no point")
    # Somebody has written a field of ours with another type, as the first one of that shard.
    write_lines(world.store, "raw", b'token_events,action=x expires_in="text" %d' % (NOON_MS * 1_000_000))
    bad = record(expires_in=60)
    write(world, line(record(), bad, record("token.revoked"), bad), *lines_of([2]), line(bad, bad))
    world.once()
    for number in range(3):
        if number == 2:
            world.store = new_database(request, request.node.callspec.params["world"])  # there nobody has
        write(world, *lines_of([1]))  # a point that is taken, so that others may be refused
        with daemon_of(world) as daemon:
            daemon.run_once()
            entries = list(daemon.pipeline.listed())
            assert [(entry.ordinal, entry.event) for entry in entries] == [(0, 1), (0, 3), (2, 0), (2, 1)]
            assert len({entry.place for entry in entries}) == 4
            assert replay(daemon.pipeline, NOW_MS) == (Replayed(4, 0, 0, 0) if number == 2 else Replayed(0, 0, 4, 0))
        found = account(world)
        stored = 5 + number + (4 if number == 2 else 0)
        assert (found.read, found.stored, found.total_rejected) == (9 + number, stored, 9 + number - stored)
        sums = world.ask(lambda state: state.connection.execute("SELECT sum(events) FROM token_events_1h").fetchone())
        assert sums == (stored,)
    database = world.store.database
    (found_there,) = query(world.store, f'SELECT sum("events") FROM "{database}"."raw"."token_events"')
    assert found_there["values"][0][1] == 5, "the last line, and what was refused"
