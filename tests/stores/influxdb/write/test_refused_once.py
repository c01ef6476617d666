"""What InfluxDB refuses is counted once, also when the disk refuses the transaction that ends the work."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingestor.state.state import State
from ingestor.stores.influxdb.write.migration import Migration
from ingestor.stores.influxdb.write.reclassifier import Reclassifier


class RefusesOnce:
    """A state whose first transaction fails as one on a full disk does."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._is_full = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        if self._is_full:
            self._is_full = False
            raise sqlite3.OperationalError("database or disk is full")
        with self._state.transaction():
            yield


def done(result: object) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


REFUSED = SimpleNamespace(refused=[SimpleNamespace(point=0, reason="no")], expired=[])


@pytest.fixture
def state(tmp_path: Path) -> Iterator[RefusesOnce]:
    with contextlib.closing(State.open(tmp_path, "host-1")) as opened:
        yield RefusesOnce(opened)


def test_a_move(state: RefusesOnce) -> None:
    moves: Any = Reclassifier.__new__(Reclassifier)
    moves._state, moves._looking, moves.refused = state, None, []
    moves._moving = done(SimpleNamespace(shipment=REFUSED, kept=None))
    moves._listed, moves._written = lambda index, reason: (index, reason), [7]
    with pytest.raises(sqlite3.Error):
        moves.advance()
    moves.advance()
    assert moves.refused == [(7, "no")]
    assert not moves.busy


def test_a_part_of_a_migration(state: RefusesOnce) -> None:
    migration: Any = Migration.__new__(Migration)
    migration._state, migration._notes, migration.refused = state, Counter(), []
    migration._listed = lambda point, reason: (point, reason)
    part = SimpleNamespace(points=[(1, 2)], sent=done((REFUSED, None)))
    with pytest.raises(sqlite3.Error):
        migration._acknowledge(part)
    migration._acknowledge(part)
    assert migration.refused == [((1, 2), "no")]
