"""The daemon over a source that is no file: what it reads is stored once, and what is wrong with it is shown."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.config.settings import LogSettings, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.errors import TokentailError
from ingestor.jobs.replay import replay
from ingestor.jobs.status import status
from ingestor.model.generation import Status
from ingestor.sources.contract import Source
from ingestor.state.health import read_vitals
from ingestor.state.rejected_file import read_rejected
from ingestor.state.state import State
from parsers.contract import Reason
from tests.support.memory_source import Broker, MemorySource
from tests.support.source_conformance import READ, WHENEVER, Bench, Lines


class Topics:
    """Two topics of a broker."""

    def __init__(self, _directory: Path) -> None:
        self.broker = Broker()
        self.names = ["orders", "logins"]

    def settings(self, state_directory: Path) -> Settings:
        logs = tuple(LogSettings(f"memory:{name}", source=name) for name in self.names)
        return Settings(logs=logs, state_directory=state_directory, read=READ, retention=WHENEVER)

    def open(self, settings: Settings) -> Source:
        return MemorySource(settings, self.broker)

    def write(self, stream: int, data: bytes) -> None:
        self.broker.write(self.names[stream], data)

    def stop_serving(self) -> None:
        self.broker.away = "The broker cannot be reached"


@pytest.fixture
def topics(tmp_path: Path) -> Topics:
    return Topics(tmp_path)


@pytest.fixture
def bench(tmp_path: Path, topics: Topics) -> Iterator[Bench]:
    bench = Bench(tmp_path, topics)
    yield bench
    bench.stop()


def test_it_goes_on_at_the_position_that_is_durable(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, lines.events(100))
    bench.turn()
    bench.stop()
    topics.write(0, lines.events(50))
    topics.broker.topics["orders"][:100] = [
        message._replace(line=b"this would be rejected") for message in topics.broker.topics["orders"][:100]
    ]
    bench.turn()
    assert bench.stored() == sorted(lines.ids)
    assert bench.rejected() == [], "what was durable is not read again"
    with contextlib.closing(State.open_reader(bench.state_directory)) as state:
        (orders,) = [g for g in state.generations() if g.source == "orders"]
        assert (orders.ordinal, orders.position.tail_digest, orders.status) == (150, b"150", Status.OPEN)


def test_a_position_is_durable_together_with_the_points(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, lines.events(30))
    daemon = bench.daemon
    daemon.source.poll(1.0)
    block = daemon.source.next_block(1.0)
    assert block is not None
    daemon.pipeline.process(block)
    bench.stop()  # nothing was committed: neither the points nor the position
    bench.turn()
    assert bench.stored() == sorted(lines.ids)
    assert bench.read_lines() == 30


def test_a_gap_is_reported_and_reading_goes_on(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, lines.events(10))
    bench.turn()
    kept = len(lines.ids)
    topics.write(0, lines.events(10))
    topics.broker.expire("orders", 15)
    bench.turn()
    (gap,) = bench.gaps()
    assert (gap.source, gap.path) == ("orders", "memory:orders")
    assert "messages 10 to 14 were gone before they were read" in str(gap)
    assert bench.stored() == sorted(lines.ids[:kept] + lines.ids[15:])
    assert bench.daemon.figures().recent_gaps == 1
    bench.stop()
    bench.turn()
    assert len(bench.gaps()) == 1


def test_what_is_unread_and_what_is_wrong_is_shown(bench: Bench, topics: Topics) -> None:
    bench.turn()
    topics.stop_serving()
    data = Lines().events(4)
    topics.write(1, data)
    bench.turn()
    figures = bench.daemon.figures()
    assert figures.log_problems == ("The broker cannot be reached",)
    assert figures.unread_bytes == len(data)
    assert figures.lag_seconds >= 0.0
    assert figures.lag_since is not None
    vitals = read_vitals(bench.state_directory)
    assert vitals is not None
    assert vitals.log_problems == ("The broker cannot be reached",)
    with contextlib.closing(State.open_reader(bench.state_directory)) as state:
        assert "The broker cannot be reached" in status(state).problems
    topics.broker.away = ""
    bench.turn()
    figures = bench.daemon.figures()
    assert (figures.log_problems, figures.unread_bytes, figures.lag_since) == ((), 0, None)


def test_once_fails_when_something_was_unread(bench: Bench, topics: Topics) -> None:
    topics.stop_serving()
    with pytest.raises(TokentailError, match="The broker cannot be reached"):
        bench.once()


def test_the_origin_is_told_what_is_durable(bench: Bench, topics: Topics) -> None:
    topics.write(0, Lines().events(8))
    daemon = bench.daemon
    daemon.source.poll(1.0)
    block = daemon.source.next_block(1.0)
    assert block is not None
    daemon.pipeline.process(block)
    daemon.source.acknowledge(1.0, daemon.pipeline.progress)
    assert topics.broker.committed == {}, "read, and not durable"
    bench.turn()
    assert topics.broker.committed["orders"] == 8


def test_a_rejected_line_is_listed_under_the_name_of_its_stream(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, b"no event\n" + lines.events(1) + b"another\n")
    bench.turn()
    listed = list(read_rejected(bench.state_directory))
    assert {entry.reason for entry in listed} == {Reason.INVALID_JSON}
    assert [(entry.file, entry.ordinal) for entry in listed] == [("memory:orders", 0), ("memory:orders", 2)]
    assert len({(entry.generation, entry.offset) for entry in listed}) == 2
    # A stream cannot be gone back to: the lines are not found, and stay listed.
    assert replay(bench.daemon.pipeline, 0).not_found == 2


def test_a_reload_names_other_streams(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, lines.events(5))
    bench.turn()
    topics.names = ["logins"]
    topics.write(0, lines.events(5))
    assert bench.daemon.reload(topics.settings(bench.state_directory))
    topics.broker.write("orders", Lines().events(3))  # not named any more
    bench.turn()
    assert bench.stored() == sorted(lines.ids)
    topics.names = ["logins", "orders"]
    assert bench.daemon.reload(dataclasses.replace(topics.settings(bench.state_directory)))
    bench.turn()
    assert bench.read_lines() == 13, "it goes on where it was left"


def test_a_stream_under_another_name_of_its_source_goes_on(bench: Bench, topics: Topics) -> None:
    lines = Lines()
    topics.write(0, lines.events(5))
    bench.turn()
    bench.stop()
    logs = (LogSettings("memory:orders", source="purchases"), LogSettings("memory:logins"))
    bench.reads = dataclasses.replace(bench.settings, logs=logs)
    topics.write(0, lines.events(5))
    bench.turn()
    assert bench.stored() == sorted(lines.ids)
    with contextlib.closing(State.open_reader(bench.state_directory)) as state:
        accounts = state.accounts()
        assert (accounts["orders"].stored, accounts["purchases"].stored) == (5, 5)


def test_a_message_wakes_the_daemon(tmp_path: Path, topics: Topics) -> None:
    settings = topics.settings(tmp_path / "state")
    settings = dataclasses.replace(settings, read=dataclasses.replace(READ, poll_interval_seconds=60.0))
    lines, stop = Lines(), threading.Event()
    with (
        contextlib.closing(State.open(tmp_path / "state", "host-1")) as state,
        contextlib.closing(Daemon(settings, state, source=topics.open(settings))) as daemon,
    ):

        def write_late() -> None:
            time.sleep(0.5)  # it is idle by then, and waits for a minute
            topics.write(0, lines.events(3))
            end = time.monotonic() + 20
            while topics.broker.committed.get("orders") != 3 and time.monotonic() < end:
                time.sleep(0.05)
            stop.set()
            daemon.wake()

        writer = threading.Thread(target=write_late)
        writer.start()
        daemon.run_forever(stop.is_set)
        writer.join()
        daemon.drain()
    assert topics.broker.committed.get("orders") == 3
