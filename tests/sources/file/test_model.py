"""A model of the world, a list of event ids, against the real follower on real files (after Vector's experiment test)."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingestor.config.settings import BudgetSettings, LogSettings
from ingestor.jobs.status import status
from ingestor.jobs.verify import verify
from ingestor.model.generation import Status
from ingestor.pipeline.pipeline import Pipeline
from ingestor.sources.file import transitions
from ingestor.sources.file.transitions import Seen, State, Step
from tests.support.world import World, gz, zst

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "60"))
PACKERS: list[Callable[[Path], Path]] = [gz, zst]


class CrashError(BaseException):
    """Not an Exception: nothing in the daemon may catch it, as nothing catches SIGKILL."""


class FollowerMachine(RuleBasedStateMachine):
    """Writes, rotates, compresses, deletes, restarts and kills in any order.

    What was deleted or truncated before it was read may be lost (it is in no file), but nothing else may be, and nothing
    may be there twice: not when files begin with the same line, when the log goes back to a beginning that it
    had, or when its source gets another name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="tokentail-model-"))
        self.world = World(self.directory)
        self.world.budgets = BudgetSettings(clients=2, failing_clients=1)  # so that the order of reading matters
        self.log = self.world.log
        self.log.path.touch()
        self.world.turn()  # the first look: what is rotated from now on is ours
        self.half: bytes = b""
        self.on_disk: dict[Path, list[str]] = {self.log.path: []}
        self.may_be_lost: set[str] = set()

    @property
    def rotated(self) -> list[Path]:
        return sorted(
            (path for path in self.on_disk if path != self.log.path), key=lambda path: int(path.name.split(".")[2])
        )

    def write(self, data: bytes, ids: list[str]) -> None:
        self.log.write(data)
        self.on_disk.setdefault(self.log.path, []).extend(ids)

    @rule(count=st.integers(1, 30))
    def write_lines(self, count: int) -> None:
        self.end_half()
        self.write(self.log.lines(count), self.log.written[-count:])

    @precondition(lambda self: not self.half)
    @rule(cut=st.integers(1, 80))
    def write_half_a_line(self, cut: int) -> None:
        line = self.log.line()
        self.write(line[:cut], [])
        self.half = line[cut:]

    @precondition(lambda self: self.half)
    @rule()
    def end_half(self) -> None:
        if self.half:
            self.write(self.half, self.log.written[-1:])
            self.half = b""

    @rule()
    def write_a_broken_and_a_blank_line(self) -> None:
        self.end_half()
        self.write(b"{broken\n\n", [])

    @precondition(lambda self: self.log.path.exists() and not self.log.path.stat().st_size)
    @rule(header=st.sampled_from([b'{"action":"service.started"}\n', b"\n"]))
    def begin_with_a_line_that_others_begin_with(self, header: bytes) -> None:
        self.write(header, [])

    @precondition(lambda self: self.on_disk.get(self.log.path) and not self.half)
    @rule(share=st.floats(0, 1), in_place=st.booleans())
    def go_back_to_a_former_beginning(self, share: float, *, in_place: bool) -> None:
        """Restored, or copied over; what is cut off comes back no more."""
        lines = self.log.path.read_bytes().splitlines(keepends=True)
        kept = lines[: int(len(lines) * share)]
        ids = [json.loads(line)["id"] for line in kept if line.startswith(b'{"id"')]
        spare = self.directory / "spare" if not in_place else self.log.path
        spare.write_bytes(b"".join(kept))
        if not in_place:
            spare.replace(self.log.path)
        self.lose([event_id for event_id in self.on_disk[self.log.path] if event_id not in ids])
        self.on_disk[self.log.path] = ids

    @rule(source=st.sampled_from(["", "idp", "tokens"]), restart=st.booleans())
    def rename_the_source(self, source: str, *, restart: bool) -> None:
        self.world.log_settings = (LogSettings(str(self.log.path), source=source),)
        if restart:
            self.world.stop()
        else:
            self.world.daemon.reload(self.world.settings)

    @rule(create=st.booleans())
    def rotate_by_rename(self, *, create: bool) -> None:
        if not self.log.path.exists():
            return
        self.end_half()
        self.shift()
        self.log.rename(create=create)
        self.on_disk[self.log.sibling(".1")] = self.on_disk.pop(self.log.path, [])
        self.on_disk[self.log.path] = []

    @rule()
    def rotate_by_copy_and_truncate(self) -> None:
        if not self.log.path.exists():
            return
        self.end_half()
        self.shift()
        self.log.copy_truncate()
        self.on_disk[self.log.sibling(".1")] = self.on_disk[self.log.path]
        self.on_disk[self.log.path] = []

    def shift(self) -> None:
        """Follow in the model what Log.shift does on the disk."""
        for path in reversed(self.rotated):
            _, _, number, *rest = path.name.split(".")
            older = path.with_name(".".join(["audit", "log", str(int(number) + 1), *rest]))
            self.on_disk[older] = self.on_disk.pop(path)

    @precondition(lambda self: any(path.suffix not in {".gz", ".zst"} for path in self.rotated))
    @rule(packer=st.sampled_from(PACKERS))
    def compress_the_oldest_plain_one(self, packer: Callable[[Path], Path]) -> None:
        plain = [path for path in self.rotated if path.suffix not in {".gz", ".zst"}][-1]
        self.on_disk[packer(plain)] = self.on_disk.pop(plain)

    @precondition(lambda self: len(self.rotated) > 1)
    @rule()
    def delete_the_oldest(self) -> None:
        oldest = self.rotated[-1]
        oldest.unlink()
        self.lose(self.on_disk.pop(oldest))

    @rule()
    def truncate_without_a_copy(self) -> None:
        if self.log.path.exists():
            self.end_half()
            os.truncate(self.log.path, 0)
            self.lose(self.on_disk[self.log.path])
            self.on_disk[self.log.path] = []

    def lose(self, ids: list[str]) -> None:
        self.may_be_lost |= set(ids) - set(self.world.stored())

    @rule(seconds=st.sampled_from([0.2, 1.0, 20.0]))
    def turn(self, seconds: float) -> None:
        self.world.turn(seconds=seconds)
        figures = self.world.daemon.figures()
        assert (figures.lag_since, figures.unread_bytes) == (None, 0)

    @precondition(lambda self: self.log.path.exists())
    @rule()
    def rotate_by_copy_and_truncate_between_look_and_read(self) -> None:
        file_source = self.world.file_source
        original = file_source.poll

        def poll(now: float) -> None:
            original(now)
            file_source.poll = original  # type: ignore[method-assign]
            self.rotate_by_copy_and_truncate()

        file_source.poll = poll  # type: ignore[method-assign]
        self.world.turn()

    @rule()
    def restart(self) -> None:
        self.world.stop()
        self.world.turn()

    @rule()
    def run_once(self) -> None:
        self.log.path.touch()  # it complains of a log that it never saw
        self.world.once()

    @rule(place=st.sampled_from(["before the commit", "inside the transaction", "after the commit"]))
    def kill(self, place: str) -> None:
        daemon = self.world.daemon
        state = daemon.pipeline.state
        original_save, original_ship = state.save, Pipeline.submit

        def save(*arguments: object) -> None:
            original_save(*arguments)  # type: ignore[arg-type]
            raise CrashError

        def ship(pipeline: Pipeline, now: float) -> None:
            if place == "after the commit":
                original_ship(pipeline, now)
            raise CrashError

        if place == "inside the transaction":
            state.save = save  # type: ignore[method-assign,assignment]
        else:
            daemon.pipeline.submit = ship.__get__(daemon.pipeline)  # type: ignore[method-assign]
        with contextlib.suppress(CrashError):
            self.world.turn()
        self.world.stop()

    @invariant()
    def nothing_is_stored_twice_or_out_of_nowhere(self) -> None:
        stored = self.world.stored()
        assert len(stored) == len(set(stored))
        assert set(stored) <= set(self.log.written)

    def verify(self) -> None:
        """Every file that is still there makes the points that are stored, also those of clients beyond the budget."""
        paths = [str(path) for path in self.on_disk if path.exists()]
        for found in self.world.ask(lambda state: verify(self.world.settings, state, paths)):
            assert found.good, found

    def teardown(self) -> None:
        try:
            self.end_half()
            self.run_once()
            stored = set(self.world.stored())
            assert set(self.log.written) - stored <= self.may_be_lost
            accounts = self.world.ask(lambda state: state.accounts())
            assert sum(account.stored for account in accounts.values()) == len(stored)
            assert all(account.pending == 0 for account in accounts.values())
            found = self.world.ask(status)
            # None is the answer where what was read last is in no file any more.
            assert (found.lag_seconds, [entry.unread_bytes or 0 for entry in found.logs]) == (0, [0] * len(found.logs))
            generations = self.world.ask(lambda state: state.generations())
            there = {path.stat().st_ino for path in self.log.path.parent.iterdir()}
            assert all(
                entry.position.offset or entry.inode in there for entry in generations if entry.status is Status.OPEN
            )
            self.verify()
        finally:
            self.world.stop()
            shutil.rmtree(self.directory)


FollowerMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


COMMON = {
    (State.NOTHING, Seen.OTHER),
    (State.ASKED, Seen.NEW),
    (State.ASKED, Seen.KNOWN),
    (State.LIVE, Seen.SAME),
    (State.LIVE, Seen.OTHER),
    (State.LIVE, Seen.CUT),
    (State.LIVE, Seen.BLOCK),
    (State.LIVE, Seen.END_GROWING),
    (State.ROTATED, Seen.BLOCK),
    (State.ROTATED, Seen.END_QUIET),
    (State.ROTATED, Seen.END_OVER),
    (State.HALF_LINE, Seen.ENDS),
    (State.LAST_LINE, Seen.END_QUIET),
    (State.LAST_LINE, Seen.END_OVER),
    (State.MISSING, Seen.TOO_SOON),
}
"""Rows that any run of the model comes upon."""


class Recorded(dict[tuple[State, Seen], Step]):
    """The table of following, with the rows that were asked for."""

    def __init__(self, rows: Mapping[tuple[State, Seen], Step]) -> None:
        super().__init__(rows)
        self.used: set[tuple[State, Seen]] = set()

    def __getitem__(self, row: tuple[State, Seen]) -> Step:
        self.used.add(row)
        return super().__getitem__(row)


@pytest.mark.slow
class TestFollower(FollowerMachine.TestCase):  # type: ignore[misc,valid-type]  # made by hypothesis
    def runTest(self) -> None:  # noqa: N802 - unittest's name
        """Run the model: no pair is met that the table does not have, and what is common is met."""
        recorded = Recorded(transitions.TRANSITIONS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transitions, "TRANSITIONS", recorded)
            super().runTest()
        assert EXAMPLES < 60 or not COMMON - recorded.used


def test_nobody_waits_for_an_empty_log_that_is_named_no_more_and_gone() -> None:
    """Its generation stayed open in the state for good. A search found the story."""
    story = FollowerMachine()
    story.rotate_by_rename(create=True)
    story.rotate_by_copy_and_truncate_between_look_and_read()
    story.delete_the_oldest()
    story.rename_the_source(restart=False, source="idp")
    story.restart()
    story.teardown()
