"""Every store moves lines that are classified otherwise, once, and counters and accounts with them: through faults and crashes."""

import contextlib
import dataclasses
import itertools
import shutil
import sqlite3
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from ingestor.state.checkpoint import Checkpoint
from ingestor.state.state import State
from tests.support.counters import counters_of
from tests.support.generated import Sample, random_samples
from tests.support.questions import BEGIN
from tests.support.store_under_test import HOST, StoreUnderTest


class Move(NamedTuple):
    """Lines that are read again, by other rules than when they were counted."""

    before: list[Sample]
    """What some of them were."""
    ignored: list[Sample]
    """What the others are now."""
    after: list[Sample]
    """What all of them are now."""


def move_of(lines: list[Sample]) -> Move:
    """Of four lines, one gets other tags and one other fields, one stays as it is, and one had been ignored."""
    tagged = [
        dataclasses.replace(line, series=line.series._replace(action="token.reuse_detected", outcome="failure"))
        for line in lines[::4]
    ]
    changed = [
        dataclasses.replace(line, fields={**line.fields, "user_id": None, "expires_in": 7}) for line in lines[1::4]
    ]
    same, ignored = lines[2::4], lines[3::4]
    return Move(lines[::4] + lines[1::4] + same, ignored, tagged + changed + same + ignored)


@pytest.fixture
def moves() -> list[Move]:
    """Moves of eight lines, all within a millisecond."""
    lines = [
        Sample(
            BEGIN + number,
            sample.series._replace(host=HOST),
            {**sample.fields, "fraction": None},
            "2026-10-23T22:00:00.000Z",
        )
        for number, sample in enumerate(random_samples(seed=23, count=160))
    ]
    return [move_of(lines[start : start + 8]) for start in range(0, len(lines), 8)]


def begun(subject: StoreUnderTest, moves: list[Move]) -> None:
    """Have the lines be counted as what they were."""
    subject.write([line for move in moves for line in move.before])
    subject.ignore([line for move in moves for line in move.ignored])


def test_counters_and_accounts_move_with_the_lines(subject: StoreUnderTest, moves: list[Move]) -> None:
    begun(subject, moves[:5])
    kept = [line for move in moves[:5] for line in move.after]
    for _ in range(2):
        subject.reclassify(kept)
        subject.check(kept)
    subject.close()
    subject.check(kept)


def test_a_state_that_fails_now_and_then_loses_nothing_of_a_move(
    subject: StoreUnderTest, moves: list[Move], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points and checkpoint are apart in most stores: what the first step found must still be known to the last."""
    begun(subject, moves[:1])
    save, fails = State.save, itertools.cycle((True, False))

    def now_and_then(state: State, checkpoint: Checkpoint, mark: int | None = None) -> None:
        if next(fails):
            raise sqlite3.OperationalError("database or disk is full")
        save(state, checkpoint, mark)

    batch = subject.reclassified(moves[0].after)
    subject.delivery.claim(batch.accounts)
    batch.series = subject.series.take_new()
    monkeypatch.setattr(State, "save", now_and_then)
    subject.delivery.submit(batch, time.monotonic())
    subject.until(lambda: subject.delivery.idle)
    subject.check(moves[0].after)
    subject.close()
    subject.check(moves[0].after)


class Killed(BaseException):
    """The process has died."""


@contextlib.contextmanager
def killed_at(moment: int) -> Iterator[None]:
    """Die before the first checkpoint is in the state (0), behind it (1), before the next one (2), and so on."""
    save, transaction, moments = State.save, State.transaction, itertools.count()
    saved: list[Checkpoint] = []

    def pass_by() -> None:
        if next(moments) == moment:
            raise Killed

    def saving(state: State, checkpoint: Checkpoint, mark: int | None = None) -> None:
        pass_by()
        save(state, checkpoint, mark)
        saved.append(checkpoint)

    @contextlib.contextmanager
    def committing(state: State) -> Iterator[None]:
        with transaction(state):
            yield
        if saved:
            saved.clear()
            pass_by()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(State, "save", saving)
        patched.setattr(State, "transaction", committing)
        yield


def test_a_move_that_was_interrupted_is_made_once(subject: StoreUnderTest, moves: list[Move]) -> None:
    """At whatever moment: the lines are read again unless a checkpoint says that they are moved."""
    begun(subject, moves)
    for moment in itertools.count():
        left = moves[moment + 1 :]
        kept = [line for move in moves[: moment + 1] for line in move.after]
        kept += [line for move in left for line in move.before]
        ignored = sum(len(move.ignored) for move in left)
        batch = subject.reclassified(moves[moment].after)
        batch.checkpoint.meta["moved"] = str(moment)
        with contextlib.suppress(Killed), killed_at(moment):
            subject.deliver(batch)
        subject.close()
        durable = subject.state.meta().get("moved") == str(moment)
        if not durable:
            subject.reclassify(moves[moment].after)
        subject.check_counted(kept, ignored=ignored)
        if durable:
            subject.check(kept, ignored=ignored)
            assert moment, "it was killed before its checkpoint"
            return


def test_a_line_that_is_stored_twice_is_stored_once(subject: StoreUnderTest, moves: list[Move]) -> None:
    """Also where what was has fewer tags than what is: a deletion that names no more than these meets both."""
    lines = moves[0].before
    was = [dataclasses.replace(line, series=line.series._replace(error="", realm="")) for line in lines]
    now = [dataclasses.replace(line, series=line.series._replace(error="other", realm="acme")) for line in lines]
    subject.write(was)
    subject.write(now)
    subject.reclassify(now)
    subject.check_events(now)
    assert subject.counted() == counters_of(now)


def test_a_new_state_makes_up_for_no_move_of_the_lost_one(subject: StoreUnderTest, moves: list[Move]) -> None:
    begun(subject, moves[:1])
    subject.reclassify(moves[0].after)
    subject.close()
    shutil.rmtree(subject.directory)
    batch = subject.new_lines(moves[0].after)
    batch.may_be_stored = True
    subject.deliver(batch)
    subject.delivery.recount(list(batch.accounts), lambda: None)
    subject.check(moves[0].after)
