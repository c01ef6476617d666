"""From what is there to what should be there (pure)."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from ingestor.provision.diff import Difference, differences
from ingestor.provision.normalize import as_set
from ingestor.provision.resources import Existing, Kind, Resource


class Action(StrEnum):
    """What is to be done to a thing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"


class Step(NamedTuple):
    """A thing, and what is to be done to it."""

    action: Action
    thing: Resource
    differences: tuple[Difference, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the thing is there already."""
        return self.action is not Action.CREATE


class Conflict(NamedTuple):
    """A thing that is not ours to change, where ours should be or should go."""

    thing: Resource
    why: str


class Plan(NamedTuple):
    """Everything that is to be done, in the order of doing it."""

    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...]
    """What of somebody else's stands where ours should."""
    kept: tuple[Conflict, ...] = ()
    """What of ours cannot go, since somebody else uses it."""

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action is not Action.KEEP)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it should be."""
        return not self.changes and not self.conflicts


def plan(wanted: Sequence[Resource], found: Sequence[Existing]) -> Plan:
    """Compare. What is there and carries our mark, but is not wanted any more, is deleted; what is others' is left alone."""
    there: dict[tuple[Kind, str], list[Existing]] = defaultdict(list)
    for entry in found:
        there[entry.thing.kind, entry.thing.uid].append(entry)
    steps: list[Step] = []
    conflicts: list[Conflict] = []
    for thing in sorted(wanted, key=_order):
        entries = there.pop((thing.kind, thing.uid), [])
        others = [Conflict(thing, entry.others) for entry in entries if entry.others]
        conflicts += others
        if not others:
            steps.append(_step(thing, entries[0].thing if entries else None))
    stale = [entry for entries in there.values() for entry in entries if not entry.others]
    # Rules need their contact points and folder, so they go first.
    going = sorted((entry.thing for entry in stale if not entry.in_use), key=_order, reverse=True)
    steps += [Step(Action.DELETE, thing) for thing in going]
    return Plan(
        tuple(steps), tuple(conflicts), tuple(Conflict(entry.thing, entry.in_use) for entry in stale if entry.in_use)
    )


def removal(found: Sequence[Existing]) -> Plan:
    """Return the plan that leaves nothing of ours."""
    return plan([], found)


def _order(thing: Resource) -> int:
    return list(Kind).index(thing.kind)


def _step(wanted: Resource, found: Resource | None) -> Step:
    if found is None:
        return Step(Action.CREATE, wanted)
    seen = found.body if wanted.kind is Kind.DASHBOARD else as_set(found.body, wanted.body)
    different = list(differences(seen, wanted.body))
    if found.locked != wanted.locked and wanted.kind is Kind.RULE_GROUP:
        different.append(Difference("editable in Grafana", _yes(not found.locked), _yes(not wanted.locked)))
    if not different:
        return Step(Action.KEEP, wanted)
    return Step(Action.UPDATE, wanted, tuple(different))


def _yes(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "yes" if value else "no"
