"""From what is there to what should be there (pure)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from ingestor.provision.difference import Difference, differences
from ingestor.provision.things import Found, Kind, Thing


class Action(StrEnum):
    """What is to be done to a thing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"


class Step(NamedTuple):
    """A thing, and what is to be done to it."""

    action: Action
    thing: Thing
    differences: tuple[Difference, ...] = ()
    remake: bool = False
    """It has to be deleted first: Grafana refuses to change how it may be edited."""

    @property
    def exists(self) -> bool:
        """Whether the thing is there already."""
        return self.action is not Action.CREATE


class Conflict(NamedTuple):
    """A thing of somebody else that stands where ours should."""

    thing: Thing
    why: str


class Plan(NamedTuple):
    """Everything that is to be done, in the order of doing it."""

    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action is not Action.KEEP)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        return not self.changes and not self.conflicts


def plan(wanted: Sequence[Thing], found: Sequence[Found]) -> Plan:
    """Compare. What is there and carries our mark, but is not wanted any more, is deleted; what is others' is left alone."""
    there = {(entry.thing.kind, entry.thing.uid): entry for entry in found}
    steps: list[Step] = []
    conflicts: list[Conflict] = []
    for thing in sorted(wanted, key=_order):
        entry = there.pop((thing.kind, thing.uid), None)
        if entry is not None and entry.others:
            conflicts.append(Conflict(thing, entry.others))
        else:
            steps.append(_step(thing, entry.thing if entry else None))
    stale = [entry.thing for entry in there.values() if not entry.others]
    # Rules need their contact points and folder, so they go first.
    steps += [Step(Action.DELETE, thing) for thing in sorted(stale, key=_order, reverse=True)]
    return Plan(tuple(steps), tuple(conflicts))


def removal(found: Sequence[Found]) -> Plan:
    """Return the plan that leaves nothing of ours."""
    return plan([], found)


def _order(thing: Thing) -> int:
    return list(Kind).index(thing.kind)


def _step(wanted: Thing, found: Thing | None) -> Step:
    if found is None:
        return Step(Action.CREATE, wanted)
    different = list(differences(found.body, wanted.body))
    if found.locked != wanted.locked:
        different.append(Difference("editable in Grafana", _yes(not found.locked), _yes(not wanted.locked)))
    if not different:
        return Step(Action.KEEP, wanted)
    return Step(Action.UPDATE, wanted, tuple(different), remake=found.locked and not wanted.locked)


def _yes(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "yes" if value else "no"
