"""A store that is apart from the state outlives it: a new state finds what is there, and stores nothing of it twice."""

import shutil
from collections.abc import Callable

import pytest

from ingestor.config.settings import BudgetSettings, StoreSettings
from ingestor.jobs.verify import verify
from ingestor.model.questions import Filters
from ingestor.state.state import State
from ingestor.stores.registry import store_of
from tests.support.counters import counters_in
from tests.support.questions import ALWAYS
from tests.support.store_under_test import KEPT
from tests.support.world import World


@pytest.fixture
def lasting(world: World, new_store: Callable[[], StoreSettings]) -> World:
    """A log and a daemon that stores its events there."""
    world.store, world.retention = new_store(), KEPT
    store_of(world.settings).set_up(change_retention=False, dry_run=False)
    return world


def test_a_new_state_with_other_budgets_stores_nothing_twice(lasting: World) -> None:
    """The lines get other tags than they had. One file is gone, so its events are in the store alone."""
    world, log = lasting, lasting.log
    store = store_of(world.settings)
    world.budgets = BudgetSettings(clients=1)
    for _ in range(3):
        log.write(20)
        world.once()
        log.rename()
    log.sibling(".3").unlink()
    log.write(20)
    world.once()
    shutil.rmtree(world.state_directory)
    world.budgets = BudgetSettings(clients=3)
    log.write(20)
    world.once()
    kept, files = log.written, [log.path, log.sibling(".1"), log.sibling(".2")]
    if store.in_state:  # it has gone with its events, and what lies rotated at a first look is left alone
        kept, files = log.written[-40:], [log.path]
    found = world.ask(lambda state: verify(world.settings, state, list(map(str, files))))
    assert [(file.good, file.twice) for file in found] == [(True, 0)] * len(files)
    counted = world.ask(lambda state: counters_in(state.connection))
    assert {sum(sums[0] for sums in rows.values()) for rows in counted.values()} == {len(kept)}
    assert world.ask(store.compare).agrees

    def stored(state: State) -> list[str]:
        with store.open_answers(state.connection) as answers:
            return sorted(str(event.event_id) for event in answers.events(ALWAYS, Filters()))

    assert world.ask(stored) == sorted(kept)
