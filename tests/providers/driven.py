"""A daemon that reads what a real server writes, killed again and again, and what it has stored at the end."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from ingestor.state.state import State
from tests.support.world import World

Told: TypeAlias = tuple[str, str, str]
"""(action, client, error)"""
INVENTED: Final = "?"
"""Stands for any name of a client that does not exist."""


class Stored(NamedTuple):
    """What the store tells of one event."""

    source: str
    action: str
    client_id: str
    error: str
    user_id: str | None
    ip: str | None
    realm: str


def drive(world: World, steps: Mapping[Callable[[], None], int], chance: random.Random) -> None:
    """Take each step so many times, all in a random order, with a daemon that reads meanwhile, or is killed."""
    script = [step for step, times in steps.items() for _ in range(times)]
    chance.shuffle(script)
    for step in script:
        step()
        if chance.random() < 0.5:
            world.turn()
        if chance.random() < 0.3:
            world.stop()  # as a kill does
    world.stop()
    world.once()


def stored(world: World) -> list[Stored]:
    """Return what is stored, after the accounts are found to agree: nothing is rejected."""
    rows = world.ask(stored_events)
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert account.stored == len(rows)
    assert account.total_rejected == 0
    assert account.pending == 0
    world.check_agreement()
    return rows


def stored_events(state: State) -> list[Stored]:
    """Return what the embedded store holds."""
    columns = ", ".join(Stored._fields)
    rows = state.connection.execute(f"SELECT {columns} FROM token_events JOIN series ON number = series")
    return [Stored(*row) for row in rows]


def counted(events: Iterable[Stored], clients: Iterable[str]) -> Counter[Told]:
    """Count events by what they tell. ``clients`` are those that exist; each other one is INVENTED."""
    known = {*clients, ""}
    return Counter(
        (event.action, event.client_id if event.client_id in known else INVENTED, event.error) for event in events
    )
