"""A daemon that reads what a real server writes, killed again and again, and what it has stored at the end."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from tests.support.world import World

Told: TypeAlias = tuple[str, str, str]
"""(action, client, error)"""


class Stored(NamedTuple):
    """What the store tells of one event."""

    action: str
    client_id: str
    error: str
    user_id: str | None
    ip: str | None
    realm: str

    @property
    def told(self) -> Told:
        return self.action, self.client_id, self.error


def drive(world: World, steps: Iterable[Callable[[], None]]) -> None:
    """Take all steps in a random order, with a daemon that reads meanwhile, or is killed."""
    script = list(steps)
    random.shuffle(script)
    for step in script:
        step()
        if random.random() < 0.5:
            world.turn()
        if random.random() < 0.3:
            world.stop()  # as a kill does
    world.stop()
    world.once()


def stored(world: World) -> list[Stored]:
    """Return what is stored, after the accounts are found to agree: nothing is rejected."""
    rows = world.ask(
        lambda state: [
            Stored(*row)
            for row in state.connection.execute(
                "SELECT action, client_id, error, user_id, ip, realm FROM token_events JOIN series ON number = series"
            )
        ]
    )
    (account,) = world.ask(lambda state: state.accounts()).values()
    assert account.stored == len(rows)
    assert account.total_rejected == 0
    assert account.pending == 0
    world.check_agreement()
    return rows


def counted(events: Iterable[Stored]) -> Counter[Told]:
    """Count what is stored by what it tells."""
    return Counter(event.told for event in events)
