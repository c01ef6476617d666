"""What every source must do, as checks that run the daemon over it with the embedded store.

To have a source of yours pass it: write a ``SourceCase`` and add it to ``CASES`` in `tests/sources/test_contract.py`.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ingestor.config.settings import ReadSettings, RetentionSettings, Settings
from ingestor.pipeline.generations import load_generations
from ingestor.sources.block import Block
from ingestor.sources.contract import Progress, Source
from ingestor.state.state import State
from parsers.contract import Reason
from tests.support.running import Running

READ = ReadSettings(rotated_quiet_seconds=0.0, missing_grace_seconds=0.0, max_line_bytes=4096)
WHENEVER = RetentionSettings(raw_days=36_500, rollup_days=36_500, findings_days=36_500)


class SourceCase(Protocol):
    """A source with an origin that a test can write to."""

    def __init__(self, directory: Path, /) -> None:
        """``directory`` is empty, and this case's own."""
        ...

    def settings(self, state_directory: Path) -> Settings:
        """Return settings that name two streams, with ``READ`` and ``WHENEVER``."""
        ...

    def open(self, settings: Settings) -> Source:
        """Return the source; what was written before is not gone."""
        ...

    def write(self, stream: int, data: bytes) -> None:
        """Have whole lines come to stream 0 or 1."""
        ...

    def stop_serving(self) -> None:
        """Have the origin be away: nothing of it can be read now."""
        ...


class Lines:
    """Makes lines; ``ids`` are those of the events that were made."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._count = itertools.count()

    def events(self, count: int) -> bytes:
        """Return so many events, of which five share a millisecond."""
        return b"".join(self._event(next(self._count)) for _ in range(count))

    def _event(self, number: int) -> bytes:
        self.ids.append(f"e-{number}")
        record = {
            "id": self.ids[-1],
            "created_at": f"2026-11-01T00:00:{number // 5000:02}.{number // 5 % 1000:03}Z",
            "action": "token.refreshed",
            "user_id": "u-1",
            "resource_id": "web",
            "details": {"client_id": "web", "ip_address": "203.0.113.9"},
        }
        return json.dumps(record).encode() + b"\n"


class Bench(Running):
    """A daemon over a case, stopped and started at will."""

    def __init__(self, directory: Path, case: SourceCase) -> None:
        super().__init__(directory / "state")
        self.case = case
        self.reads = case.settings(self.state_directory)

    @property
    def settings(self) -> Settings:
        return self.reads

    def new_source(self) -> Source:
        return self.case.open(self.settings)

    def stored(self) -> list[str]:
        """Return the ids of the events in the store, sorted."""
        return self.ask(
            lambda state: sorted(row[0] for row in state.connection.execute("SELECT event_id FROM token_events"))
        )

    def hosts(self) -> list[tuple[str, int]]:
        """Return how many events each host has, as they are tagged."""
        counted = "SELECT host, count(*) FROM token_events JOIN series ON number = series GROUP BY host ORDER BY host"
        return self.ask(lambda state: state.connection.execute(counted).fetchall())

    def read_lines(self) -> int:
        """Return how many lines are in the accounts."""
        return self.ask(lambda state: sum(account.read for account in state.accounts().values()))


@contextlib.contextmanager
def source_alone(bench: Bench) -> Iterator[Source]:
    """Yield the source as a daemon has it that starts now, and that commits nothing."""
    with contextlib.closing(State.open(bench.state_directory, bench.host)) as state:
        source = bench.case.open(bench.settings)
        source.begin(load_generations(state, state.meta()))
        with contextlib.closing(source):
            yield source


def blocks_of(source: Source, now: float) -> list[Block]:
    """Return all blocks that there are now."""
    blocks: list[Block] = []
    source.poll(now)
    while (block := source.next_block(now)) is not None or source.busy:
        blocks += [block] if block is not None else []
    return blocks


class Conformance:
    """The checks. Each gets a bench of its own."""

    def check_each_event_is_stored_once_across_stops(self, bench: Bench) -> None:
        lines = Lines()
        for _ in range(3):
            bench.case.write(0, lines.events(40))
            bench.case.write(1, lines.events(7))
            bench.turn()
            bench.case.write(0, lines.events(5))
            bench.stop()
        bench.turn()
        assert bench.stored() == sorted(lines.ids)
        assert bench.read_lines() == len(lines.ids)
        assert bench.gaps() == []

    def check_what_was_not_committed_is_handed_out_again_the_same(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(30))
        bench.turn()
        bench.stop()
        bench.case.write(0, lines.events(500))
        found = []
        for _ in range(2):
            with source_alone(bench) as source:
                blocks = blocks_of(source, 1.0)
                found.append([(b.generation.number, b.generation.h, b.offset, b.ordinal, b.data) for b in blocks])
        assert found[0] == found[1]
        assert found[0][0][3] == 30, "it goes on at its position"
        bench.turn()
        assert bench.stored() == sorted(lines.ids)

    def check_what_follows_has_the_name_of_the_host_that_reads_it(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(5))
        bench.turn()
        bench.stop()
        bench.host = "host-2"
        bench.case.write(0, lines.events(3))
        bench.turn()
        assert bench.stored() == sorted(lines.ids)
        assert bench.hosts() == [("host-1", 5), ("host-2", 3)]

    def check_blocks_are_whole_lines_in_a_row(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(700))
        bench.case.write(1, lines.events(300))
        with source_alone(bench) as source:
            blocks = blocks_of(source, 1.0)
            assert {block.generation.source for block in blocks} == set(source.sources())
            assert (
                len({block.generation.h for block in blocks}) == 2
                or len({block.generation.source for block in blocks}) == 2
            ), "lines of two streams are told apart"
            ordinals: dict[int, int] = {}
            offsets: dict[int, int] = {}
            for block in blocks:
                number = block.generation.number
                assert block.data.endswith(b"\n")
                assert len(block.data) <= 1 << 20
                assert not block.repeat
                assert block.ordinal == ordinals.get(number, 0)
                assert block.offset >= offsets.get(number, 0), "no two lines have one offset: they are listed by it"
                ordinals[number] = block.ordinal + block.data.count(b"\n")
                offsets[number] = block.offset + len(block.data)
            assert sorted(ordinals.values()) == [300, 700]
            assert source.next_block(1.0) is None

    def check_a_long_line_is_rejected_and_the_next_one_read(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(2) + b"x" * 10_000 + b"\n" + lines.events(2))
        bench.turn()
        bench.stop()
        bench.turn()
        assert bench.stored() == sorted(lines.ids)
        assert bench.rejected() == [Reason.LINE_TOO_LONG]
        assert bench.read_lines() == 5

    def check_what_waits_is_told(self, bench: Bench) -> None:
        bench.turn()
        source = bench.daemon.source
        assert source.unread_bytes() == 0
        assert source.lag_since(bench.daemon.pipeline.progress) is None
        data = Lines().events(10)
        bench.case.write(0, data)
        source.poll(bench.now + 1, force=True)
        assert source.unread_bytes() == len(data)
        since = source.lag_since(bench.daemon.pipeline.progress)
        assert since is not None
        assert source.next_block(bench.now + 1) is not None
        read = Progress(accepted_bytes=len(data), acknowledged_bytes=0, all_durable=False)
        source.poll(bench.now + 2, force=True)
        assert source.unread_bytes() == 0
        assert source.lag_since(read) == since, "read is not stored yet"
        assert source.lag_since(Progress(len(data), len(data), all_durable=True)) is None

    def check_a_reload_loses_nothing_and_repeats_nothing(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(20))
        bench.turn()
        bench.case.write(0, lines.events(20))
        assert bench.daemon.reload(bench.case.settings(bench.state_directory))
        bench.case.write(1, lines.events(20))
        bench.turn()
        assert bench.stored() == sorted(lines.ids)
        assert bench.read_lines() == len(lines.ids)

    def check_once_reads_to_the_end_and_ends(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(300))
        bench.case.write(1, lines.events(1))
        bench.once()
        bench.once()
        assert bench.stored() == sorted(lines.ids)

    def check_an_origin_that_is_away_is_a_problem(self, bench: Bench) -> None:
        lines = Lines()
        bench.case.write(0, lines.events(3))
        bench.case.write(1, lines.events(3))
        bench.case.stop_serving()
        bench.turn()
        assert bench.daemon.source.problems()
        assert bench.daemon.figures().log_problems
        assert bench.stored() == []


CHECKS = [name for name in vars(Conformance) if name.startswith("check_")]
